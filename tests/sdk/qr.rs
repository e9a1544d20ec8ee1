//! Sign-in by QR code, whole: the device that is signed in and the new one, whichever shows the code.

use std::collections::BTreeSet;
use std::time::Duration;

use matrix_sdk::authentication::oauth::qrcode::{
    DeviceCodeErrorResponseType, LoginFailureReason, QRCodeGrantLoginError, QRCodeLoginError, QrAuthMessage,
};
use matrix_sdk::config::SyncSettings;
use matrix_sdk::encryption::VerificationState;
use matrix_sdk::ruma::api::client::room::create_room::v3::Request as CreateRoom;
use matrix_sdk::ruma::events::room::message::RoomMessageEventContent;
use matrix_sdk::ruma::{OwnedEventId, OwnedRoomId};

use crate::app::App;
use crate::browser::{Browser, Place};
use crate::meeting::{Ended, People, Shows, meet};
use crate::sessions::soon;
use crate::world::World;

/// The device identifiers are random keys in Base64: so many sign-ins without a `+` or without a `/` in any of
/// them do not happen.
const MANY: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_device_is_signed_in_whichever_shows_the_code() {
    let world = World::start().await;
    world.create_user("anna").await;
    let existing = App::signed_in(&world, "anna").await;
    let message = write_message(&existing).await;
    let warm = Browser::new(&world, "anna");
    warm.page(&account(&world)).await;

    let (mut characters, mut shown) = (BTreeSet::new(), 0);
    while shown < 4 || !(characters.contains(&'+') && characters.contains(&'/')) {
        shown += 1;
        assert!(shown <= MANY, "{characters:?}");
        let shows = if shown % 2 == 0 { Shows::Existing } else { Shows::New };
        // Each way once with a browser that was never here, and once with one that is signed in.
        let cold = Browser::new(&world, "anna");
        let browser = if shown % 4 < 2 { &cold } else { &warm };
        let new = App::new(&world).await;
        let (ended, ()) = meet(&existing, &new, shows, async |people: &mut People| {
            people.compare_check_codes().await;
            let (page, opened) = people.page().await;
            assert_eq!(existing.devices().await, [existing.device_id()], "not before anybody has agreed");
            opened.confirm().await.expect("the device goes on");
            let code = people.user_code().await;
            assert_eq!(existing.devices().await, [existing.device_id()], "not before anybody has agreed");
            let question = browser.page(&page).await;
            assert!(question.text().contains(&code), "{code} is not on the page: {}", question.text());
            let Place::Page(done) = browser.answer(&page, "approve").await else { panic!("led away") };
            assert!(done.is_fine(), "{shows:?}: {}", done.text());
        })
        .await;
        assert!(matches!(ended, Ended { new: Some(Ok(())), existing: Ok(()) }), "{shows:?}: {ended:?}");
        let device_id = new.device_id();
        let before = if shown % 4 < 2 { "never here" } else { "signed in" };
        println!("{shows:?} shows the code, browser {before}: signed in as {device_id}");
        characters.extend(device_id.chars());
        is_one_of_the_person_s_devices(&world, &existing, &new, &warm).await;
        reads_what_was_written_before(&new, &message).await;
        let restarted = new.restarted(&world).await;
        restarted.client.whoami().await.expect("an answer");
        restarted.client.oauth().refresh_access_token().await.expect("new tokens");
        restarted.client.logout().await.expect("signed out");
        soon("the device is deleted", async || existing.devices().await == [existing.device_id()]).await;
    }
}

/// What a device has that was signed in by a code: its key as its name, the person's secrets, everybody's trust.
async fn is_one_of_the_person_s_devices(world: &World, existing: &App, new: &App, browser: &Browser<'_>) {
    let device_id = new.device_id();
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    assert!(device_id.len() == 43 && device_id.chars().all(is_base64), "{device_id}");
    let key = new.client.encryption().curve25519_key().await.expect("a key");
    assert_eq!(key.to_base64(), device_id);
    let me = new.client.whoami().await.expect("an answer");
    assert_eq!(
        (Some(me.user_id.as_ref()), me.device_id.map(|id| id.to_string())),
        (existing.client.user_id(), Some(device_id.clone()))
    );

    let status = new.client.encryption().cross_signing_status().await.expect("a status");
    assert!(status.is_complete(), "{status:?}");
    assert_eq!(new.client.encryption().verification_state().get(), VerificationState::Verified);
    assert!(new.client.encryption().backups().are_enabled().await, "the key of the backup came along");
    let user_id = existing.client.user_id().expect("a session");
    existing.client.encryption().request_user_identity(user_id).await.expect("an answer");
    let seen =
        existing.client.encryption().get_device(user_id, new.client.device_id().expect("a session")).await;
    let seen = seen.expect("a store").expect("the existing device sees the new one");
    assert!(seen.is_verified() && seen.is_cross_signed_by_owner());

    let mut both = vec![existing.device_id(), device_id.clone()];
    both.sort();
    assert_eq!(existing.devices().await, both, "on the homeserver");
    let sessions = browser.page(&account(world).join("sessions").expect("a path")).await;
    for id in both {
        assert!(sessions.text().contains(&id), "{id} is not among the sessions: {}", sessions.text());
    }
}

fn account(world: &World) -> url::Url {
    world.gatehouse.join("account/").expect("a path")
}

/// An encrypted message in a room of one's own, whose key is in the backup.
async fn write_message(app: &App) -> (OwnedRoomId, OwnedEventId) {
    let room = app.client.create_room(CreateRoom::new()).await.expect("a room");
    room.enable_encryption().await.expect("an encrypted room");
    app.client.sync_once(SyncSettings::default()).await.expect("an answer");
    let sent = room.send(RoomMessageEventContent::text_plain("Hello")).await.expect("a message");
    let backups = app.client.encryption().backups();
    assert!(backups.are_enabled().await);
    backups.wait_for_steady_state().await.expect("a backup");
    (room.room_id().to_owned(), sent.response.event_id)
}

async fn reads_what_was_written_before(app: &App, (room_id, event_id): &(OwnedRoomId, OwnedEventId)) {
    app.client.sync_once(SyncSettings::default()).await.expect("an answer");
    app.client.encryption().backups().download_room_keys_for_room(room_id).await.expect("keys");
    let room = app.client.get_room(room_id).expect("the room");
    let event = room.event(event_id, None).await.expect("the message");
    assert!(event.encryption_info().is_some() && event.raw().json().get().contains("Hello"), "{event:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_is_given_up_leaves_nothing_behind() {
    let world = World::start().await;
    world.create_user("anna").await;
    let existing = App::signed_in(&world, "anna").await;
    for shows in [Shows::New, Shows::Existing] {
        a_wrong_check_code(&world, &existing, shows).await;
        cancelled_on_the_existing_device(&world, &existing, shows).await;
        cancelled_on_the_new_device(&world, &existing, shows).await;
        denied(&world, &existing, shows).await;
        expired(&world, &existing, shows).await;
        forgotten(&world, &existing, shows).await;
    }
}

/// Both sides as before: on the homeserver, in Gatehouse, and on the new device.
async fn nothing_is_left(world: &World, existing: &App, new: &App, what: &str, ended: &Ended) {
    assert_eq!(existing.devices().await, [existing.device_id()], "on the homeserver");
    assert_eq!(world.count("SELECT COUNT(*) FROM client_sessions WHERE ended_at IS NULL"), 1);
    assert!(new.client.session_meta().is_none() && new.client.session_tokens().is_none());
    existing.client.whoami().await.expect("the existing device goes on");
    println!("{what}: {ended}; nothing is left");
}

/// The rendezvous comes to its end.
fn let_the_rendezvous_end(world: &World) {
    assert!(world.change("UPDATE rendezvous_sessions SET expires_at = modified_at") >= 1);
}

async fn a_wrong_check_code(world: &World, existing: &App, shows: Shows) {
    let new = App::new(world).await;
    let (ended, ()) = meet(existing, &new, shows, async |people: &mut People| {
        people.type_a_wrong_check_code().await;
        // The device that scanned hears nothing more.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let_the_rendezvous_end(world);
    })
    .await;
    let is_right = match shows {
        Shows::Existing => {
            matches!(ended.existing, Err(QRCodeGrantLoginError::InvalidCheckCode))
                && matches!(ended.new, Some(Err(QRCodeLoginError::NotFound)))
        }
        Shows::New => {
            matches!(ended.existing, Err(QRCodeGrantLoginError::NotFound))
                && matches!(&ended.new, Some(Err(QRCodeLoginError::SecureChannel(_))))
        }
    };
    assert!(is_right, "{shows:?}: {ended:?}");
    nothing_is_left(world, existing, &new, &format!("{shows:?} shows the code, a wrong check code"), &ended)
        .await;
}

async fn cancelled_on_the_existing_device(world: &World, existing: &App, shows: Shows) {
    let new = App::new(world).await;
    let (ended, page) = meet(existing, &new, shows, async |people: &mut People| {
        people.compare_check_codes().await;
        let (page, opened) = people.page().await;
        opened.cancel().await.expect("the device is told");
        page
    })
    .await;
    let cancelled = LoginFailureReason::UserCancelled;
    assert!(
        matches!(&ended.existing, Err(QRCodeGrantLoginError::LoginFailure { reason }) if *reason == cancelled)
            && matches!(&ended.new, Some(Err(QRCodeLoginError::LoginFailure { reason, .. })) if *reason == cancelled),
        "{shows:?}: {ended:?}"
    );
    // Whoever opens the page later and agrees to it signs nobody in.
    let browser = Browser::new(world, "anna");
    browser.answer(&page, "approve").await;
    nothing_is_left(
        world,
        existing,
        &new,
        &format!("{shows:?} shows the code, cancelled on the existing device"),
        &ended,
    )
    .await;
}

async fn cancelled_on_the_new_device(world: &World, existing: &App, shows: Shows) {
    let new = App::new(world).await;
    let (ended, ()) = meet(existing, &new, shows, async |people: &mut People| {
        people.compare_check_codes().await;
        let (page, opened) = people.page().await;
        opened.confirm().await.expect("the device goes on");
        people.user_code().await;
        people.close_the_new_app();
        Browser::new(world, "anna").answer(&page, "approve").await;
        let_the_rendezvous_end(world);
    })
    .await;
    assert!(
        ended.new.is_none() && matches!(ended.existing, Err(QRCodeGrantLoginError::NotFound)),
        "{shows:?}: {ended:?}"
    );
    nothing_is_left(
        world,
        existing,
        &new,
        &format!("{shows:?} shows the code, the app on the new device closed"),
        &ended,
    )
    .await;
}

async fn denied(world: &World, existing: &App, shows: Shows) {
    let new = App::new(world).await;
    let (ended, ()) = meet(existing, &new, shows, async |people: &mut People| {
        people.compare_check_codes().await;
        let (page, opened) = people.page().await;
        opened.confirm().await.expect("the device goes on");
        people.user_code().await;
        Browser::new(world, "anna").answer(&page, "deny").await;
    })
    .await;
    assert_eq!(refusal(&ended), Some(&DeviceCodeErrorResponseType::AccessDenied), "{shows:?}: {ended:?}");
    let declined = matches!(
        &ended.existing,
        Err(QRCodeGrantLoginError::UnexpectedMessage { received, .. })
            if matches!(**received, QrAuthMessage::LoginDeclined)
    );
    assert!(declined, "{shows:?}: {ended:?}");
    nothing_is_left(world, existing, &new, &format!("{shows:?} shows the code, a no on the page"), &ended)
        .await;
}

async fn expired(world: &World, existing: &App, shows: Shows) {
    let new = App::new(world).await;
    let (ended, page) = meet(existing, &new, shows, async |people: &mut People| {
        people.compare_check_codes().await;
        let (page, opened) = people.page().await;
        opened.confirm().await.expect("the device goes on");
        people.user_code().await;
        let_the_codes_expire(world);
        page
    })
    .await;
    assert_eq!(refusal(&ended), Some(&DeviceCodeErrorResponseType::ExpiredToken), "{shows:?}: {ended:?}");
    let expired = LoginFailureReason::AuthorizationExpired;
    assert!(
        matches!(&ended.existing, Err(QRCodeGrantLoginError::LoginFailure { reason }) if *reason == expired),
        "{shows:?}: {ended:?}"
    );
    let Place::Page(_) = Browser::new(world, "anna").open(&page).await else { panic!("led away") };
    nothing_is_left(world, existing, &new, &format!("{shows:?} shows the code, the codes expired"), &ended)
        .await;
}

/// Nobody answers until the rendezvous is over, and then the answer is no.
async fn forgotten(world: &World, existing: &App, shows: Shows) {
    let new = App::new(world).await;
    let (ended, ()) = meet(existing, &new, shows, async |people: &mut People| {
        people.compare_check_codes().await;
        let (page, opened) = people.page().await;
        opened.confirm().await.expect("the device goes on");
        people.user_code().await;
        let_the_rendezvous_end(world);
        Browser::new(world, "anna").answer(&page, "deny").await;
    })
    .await;
    assert!(matches!(ended.existing, Err(QRCodeGrantLoginError::NotFound)), "{shows:?}: {ended:?}");
    assert!(matches!(ended.new, Some(Err(_))), "{shows:?}: {ended:?}");
    nothing_is_left(
        world,
        existing,
        &new,
        &format!("{shows:?} shows the code, the rendezvous expired"),
        &ended,
    )
    .await;
}

/// What the token endpoint told the new device.
fn refusal(ended: &Ended) -> Option<&DeviceCodeErrorResponseType> {
    match &ended.new {
        Some(Err(QRCodeLoginError::OAuth(error))) => error.as_request_token_error(),
        _ => None,
    }
}

/// The codes of the device grant come to their end.
fn let_the_codes_expire(world: &World) {
    assert!(world.change("UPDATE device_requests SET expires_at = created_at") >= 1);
}
