//! Access tokens for programs of a person's own.

use serde_json::json;

use super::{IssueToken, get, view};
use crate::accounts::personal_tokens::{self, Device, NotMade, Permission, Wanted};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::request::Answer;
use crate::ids::DeviceId;
use crate::methods::Methods;

/// Makes one. The policy is asked, as it is when the person makes one.
pub(super) async fn issue(app: &App, issue: IssueToken) -> Result<Answer, Failure> {
    let user = get(app, &app.store, &issue.name).await?;
    let wanted = Wanted {
        name: issue.token_name,
        permissions: issue.permissions.iter().map(|name| permission(name)).collect::<Result<_, _>>()?,
        device: match (issue.device_id, issue.device) {
            (Some(id), _) => Device::Named(DeviceId(id)),
            (None, true) => Device::New,
            (None, false) => Device::Without,
        },
        days: issue.days,
    };
    if let Some(problem) = wanted.problems(app).first() {
        return Err(Failure::usage(problem.to_string()));
    }
    // An admin vouches for them; nothing was proved.
    let proved = (app.clock.now(), Methods::default());
    let made = personal_tokens::make(app, None, &user, proved, &wanted).await.map_err(failure)?;
    let device = made.device_id.as_ref().map_or(String::new(), |id| format!(" as the device {id}"));
    let text = format!(
        "{}\nIt opens the account of {}{device} until {}, or until it is revoked in the account or by\n\
         gatehouse sessions end {}. It is not shown again.",
        made.token,
        view::mxid(app, &user),
        made.expires_at,
        made.id
    );
    let data = json!({
        "name": user.localpart,
        "access_token": made.token,
        "session_id": made.id,
        "device_id": made.device_id,
        "scope": wanted.scope(),
        "expires_at": made.expires_at.to_rfc3339(),
    });
    Ok(Answer { text, data })
}

fn permission(name: &str) -> Result<Permission, Failure> {
    Permission::parse(name).ok_or_else(|| {
        let known = Permission::ALL.map(|(_, name)| name).join(", ");
        Failure::usage(format!("there is no permission {}; there are {known}", name.escape_default()))
    })
}

fn failure(error: NotMade) -> Failure {
    match error {
        NotMade::Store(error) => error.into(),
        other => Failure::refused(other.to_string()),
    }
}
