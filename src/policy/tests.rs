//! The rules as they are asked, with settings and files of an administrator.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

fn open(data: Value) -> Policy {
    Policy::open(&configured(data)).unwrap()
}

fn configured(data: Value) -> config::Policy {
    config::Policy { folder: None, data: data.as_object().unwrap().clone() }
}

fn example<T: DeserializeOwned>(question: Question) -> T {
    serde_json::from_str(question.example_input()).unwrap()
}

fn register(policy: &Policy, username: &str) -> Result<Decision, Error> {
    policy.register(&input::Register { username: username.to_owned(), ..example(Question::Register) })
}

fn codes(decision: &Decision) -> Vec<Code> {
    decision.violations().iter().map(|violation| violation.code.clone()).collect()
}

/// A folder with these files, and the configuration that names it.
fn folder(files: &[(&str, &str)]) -> (TempDir, config::Policy) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let config = config::Policy { folder: Some(folder.path().to_owned()), ..config::Policy::default() };
    (folder, config)
}

fn broken(files: &[(&str, &str)]) -> Vec<Fault> {
    Policy::open(&folder(files).1).unwrap_err().0
}

#[test]
fn every_test_beside_the_rules_passes() {
    let report = check(&config::Policy::default()).unwrap();
    let failed: Vec<_> = report.tests.iter().filter(|test| test.failure.is_some()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let with_tests = report.tests.iter().map(|test| &test.file).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(
        with_tests.len(),
        Sources::shipped().rules.len(),
        "every file of rules has tests: {with_tests:?}"
    );
}

#[test]
fn the_examples_are_inputs_and_are_allowed() {
    let policy = open(json!({}));
    assert!(policy.register(&example(Question::Register)).unwrap().is_allowed());
    assert!(policy.email(&example(Question::Email)).unwrap().is_allowed());
    assert!(policy.client_registration(&example(Question::ClientRegistration)).unwrap().is_allowed());
    assert!(policy.authorization_grant(&example(Question::AuthorizationGrant)).unwrap().is_allowed());
    assert!(policy.compat_login(&example(Question::CompatLogin)).unwrap().is_allowed());
    for question in Question::ALL {
        let given: Value = serde_json::from_str(question.example_input()).unwrap();
        assert_eq!(question.normalise(given.clone()).unwrap(), given, "{question} is complete");
    }
}

#[test]
fn settings_decide_without_a_rule_being_written() {
    let policy = open(json!({
        "register": { "banned_names": { "prefixes": ["admin"] }, "minimum_name_length": 3 },
        "requester": { "banned_networks": ["203.0.113.0/24"] },
    }));
    assert_eq!(codes(&register(&policy, "administrator").unwrap()), [Code::NameBanned]);
    let short = register(&policy, "al").unwrap();
    assert_eq!(codes(&short), [Code::NameTooShort]);
    assert_eq!(short.violations()[0].number("minimum"), Some(3));
    assert!(register(&policy, "alice").unwrap().is_allowed());
    let mut from_there: input::Register = example(Question::Register);
    from_there.requester.ip_address = Some("203.0.113.9".parse().unwrap());
    assert_eq!(codes(&policy.register(&from_there).unwrap()), [Code::RequesterBanned]);
}

#[test]
fn every_question_repeats_what_is_said_of_the_requester() {
    let policy = open(json!({ "requester": { "banned_user_agents": { "prefixes": ["Mozilla/"] } } }));
    let banned = [Code::RequesterBanned];
    assert_eq!(codes(&policy.register(&example(Question::Register)).unwrap()), banned);
    assert_eq!(codes(&policy.email(&example(Question::Email)).unwrap()), banned);
    assert_eq!(codes(&policy.client_registration(&example(Question::ClientRegistration)).unwrap()), banned);
    assert_eq!(codes(&policy.authorization_grant(&example(Question::AuthorizationGrant)).unwrap()), banned);
    assert_eq!(codes(&policy.compat_login(&example(Question::CompatLogin)).unwrap()), banned);
}

#[test]
fn too_many_sessions_say_how_many_have_to_end() {
    let policy = open(json!({ "sessions": { "soft_limit": 2, "hard_limit": 5 } }));
    let mut grant: input::AuthorizationGrant = example(Question::AuthorizationGrant);
    grant.sessions.with_device = 4;
    let denied = policy.authorization_grant(&grant).unwrap();
    assert_eq!(codes(&denied), [Code::TooManySessions]);
    assert_eq!(denied.violations()[0].number("to_end"), Some(3));
    let mut login: input::CompatLogin = example(Question::CompatLogin);
    login.sessions.with_device = 4;
    assert!(policy.compat_login(&login).unwrap().is_allowed());
    login.sessions.with_device = 5;
    assert_eq!(codes(&policy.compat_login(&login).unwrap()), [Code::TooManySessions]);
}

const NO_DIGITS: &str = r#"package register

violations contains {"code": "digits", "message": "Names have no digits here."} if {
	data.settings.school.no_digits
	regex.match("[0-9]", input.username)
}
"#;

#[test]
fn a_file_adds_rules_that_see_settings_of_their_own() {
    let (_folder, mut config) = folder(&[("school.rego", NO_DIGITS)]);
    config.data = json!({ "school": { "no_digits": true }, "register": { "minimum_name_length": 3 } })
        .as_object()
        .unwrap()
        .clone();
    let policy = Policy::open(&config).unwrap();
    let denied = register(&policy, "a1").unwrap();
    assert_eq!(codes(&denied), [Code::Other("digits".to_owned()), Code::NameTooShort]);
    assert_eq!(denied.violations()[0].message.as_deref(), Some("Names have no digits here."));
    assert_eq!(in_one_line(denied.violations()), "Names have no digits here.; name_too_short minimum=3");
}

#[test]
fn a_file_of_the_same_name_replaces_ours() {
    let open_to_all = "package register\n\nviolations := set()\n";
    let (_folder, mut config) = folder(&[("register.rego", open_to_all)]);
    config.data = json!({ "register": { "minimum_name_length": 30 } }).as_object().unwrap().clone();
    assert!(register(&Policy::open(&config).unwrap(), "alice").unwrap().is_allowed());
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let faults = broken(&[("bad.rego", "package register\n\nviolations contains {\n")]);
    assert!(faults[0].place.ends_with("/bad.rego") && faults[0].line.is_some(), "{faults:?}");

    let unknown = "package register\n\nviolations contains {\"code\": nothing(input)}\n";
    let faults = broken(&[("bad.rego", unknown)]);
    assert!(faults[0].place.ends_with("/bad.rego"), "{faults:?}");
    assert_eq!(faults[0].line, Some(3), "{faults:?}");
    assert!(faults[0].to_string().contains("bad.rego:3: "), "{faults:?}");
}

#[test]
fn every_broken_file_is_named() {
    let bad = "package register\n\nviolations contains\n";
    assert_eq!(broken(&[("a.rego", bad), ("b.rego", bad)]).len(), 2);
}

#[test]
fn a_misspelled_package_is_not_passed_over() {
    let text = "package registration\n\nviolations contains {\"code\": \"never\"}\n";
    let faults = broken(&[("mine.rego", text)]);
    assert!(faults[0].message.contains("no question is called registration"), "{faults:?}");
    assert_eq!(faults[0].line, Some(3));
    let library = "package mine\n\nanswer := 42\n";
    assert!(Policy::open(&folder(&[("mine.rego", library)]).1).is_ok());
}

#[test]
fn a_setting_that_no_rule_can_use_is_found_at_the_start() {
    for data in [
        json!({ "requester": { "banned_networks": ["not a network"] } }),
        json!({ "register": { "banned_names": { "regexes": ["("] } } }),
        json!({ "email": { "banned_domains": ["[a"] } }),
    ] {
        assert!(Policy::open(&configured(data.clone())).is_err(), "{data}");
    }
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let config = config::Policy { folder: Some("/nowhere/at/all".into()), ..config::Policy::default() };
    assert!(Policy::open(&config).unwrap_err().to_string().contains("/nowhere/at/all: "));
}

#[test]
fn what_fails_only_for_some_input_denies_it() {
    // The example has another name, so this is not found at the start.
    let text = "package register\n\nviolations contains {\"code\": \"x\"} if {\n\tinput.username == \"mallory\"\n\tto_number(input.username) > 0\n}\n";
    let policy = Policy::open(&folder(&[("mine.rego", text)]).1).unwrap();
    assert!(register(&policy, "alice").unwrap().is_allowed());
    assert!(register(&policy, "mallory").is_err());
}

#[test]
fn an_answer_of_another_kind_denies() {
    for answer in [
        "violations := true",
        "violations contains \"text\"",
        "violations contains {\"kode\": 1}",
        "violations := []  if false",
    ] {
        let (_folder, config) = folder(&[("register.rego", &format!("package register\n\n{answer}\n"))]);
        assert!(Policy::open(&config).is_err(), "{answer}");
    }
}

#[test]
fn a_rule_that_never_ends_is_stopped() {
    let endless = r#"package register

violations contains {"code": "x"} if {
	input.username == "mallory"
	count([1 | some a in numbers.range(1, 2000); some b in numbers.range(1, 2000); some c in numbers.range(1, 2000)]) == 0
}
"#;
    let policy = Policy::open(&folder(&[("mine.rego", endless)]).1).unwrap();
    let error = register(&policy, "mallory").unwrap_err();
    assert!(error.reason.contains("limit"), "{error}");
    assert!(register(&policy, "alice").unwrap().is_allowed(), "the next question is answered");
}

#[test]
fn a_reload_is_seen_by_all_and_a_broken_one_by_none() {
    let (folder, config) = folder(&[]);
    let policy = Policy::open(&config).unwrap();
    let elsewhere = policy.clone();
    assert!(register(&elsewhere, "alice").unwrap().is_allowed());

    let file = folder.path().join("mine.rego");
    fs::write(&file, "package register\n\nviolations contains {\"code\": \"closed\"}\n").unwrap();
    policy.reload(&config).unwrap();
    assert_eq!(codes(&register(&elsewhere, "alice").unwrap()), [Code::Other("closed".to_owned())]);

    fs::write(&file, "package register\n\nviolations contains\n").unwrap();
    assert!(policy.reload(&config).unwrap_err().to_string().contains("mine.rego:"));
    assert_eq!(codes(&register(&elsewhere, "alice").unwrap()), [Code::Other("closed".to_owned())]);

    fs::remove_file(&file).unwrap();
    policy.reload(&config).unwrap();
    assert!(register(&elsewhere, "alice").unwrap().is_allowed());
}

#[test]
fn a_check_runs_the_tests_of_the_administrator() {
    let tests = r#"package school_test

test_digits if {
	count(data.register.violations) == 1 with input as json.unmarshal(`{"username": "a1", "method": "password", "requester": {"ip_address": null, "user_agent": null}}`)
}

test_wrong if 1 == 2

test_is_four := 4
"#;
    let (_folder, mut config) = folder(&[("school.rego", NO_DIGITS), ("school_test.rego", tests)]);
    config.data = json!({ "school": { "no_digits": true } }).as_object().unwrap().clone();
    let report = check(&config).unwrap();
    assert!(!report.is_passed());
    let own: Vec<_> = report.tests.iter().filter(|test| test.file.ends_with("/school_test.rego")).collect();
    let told: Vec<_> =
        own.iter().map(|test| (test.line, test.name.as_str(), test.failure.as_deref())).collect();
    assert_eq!(
        told,
        [
            (3, "school_test.test_digits", None),
            (7, "school_test.test_wrong", Some("is not true")),
            (9, "school_test.test_is_four", Some("is 4, not true")),
        ]
    );
}

#[test]
fn an_evaluation_tells_which_rules_speak_against_an_input() {
    let (_folder, mut config) = folder(&[("school.rego", NO_DIGITS)]);
    config.data = json!({
        "school": { "no_digits": true },
        "requester": { "banned_networks": ["198.51.100.0/24"] },
    })
    .as_object()
    .unwrap()
    .clone();
    let mut given: Value = serde_json::from_str(Question::Register.example_input()).unwrap();
    given["username"] = json!("alice7");
    let evaluation = evaluate(&config, Question::Register, given.clone()).unwrap();
    assert_eq!(evaluation.decision, Outcome::Denied);
    let told: Vec<(String, &[String])> = evaluation
        .violations
        .iter()
        .map(|finding| (finding.violation.code.to_string(), finding.rules.as_slice()))
        .collect();
    assert_eq!(told[0].0, "digits");
    assert!(told[0].1[0].ends_with("/school.rego:3"), "{told:?}");
    assert_eq!(told[1].0, "requester_banned");
    assert_eq!(told[1].1, ["policies/register.rego:14", "policies/requester.rego:7"]);

    let json = serde_json::to_value(&evaluation).unwrap();
    assert_eq!(json["decision"], "denied");
    assert_eq!(json["violations"][0]["code"], "digits");

    given["user"] = json!("x");
    let error = evaluate(&config, Question::Register, given).unwrap_err().to_string();
    assert!(error.contains("unknown field `user`") && error.contains("\"alice@example.org\""), "{error}");
}

#[test]
fn codes_are_spelled_as_in_the_rules() {
    for (code, text) in [(Code::NameTooShort, "name_too_short"), (Code::Other("own".to_owned()), "own")] {
        assert_eq!(code.to_string(), text);
        assert_eq!(serde_json::to_value(&code).unwrap(), json!(text));
        assert_eq!(serde_json::from_value::<Code>(json!(text)).unwrap(), code);
    }
}

#[test]
fn the_documentation_shows_the_inputs_as_they_are() {
    let page = include_str!("../../docs/policies.md");
    for question in Question::ALL {
        assert!(page.contains(question.example_input()), "{question}");
    }
    for section in settings::defaults().keys() {
        assert!(page.contains(&format!("`{section}.")), "{section}");
    }
}
