//! Background work for sessions: telling the homeserver that a device is gone.

use serde::{Deserialize, Serialize};

use super::sql;
use crate::app::App;
use crate::ids::{DeviceId, UserId};
use crate::jobs::{Job, JobError};

/// Deletes a device on the homeserver, unless a live session uses it by now.
///
/// A sign-in on the same device cancels this job, or waits while it runs; see
/// [`claim_device`](super::oauth::claim_device).
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteDevice {
    /// Whose device.
    pub user_id: UserId,
    /// Which device.
    pub device_id: DeviceId,
}

impl DeleteDevice {
    /// The queue of one device.
    pub fn queue_of(user_id: UserId, device_id: &DeviceId) -> String {
        format!("device:{user_id}:{device_id}")
    }
}

impl Job for DeleteDevice {
    const KIND: &'static str = "delete_device";

    fn queue(&self) -> String {
        DeleteDevice::queue_of(self.user_id, &self.device_id)
    }

    async fn run(&self, app: &App) -> Result<(), JobError> {
        let Some(localpart) = sql::find_device_to_delete(&app.store, self.user_id, &self.device_id).await?
        else {
            return Ok(());
        };
        app.homeserver.delete_device(&localpart, &self.device_id).await.map_err(|error| {
            match error.is_passing() {
                true => JobError::Passing(error.to_string()),
                false => JobError::Refused(error.to_string()),
            }
        })
    }
}
