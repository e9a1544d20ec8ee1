//! What a browser computes before somebody makes an account.

use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::app::App;
use gatehouse::http::form::Parameters;
use gatehouse::keys;
use gatehouse::login::captcha::{self, Challenge, Proof, Unproven};
use gatehouse::work;

use crate::support::server::{Engine, Server, on_both_engines};

const BROWSER: &str = "the secret of a browser";

/// What a browser does.
pub fn solve(challenge: &Challenge) -> u32 {
    let is_it = |number: &u32| keys::digest(format!("{}.{number}", challenge.salt)) == challenge.target;
    (0..challenge.work).find(is_it).expect("a number that fits")
}

fn form(sealed: &str, answer: &str) -> Parameters {
    let form = [("captcha", sealed), ("captcha_answer", answer)];
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    Parameters::parse(form.as_bytes()).expect("a form")
}

async fn server(engine: Engine) -> Server {
    Server::start_with(engine, |config| config.captcha.work = 500).await
}

fn begin(server: &Server) -> Challenge {
    captcha::begin(&server.app, BROWSER).expect("a challenge")
}

fn check(server: &Server, browser: &str, sealed: &str, answer: &str) -> Result<Proof, Unproven> {
    captcha::check(&server.app, browser, &form(sealed, answer))
}

async fn use_up(app: &App, proof: &Proof) -> bool {
    let mut tx = app.store.begin().await.expect("a transaction");
    let counts = proof.use_up(&mut tx).await.expect("an answer");
    tx.commit().await.expect("a commit");
    counts
}

on_both_engines! {
    async fn the_number_counts_once(engine: Engine) {
        let server = server(engine).await;
        let challenge = begin(&server);
        let answer = solve(&challenge).to_string();
        let proofs: Vec<Proof> = (0..5).map(|_| check(&server, BROWSER, &challenge.sealed, &answer).expect("a proof")).collect();
        let counted = join_all(proofs.iter().map(|proof| use_up(&server.app, proof))).await;
        assert_eq!(counted.iter().filter(|counts| **counts).count(), 1);
        // Another challenge counts by itself.
        let other = begin(&server);
        assert_ne!(other.salt, challenge.salt);
        let proof = check(&server, BROWSER, &other.sealed, &solve(&other).to_string()).expect("a proof");
        assert!(use_up(&server.app, &proof).await);
        // What is used up is remembered for as long as it could come back.
        work::sweep(&server.app).await.expect("a sweep");
        assert!(!use_up(&server.app, &proof).await);
        server.advance(Duration::from_secs(30 * 60));
        work::sweep(&server.app).await.expect("a sweep");
        assert!(use_up(&server.app, &proof).await);
        assert_eq!(check(&server, BROWSER, &other.sealed, &solve(&other).to_string()).err(), Some(Unproven::Stale));
    }
}

#[tokio::test]
async fn nothing_else_counts() {
    let server = server(Engine::Sqlite).await;
    let (challenge, other) = (begin(&server), begin(&server));
    let number = solve(&challenge);
    let answer = number.to_string();
    let refusal = |browser: &str, sealed: &str, answer: &str| check(&server, browser, sealed, answer).err();
    assert_eq!(refusal(BROWSER, &challenge.sealed, &answer), None);
    let wrong = (number + 1).to_string();
    for wrong in [&wrong, "x", "-1", "99999999999", " ", &format!("{answer} ")] {
        assert_eq!(refusal(BROWSER, &challenge.sealed, wrong), Some(Unproven::Wrong), "{wrong}");
    }
    assert_eq!(refusal(BROWSER, &challenge.sealed, ""), Some(Unproven::Missing));
    assert_eq!(captcha::check(&server.app, BROWSER, &form("", "1")).err(), Some(Unproven::Missing));
    let nothing = Parameters::parse(b"captcha_answer=1").expect("a form");
    assert_eq!(captcha::check(&server.app, BROWSER, &nothing).err(), Some(Unproven::Missing));
    // Another browser's, one that is easier, one that is good for longer, and one that is nobody's.
    assert_eq!(refusal("another browser", &challenge.sealed, &answer), Some(Unproven::Stale));
    let parts: Vec<&str> = challenge.sealed.split('.').collect();
    let [expires_at, salt, target, proof] = parts[..] else { panic!("{}", challenge.sealed) };
    // Whatever the right number is, by chance.
    let other_number = if number == 0 { "1" } else { "0" };
    let easy = keys::digest(format!("{salt}.{other_number}"));
    let of_other = other.sealed.rsplit_once('.').expect("a proof").1;
    for forged in [
        format!("{expires_at}.{salt}.{easy}.{proof}"),
        format!("{expires_at}0.{salt}.{target}.{proof}"),
        format!("{expires_at}.{salt}.{target}.{of_other}"),
        format!("{expires_at}.{salt}.{target}."),
        format!("{expires_at}.{salt}.{target}"),
        "....".to_owned(),
    ] {
        for answer in [&answer, other_number] {
            assert_eq!(refusal(BROWSER, &forged, answer), Some(Unproven::Stale), "{forged}");
        }
    }
    server.advance(Duration::from_secs(30 * 60));
    assert_eq!(refusal(BROWSER, &challenge.sealed, &answer), Some(Unproven::Stale));
}

#[tokio::test]
async fn an_admin_says_how_much_is_computed() {
    let server = server(Engine::Sqlite).await;
    let numbers: Vec<u32> = (0..40).map(|_| solve(&begin(&server))).collect();
    assert!(numbers.iter().all(|number| *number < 500));
    assert!(numbers.iter().any(|number| *number > 50), "{numbers:?}");
    let server = Server::start_with(Engine::Sqlite, |config| config.captcha.work = 0).await;
    assert!(captcha::begin(&server.app, BROWSER).is_none());
}
