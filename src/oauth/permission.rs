//! Whether a client may have what it asks for: the policy's question about grants, with everything
//! that it is asked with.

use super::scope::Scope;
use crate::app::App;
use crate::clients::{Client, GrantType};
use crate::http::requester::Requester;
use crate::policy::{self, Decision, input};
use crate::sessions::client::{self, Count};
use crate::store;

/// An access that a client asks for.
pub struct Access<'a> {
    /// To whose account; nobody's when the client acts for itself.
    pub user: Option<input::User>,
    /// Which client.
    pub client: &'a Client,
    /// What it wants to do.
    pub scope: &'a Scope,
    /// With which grant its tokens are asked for.
    pub grant_type: GrantType,
}

/// Why there is no decision, which permits nothing.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    /// The rules failed.
    #[error(transparent)]
    Policy(#[from] policy::Error),
    /// What they are asked with could not be read.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Asks the policy about a grant that begins a session. It is asked each time anew: a person, a client
/// or a rule may have changed.
///
/// # Errors
/// [`Undecided`].
pub async fn ask(app: &App, access: Access<'_>, requester: &Requester) -> Result<Decision, Undecided> {
    let count = match &access.user {
        Some(user) => client::count(&app.store, user.id, access.scope.device_id()).await?,
        None => Count::default(),
    };
    Ok(judge(app, access, count, requester)?)
}

/// Asks the policy about a session that goes on; how many there are does not matter any more.
///
/// # Errors
/// [`policy::Error`].
pub fn ask_again(app: &App, access: Access<'_>, requester: &Requester) -> Result<Decision, policy::Error> {
    judge(app, access, Count::default(), requester)
}

/// Asks the policy about a grant that begins a session beside those that were counted.
///
/// # Errors
/// [`policy::Error`].
pub fn judge(
    app: &App,
    access: Access<'_>,
    count: Count,
    requester: &Requester,
) -> Result<Decision, policy::Error> {
    let Access { user, client, scope, grant_type } = access;
    let home_page = client.metadata.client_uri.as_ref();
    app.policy.authorization_grant(&input::AuthorizationGrant {
        user,
        client: Some(input::Client {
            client_id: client.id.clone(),
            origin: client.origin.as_str().to_owned(),
            client_name: client.metadata.client_name.clone(),
            host: home_page.and_then(|uri| uri.host_str()).map(str::to_owned),
        }),
        grant_type: grant_type.into(),
        scope: scope.to_string().split(' ').map(str::to_owned).collect(),
        device_id: scope.device_id().cloned(),
        sessions: input::Sessions { live: count.live, with_device: count.with_device },
        requester: requester.for_policy(),
    })
}
