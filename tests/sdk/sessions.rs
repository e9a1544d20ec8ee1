//! Signing in, starting again, refreshing, signing out.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use matrix_sdk::ruma::api::error::ErrorKind;
use matrix_sdk::{HttpError, RefreshTokenError};

use crate::app::App;
use crate::browser::Browser;
use crate::world::{TOKEN_LIFETIME, World};

/// Everything that is not about QR codes, on one homeserver: it takes longer to start than most of this takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions() {
    let world = World::start().await;
    tokio::join!(
        an_app_signs_in_and_starts_again(&world),
        an_app_signs_out(&world),
        an_expired_token_is_refreshed_for_all_who_ask_at_once(&world),
        two_processes_refresh_the_same_session_at_once(&world),
        a_revoked_session_is_told_from_one_that_can_be_refreshed(&world),
    );
}

async fn an_app_signs_in_and_starts_again(world: &World) {
    world.create_user("anna").await;
    let app = App::signed_in(world, "anna").await;
    let me = app.client.whoami().await.expect("an answer");
    assert_eq!(me.user_id, "@anna:example.org");
    assert_eq!(me.device_id.map(|id| id.to_string()), Some(app.device_id()));
    let key = app.client.encryption().ed25519_key().await.expect("a key");
    let status = app.client.encryption().cross_signing_status().await.expect("a status");
    assert!(status.is_complete(), "{status:?}");

    let (session, device_id) = (app.session(), app.device_id());
    let app = app.restarted(world).await;
    assert_eq!(app.session().user.meta, session.user.meta);
    app.client.whoami().await.expect("an answer");
    assert_eq!(app.client.encryption().ed25519_key().await, Some(key), "the same device");
    assert_eq!(app.devices().await, std::slice::from_ref(&device_id));

    // The same device signs in anew, and stays what it was.
    app.sign_in(&Browser::new(world, "anna"), app.client.device_id().map(ToOwned::to_owned)).await;
    app.client.whoami().await.expect("an answer");
    assert_eq!(app.devices().await, [device_id]);
}

async fn an_app_signs_out(world: &World) {
    world.create_user("bert").await;
    let (phone, laptop) = (App::signed_in(world, "bert").await, App::signed_in(world, "bert").await);
    let mut both = vec![phone.device_id(), laptop.device_id()];
    both.sort();
    assert_eq!(laptop.devices().await, both);
    let session = phone.session();
    phone.client.logout().await.expect("signed out");
    soon("the device is deleted", async || laptop.devices().await == [laptop.device_id()]).await;
    // Nobody goes on with what the app had.
    let left = App::over(world, phone.folder, session).await;
    let refused = left.client.whoami().await.expect_err("nobody");
    assert!(is_signed_out(&refused), "{refused}");
    laptop.client.whoami().await.expect("the other one goes on");
}

async fn an_expired_token_is_refreshed_for_all_who_ask_at_once(world: &World) {
    world.create_user("carl").await;
    let app = App::signed_in(world, "carl").await;
    let before = app.session().user.tokens;
    tokio::time::sleep(TOKEN_LIFETIME + Duration::from_secs(2)).await;
    let asked = join_all((0..30).map(|_| app.client.whoami())).await;
    for answer in asked {
        answer.expect("an answer");
    }
    let after = app.session().user.tokens;
    assert_ne!(after.access_token, before.access_token);
    assert_ne!(after.refresh_token, before.refresh_token);
    // The session that was refreshed is the one that the app has kept.
    let app = app.restarted(world).await;
    app.client.whoami().await.expect("an answer");
    app.client.oauth().refresh_access_token().await.expect("new tokens");
    app.client.whoami().await.expect("an answer");
}

/// An app and, say, the part of it that handles notifications: each has the session, and neither knows what
/// the other does.
async fn two_processes_refresh_the_same_session_at_once(world: &World) {
    world.create_user("dora").await;
    let app = App::signed_in(world, "dora").await;
    let session = app.session();
    let folder = || tempfile::tempdir().expect("a temporary folder");
    let other = App::over(world, folder(), session.clone()).await;
    let third = App::over(world, folder(), session.clone()).await;
    let all = [&app, &other, &third];
    let refreshed = join_all(all.map(async |app| app.client.oauth().refresh_access_token().await)).await;
    for refreshed in refreshed {
        refreshed.expect("new tokens");
    }
    let tokens = all.map(|app| app.session().user.tokens);
    assert!(tokens.iter().all(|one| one.refresh_token == tokens[0].refresh_token), "one chain");
    assert_ne!(tokens[0].refresh_token, session.user.tokens.refresh_token);
    for app in all {
        app.client.whoami().await.expect("an answer");
    }
}

async fn a_revoked_session_is_told_from_one_that_can_be_refreshed(world: &World) {
    world.create_user("emil").await;
    let app = App::signed_in(world, "emil").await;
    app.client.whoami().await.expect("an answer");
    world.command(&["sessions", "end", "--user", "emil", "--all"], "");
    soon("the homeserver refuses the app", async || {
        app.client.whoami().await.is_err_and(|error| is_signed_out(&error))
    })
    .await;
    let refused = app.client.oauth().refresh_access_token().await.expect_err("no tokens");
    assert!(
        matches!(&refused, RefreshTokenError::OAuth(error) if error.to_string().contains("invalid_grant")),
        "{refused:?}"
    );
}

/// Whether an app must take itself for signed out: the token is unknown, and so is what it would be
/// refreshed with.
fn is_signed_out(error: &HttpError) -> bool {
    let is_unknown = matches!(error.client_api_error_kind(), Some(ErrorKind::UnknownToken { .. }));
    is_unknown || matches!(error, HttpError::RefreshToken(_))
}

/// Waits for what is to come within seconds.
pub async fn soon(what: &str, mut has_come: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !has_come().await {
        assert!(Instant::now() < deadline, "not within seconds: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
