//! How a command reaches the database: through the running server when that has an SQLite file to
//! itself, else directly.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::failure::Failure;
use super::request::{Answer, Request};
use super::socket;
use crate::app::{self, App, OpenError, REFUSAL_FLOOR};
use crate::config::Config;
use crate::jobs::Crew;
use crate::time::Clock;
use crate::work;

/// How often, and for how long, a database is tried that another process is just opening or closing.
const TRY_AGAIN: Duration = Duration::from_millis(100);
const TRIES: usize = 100;
/// How long the workers of a command rest when there is nothing to do.
const REST: Duration = Duration::from_millis(200);

/// Has the request carried out by the running server, or here when there is none.
///
/// # Errors
/// Why it was not done, for the admin.
pub async fn carry_out(config: &Config, request: Request) -> Result<Answer, Failure> {
    if config.database.is_postgresql() {
        let app = App::open(config.clone(), Clock::System, REFUSAL_FLOOR).await?;
        return carry_out_here(app, request).await;
    }
    let socket = app::command_socket(config);
    for _ in 0..TRIES {
        if let Some(answer) = socket::ask(&socket, &request).await {
            return answer;
        }
        refuse_to_take_over(&config.data.folder)?;
        match App::open(config.clone(), Clock::System, REFUSAL_FLOOR).await {
            Ok(app) => return carry_out_here(app, request).await,
            // A server that is just starting or stopping, or another command.
            Err(OpenError::InUse(_)) => tokio::time::sleep(TRY_AGAIN).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::failed(format!(
        "another Gatehouse uses the database and does not answer on {}; is it still starting?",
        socket.display()
    )))
}

/// Carries the request out in this process, with workers beside it like a server's, so that the
/// homeserver is told at once.
async fn carry_out_here(app: App, request: Request) -> Result<Answer, Failure> {
    let is_done = AtomicBool::new(false);
    let carrying_out = async {
        let answer = request.carry_out(&app).await;
        is_done.store(true, Ordering::Relaxed);
        app.wake_workers();
        answer
    };
    let working = async {
        while !is_done.load(Ordering::Relaxed) {
            // Mails can wait for a server; a command cannot wait for a slow mail server.
            let has_told = matches!(work::run_next_of(&app, Some(Crew::Homeserver)).await, Ok(true));
            if !has_told && !matches!(work::run_next_of(&app, Some(Crew::Clients)).await, Ok(true)) {
                let _ = tokio::time::timeout(REST, app.work_arrives()).await;
            }
        }
    };
    let (answer, ()) = tokio::join!(carrying_out, working);
    app.store.close().await;
    answer
}

/// Files that root creates in another user's data folder would keep the server of that user from
/// starting.
fn refuse_to_take_over(folder: &Path) -> Result<(), Failure> {
    let owner = |path: &Path| std::fs::metadata(path).map(|found| found.uid()).ok();
    match (owner(Path::new("/proc/self")), owner(folder)) {
        (Some(0), Some(owner)) if owner != 0 => Err(Failure::usage(format!(
            "{} belongs to another user; run this command as that user: sudo -u '#{owner}' gatehouse …",
            folder.display()
        ))),
        _ => Ok(()),
    }
}
