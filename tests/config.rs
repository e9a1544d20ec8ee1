//! The configuration: the file, the environment, secrets, messages, and the generated documents.

use std::{fs, path::PathBuf};

use gatehouse::config::{self, Config, Error, LogFormat, Place, Problem, Secret};

/// Loads `file` with these variables.
fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatehouse.yaml");
    fs::write(&path, file).unwrap();
    Config::load(Some(&path), variables(environment))
}

fn variables(pairs: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(owned).collect::<Vec<_>>().into_iter()
}

/// What is wrong with `file` and these variables.
#[track_caller]
fn problems(file: &str, environment: &[(&str, &str)]) -> Vec<Problem> {
    match load(file, environment) {
        Err(Error::Invalid { problems, .. }) => problems,
        other => panic!("expected problems, got {other:?}"),
    }
}

/// The only thing that is wrong: its line, its key and the message.
#[track_caller]
fn problem(file: &str) -> (u64, String, String) {
    match problems(file, &[]).as_slice() {
        [Problem { place: Some(Place::Line(line)), key, message }] => (*line, key.clone(), message.clone()),
        other => panic!("expected one problem with a line, got {other:?}"),
    }
}

const CLIENT: &str = "
clients:
  - client_id: one
    client_name: One
    redirect_uris: [https://one.example.org/]
    token_endpoint_auth_method: client_secret_basic
";

#[test]
fn without_a_file_the_defaults_hold() {
    let config = Config::load(None, variables(&[])).unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config.http.public_base.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.passwords.minimum_length, 15);
    config.check().unwrap();
}

#[test]
fn an_empty_file_and_empty_sections_mean_the_defaults() {
    assert_eq!(load("", &[]).unwrap(), Config::default());
    assert_eq!(load("http:\nclients:\n# nothing\n", &[]).unwrap(), Config::default());
    let comments = "# nothing\n".repeat(1000);
    assert_eq!(load(&format!("{comments}http:\n{comments}clients: []\n"), &[]).unwrap(), Config::default());
}

#[test]
fn the_sample_is_current_and_says_the_defaults() {
    assert_generated("gatehouse.example.yaml", &config::sample());
    assert_eq!(load(&config::sample(), &[]).unwrap(), Config::default());
}

#[test]
fn the_reference_is_current() {
    assert_generated("docs/configuration.md", &config::reference());
}

/// Compares a committed file with what the code generates, or writes it when asked to.
#[track_caller]
fn assert_generated(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, text).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "{name} is not current: run UPDATE_GENERATED=1 cargo test config");
}

#[test]
fn every_commented_key_of_the_sample_is_a_known_one() {
    let uncommented: String = config::sample()
        .lines()
        .map(|line| match line.split_once("# ") {
            Some(("  ", key)) if is_key(key) => format!("  {key}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_ne!(uncommented, config::sample());
    // Each secret now has both of its forms, and nothing else is wrong.
    for problem in problems(&uncommented, &[]) {
        assert!(problem.message.ends_with("keep one of them"), "{problem:?}");
    }
}

fn is_key(line: &str) -> bool {
    let Some((key, _)) = line.split_once(": ") else {
        return false;
    };
    key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[test]
fn every_key_is_documented() {
    fn visit(path: &str, schema: &serde_json::Value) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}.{key}");
            assert!(property["description"].is_string(), "{path} has no description");
            visit(&path, property);
            visit(&path, &property["items"]);
        }
    }
    visit("", &config::schema());
}

#[test]
fn the_schema_refuses_unknown_keys_and_marks_secrets() {
    let schema = config::schema();
    assert_eq!(schema["additionalProperties"], false);
    let http = &schema["properties"]["http"];
    assert_eq!(http["additionalProperties"], false);
    assert_eq!(http["properties"]["public_base"]["default"], "http://127.0.0.1:8080/");
    let secret = &schema["properties"]["homeserver"]["properties"]["secret"];
    assert_eq!(secret["writeOnly"], true);
}

#[test]
fn a_typo_names_its_line_and_the_nearest_key() {
    let (line, key, message) = problem("http:\n  # where\n  public_bse: https://a.org/\n");
    assert_eq!((line, key.as_str()), (3, "http.public_bse"));
    assert_eq!(message, "is not known; did you mean `public_base`?");

    let (line, key, message) = problem("\nhtp:\n  public_base: https://a.org/\n");
    assert_eq!((line, key.as_str()), (2, "htp"));
    assert_eq!(message, "is not known; did you mean `http`?");

    let (line, key, message) = problem(&format!("{CLIENT}    client_secrt: x\n    client_secret: x\n"));
    assert_eq!((line, key.as_str()), (7, "clients[0].client_secrt"));
    assert_eq!(message, "is not known; did you mean `client_secret`?");

    let (_, key, message) = problem("elephant: 1\n");
    assert_eq!((key.as_str(), message.as_str()), ("elephant", "is not known; remove it"));
}

#[test]
fn the_whole_message_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my.yaml");
    fs::write(&path, "oauth:\n  access_token_lifetime_seconds: 5\n").unwrap();
    let error = Config::load(Some(&path), variables(&[])).unwrap_err();
    let expected =
        format!("{}, line 2: oauth.access_token_lifetime_seconds: must be 60 to 86400", path.display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_missing_file_is_an_error_with_its_name() {
    let error = Config::load(Some("/nowhere/gatehouse.yaml".as_ref()), variables(&[])).unwrap_err();
    assert!(error.to_string().contains("/nowhere/gatehouse.yaml"));
}

#[test]
fn several_mistakes_are_told_at_once_in_the_order_of_the_file() {
    let file = "
http:
  public_base: nonsense
  listners: []
oauth:
  dynamic_registration: maybe
telemetry:
  log_format: xml
passwords:
  argon2: {memory_kib: -1}
";
    let found: Vec<String> = problems(file, &[]).into_iter().map(|p| p.key).collect();
    let expected = [
        "http.public_base",
        "http.listners",
        "oauth.dynamic_registration",
        "telemetry.log_format",
        "passwords.argon2.memory_kib",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_wrong_type_says_what_is_expected() {
    let cases = [
        ("http: 5", "http", "a section with keys and values"),
        (
            "http: {public_base: auth.example.org}",
            "http.public_base",
            "such as \"https://auth.example.org/\"",
        ),
        ("http: {listeners: [{address: localhost}]}", "http.listeners[0].address", "an address with a port"),
        ("http: {trusted_proxies: [10.0.0.1]}", "http.trusted_proxies[0]", "a network"),
        ("homeserver: {server_name: 5}", "homeserver.server_name", "in quotes"),
        ("database: {max_connections: many}", "database.max_connections", "a whole number, 1 to 1000"),
        ("telemetry: {log_format: xml}", "telemetry.log_format", "one of \"text\", \"json\""),
    ];
    for (file, expected_key, expected_part) in cases {
        let (line, key, message) = problem(file);
        assert_eq!((line, key.as_str()), (1, expected_key));
        assert!(message.contains(expected_part), "{key}: {message}");
    }
}

#[test]
fn a_client_is_called_over_https_or_on_this_machine() {
    for (key, others) in [
        ("backchannel_logout_uri", "token_endpoint_auth_method: none"),
        ("jwks_uri", "token_endpoint_auth_method: private_key_jwt"),
    ] {
        let client = format!("client_id: a, client_name: A, redirect_uris: ['https://a.org/'], {others}");
        let with = |uri: &str| format!("clients: [{{{client}, {key}: '{uri}'}}]");
        for good in ["https://a.org/x?x=y", "https://10.0.0.1/", "http://127.0.0.1:8000/x", "http://[::1]/"] {
            assert!(load(&with(good), &[]).is_ok(), "{key} {good}");
        }
        for bad in [
            "http://a.org/",
            "http://localhost/",
            "http://10.0.0.1/",
            "ftp://a.org/",
            "https://a.org/#x",
            "https://u@a.org/",
            "https://u:p@a.org/",
        ] {
            let (_, wrong, message) = problem(&with(bad));
            assert_eq!(wrong, format!("clients[0].{key}"), "{bad}");
            assert!(message.contains("https"), "{bad}: {message}");
        }
    }
}

#[test]
fn a_client_that_signs_names_its_public_keys_in_one_way() {
    let with = |keys: &str| {
        let client = "client_id: a, client_name: A, grant_types: [refresh_token]";
        format!("clients: [{{{client}, token_endpoint_auth_method: private_key_jwt, {keys}}}]")
    };
    let key = |members: &str| {
        let (x, y) =
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"{members}}}"#)
    };
    let set = |keys: &[String]| format!(r#"jwks: {{"keys":[{}]}}"#, keys.join(","));
    let shared = r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;
    let uri = |uri: &str| format!("jwks_uri: '{uri}'");
    for good in [
        set(&[key("")]),
        set(&[key(r#","use":"enc""#), key(r#","use":"sig","kid":"1""#)]),
        uri("https://a.org/keys"),
        uri("http://127.0.0.1:8000/keys"),
    ] {
        let config = load(&with(&good), &[]).unwrap();
        assert_eq!(config.clients[0].jwks.is_some(), good.starts_with("jwks:"), "{good}");
    }
    for (bad, expected) in [
        ("trusted: false".to_owned(), "jwks_uri"),
        (format!("{}, {}", set(&[key("")]), uri("https://a.org/keys")), "jwks_uri"),
        (uri("http://a.org/keys"), "jwks_uri"),
        (uri("https://u:p@a.org/keys"), "jwks_uri"),
        ("jwks: {}".to_owned(), "jwks"),
        ("jwks: [x]".to_owned(), "jwks"),
        (set(&[]), "jwks"),
        (set(&vec![key(""); 21]), "jwks"),
        (set(&[key(r#","use":"enc""#)]), "jwks"),
        (set(&[key(r#","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI""#)]), "jwks"),
        (set(&[key(""), shared.to_owned()]), "jwks"),
    ] {
        assert_eq!(problem(&with(&bad)).1, format!("clients[0].{expected}"), "{bad}");
    }
    for keys in [set(&[key("")]), uri("https://a.org/keys")] {
        let (key, _) = keys.split_once(':').unwrap();
        let secret = format!("{CLIENT}    client_secret: x\n    {keys}\n");
        assert_eq!(problem(&secret).1, format!("clients[0].{key}"));
    }
}

#[test]
fn a_list_entry_that_lacks_a_key_says_which() {
    let (line, key, message) = problem("\nclients:\n  - client_name: One\n");
    assert_eq!((line, key.as_str()), (3, "clients[0]"));
    assert!(message.contains("`client_id` is missing"), "{message}");
}

#[test]
fn broken_yaml_names_the_line() {
    let (line, _, message) = problem("http:\n  public_base: [\n");
    assert!(line >= 2, "{line}");
    assert!(message.starts_with("this is not valid YAML"), "{message}");

    let (line, _, message) = problem("data: {}\ndata: {}\n");
    assert_eq!(line, 2);
    assert!(message.contains("`data`"), "{message}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "http:\n  public_base: https://file.example.org/\noauth: {dynamic_registration: true}\n";
    let config = load(file, &[
        ("GATEHOUSE_HTTP__PUBLIC_BASE", "https://environment.example.org/auth"),
        ("GATEHOUSE_OAUTH__DYNAMIC_REGISTRATION", "false"),
        ("GATEHOUSE_PASSWORDS__ARGON2__MEMORY_KIB", "65536"),
        ("GATEHOUSE_RATE_LIMITS__SIGN_IN_PER_ACCOUNT__BURST", "3"),
        ("GATEHOUSE_HTTP__TRUSTED_PROXIES", "[10.0.0.0/8]"),
        ("GATEHOUSE_TELEMETRY__LOG_FORMAT", "json"),
        ("GATEHOUSE_CLIENTS", "[{client_id: a, client_name: A, redirect_uris: ['https://a.org/'], token_endpoint_auth_method: none}]"),
    ]).unwrap();
    assert_eq!(config.http.public_base.as_str(), "https://environment.example.org/auth/");
    assert!(!config.oauth.dynamic_registration);
    assert_eq!((config.passwords.argon2.memory_kib, config.passwords.argon2.iterations), (65536, 2));
    assert_eq!(
        (config.rate_limits.sign_in_per_account.burst, config.rate_limits.sign_in_per_account.per_hour),
        (3, 60)
    );
    assert_eq!(config.http.trusted_proxies.len(), 1);
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
    assert_eq!(config.clients[0].client_id, "a");
}

#[test]
fn text_in_the_environment_is_literal() {
    for text in ["12345678", "true", "*a:[b", "null", "0x10"] {
        let config = load("", &[("GATEHOUSE_HOMESERVER__SECRET", text)]).unwrap();
        assert_eq!(config.homeserver.secret, Some(Secret::new(text)));
    }
}

#[test]
fn an_unknown_variable_names_the_nearest_one() {
    let found = problems("", &[("GATEHOUSE_HTTP__PUBLIC_BSE", "x")]);
    assert_eq!(found[0].place, Some(Place::Variable("GATEHOUSE_HTTP__PUBLIC_BSE".to_owned())));
    assert_eq!(found[0].message, "is not known; did you mean `GATEHOUSE_HTTP__PUBLIC_BASE`?");
}

#[test]
fn variables_that_are_not_settings_are_left_alone() {
    let others = [
        ("GATEHOUSE_CONFIG", "/etc/gatehouse.yaml"),
        ("GATEHOUSE_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("OTHER__NAME", "x"),
    ];
    assert_eq!(load("", &others).unwrap(), Config::default());
}

#[test]
fn a_mistake_in_a_variable_names_the_variable() {
    for (name, value) in [
        ("GATEHOUSE_OAUTH__ACCESS_TOKEN_LIFETIME_SECONDS", "soon"),
        ("GATEHOUSE_OAUTH__ACCESS_TOKEN_LIFETIME_SECONDS", "1"),
        ("GATEHOUSE_HTTP__LISTENERS", "[{address: '1'}"),
        ("GATEHOUSE_HTTP__PUBLIC_BASE", ""),
    ] {
        let found = problems("oauth: {access_token_lifetime_seconds: 300}", &[(name, value)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, Some(Place::Variable(name.to_owned())));
    }
}

#[test]
fn secrets_come_from_files_and_are_trimmed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    fs::write(&path, "  from-the-file\n\n").unwrap();
    let file = format!(
        "homeserver: {{secret_file: {0}, previous_secret_file: {0}}}\npasswords: {{pepper_file: {0}}}\n{CLIENT}    client_secret_file: {0}\n",
        path.display()
    );
    let config = load(&file, &[]).unwrap();
    let expected = Some(Secret::new("from-the-file"));
    assert_eq!(config.homeserver.secret, expected);
    assert_eq!(config.homeserver.secret_file, Some(path.clone()));
    assert_eq!(config.homeserver.previous_secret, expected);
    assert_eq!(config.passwords.pepper, expected);
    assert_eq!(config.clients[0].client_secret, expected);
}

#[test]
fn both_forms_of_a_secret_are_refused() {
    let (line, key, message) = problem("homeserver:\n  secret: a\n  secret_file: b\n");
    assert_eq!((line, key.as_str()), (3, "homeserver.secret_file"));
    assert_eq!(message, "homeserver.secret is set as well; keep one of them");
}

#[test]
fn a_secret_in_the_environment_replaces_the_file_it_was_read_from() {
    let file = "homeserver: {secret_file: /nowhere}\npasswords: {pepper: a}\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pepper");
    fs::write(&path, "pepper").unwrap();
    let config = load(
        file,
        &[
            ("GATEHOUSE_HOMESERVER__SECRET", "from-the-environment"),
            ("GATEHOUSE_PASSWORDS__PEPPER_FILE", path.to_str().unwrap()),
        ],
    )
    .unwrap();
    assert_eq!(config.homeserver.secret, Some(Secret::new("from-the-environment")));
    assert_eq!(config.passwords.pepper, Some(Secret::new("pepper")));

    let both = [("GATEHOUSE_HOMESERVER__SECRET", "a"), ("GATEHOUSE_HOMESERVER__SECRET_FILE", "b")];
    assert_eq!(problems("", &both).len(), 1);
}

#[test]
fn the_homeservers_secret_can_be_a_bearer_token() {
    for secret in ["two words", "geheimniß", "\"a\\tb\""] {
        let (line, key, message) = problem(&format!("homeserver:\n  secret: {secret}\n"));
        assert_eq!((line, key.as_str()), (2, "homeserver.secret"));
        assert!(message.starts_with("has a space") && !message.contains(secret));
    }
}

#[test]
fn an_empty_or_missing_secret_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty");
    fs::write(&path, " \n").unwrap();
    let file = format!("secrets: {{root_secret_file: {}}}", path.display());
    assert!(problem(&file).2.ends_with("is empty"));
    assert!(problem("secrets: {root_secret_file: /nowhere}").2.starts_with("cannot read /nowhere"));
    assert!(problem("secrets: {root_secret: ''}").2.starts_with("is empty"));
}

#[test]
fn secrets_are_in_no_debug_output_and_no_message() {
    let config = load("homeserver: {secret: hunter2}\ndatabase: {uri: 'sqlite:hunter2'}", &[]).unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));

    for file in [
        "secrets: hunter2",
        "secrets: [hunter2]",
        "secrets: {root_secret: hunter2}",
        "secrets: {root_secret: [hunter2]}",
        "secrets: {root_secret: *hunter2}",
        "secrets: {root_secret: !hunter2 x}",
        "secrets: {root_secret: !hunter2!x x}",
        "secrets: {root_secret: \"hunter2\\q\"}",
        "secrets: {root_secret: @hunter2}",
        "secrets: {root_secret: hunter2\nhttp: {}",
        "secrets:\n  root_secret: \"hunter2\n  root_secret_file: x",
        "secrets:\n root_secret: hunter2\n  x: y",
        "secrets:\n\troot_secret: hunter2",
        "database: {uri: 'mysql://hunter2@x/'}",
        "clients: hunter2",
        "clients: [{client_secret: hunter2}]",
        "passwords: {enabled: hunter2, argon2: hunter2, minimum_length: hunter2}",
        "telemetry: {log_format: hunter2}",
        "http: {listeners: [{unix: a, mode: hunter2}]}",
    ] {
        let error = load(file, &[]).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{file}: {error}");
    }
}

#[test]
fn http_on_a_public_host_is_refused() {
    let (line, key, message) = problem("http:\n  public_base: http://auth.example.org/\n");
    assert_eq!((line, key.as_str()), (2, "http.public_base"));
    assert!(message.contains("use https"), "{message}");
}

#[test]
fn the_public_base_ends_in_a_slash() {
    let config = load("http: {public_base: 'https://example.org/auth'}", &[]).unwrap();
    assert_eq!(config.http.public_base.as_str(), "https://example.org/auth/");
}

#[test]
fn a_listener_has_an_address_or_a_socket() {
    let refused = [
        "[]",
        "[{}]",
        "[{address: '127.0.0.1:1', unix: a}]",
        "[{unix: a, tls: {certificate_file: c, key_file: k}}]",
        "[{unix: a, mode: '0999'}]",
        "[{address: '127.0.0.1:1', tls: {certificate_file: c}}]",
    ];
    for listeners in refused {
        problem(&format!("http: {{listeners: {listeners}}}"));
    }
    let accepted =
        "[{unix: a, mode: '0600'}, {address: '[::]:8443', tls: {certificate_file: c, key_file: k}}]";
    let config = load(&format!("http: {{listeners: {accepted}}}"), &[]).unwrap();
    assert_eq!(config.http.listeners[0].mode.0, 0o600);
    assert!(config.http.listeners[1].tls.is_some());
}

#[test]
fn postgresql_needs_a_root_secret() {
    let (_, key, _) = problem("secrets: {}\ndatabase: {uri: 'postgresql://localhost/gatehouse'}");
    assert_eq!(key, "secrets.root_secret");
    let secret = "a".repeat(32);
    let file =
        format!("database: {{uri: 'postgresql://localhost/gatehouse'}}\nsecrets: {{root_secret: {secret}}}");
    assert!(load(&file, &[]).unwrap().database.is_postgresql());
}

#[test]
fn static_clients_are_checked() {
    let with = |line: &str| format!("{CLIENT}    {line}\n");
    assert_eq!(load(&with("client_secret: x"), &[]).unwrap().clients.len(), 1);
    assert_eq!(problem(CLIENT).1, "clients[0].client_secret");

    let client = |fields: &str| {
        problem(&format!("clients: [{{client_name: A, token_endpoint_auth_method: none, {fields}}}]")).1
    };
    assert_eq!(client("client_id: 'a b', redirect_uris: ['https://a.org/']"), "clients[0].client_id");
    assert_eq!(client("client_id: a"), "clients[0].redirect_uris");
    assert_eq!(client("client_id: a, redirect_uris: ['/x']"), "clients[0].redirect_uris[0]");
    assert_eq!(client("client_id: a, redirect_uris: ['https://a.org/#f']"), "clients[0].redirect_uris[0]");
    for list in ["redirect_uris", "post_logout_redirect_uris"] {
        let other = if list == "redirect_uris" { "" } else { "redirect_uris: ['https://a.org/'], " };
        let with = |uri: &str| {
            let given = "client_id: a, client_name: A, token_endpoint_auth_method: none";
            format!("clients: [{{{given}, {other}{list}: ['https://b.org/', \"{uri}\"]}}]")
        };
        for good in ["https://a.org/out?x=y", "http://127.0.0.1/out", "http://a.org/", "org.a.app:/out"] {
            assert!(load(&with(good), &[]).is_ok(), "{list} {good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "//a.org/",
            "https://",
            "https://a.org/#x",
            "https://a.org/ x",
            "https://a.org/\\nx",
            "https://b\u{fc}.org/",
            "",
        ] {
            let (_, key, message) = problem(&with(bad));
            assert_eq!(key, format!("clients[0].{list}[1]"), "{bad}");
            assert!(message.contains("absolute URL"), "{bad}: {message}");
        }
    }
    assert_eq!(
        client("client_id: a, redirect_uris: ['https://a.org/'], client_secret: x"),
        "clients[0].client_secret"
    );
    assert_eq!(
        client("client_id: a, redirect_uris: ['https://a.org/'], grant_types: [implicit]"),
        "clients[0].grant_types[0]"
    );
    assert_eq!(
        client("client_id: a, redirect_uris: ['https://a.org/'], access_token_lifetime_seconds: 1"),
        "clients[0].access_token_lifetime_seconds"
    );

    let own = |fields: &str| {
        let given = "client_id: a, client_secret: x, grant_types: [client_credentials]";
        let method = "token_endpoint_auth_method: client_secret_basic";
        problem(&format!("clients: [{{client_name: A, {method}, {given}, {fields}}}]")).1
    };
    assert_eq!(own("trusted: false"), "clients[0].scope");
    for scope in [
        "openid",
        "a profile",
        "email",
        "urn:matrix:client:api:*",
        "urn:matrix:org.matrix.msc2967.client:device:A",
        "urn:synapse:admin:*",
        "",
        "a  b",
        "a a",
        "b\u{e9}",
    ] {
        assert_eq!(own(&format!("scope: '{scope}'")), "clients[0].scope", "{scope}");
    }
    assert_eq!(client("client_id: a, grant_types: [client_credentials], scope: a"), "clients[0].grant_types");
    assert_eq!(client("client_id: a, redirect_uris: ['https://a.org/'], scope: a"), "clients[0].scope");

    let twice =
        "{client_id: a, client_name: A, redirect_uris: ['https://a.org/'], token_endpoint_auth_method: none}";
    assert_eq!(problem(&format!("clients: [{twice}, {twice}]")).1, "clients[1].client_id");
}

#[test]
fn a_limit_of_zero_is_refused() {
    let (_, key, _) = problem("rate_limits: {sign_in_per_account: {burst: 0}}");
    assert_eq!(key, "rate_limits.sign_in_per_account.burst");
}

#[test]
fn other_values_are_checked_too() {
    for (file, expected) in [
        ("data: {folder: ''}", "data.folder"),
        ("homeserver: {server_name: 'https://example.org'}", "homeserver.server_name"),
        ("homeserver: {endpoint: 'unix:/a'}", "homeserver.endpoint"),
        ("secrets: {root_secret: short}", "secrets.root_secret"),
        ("database: {uri: 'sqlite::memory:'}", "database.uri"),
        ("database: {max_connections: 0}", "database.max_connections"),
        ("sessions: {client_idle_seconds: 0}", "sessions.client_idle_seconds"),
        ("passwords: {minimum_length: 1}", "passwords.minimum_length"),
        ("passwords: {argon2: {memory_kib: 8, parallelism: 2}}", "passwords.argon2.memory_kib"),
        ("branding: {accent_color: green}", "branding.accent_color"),
        ("branding: {tos_uri: 'javascript:x'}", "branding.tos_uri"),
        ("branding: {service_name: ' '}", "branding.service_name"),
        ("telemetry: {log_filter: 'a=b=c'}", "telemetry.log_filter"),
    ] {
        assert_eq!(problem(file).1, expected, "{file}");
    }
}
