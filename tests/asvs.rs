//! What `docs/asvs.md` says of OWASP ASVS 5.0.0, chapters V6, V7 and V10: that it is complete, that the tests which it
//! names exist, and what no other suite shows of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gatehouse::accounts::emails;
use gatehouse::accounts::new_password::{self, Chooser};
use http::StatusCode;

use crate::account_password::{CHANGE, is_right};
use crate::mails::{ALICE, alice, with_mails};
use crate::passkeys::Asked;
use crate::past_vulnerabilities::assert_there_is;
use crate::support::factors::{SECURITY, add_app, make_codes};
use crate::support::server::{Engine, PASSWORD, Server, on_both_engines};
use crate::support::smtp::Received;

/// The requirements of the three chapters: for each section the levels of its requirements, in their order.
const LEVELS: [(&str, &str); 21] = [
    ("6.1", "122"),
    ("6.2", "111111112222"),
    ("6.3", "11223333"),
    ("6.4", "112233"),
    ("6.5", "22222333"),
    ("6.6", "2223"),
    ("6.7", "33"),
    ("6.8", "2222"),
    ("7.1", "222"),
    ("7.2", "1111"),
    ("7.3", "22"),
    ("7.4", "11222"),
    ("7.5", "223"),
    ("7.6", "22"),
    ("10.1", "22"),
    ("10.2", "223"),
    ("10.3", "22223"),
    ("10.4", "1111122222233333"),
    ("10.5", "22222"),
    ("10.6", "22"),
    ("10.7", "222"),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).expect("a document")
}

/// Every file of a folder and those below it, by the end of its name.
fn files(folder: &Path, end: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(Result::unwrap) {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(files(&path, end)),
            false if path.to_string_lossy().ends_with(end) => {
                found.push((path.clone(), fs::read_to_string(&path).expect("a text")));
            }
            false => {}
        }
    }
    found
}

/// The rows of the three tables: number, level, in short, state, the rest.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let lines = document.lines().filter(|line| {
        let begin = line.strip_prefix("| ").and_then(|line| line.split('.').next());
        begin.is_some_and(|chapter| chapter.parse::<u8>().is_ok())
    });
    lines.map(|line| line.trim_matches('|').splitn(5, '|').map(str::trim).collect()).collect()
}

#[test]
fn every_requirement_stands_there_once_and_every_test_exists() {
    let document = document("asvs.md");
    let rows = rows(&document);
    let all = LEVELS.iter().flat_map(|(section, levels)| {
        levels
            .chars()
            .enumerate()
            .map(move |(place, level)| (format!("{section}.{}", place + 1), level.to_string()))
    });
    let listed: Vec<(String, String)> =
        rows.iter().map(|row| (row[0].to_owned(), row[1].to_owned())).collect();
    assert_eq!(listed, all.collect::<Vec<_>>());
    for row in rows {
        let (number, state, rest) = (row[0], row[3], row[4]);
        assert!(!row[2].is_empty() && !rest.is_empty(), "{number} says nothing");
        let named: Vec<&str> =
            rest.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
        named.iter().for_each(|name| assert_there_is(name, number));
        match state {
            "met" => assert!(!named.is_empty(), "{number} is met, and no test shows it"),
            "n/a" | "open" => {}
            other => panic!("{number}: {other} is no state"),
        }
    }
}

#[test]
fn the_guide_names_every_limit() {
    let guide = document("operating.md");
    let section = |title: &str| {
        let (_, from) = guide.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no {title}"));
        from.split("\n## ").next().unwrap_or_default().to_owned()
    };
    let settings = document("configuration.md");
    let keys = |of: &str| -> Vec<String> {
        let titles = settings.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
        titles.filter_map(|title| title.strip_prefix(&format!("{of}.")).map(str::to_owned)).collect()
    };
    for (title, of) in [("Guessing", "rate_limits"), ("How long people stay signed in", "sessions")] {
        let (text, keys) = (section(title), keys(of));
        assert!(keys.len() > 3, "{of}");
        let missing: Vec<_> = keys.iter().filter(|key| !text.contains(&format!("`{key}`"))).collect();
        assert!(missing.is_empty(), "{title} does not name {missing:?}");
    }
    for word in ["user name", "e-mail address", "server name", "branding.service_name"] {
        assert!(section("Guessing").contains(word), "{word}");
    }
}

#[test]
fn the_ways_in_are_those_that_are_routed() {
    let document = document("asvs.md");
    let (_, ways) = document.split_once("\n## Ways in\n").expect("the ways in");
    let ways = ways.split("\n## ").next().unwrap_or_default();
    let rows = ways.lines().filter_map(|line| line.strip_prefix("| ")).skip(1);
    let first: Vec<&str> = rows.filter_map(|row| row.split('|').next()).collect();
    let paths =
        first.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter(|word| word.starts_with('/'));
    let paths: Vec<String> =
        paths.map(|path| path.replace("/…", "/{secret}").replace('*', "{version}")).collect();
    let routes = fs::read_to_string(root().join("src/routes.rs")).expect("the routes");
    for path in &paths {
        assert!(routes.contains(&format!("\"{path}\"")), "{path} is no route");
    }
    // Where a session begins: who calls what begins one.
    let begins =
        ["arrive(app,", "arrive_as_new(app,", "browser::start(", "start_session(", "Beginning::new("];
    let outside = files(&root().join("src"), ".rs")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("sessions/tokens.rs"));
    let callers = outside.filter(|(_, text)| {
        text.lines().any(|line| begins.iter().any(|begin| line.contains(begin)) && !line.contains("fn "))
    });
    let callers: BTreeSet<String> = callers
        .map(|(path, _)| path.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned())
        .collect();
    let known = [
        "compat/session.rs",
        "login/arrive.rs",
        "login/enrol.rs",
        "login/enrol_key.rs",
        "login/passkey.rs",
        "login/password.rs",
        "login/recover.rs",
        "login/register/finish.rs",
        "login/reset_password.rs",
        "login/second.rs",
        "oauth/grants/client_credentials.rs",
        "oauth/grants/session.rs",
        "sessions/personal.rs",
    ];
    assert_eq!(callers, known.map(str::to_owned).into(), "a way in that the table does not have");
}

#[test]
fn passwords_are_masked_and_may_be_pasted_and_filled_in() {
    let mut fields = 0;
    for (path, text) in files(&root().join("templates"), ".html") {
        let at = path.display();
        for input in text.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
            let is_password = input.contains("password\"") && input.contains("name=");
            if !is_password {
                assert!(!input.contains("type=\"password\""), "{at}: {input}");
                continue;
            }
            fields += 1;
            assert!(input.contains("type=\"password\""), "{at}: {input}");
            let is_named =
                ["current-password\"", "new-password\""].iter().any(|purpose| input.contains(purpose));
            assert!(is_named && input.contains("autocomplete="), "{at}: {input}");
            assert!(!input.contains("readonly") && !input.contains("autocomplete=\"off\""), "{at}: {input}");
        }
    }
    assert!(fields >= 4, "{fields}");
    for (path, text) in files(&root().join("frontend"), ".js") {
        for event in ["paste", "beforeinput", "keydown"] {
            assert!(!text.contains(event), "{}: {event}", path.display());
        }
    }
}

#[test]
fn nothing_is_kept_of_hints_and_questions() {
    for (path, text) in files(&root().join("migrations"), ".sql") {
        let columns = text.lines().map(str::trim).filter(|line| !line.starts_with("--"));
        let names = columns.filter_map(|line| line.split_whitespace().next());
        let of_secrets = names.filter(|name| name.contains("hint") || name.contains("question"));
        assert_eq!(of_secrets.collect::<Vec<_>>(), Vec::<&str>::new(), "{}", path.display());
    }
}

#[test]
fn what_is_random_comes_from_the_operating_system() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    let (_, ours) = manifest.split_once("[dependencies]").expect("dependencies");
    let ours = ours.split("\n[").next().unwrap_or_default();
    for other in ["rand", "fastrand", "getrandom", "oorandom"] {
        assert!(!ours.lines().any(|line| line.starts_with(&format!("{other} "))), "{other}");
    }
    let users =
        files(&root().join("src"), ".rs").into_iter().filter(|(_, text)| text.contains("aws_lc_rs::rand"));
    let users: BTreeSet<String> = users
        .map(|(path, _)| path.strip_prefix(root().join("src")).unwrap().to_string_lossy().into_owned())
        .collect();
    // Randomness, keys that are made, and the word that lets a page's own scripts run.
    let known = ["http/headers.rs", "keys/signing.rs", "random.rs"];
    assert!(users.is_subset(&known.map(str::to_owned).into()), "{users:?}");
}

fn code_in(mail: &Received) -> String {
    let text = mail.text();
    text.lines().find_map(|line| line.strip_prefix("    ")).expect("a code").trim().to_owned()
}

on_both_engines! {
    async fn a_new_server_has_no_accounts(engine: Engine) {
        let server = Server::start(engine).await;
        let accounts = gatehouse::accounts::users::list(&server.app.store, None, 10).await.unwrap();
        assert!(accounts.is_empty(), "{accounts:?}");
        for name in ["admin", "root", "administrator", "gatehouse", "synapse"] {
            for password in ["", "admin", "password", "gatehouse"] {
                let answer = server.browser().sign_in(name, password, "/").await;
                assert!(answer.status.is_client_error(), "{name}");
            }
        }
    }

    async fn a_password_is_compared_to_its_last_character(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let long = format!("Seven green Kettles {}", "sing at dawn ".repeat(60));
        let password = gatehouse::keys::Password::new(long.clone()).unwrap();
        let chooser = Chooser::new("alice", None);
        let hash = new_password::hash(&server.app, &chooser, password).await.unwrap().unwrap();
        let mut tx = server.app.store.begin().await.unwrap();
        gatehouse::accounts::passwords::set(&mut tx, alice.id, &hash, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert!(is_right(&server, &alice, &long).await);
        for other in [long.trim_end(), &long[..long.len() - 2], &long[..72], &long.to_lowercase(), &format!("{long}x"), &format!(" {long}")] {
            assert!(!is_right(&server, &alice, other).await, "{other:?}");
        }
    }

    async fn a_password_does_not_age(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.advance(Duration::from_secs(10 * 366 * 24 * 60 * 60));
        let answer = server.browser().sign_in("alice", PASSWORD, "/account/email").await;
        assert_eq!(answer.location(), "/account/email", "and no page asks for another one");
    }

    async fn words_about_the_server_and_the_person_are_no_password(engine: Engine) {
        for (service_name, name, is_taken) in [
            ("Quokkenwiesenfunk", "alice", false),
            ("Example Chat", "quokkenwiesenfunk", false),
            ("Example Chat", "alice", true),
        ] {
            let server = Server::start_with(engine, |config| {
                config.branding.service_name = Some(service_name.to_owned());
            }).await;
            server.user(name).await;
            let mut browser = server.signed_in(name).await;
            let csrf = browser.csrf().await;
            let password = "Quokkenwiesenfunk1";
            let form = [("csrf", csrf.as_str()), ("new_password", password), ("new_password_again", password)];
            let answer = browser.post(CHANGE, &form).await;
            let expected = if is_taken { StatusCode::SEE_OTHER } else { StatusCode::BAD_REQUEST };
            assert_eq!(answer.status, expected, "{service_name}, {name}");
        }
    }

    async fn codes_and_links_are_hard_to_guess(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        add_app(&server, &mut browser, "Phone").await;
        let codes = make_codes(&mut browser).await;
        assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
        for code in &codes {
            let letters = code.replace('-', "");
            assert!(letters.len() == 12 && letters.chars().all(|c| c.is_ascii_alphanumeric()), "{code}");
        }
        // Two of everything: of 256 bits, and never the same.
        let is_long = |secret: &str| gatehouse::keys::from_base64url(secret).is_some_and(|bytes| bytes.len() == 32);
        let mut seen = BTreeSet::new();
        for address in ["one@example.com", "two@example.com"] {
            let csrf = browser.csrf().await;
            browser.post("/account/email/add", &[("csrf", &csrf), ("email", address)]).await.location();
            let csrf = browser.csrf().await;
            browser.post("/reset-password", &[("csrf", &csrf), ("email", ALICE)]).await.location();
            server.run_jobs().await;
            let mail = mail_server.received_by(address).pop().expect("a mail");
            let code = code_in(&mail);
            assert!(code.len() == 6 && code.chars().all(|c| c.is_ascii_digit()), "{code}");
            let reset = mail_server.received_by(ALICE);
            let reset = reset.iter().rev().find(|mail| mail.text().contains("/reset-password/")).expect("a link");
            let mut secrets = vec![
                mail.link("https://auth.example.org/email/").rsplit('/').next().unwrap().to_owned(),
                reset.link("https://auth.example.org/reset-password/").rsplit('/').next().unwrap().to_owned(),
            ];
            let mut another = server.browser();
            let options = Asked::by(&another.get("/login").await).options;
            secrets.push(options["challenge"].as_str().unwrap().to_owned());
            another.sign_in("alice", PASSWORD, SECURITY).await.location();
            secrets.extend(another.cookies.values().cloned());
            assert!(secrets.len() >= 5, "{secrets:?}");
            for secret in secrets {
                assert!(is_long(&secret), "{secret}");
                assert!(seen.insert(secret), "twice");
            }
        }
        let client = server.client().await;
        server.user("bob").await;
        for device in ["DEVICE0001", "DEVICE0002"] {
            let tokens = server.tokens("bob", &client, device).await;
            for token in [tokens.access, tokens.refresh] {
                // Prefix, family (128 bits), secret (128 bits) and checksum, each in letters and digits.
                assert!(token.len() >= 4 + 22 + 22, "{token}");
                assert!(seen.insert(token), "twice");
            }
        }
    }

    async fn a_code_of_one_mail_is_nothing_to_the_next(engine: Engine) {
        let (server, mail_server) = with_mails(engine).await;
        let alice = alice(&server).await;
        let mut browser = server.signed_in("alice").await;
        let csrf = browser.csrf().await;
        let mut asked = Vec::new();
        for address in ["one@example.com", "two@example.com"] {
            let answer = browser.post("/account/email/add", &[("csrf", &csrf), ("email", address)]).await;
            server.run_jobs().await;
            let mail = mail_server.received_by(address).pop().expect("a mail");
            asked.push((answer.location().to_owned(), code_in(&mail)));
        }
        let [(one, code_of_one), (two, code_of_two)] = [asked[0].clone(), asked[1].clone()];
        if code_of_one != code_of_two {
            for (path, code) in [(&one, &code_of_two), (&two, &code_of_one)] {
                let answer = browser.post(path, &[("csrf", &csrf), ("code", code)]).await;
                assert_eq!(answer.status, StatusCode::BAD_REQUEST);
            }
        }
        let answer = browser.post(&two, &[("csrf", &csrf), ("code", &code_of_two)]).await;
        assert_eq!(answer.location(), "/account/email?notice=added");
        let found = emails::list(&server.app.store, alice.id).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|email| email.address).collect();
        assert_eq!(found, [ALICE, "two@example.com"]);
    }
}
