//! Background work for sessions: telling the homeserver that a device is gone.

use serde::{Deserialize, Serialize};

use super::sql;
use crate::app::App;
use crate::ids::{DeviceId, UserId};
use crate::jobs::{Job, JobError};

/// Deletes a device on the homeserver, unless a live session uses it by now.
///
/// A sign-in on the same device waits while this job runs, and holds it back otherwise; see
/// [`make_ready`](super::device::make_ready).
#[derive(Debug, Serialize, Deserialize)]
pub struct DeleteDevice {
    /// Whose device.
    pub user_id: UserId,
    /// Which device.
    pub device_id: DeviceId,
}

impl DeleteDevice {
    /// What the queues of all of a user's devices begin with.
    pub fn queues_of(user_id: UserId) -> String {
        format!("device:{user_id}:")
    }
}

impl Job for DeleteDevice {
    const KIND: &'static str = "delete_device";

    fn queue(&self) -> String {
        format!("{}{}", DeleteDevice::queues_of(self.user_id), self.device_id)
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
