//! Passkeys and security keys, and the captcha: what a browser is asked, what it answers, and what travels with
//! the page.

use gatehouse::keys;
use gatehouse::login::captcha::Challenge;
use http::StatusCode;
use serde_json::{Value, json};

use super::flows::new_password;
use super::world::{Browser, World};
use crate::captcha::solve;
use crate::support::authenticator::Authenticator;
use crate::support::page::Page;
use crate::support::server::Answer;

const NEW: &str = "/account/security/passkeys/new";
const SIGN_IN: &str = "/login/passkey";
const SECOND_STEP: &str = "/login/security-key";

/// Enrolment, signing in by itself and as the second step, each going well and going wrong.
pub async fn ceremonies(world: &World) {
    let password = new_password(world);
    world.run(&["users", "create", "paula", "--password-stdin"], &password).done();
    let mut paulas = Browser::new(world);
    assert_eq!(paulas.sign_in_as("paula", &password).await.location(), "/account/");
    let (mut passkey, mut key) = (Authenticator::new(), Authenticator::new());
    let new_key = format!("{NEW}?kind=security-key");
    for (path, device) in [(NEW, &mut passkey), (new_key.as_str(), &mut key)] {
        let page = paulas.get(path).await;
        let mut wrong = device.create(&asked(world, &page), &world.bases[0]).await;
        let attested = wrong["response"]["attestationObject"].as_str().expect("CBOR").to_owned();
        wrong["response"]["attestationObject"] = json!(attested[..attested.len() / 2]);
        assert!(!answer(world, &mut paulas, &page, NEW, &wrong).await.status.is_redirection());
        let page = paulas.get(path).await;
        let elsewhere = device.create(&asked(world, &page), "http://elsewhere.example").await;
        assert!(!answer(world, &mut paulas, &page, NEW, &elsewhere).await.status.is_redirection());
        // The device has made several credentials by now, and only this one is kept.
        *device = Authenticator::new();
        let page = paulas.get(path).await;
        let made = device.create(&asked(world, &page), &world.bases[0]).await;
        let added = answer(world, &mut paulas, &page, NEW, &made).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.text());
    }
    for case in ["right", "wrong signature", "wrong origin", "cut", "nonsense"] {
        let (mut by_itself, mut second) = (Browser::new(world), Browser::new(world));
        second.sign_in_as("paula", &password).await;
        for (browser, device, page, path) in [
            (&mut by_itself, &mut passkey, "/login", SIGN_IN),
            (&mut second, &mut key, SECOND_STEP, SECOND_STEP),
        ] {
            let page = browser.get(page).await;
            let options = asked(world, &page);
            let origin = if case == "wrong origin" { "https://elsewhere.example" } else { &world.bases[0] };
            let mut said = device.get(&options, origin).await;
            match case {
                "wrong signature" => said["response"]["signature"] = json!(world.guess("a signature")),
                "cut" => said["response"]["authenticatorData"] = json!("AAAA"),
                "nonsense" => said = json!({ "id": world.guess("an id"), "response": options["challenge"] }),
                _ => {}
            }
            let answered = answer(world, browser, &page, path, &said).await;
            assert_eq!(answered.status.is_redirection(), case == "right", "{case}: {}", answered.text());
            if case == "right" {
                let again = answer(world, browser, &page, path, &said).await;
                assert!(again.header("location") != "/account/", "an answer counts once");
            }
        }
    }
}

/// The last step of making an account: a passkey beside the password.
pub async fn register(world: &World, browser: &mut Browser<'_>) {
    const STEP: &str = "/register/passkey";
    let page = browser.get(STEP).await;
    let mut device = Authenticator::new();
    let made = device.create(&asked(world, &page), &world.bases[0]).await;
    let answer = answer(world, browser, &page, STEP, &made).await;
    assert_eq!(answer.location(), "/account/", "{}", answer.text());
}

/// An account that somebody begins to make without a token: their browser computes instead.
pub async fn captcha(world: &World) {
    let mut browser = Browser::new(world);
    let page = browser.get("/register").await;
    let (document, sealed) = (Page::of(&page), page.field("captcha"));
    let part = |name: &str| document.attribute("[data-captcha]", name);
    let challenge = Challenge {
        salt: part("data-salt"),
        target: part("data-target"),
        work: part("data-work").parse().expect("a number"),
        sealed: sealed.clone(),
    };
    for secret in [&challenge.salt, &challenge.target, &sealed] {
        world.secrets.borrow_mut().add("a captcha", secret);
    }
    let right = solve(&challenge).to_string();
    let forged = format!("{}{}", &sealed[..sealed.len() - 43], world.guess("a proof"));
    for (sealed, number, is_good) in [
        (&sealed, "", false),
        (&sealed, "4000000000", false),
        (&forged, right.as_str(), false),
        (&sealed, right.as_str(), true),
    ] {
        let form = [("username", "ruth"), ("captcha", sealed), ("captcha_answer", number)];
        let answer = browser.submit(&page, "/register", &form).await;
        assert_eq!(answer.header("location") == "/register/email", is_good, "{number}: {}", answer.text());
    }
}

/// What a page asks the browser, of which nothing is anybody's business.
fn asked(world: &World, page: &Answer) -> Value {
    let options = Page::of(page).attribute("form[data-passkey]", "data-options");
    let options: Value = serde_json::from_str(&options).expect("JSON");
    let challenge = options["challenge"].as_str().expect("a challenge");
    let mut secrets = world.secrets.borrow_mut();
    secrets.add("a challenge", challenge);
    secrets.add("the bytes of a challenge", keys::from_base64url(challenge).expect("base64url"));
    secrets.add("a sealed ceremony", sealed(page));
    options
}

/// Answers; what proves something in the answer is nobody's business either, written as it is sent or as bytes.
async fn answer(world: &World, browser: &mut Browser<'_>, page: &Answer, path: &str, said: &Value) -> Answer {
    for name in ["clientDataJSON", "attestationObject", "signature"] {
        if let Some(text) = said["response"][name].as_str() {
            world.secrets.borrow_mut().add(&format!("{name} of a credential"), text);
        }
    }
    let signature = said["response"]["signature"].as_str().and_then(keys::from_base64url);
    if let Some(bytes) = signature {
        world.secrets.borrow_mut().add("the bytes of a signature", bytes);
    }
    let (sealed, said) = (sealed(page), said.to_string());
    let mut form = vec![("ceremony", sealed.as_str()), ("credential", &said)];
    let kind = page.text().contains("name=\"kind\"").then(|| page.field("kind"));
    form.extend(kind.iter().map(|kind| ("kind", kind.as_str())));
    browser.submit(page, path, &form).await
}

/// The state that travels with a page. The sign-in page has a form beside that of the ceremony.
fn sealed(page: &Answer) -> String {
    Page::of(page).attribute("form[data-passkey] input[name=ceremony]", "value")
}
