//! How an account looks, as text and as JSON.

use serde_json::{Value, json};

use crate::accounts::emails::UserEmail;
use crate::accounts::users::{Standing, User};
use crate::accounts::{emails, passwords};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::request::Answer;
use crate::sessions::{browser, client};
use crate::time::Timestamp;

/// The whole Matrix identifier of a user.
pub(super) fn mxid(app: &App, user: &User) -> String {
    user.localpart.mxid(&app.config.homeserver.server_name)
}

/// An account as JSON.
pub(super) fn facts(app: &App, user: &User) -> Value {
    json!({
        "id": user.id,
        "name": user.localpart,
        "mxid": mxid(app, user),
        "standing": standing(user),
        "is_admin": user.is_admin,
        "created_at": user.created_at.to_rfc3339(),
        "provisioned_at": user.provisioned_at.map(Timestamp::to_rfc3339),
        "locked_at": user.locked_at.map(Timestamp::to_rfc3339),
        "deactivated_at": user.deactivated_at.map(Timestamp::to_rfc3339),
    })
}

/// An account as one line.
pub(super) fn line(app: &App, user: &User) -> String {
    let admin = if user.is_admin { "  admin" } else { "" };
    format!("{}  {:<11}  {}{admin}", user.id, standing(user), mxid(app, user))
}

/// An account with all that is known of it.
pub(super) async fn show(app: &App, user: &User) -> Result<Answer, Failure> {
    let has_password = passwords::is_set(&app.store, user.id).await?;
    let browsers = browser::list(&app.store, user.id, None, i64::MAX).await?.len();
    let clients = client::list(&app.store, user.id, None, i64::MAX).await?.len();
    let addresses = emails::list(&app.store, user.id).await?;
    let mut data = facts(app, user);
    data["has_password"] = json!(has_password);
    data["emails"] = addresses.iter().map(email_facts).collect();
    data["sessions"] = json!({ "browser": browsers, "client": clients });

    let yes_no = |is: bool| if is { "yes" } else { "no" };
    let since = |moment: Option<Timestamp>| moment.map_or(String::new(), |moment| format!(" since {moment}"));
    let known = user.provisioned_at.map_or("no, not yet".to_owned(), |moment| format!("yes, since {moment}"));
    let told = |email: &UserEmail| match email.verified_at {
        Some(_) => email.address.clone(),
        None => format!("{} (not verified)", email.address),
    };
    let addresses: Vec<String> = addresses.iter().map(told).collect();
    let text = [
        ("Name", mxid(app, user)),
        ("Identifier", user.id.to_string()),
        ("Standing", format!("{}{}", standing(user), since(user.deactivated_at.or(user.locked_at)))),
        ("Administrator", yes_no(user.is_admin).to_owned()),
        ("Password", if has_password { "set" } else { "none" }.to_owned()),
        ("E-mail", if addresses.is_empty() { "none".to_owned() } else { addresses.join(", ") }),
        ("Created", user.created_at.to_string()),
        ("Known to homeserver", known),
        ("Sessions", format!("{browsers} in browsers, {clients} of clients")),
    ];
    let text = text.map(|(name, value)| format!("{name:<20} {value}")).join("\n");
    Ok(Answer { text, data })
}

fn email_facts(email: &UserEmail) -> Value {
    json!({ "address": email.address, "verified_at": email.verified_at.map(Timestamp::to_rfc3339) })
}

fn standing(user: &User) -> &'static str {
    match user.standing() {
        Standing::Active => "active",
        Standing::Locked => "locked",
        Standing::Deactivated => "deactivated",
    }
}
