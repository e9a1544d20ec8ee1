//! What a browser says that a passkey was asked, through the whole server.

use std::cell::{Cell, RefCell};

use gatehouse::config::Limit;
use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::{fuzz, text};
use crate::passkeys::{Asked, ORIGIN, passkey_of};
use crate::support::server::{Engine, Server};

/// Each input is two requests with a signature.
const EXECUTIONS: usize = 1_000;

/// Client data (WebAuthn L3 §5.8.1), signed by a passkey of the account whatever it says: only what answers this
/// very question, at this very origin, signs anybody in.
#[test]
fn passkey_answers() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (server, device) = runtime.block_on(async {
        let server = Server::start_with(Engine::Sqlite, |config| {
            config.rate_limits.sign_in_per_address = Limit { burst: u32::MAX, per_hour: u32::MAX };
        })
        .await;
        server.user("alice").await;
        let device = passkey_of(&server, "alice").await;
        (server, device)
    });
    let (device, accepted) = (RefCell::new(device), Cell::new(0));
    fuzz!("passkey_answers", EXECUTIONS, |input: &[u8]| {
        let mut browser = server.browser();
        let asked = Asked::by(&runtime.block_on(browser.get("/login")));
        let challenge = asked.options["challenge"].as_str().expect("a challenge");
        let said = text(input).replace("{challenge}", challenge).replace("{origin}", ORIGIN);
        let signed = runtime.block_on(device.borrow_mut().sign(&asked.options, said.as_bytes()));
        let answer = runtime.block_on(asked.answer(&mut browser, "/login/passkey", &signed));
        if answer.status != StatusCode::SEE_OTHER {
            return assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
        }
        accepted.set(accepted.get() + 1);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(said["type"], "webauthn.get", "{said}");
        // The same bytes may be spelt in several ways.
        let answered = said["challenge"].as_str().unwrap_or_default().trim_end_matches('=');
        assert_eq!(answered.replace('+', "-").replace('/', "_"), challenge, "{said}");
        let origin = said["origin"].as_str().and_then(|origin| Url::parse(origin).ok()).expect("an origin");
        assert_eq!(origin.origin().ascii_serialization(), ORIGIN, "{said}");
        assert_ne!(said["crossOrigin"], true, "{said}");
    });
    assert!(accepted.get() > 0, "nobody signs in");
}
