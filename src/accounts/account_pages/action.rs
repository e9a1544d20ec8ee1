//! What clients lead a person here for (Matrix CS API, OAuth 2.0 account management; MSC4191).

use super::{cross_signing_reset, deactivate, home, session_row, sessions};
use crate::app::App;
use crate::http::error::{PageError, Problem};
use crate::http::form::{Parameters, with_query};
use crate::ids::{DeviceId, UserId};
use crate::sessions::all::SessionId;
use crate::sessions::client;

/// What a client wants its person to do, and with which device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    kind: Kind,
    device_id: Option<DeviceId>,
}

/// The things to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// See who the account is.
    Profile,
    /// See what is signed in.
    Devices,
    /// See one device.
    Device,
    /// Sign a device out.
    EndDevice,
    /// Deactivate the account.
    Deactivate,
    /// Let an app replace the cross-signing keys.
    ResetCrossSigning,
}

impl Action {
    /// The values of `action`: first those of the specification, then what they were called before.
    pub const NAMES: [(&str, Kind); 9] = [
        ("org.matrix.profile", Kind::Profile),
        ("org.matrix.devices_list", Kind::Devices),
        ("org.matrix.device_view", Kind::Device),
        ("org.matrix.device_delete", Kind::EndDevice),
        ("org.matrix.account_deactivate", Kind::Deactivate),
        ("org.matrix.cross_signing_reset", Kind::ResetCrossSigning),
        ("org.matrix.sessions_list", Kind::Devices),
        ("org.matrix.session_view", Kind::Device),
        ("org.matrix.session_end", Kind::EndDevice),
    ];

    /// Reads the parameters of a link; `None` for an action that is not known.
    pub fn parse(parameters: &Parameters) -> Option<Action> {
        let asked = parameters.get("action")?;
        let (_, kind) = Action::NAMES.into_iter().find(|(name, _)| *name == asked)?;
        let device_id = parameters.get("device_id").map(|id| DeviceId(id.to_owned()));
        Some(Action { kind, device_id })
    }

    /// The link as a local path, to come back to.
    pub fn path(&self) -> String {
        let (name, _) =
            Action::NAMES.into_iter().find(|(_, kind)| *kind == self.kind).unwrap_or(Action::NAMES[0]);
        let device_id = self.device_id.as_ref().map(|id| ("device_id", id.0.as_str().into()));
        let parameters: Vec<_> = [("action", name.into())].into_iter().chain(device_id).collect();
        with_query(home::PATH, &parameters)
    }

    /// The local path of the page on which the person can do it.
    ///
    /// # Errors
    /// [`Problem::UnknownDevice`] when the person has no such device, or the database fails.
    pub async fn page(&self, app: &App, user: UserId) -> Result<String, PageError> {
        let device = async || {
            let id = self.device_id.as_ref().ok_or(Problem::UnknownDevice)?;
            let session = client::find_by_device(&app.store, user, id).await?;
            Ok::<_, PageError>(session.ok_or(Problem::UnknownDevice)?.id)
        };
        Ok(match self.kind {
            Kind::Profile => home::PATH.to_owned(),
            Kind::Devices => sessions::PATH.to_owned(),
            Kind::Device => session_row::client_path(device().await?),
            Kind::EndDevice => session_row::end_path(SessionId::Client(device().await?)),
            Kind::Deactivate => deactivate::PATH.to_owned(),
            Kind::ResetCrossSigning => cross_signing_reset::PATH.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_as_it_is_written() {
        for (name, _) in Action::NAMES {
            let query = format!("action={name}&device_id=wjLpTLRq%2BbM%2FsSRQ&login_hint=x");
            let action = Action::parse(&Parameters::parse(query.as_bytes()).unwrap()).unwrap();
            assert_eq!(action.device_id, Some(DeviceId("wjLpTLRq+bM/sSRQ".to_owned())));
            let (_, query) = action
                .path()
                .split_once('?')
                .map(|(path, query)| (path.to_owned(), query.to_owned()))
                .unwrap();
            assert_eq!(Action::parse(&Parameters::parse(query.as_bytes()).unwrap()), Some(action));
        }
        for query in ["", "action=", "action=org.matrix.unknown", "device_id=x", "action=ORG.MATRIX.PROFILE"]
        {
            assert_eq!(Action::parse(&Parameters::parse(query.as_bytes()).unwrap()), None, "{query}");
        }
    }
}
