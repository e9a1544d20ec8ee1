//! What a decision costs: `cargo bench --bench policy`.
//!
//! Each question is put with its example input, from the typed input to the decision, first to the
//! rules as they come and then with a file of an administrator's own. Figures are microseconds, the
//! fastest of 21 rounds: other programs on the machine only ever add to it.

use std::hint::black_box;
use std::time::Instant;

use gatehouse::config;
use gatehouse::policy::{Decision, Error, Policy, Question, input};
use serde::de::DeserializeOwned;

const ROUNDS: usize = 21;
const DECISIONS: u32 = 1000;

const OWN: &str = r#"package authorization_grant

violations contains {"code": "closed"} if {
	input.client.host in data.settings.own.closed_hosts
}
"#;

fn main() {
    let policy = Policy::open(&config::Policy::default()).expect("the rules compile");
    measure_all("as they come", &policy);

    let folder = std::env::temp_dir().join(format!("gatehouse-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("own.rego"), OWN).expect("a file");
    let mut own = config::Policy { folder: Some(folder.clone()), ..config::Policy::default() };
    own.data.insert("own".to_owned(), serde_json::json!({ "closed_hosts": ["closed.example.org"] }));
    let policy = Policy::open(&own).expect("the rules compile");
    measure_all("with a file of one's own", &policy);
    std::fs::remove_dir_all(&folder).expect("the folder goes");

    let opened = fastest(|| {
        black_box(Policy::open(&config::Policy::default()).expect("the rules compile"));
    });
    println!("{:<24} {:<22} {:>8.1} µs", "start and reload", "everything", opened * 1e6);
}

fn measure_all(rules: &str, policy: &Policy) {
    measure(rules, Question::Register, |input: &input::Register| policy.register(input));
    measure(rules, Question::Email, |input: &input::Email| policy.email(input));
    measure(rules, Question::ClientRegistration, |input: &input::ClientRegistration| {
        policy.client_registration(input)
    });
    measure(rules, Question::AuthorizationGrant, |input: &input::AuthorizationGrant| {
        policy.authorization_grant(input)
    });
    measure(rules, Question::CompatLogin, |input: &input::CompatLogin| policy.compat_login(input));
}

fn measure<I: DeserializeOwned>(
    rules: &str,
    question: Question,
    ask: impl Fn(&I) -> Result<Decision, Error>,
) {
    let input: I = serde_json::from_str(question.example_input()).expect("the example is an input");
    let seconds = fastest(|| {
        for _ in 0..DECISIONS {
            black_box(ask(black_box(&input)).expect("a decision"));
        }
    });
    println!("{rules:<24} {question:<22} {:>8.1} µs", seconds * 1e6 / f64::from(DECISIONS));
}

fn fastest(mut round: impl FnMut()) -> f64 {
    let time = |_| {
        let begin = Instant::now();
        round();
        begin.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(time).fold(f64::INFINITY, f64::min)
}
