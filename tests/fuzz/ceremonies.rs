//! What browsers answer with passkeys, byte by byte, the state of a ceremony that travels with its page, and the
//! captcha's. A passkey is made by hand here, so that whatever an authenticator might say is signed.

use std::cell::{Cell, RefCell};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use gatehouse::config::Limit;
use gatehouse::http::form::Parameters;
use gatehouse::keys;
use gatehouse::login::captcha;
use gatehouse::store::{FromRow, Row, query};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::{fuzz, text, two_texts};
use crate::captcha::solve;
use crate::passkeys::{Asked, ORIGIN, passkey_of};
use crate::support::server::{Answer, Browser, Engine, Server};

/// Each input is two requests, most with a signature.
const EXECUTIONS: usize = 1_000;
const NEW: &str = "/account/security/passkeys/new";
const DOMAIN: &str = "auth.example.org";
/// The flags of authenticator data (WebAuthn L3 §6.1): the owner is there, is verified, and a new key follows.
const PRESENT_AND_VERIFIED: u8 = 0b101;
const MAY_BE_BACKED_UP: u8 = 0b1000;
const HAS_KEY: u8 = 0b100_0000;

struct World {
    runtime: Runtime,
    server: Server,
}

impl World {
    fn new() -> World {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let server = runtime.block_on(async {
            let server = Server::start_with(Engine::Sqlite, |config| {
                config.rate_limits.sign_in_per_address = Limit { burst: u32::MAX, per_hour: u32::MAX };
                config.captcha.work = 50;
            })
            .await;
            server.user("alice").await;
            server
        });
        World { runtime, server }
    }

    /// The page at `path`, and what it asks.
    fn asks(&self, browser: &mut Browser<'_>, path: &str) -> Asked {
        Asked::by(&self.runtime.block_on(browser.get(path)))
    }

    fn answer(&self, browser: &mut Browser<'_>, asked: &Asked, path: &str, said: &str) -> Answer {
        self.runtime.block_on(asked.answer_with(browser, path, said))
    }

    fn execute(&self, sql: &'static str) {
        let done = self.runtime.block_on(query(sql).execute_alone(&self.server.app.store));
        done.expect("a statement");
    }
}

/// A passkey whose every byte the input says.
struct Key {
    pair: EcdsaKeyPair,
    id: [u8; 16],
}

impl Key {
    fn new() -> Key {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new());
        let made = made.expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref());
        Key { pair: pair.expect("a key"), id: [7; 16] }
    }

    /// The input with what only this run knows: `{hex:…}` are bytes, in which `{rp}` is the digest of the domain,
    /// `{credential}` the key's identifier and `{key}` the public key (RFC 9052 §7), and which come out in base64url.
    fn filled(&self, input: &str, client_data: &str) -> String {
        let point = self.pair.public_key().as_ref();
        let key = format!("a5010203262001215820{}225820{}", hex(&point[1..33]), hex(&point[33..]));
        let input = input
            .replace("{rp}", &hex(&keys::sha256(DOMAIN)))
            .replace("{credential}", &hex(&self.id))
            .replace("{key}", &key)
            .replace("{id}", &keys::base64url(self.id))
            .replace("{client_data}", &keys::base64url(client_data));
        let mut parts = input.split("{hex:");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (digits, rest) = part.split_once('}').unwrap_or((part, ""));
            filled.push_str(&keys::base64url(unhex(digits)));
            filled.push_str(rest);
        }
        filled
    }

    fn sign(&self, authenticator_data: &[u8], client_data: &str) -> String {
        let signed = [authenticator_data, &keys::sha256(client_data)].concat();
        keys::base64url(self.pair.sign(&SystemRandom::new(), &signed).expect("a signature"))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of the hexadecimal digits in a text.
fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks_exact(2).filter_map(|pair| u8::try_from(pair[0] << 4 | pair[1]).ok()).collect()
}

fn client_data(what: &str, asked: &Asked) -> String {
    json!({ "type": what, "challenge": asked.options["challenge"], "origin": ORIGIN, "crossOrigin": false })
        .to_string()
}

fn bytes_of(said: &Value, name: &str) -> Vec<u8> {
    said["response"][name].as_str().and_then(keys::from_base64url).unwrap_or_default()
}

/// A whole registration (WebAuthn L3 §5.1, RegistrationResponseJSON) with its attestation in CBOR: what is
/// enrolled was made for this site, by somebody who was there and verified, and signs its owner in.
#[test]
fn passkey_enrolments() {
    let (world, key) = (World::new(), Key::new());
    let mut alice = world.runtime.block_on(world.server.signed_in("alice"));
    let handle = world.runtime.block_on(handle_of(&world.server));
    let (alice, enrolled) = (RefCell::new(&mut alice), Cell::new(0));
    fuzz!("passkey_enrolments", EXECUTIONS, |input: &[u8]| {
        let alice = &mut *alice.borrow_mut();
        let asked = world.asks(alice, NEW);
        let said = key.filled(&text(input), &client_data("webauthn.create", &asked));
        let answer = world.answer(alice, &asked, NEW, &said);
        if answer.status != StatusCode::SEE_OTHER {
            return assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
        }
        enrolled.set(enrolled.get() + 1);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let attested = bytes_of(&said, "attestationObject");
        let domain = keys::sha256(DOMAIN);
        let wanted = PRESENT_AND_VERIFIED | HAS_KEY;
        let is_made_here =
            |at: usize| attested[at..].starts_with(&domain) && attested[at + 32] & wanted == wanted;
        assert!((0..attested.len().saturating_sub(32)).any(is_made_here), "{said}");
        // The key that is enrolled need not be ours, since anybody may say which one is theirs.
        let point = key.pair.public_key().as_ref();
        let is_ours = [&point[1..33], &point[33..]].iter().all(|half| contains(&attested, half));
        if is_ours && said["rawId"] == json!(keys::base64url(key.id)) && contains(&attested, &key.id) {
            let mut elsewhere = world.server.browser();
            // Whether it may be backed up was said when it was enrolled, and stays so.
            let is_let_in = [0, MAY_BE_BACKED_UP].into_iter().any(|more| {
                let flags = PRESENT_AND_VERIFIED | more;
                let data = [domain.as_slice(), &[flags], &u32::MAX.to_be_bytes()].concat();
                let asked = world.asks(&mut elsewhere, "/login");
                let client_data = client_data("webauthn.get", &asked);
                let said = json!({
                    "id": keys::base64url(key.id), "rawId": keys::base64url(key.id), "type": "public-key",
                    "clientExtensionResults": {},
                    "response": {
                        "clientDataJSON": keys::base64url(&client_data), "authenticatorData": keys::base64url(&data),
                        "signature": key.sign(&data, &client_data), "userHandle": handle,
                    },
                });
                world.answer(&mut elsewhere, &asked, "/login/passkey", &said.to_string()).status
                    == StatusCode::SEE_OTHER
            });
            assert!(is_let_in, "{said}");
        }
        world.execute("DELETE FROM passkeys");
    });
    assert!(enrolled.get() > 0, "no answer is good");
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// The identifier of the only account, as authenticators keep it.
async fn handle_of(server: &Server) -> String {
    let alice = gatehouse::accounts::users::find_by_localpart(&server.app.store, "alice").await;
    keys::base64url(alice.expect("an answer").expect("alice").id.to_bytes())
}

/// What is stored of the only passkey.
struct Stored(String);

impl FromRow for Stored {
    fn from_row(row: &Row) -> Result<Stored, gatehouse::store::Error> {
        Ok(Stored(row.get("credential")?))
    }
}

/// A whole answer (WebAuthn L3 §5.1, AuthenticationResponseJSON), with whatever authenticator data, signed by a
/// passkey of the account: only who was there and verified, for this site, signs in, and the counter counts on.
#[test]
fn passkey_assertions() {
    const FIRST: &str = r#"{"id":"{id}","rawId":"{id}","type":"public-key","clientExtensionResults":{},"response":{"clientDataJSON":"{client_data}","attestationObject":"{hex:a363666d74646e6f6e656761747453746d74a06861757468446174615894{rp}4500000005000000000000000000000000000000000010{credential}{key}}","transports":["internal"]}}"#;
    const COUNTER: u32 = 5;
    let (world, key) = (World::new(), Key::new());
    let mut alice = world.runtime.block_on(world.server.signed_in("alice"));
    let asked = world.asks(&mut alice, NEW);
    let made = key.filled(FIRST, &client_data("webauthn.create", &asked));
    let added = world.answer(&mut alice, &asked, NEW, &made);
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.text());
    let handle = world.runtime.block_on(handle_of(&world.server));
    let store = &world.server.app.store;
    let Stored(stored) =
        world.runtime.block_on(query("SELECT credential FROM passkeys").fetch_one(store)).expect("a passkey");
    let accepted = Cell::new(0);
    fuzz!("passkey_assertions", EXECUTIONS, |input: &[u8]| {
        let mut browser = world.server.browser();
        let asked = world.asks(&mut browser, "/login");
        let client_data = client_data("webauthn.get", &asked);
        let mut said = key.filled(&text(input), &client_data).replace("{handle}", &handle);
        if let Ok(parsed) = serde_json::from_str::<Value>(&said) {
            let signature = key.sign(&bytes_of(&parsed, "authenticatorData"), &client_data);
            said = said.replace("{signature}", &signature);
        }
        let answer = world.answer(&mut browser, &asked, "/login/passkey", &said);
        if answer.status != StatusCode::SEE_OTHER {
            let refused = [StatusCode::FORBIDDEN, StatusCode::BAD_REQUEST];
            return assert!(refused.contains(&answer.status), "{}", answer.text());
        }
        accepted.set(accepted.get() + 1);
        let said: Value = serde_json::from_str(&said).expect("JSON");
        let data = bytes_of(&said, "authenticatorData");
        assert!(data.starts_with(&keys::sha256(DOMAIN)), "{said}");
        assert_eq!(data[32] & PRESENT_AND_VERIFIED, PRESENT_AND_VERIFIED, "{said}");
        let counter = u32::from_be_bytes([data[33], data[34], data[35], data[36]]);
        assert!(counter > COUNTER, "{said}");
        // Back to the counter that it began with.
        let restore = query("UPDATE passkeys SET credential = $1").bind(&stored).execute_alone(store);
        world.runtime.block_on(restore).expect("a statement");
    });
    assert!(accepted.get() > 0, "no answer is good");
}

/// The state that travels with a page, beside a right answer: only what this very page held is taken.
#[test]
fn sealed_ceremonies() {
    let world = World::new();
    let device = RefCell::new(world.runtime.block_on(passkey_of(&world.server, "alice")));
    let (accepted, others) =
        (Cell::new(0), world.asks(&mut world.server.browser(), "/login").sealed().to_owned());
    fuzz!("sealed_ceremonies", EXECUTIONS, |input: &[u8]| {
        let mut browser = world.server.browser();
        let asked = world.asks(&mut browser, "/login");
        let sealed = asked.sealed().to_owned();
        let (state, proof) = sealed.split_once('.').expect("two parts");
        let given = text(input)
            .replace("{sealed}", &sealed)
            .replace("{state}", state)
            .replace("{proof}", proof)
            .replace("{others}", &others)
            .replace("{later}", &later(state));
        let said = world.runtime.block_on(device.borrow_mut().get(&asked.options, ORIGIN)).to_string();
        let mut altered = asked.clone();
        altered.seal(&given);
        let answer = world.answer(&mut browser, &altered, "/login/passkey", &said);
        let is_taken = answer.status == StatusCode::SEE_OTHER;
        accepted.set(accepted.get() + usize::from(is_taken));
        assert_eq!(is_taken, given == sealed, "{given:?} for {sealed:?}: {}", answer.text());
    });
    assert!(accepted.get() > 0, "no state is good");
}

/// A state that would be good for longer.
fn later(state: &str) -> String {
    let state = keys::from_base64url(state).expect("base64url");
    let mut state: Value = serde_json::from_slice(&state).expect("JSON");
    state["expires_at"] = json!(i64::MAX);
    keys::base64url(state.to_string())
}

/// The captcha's state and a number, in two lines: only the number that was asked for, and what the page held.
#[test]
fn captcha_answers() {
    const BROWSER: &str = "the secret of a browser";
    let world = World::new();
    let challenge = captcha::begin(&world.server.app, BROWSER).expect("a challenge");
    let others = captcha::begin(&world.server.app, "another browser").expect("a challenge");
    let number = solve(&challenge);
    let (begun, proof) = challenge.sealed.rsplit_once('.').expect("a proof");
    let accepted = Cell::new(0);
    fuzz!("captcha_answers", |input: &[u8]| {
        let (sealed, answer) = two_texts(input);
        let sealed = sealed
            .replace("{sealed}", &challenge.sealed)
            .replace("{begun}", begun)
            .replace("{salt}", &challenge.salt)
            .replace("{target}", &challenge.target)
            .replace("{easy}", &keys::digest(format!("{}.0", challenge.salt)))
            .replace("{proof}", proof)
            .replace("{others}", &others.sealed);
        let answer = answer.replace("{number}", &number.to_string());
        let form = [("captcha", sealed.as_str()), ("captcha_answer", &answer)];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let Ok(form) = Parameters::parse(form.as_bytes()) else { return };
        let is_right = sealed == challenge.sealed && answer.parse() == Ok(number);
        assert_eq!(
            captcha::check(&world.server.app, BROWSER, &form).is_ok(),
            is_right,
            "{sealed:?} {answer:?}"
        );
        accepted.set(accepted.get() + usize::from(is_right));
    });
    assert!(accepted.get() > 0, "no answer is good");
}
