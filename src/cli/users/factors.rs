//! `gatehouse users factors`, `remove-factor` and `recovery-link`: for people who have lost what they sign in
//! with. What an admin removes may be the last factor, whatever the rule: the person sets up another one when
//! they next sign in.

use std::time::Duration;

use serde_json::{Value, json};

use super::{RemoveFactor, get, view};
use crate::accounts::activity::{Event, note, tell};
use crate::accounts::factors::{self, Listed};
use crate::accounts::{recovery_links, remembered_browsers};
use crate::app::App;
use crate::cli::failure::Failure;
use crate::cli::request::Answer;
use crate::time::Timestamp;

/// Lists them.
pub(super) async fn list(app: &App, name: &str) -> Result<Answer, Failure> {
    let user = get(app, &app.store, name).await?;
    let now = app.clock.now();
    let all = factors::find(&app.store, user.id).await?;
    let listed = factors::list(&app.store, user.id).await?;
    let browsers = remembered_browsers::list(&app.store, user.id, now).await?;
    let mut lines = vec![format!("password             {}", if all.has_password { "set" } else { "none" })];
    lines.extend(listed.iter().map(line));
    lines.push(format!("recovery codes       {} left", all.recovery_codes));
    lines.push(format!("remembered browsers  {}", browsers.len()));
    let data = json!({
        "name": user.localpart,
        "has_password": all.has_password,
        "factors": listed.iter().map(facts).collect::<Vec<_>>(),
        "recovery_codes": all.recovery_codes,
        "remembered_browsers": browsers.len(),
    });
    Ok(Answer { text: lines.join("\n"), data })
}

fn line(listed: &Listed) -> String {
    let used = listed.last_used_at.map_or("never used".to_owned(), |at| format!("last used {at}"));
    format!("{:<20} {}  {:?}, added {}, {used}", listed.kind, listed.id, listed.name, listed.created_at)
}

fn facts(listed: &Listed) -> Value {
    json!({
        "id": listed.id,
        "kind": listed.kind,
        "name": listed.name,
        "created_at": listed.created_at.to_rfc3339(),
        "last_used_at": listed.last_used_at.map(Timestamp::to_rfc3339),
    })
}

/// Removes one, or all.
pub(super) async fn remove(app: &App, remove: RemoveFactor) -> Result<Answer, Failure> {
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, &remove.name).await?;
    let mxid = view::mxid(app, &user);
    let removed = factors::remove(&mut tx, user.id, remove.id.as_deref()).await?;
    if let Some(id) = remove.id.as_ref().filter(|_| removed == 0) {
        return Err(Failure::not_found(format!(
            "{mxid} has no factor {}; `gatehouse users factors {}` shows which there are",
            id.escape_default(),
            user.localpart
        )));
    }
    factors::forget_stand_ins(&mut tx, user.id).await?;
    if removed > 0 {
        tell(&mut tx, app, user.id, Event::FactorsRemoved, None).await?;
    }
    tx.commit().await?;
    app.wake_workers();
    note(user.id, Event::FactorsRemoved, None);
    let text = match removed {
        1 => format!("Removed 1 factor of {mxid}."),
        removed => format!("Removed {removed} factors of {mxid}."),
    };
    Ok(Answer { text, data: json!({ "name": user.localpart, "removed": removed }) })
}

/// Makes a link.
pub(super) async fn recovery_link(app: &App, name: &str, hours: u64) -> Result<Answer, Failure> {
    let now = app.clock.now();
    let lifetime = Duration::from_secs(hours * 60 * 60);
    let mut tx = app.store.begin().await?;
    let user = get(app, &mut tx, name).await?;
    let link = recovery_links::make(&mut tx, app, user.id, lifetime, now).await?;
    tell(&mut tx, app, user.id, Event::RecoveryLinkMade, None).await?;
    tx.commit().await?;
    app.wake_workers();
    note(user.id, Event::RecoveryLinkMade, None);
    let expires_at = now + lifetime;
    let text = format!(
        "{link}\nIt lets {} in once, until {expires_at}, with their password if they have one. Send it only to them.",
        view::mxid(app, &user)
    );
    Ok(Answer {
        text,
        data: json!({ "name": user.localpart, "link": link, "expires_at": expires_at.to_rfc3339() }),
    })
}
