//! What every OAuth endpoint answers to what can be wrong with a request, to the letter (RFC 6749 §5.2,
//! RFC 6750 §3, RFC 7009 §2.2.1, RFC 7591 §3.2.2, RFC 7662 §2.3, RFC 8628 §3, RFC 9126 §2.3, RFC 9110 §15.5).

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, ALLOW, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, Method, Request};
use serde_json::{Value, json};

use crate::device_grant::{Begun, DEVICE_CODE, device_client};
use crate::support::server::{
    Answer, Engine, REDIRECT_URI, Server, VERIFIER, authorization_query, form_request, on_both_engines,
};

const TOKEN: &str = "/oauth2/token";
const PAR: &str = "/oauth2/par";
const DEVICE: &str = "/oauth2/device";
const REVOKE: &str = "/oauth2/revoke";
const INTROSPECT: &str = "/oauth2/introspect";
const REGISTRATION: &str = "/oauth2/registration";
const USERINFO: &str = "/oauth2/userinfo";
const JWKS: &str = "/oauth2/keys.json";
const OIDC: &str = "/.well-known/openid-configuration";
const RFC_8414: &str = "/.well-known/oauth-authorization-server";

const BASIC: &str = "Basic realm=\"gatehouse\"";
const BEARER: &str = "Bearer realm=\"gatehouse\"";
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A fault at an endpoint, and what it is answered: status, code, and the header that has to be there.
struct Row {
    fault: String,
    request: Request<Body>,
    status: u16,
    code: &'static str,
    header: Option<(HeaderName, String)>,
}

/// All rows of one endpoint.
struct Table(&'static str, Vec<Row>);

impl Table {
    fn add(&mut self, fault: &str, request: Request<Body>, status: u16, code: &'static str) -> &mut Row {
        let fault = format!("{} {}: {fault}", request.method(), self.0);
        self.1.push(Row { fault, request, status, code, header: None });
        self.1.last_mut().expect("it was added")
    }

    /// A form without credentials in the header.
    fn form(&mut self, fault: &str, form: &[(&str, &str)], status: u16, code: &'static str) -> &mut Row {
        self.add(fault, form_request(self.0, &[], form), status, code)
    }

    /// A form with an `Authorization` header.
    fn with(&mut self, header: &str, form: &[(&str, &str)], status: u16, code: &'static str) -> &mut Row {
        self.add(header, form_request(self.0, &[(AUTHORIZATION, header)], form), status, code)
    }

    /// A body that is said to be of this type.
    fn body(&mut self, media_type: &str, body: impl Into<Body>, status: u16, code: &'static str) -> &mut Row {
        let request = Request::post(self.0).header(CONTENT_TYPE, media_type).body(body.into());
        self.add(media_type, request.expect("a request"), status, code)
    }

    /// The methods that an endpoint does not have.
    fn methods(&mut self, others: &[Method], allowed: &str) {
        for method in others {
            let request = Request::builder().method(method).uri(self.0).body(Body::empty());
            let row = self.add("no such method", request.expect("a request"), 405, "invalid_request");
            row.header = Some((ALLOW, allowed.to_owned()));
        }
    }

    /// What no endpoint with forms reads.
    fn bodies(&mut self) {
        self.body("application/json", "{}", 400, "invalid_request");
        self.body("multipart/form-data; boundary=x", "--x--", 400, "invalid_request");
        let nothing = Request::post(self.0).body(Body::empty()).expect("a request");
        self.add("no media type", nothing, 400, "invalid_request");
        let form = "application/x-www-form-urlencoded";
        self.body(form, format!("x={}", "x".repeat(64 * 1024)), 413, "invalid_request");
        self.body(form, "x=1&x=2", 400, "invalid_request");
        self.body(form, "x=%00", 400, "invalid_request");
    }

    /// Callers who are not the client that they claim to be.
    fn strangers(&mut self, clients: &Clients, form: &[(&'static str, &str)]) {
        let with = |more: &[(&'static str, &str)]| {
            let all: Vec<_> =
                form.iter().chain(more).map(|(name, value)| (*name, (*value).to_owned())).collect();
            all
        };
        for more in [
            &[("client_id", clients.confidential.as_str()), ("client_secret", "wrong")][..],
            &[("client_id", "nobody"), ("client_secret", "wrong")],
            &[("client_assertion_type", ASSERTION), ("client_assertion", "a.b.c")],
        ] {
            let all = with(more);
            let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
            self.form("wrong credentials in the form", &all, 401, "invalid_client").challenge(BASIC);
        }
        for header in [basic(&clients.confidential, "wrong"), basic("nobody", "x"), "Basic !".to_owned()] {
            self.with(&header, form, 401, "invalid_client").challenge(BASIC);
        }
        let all = with(&[("client_assertion_type", "x"), ("client_assertion", "a.b.c")]);
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.form("another type of assertion", &all, 400, "invalid_request");
        let all = with(&[("client_secret", "x")]);
        let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.with(&basic(&clients.confidential, "x"), &all, 400, "invalid_request");
    }
}

impl Row {
    fn challenge(&mut self, challenge: &str) {
        self.header = Some((WWW_AUTHENTICATE, challenge.to_owned()));
    }

    async fn check(self, server: &Server) {
        let Row { fault, request, status, code, header } = self;
        let may_be_read_anywhere = !request.uri().path().ends_with("/introspect");
        let answer = server.send(request).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_str()),
            (status, code),
            "{fault}: {}",
            answer.text()
        );
        assert_eq!(answer.header(CONTENT_TYPE), "application/json", "{fault}");
        assert_eq!(
            (answer.header("cache-control"), answer.header("pragma")),
            ("no-store", "no-cache"),
            "{fault}"
        );
        assert_eq!(answer.header("access-control-allow-origin") == "*", may_be_read_anywhere, "{fault}");
        assert_description(&answer, &fault);
        // Each of these headers stands where it is due and nowhere else.
        for name in [WWW_AUTHENTICATE, ALLOW, RETRY_AFTER] {
            let expected = header.as_ref().filter(|(due, _)| *due == name).map_or("", |(_, value)| value);
            assert_eq!(answer.header(&name), expected, "{fault}: {name}");
        }
    }
}

/// RFC 6749 §5.2 bounds the characters of a description.
#[track_caller]
fn assert_description(answer: &Answer, fault: &str) {
    let body = answer.json();
    let description = body["error_description"].as_str().unwrap_or_default();
    assert!(!description.is_empty(), "{fault}");
    assert!(
        description.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'),
        "{fault}: {body}"
    );
}

fn basic(client_id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client_id}:{secret}")))
}

/// Who asks.
struct Clients {
    public: String,
    confidential: String,
    secret: String,
    only_codes: String,
    device: String,
}

async fn clients(server: &Server) -> Clients {
    let registered = async |members: Value| server.client_with(members).await;
    let text = |client: &Value, key: &str| client[key].as_str().expect("a text").to_owned();
    let confidential = registered(json!({ "token_endpoint_auth_method": "client_secret_basic" })).await;
    let only_codes =
        registered(json!({ "grant_types": ["authorization_code"], "client_name": "Once" })).await;
    Clients {
        public: server.client().await,
        confidential: text(&confidential, "client_id"),
        secret: text(&confidential, "client_secret"),
        only_codes: text(&only_codes, "client_id"),
        device: device_client(server).await,
    }
}

fn token_table(clients: &Clients, refresh_token: &str) -> Table {
    let mut table = Table(TOKEN, Vec::new());
    table.methods(&[Method::GET, Method::PUT, Method::DELETE, Method::PATCH], "POST");
    table.bodies();
    let (public, code) = (("client_id", clients.public.as_str()), ("grant_type", "authorization_code"));
    let refresh = ("grant_type", "refresh_token");
    table.strangers(clients, &[code, ("code", "x")]);
    table.form("no grant type", &[public], 400, "invalid_request");
    table.form("an empty grant type", &[public, ("grant_type", "")], 400, "invalid_request");
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "AUTHORIZATION_CODE"]
    {
        table.form(grant, &[public, ("grant_type", grant)], 400, "unsupported_grant_type");
    }
    table.form("no client", &[code, ("code", "x")], 400, "invalid_request");
    table.form("nobody", &[code, ("client_id", "nobody")], 401, "invalid_client").challenge(BASIC);
    let named = [code, ("client_id", clients.confidential.as_str())];
    table.form("a confidential client without proof", &named, 401, "invalid_client").challenge(BASIC);
    let other = [refresh, ("refresh_token", "x"), ("client_id", clients.only_codes.as_str())];
    table.form("a grant that the client did not register", &other, 400, "unauthorized_client");
    let alone = [public, ("grant_type", "client_credentials")];
    table.form("a public client for itself", &alone, 400, "unauthorized_client");
    table.form("no code", &[code, public], 400, "invalid_request");
    let unknown = [code, public, ("code", "x"), ("redirect_uri", REDIRECT_URI), ("code_verifier", VERIFIER)];
    table.form("an unknown code", &unknown, 400, "invalid_grant");
    table.form("no refresh token", &[refresh, public], 400, "invalid_request");
    table.form("an unknown one", &[refresh, public, ("refresh_token", "x")], 400, "invalid_grant");
    let right = [refresh, public, ("refresh_token", refresh_token)];
    let of_another =
        [refresh, ("client_id", clients.confidential.as_str()), ("refresh_token", refresh_token)];
    let header = basic(&clients.confidential, &clients.secret);
    table.with(&header, &of_another, 400, "invalid_grant");
    let wider: Vec<_> = right.into_iter().chain([("scope", "openid email")]).collect();
    table.form("a wider scope", &wider, 400, "invalid_scope");
    table
}

fn device_table(clients: &Clients) -> Table {
    let mut table = Table(DEVICE, Vec::new());
    table.methods(&[Method::GET, Method::PUT, Method::DELETE], "POST");
    table.bodies();
    table.strangers(clients, &[("scope", "openid")]);
    let (device, scope) = (("client_id", clients.device.as_str()), ("scope", "openid"));
    table.form("no client", &[scope], 400, "invalid_request");
    table.form("nobody", &[scope, ("client_id", "nobody")], 401, "invalid_client").challenge(BASIC);
    table.form("another grant", &[scope, ("client_id", &clients.public)], 400, "unauthorized_client");
    table.form("no scope", &[device], 400, "invalid_scope");
    for scope in ["fridge", "urn:matrix:client:api:*", "urn:synapse:admin:*", "open\\id"] {
        table.form(scope, &[device, ("scope", scope)], 400, "invalid_scope");
    }
    table
}

/// Polls of devices in every state but the one in which they get their tokens.
async fn polls_table(server: &Server, clients: &Clients) -> Table {
    let mut table = Table(TOKEN, Vec::new());
    let device = ("client_id", clients.device.as_str());
    let poll = [("grant_type", DEVICE_CODE), device];
    let begin = async || Begun::new(server, &clients.device, "openid").await;
    let (pending, denied, redeemed) = (begin().await, begin().await, begin().await);
    let mut alice = server.signed_in("alice").await;
    denied.answer(&mut alice, "deny").await;
    redeemed.answer(&mut alice, "approve").await;
    assert_eq!(redeemed.poll(server).await.status, 200);
    table.form("no device code", &poll, 400, "invalid_request");
    for (state, code, error) in [
        ("an unknown code", "x", "invalid_grant"),
        ("nobody has answered", &pending.device_code, "authorization_pending"),
        ("asked at once again", &pending.device_code, "slow_down"),
        ("a person said no", &denied.device_code, "access_denied"),
        ("redeemed before", &redeemed.device_code, "invalid_grant"),
    ] {
        table.form(state, &[poll[0], poll[1], ("device_code", code)], 400, error);
    }
    let other = [poll[0], ("client_id", clients.public.as_str()), ("device_code", "x")];
    table.form("a grant that the client did not register", &other, 400, "unauthorized_client");
    table
}

fn par_table(clients: &Clients) -> Table {
    let mut table = Table(PAR, Vec::new());
    table.methods(&[Method::GET, Method::PUT, Method::DELETE], "POST");
    table.bodies();
    table.strangers(clients, &[("response_type", "code")]);
    let query = authorization_query(&clients.public, "openid", &[]);
    let usual: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let usual: Vec<(&str, &str)> =
        usual.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut change = |name, value, code| {
        let form = crate::support::server::with_changes(&usual, &[(name, value)]);
        table.form(&format!("{name}={value}"), &form, 400, code);
    };
    change("client_id", "", "invalid_request");
    change("request_uri", "urn:ietf:params:oauth:request_uri:x", "invalid_request");
    change("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported");
    change("registration", "{}", "registration_not_supported");
    change("response_type", "", "invalid_request");
    change("response_mode", "web_message", "invalid_request");
    change("redirect_uri", "", "invalid_request");
    change("redirect_uri", "https://evil.example/", "invalid_request");
    change("code_challenge", "", "invalid_request");
    change("code_challenge_method", "plain", "invalid_request");
    change("scope", "", "invalid_scope");
    change("scope", "fridge", "invalid_scope");
    change("prompt", "none login", "invalid_request");
    change("max_age", "soon", "invalid_request");
    change("id_token_hint", "a.b.c", "invalid_request");
    for response_type in ["none", "token", "id_token", "code token", "code id_token", "code id_token token"] {
        change("response_type", response_type, "unsupported_response_type");
    }
    table
}

fn revoke_table(clients: &Clients) -> Table {
    let mut table = Table(REVOKE, Vec::new());
    table.methods(&[Method::GET, Method::PUT, Method::DELETE], "POST");
    table.bodies();
    table.strangers(clients, &[("token", "x")]);
    table.form("no token", &[("client_id", &clients.public)], 400, "invalid_request");
    table
}

fn introspect_table(server: &Server, clients: &Clients, access_token: &str) -> Table {
    let mut table = Table(INTROSPECT, Vec::new());
    table.methods(&[Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS], "POST");
    table.strangers(clients, &[("token", "x")]);
    let token = ("token", "x");
    table.form("nobody asks", &[token], 401, "invalid_client").challenge(BEARER);
    let public = [token, ("client_id", clients.public.as_str())];
    table.form("a public client asks", &public, 401, "invalid_client").challenge(BEARER);
    let named = [token, ("client_id", clients.confidential.as_str())];
    table.form("a client that proves nothing", &named, 401, "invalid_client").challenge(BASIC);
    for wrong in ["wrong", access_token] {
        let refused = format!(
            "{BEARER}, error=\"invalid_token\", error_description=\"the secret is not the homeserver's\""
        );
        table.with(&format!("Bearer {wrong}"), &[token], 401, "invalid_token").challenge(&refused);
    }
    let secret = format!("Bearer {}", server.homeserver.secret());
    table.with(&secret, &[("token_type_hint", "access_token")], 400, "invalid_request");
    let client = basic(&clients.confidential, &clients.secret);
    table.with(&client, &[("token_type_hint", "access_token")], 400, "invalid_request");
    let request = |media_type: &str, body: String| {
        let request =
            Request::post(INTROSPECT).header(AUTHORIZATION, &secret).header(CONTENT_TYPE, media_type);
        request.body(Body::from(body)).expect("a request")
    };
    let json = request("application/json", r#"{"token":"x"}"#.to_owned());
    table.add("JSON", json, 400, "invalid_request");
    let large = request("application/x-www-form-urlencoded", format!("token={}", "x".repeat(64 * 1024)));
    table.add("too large", large, 413, "invalid_request");
    table
}

fn registration_table() -> Table {
    let mut table = Table(REGISTRATION, Vec::new());
    table.methods(&[Method::GET, Method::PUT, Method::DELETE], "POST");
    table.body("application/x-www-form-urlencoded", "redirect_uris=x", 400, "invalid_request");
    table.body("application/json", "{", 400, "invalid_request");
    table.body("application/json", "[]", 400, "invalid_request");
    table.body("application/json", format!("\"{}\"", "x".repeat(64 * 1024)), 413, "invalid_request");
    table.body("application/json", format!("\"{}\"", "x".repeat(128 * 1024)), 413, "invalid_request");
    let good = json!({
        "client_uri": "https://example.com/", "redirect_uris": [REDIRECT_URI],
        "token_endpoint_auth_method": "none",
    });
    let mut change = |name: &str, value: Value, code| {
        let mut metadata = good.clone();
        metadata[name] = value;
        table.body("application/json", metadata.to_string(), 400, code);
    };
    change("redirect_uris", json!(["http://example.com/"]), "invalid_redirect_uri");
    change("redirect_uris", json!(["https://example.com/#fragment"]), "invalid_redirect_uri");
    change("client_uri", json!("http://example.com/"), "invalid_client_metadata");
    change("token_endpoint_auth_method", json!("client_secret_jwt"), "invalid_client_metadata");
    table
}

fn userinfo_table(without_openid: &str) -> Table {
    let mut table = Table(USERINFO, Vec::new());
    table.methods(&[Method::PUT, Method::DELETE], "GET,HEAD,POST");
    table.form("no token", &[], 401, "invalid_token").challenge(BEARER);
    table.form("a token in the form", &[("access_token", "x")], 401, "invalid_token").challenge(BEARER);
    table.with("Bearer ", &[], 401, "invalid_token").challenge(BEARER);
    table.with(&basic("client", "secret"), &[], 401, "invalid_token").challenge(BEARER);
    let wrong =
        format!("{BEARER}, error=\"invalid_token\", error_description=\"the access token is not valid\"");
    table.with("Bearer x", &[], 401, "invalid_token").challenge(&wrong);
    let scope = format!("{BEARER}, error=\"insufficient_scope\", scope=\"openid\"");
    table.with(&format!("Bearer {without_openid}"), &[], 403, "insufficient_scope").challenge(&scope);
    table
}

on_both_engines! {
    async fn every_fault_has_its_answer(engine: Engine) {
        let server = Server::start_with(engine, |config| {
            config.rate_limits.client_registration_per_address.burst = 1000;
            config.rate_limits.client_secret_per_client.burst = 1000;
        })
        .await;
        server.user("alice").await;
        let clients = clients(&server).await;
        let tokens = server.tokens_for("alice", &clients.public, "openid").await;
        let without_openid = server.tokens_for("alice", &clients.public, "profile").await;
        let mut tables = vec![
            token_table(&clients, &tokens.refresh),
            device_table(&clients),
            polls_table(&server, &clients).await,
            par_table(&clients),
            revoke_table(&clients),
            introspect_table(&server, &clients, &tokens.access),
            registration_table(),
            userinfo_table(&without_openid.access),
        ];
        for path in [JWKS, OIDC, RFC_8414] {
            let mut table = Table(path, Vec::new());
            table.methods(&[Method::POST, Method::PUT, Method::DELETE], "GET,HEAD,OPTIONS");
            tables.push(table);
        }
        for row in tables.into_iter().flat_map(|Table(_, rows)| rows) {
            row.check(&server).await;
        }
        // None of these has harmed anybody's session.
        assert_eq!(server.refresh(&clients.public, &tokens.refresh).await.status, 200);
    }

    async fn an_answer_is_json_whatever_is_asked_for(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("client_id", client.as_str())];
        for accept in ["text/html", "application/xml;q=1.0", "image/*", "nonsense"] {
            // RFC 9110 §12.5.1: to disregard the header is better than 406 for who can read one form only.
            let refused = server.post_with(TOKEN, &[(ACCEPT, accept)], &form).await;
            assert_eq!((refused.status.as_u16(), refused.error().as_str()), (400, "invalid_grant"), "{accept}");
            for path in [OIDC, RFC_8414, JWKS] {
                let request = Request::get(path).header(ACCEPT, accept).body(Body::empty()).unwrap();
                let answer = server.send(request).await;
                assert_eq!((answer.status.as_u16(), answer.header(CONTENT_TYPE)), (200, "application/json"));
            }
        }
    }

    async fn what_is_not_offered_is_refused_where_its_kind_of_client_looks(engine: Engine) {
        let server = Server::start(engine).await;
        let client = server.client().await;
        let refused = async |changes: &[(&str, &str)]| {
            let query = authorization_query(&client, "openid", changes);
            server.get(&format!("/authorize?{query}")).await.location().to_owned()
        };
        let unsupported = |mark: char| format!("{REDIRECT_URI}{mark}error=unsupported_response_type&");
        for response_type in ["token", "id_token", "id_token token", "code id_token", "code token id_token"] {
            let asked = ("response_type", response_type);
            let to = refused(&[asked]).await;
            assert!(to.starts_with(&unsupported('#')), "{response_type}: {to}");
            assert!(to.contains("&state=some+state&iss="), "{response_type}: {to}");
            let to = refused(&[asked, ("response_mode", "query")]).await;
            assert!(to.starts_with(&unsupported('?')), "{response_type}, by query: {to}");
        }
        for response_type in ["none", "code code", "Code", "tokens"] {
            let to = refused(&[("response_type", response_type)]).await;
            assert!(to.starts_with(&unsupported('?')), "{response_type}: {to}");
        }
        for (name, code) in [
            ("request", "request_not_supported"),
            ("request_uri", "request_uri_not_supported"),
            ("registration", "registration_not_supported"),
        ] {
            let to = refused(&[(name, "https://app.example.com/request")]).await;
            assert!(to.starts_with(&format!("{REDIRECT_URI}?error={code}&")), "{to}");
        }
        let document = server.get(OIDC).await.json();
        for offer in ["request_parameter_supported", "request_uri_parameter_supported", "claims_parameter_supported"] {
            // The second one would count as offered if it were left out (OpenID Connect Discovery §3).
            assert_eq!(document[offer], json!(false), "{offer}");
        }
        assert_eq!(document["response_types_supported"], json!(["code"]));
    }

    async fn what_a_client_wishes_and_need_not_get_is_let_pass(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let wishes = [
            ("ui_locales", "fr-CA fr en"),
            ("claims_locales", "de"),
            ("acr_values", "urn:mace:incommon:iap:silver phr"),
            ("display", "popup"),
            ("claims", r#"{"userinfo":{"email":{"essential":true}}}"#),
            ("login_hint", "alice"),
            ("resource", "https://api.example.com/"),
        ];
        let mut browser = server.signed_in("alice").await;
        for wish in wishes {
            let answer = browser.allow(&authorization_query(&client, "openid", &[wish])).await;
            assert!(answer.query_parameter("code").is_some(), "{wish:?}: {}", answer.location());
        }
    }

    async fn a_client_that_asks_to_sign_out_wrongly_is_told_to_the_person(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let client = server.client().await;
        let tokens = server.tokens_for("alice", &client, "openid").await;
        let hint = tokens.answer["id_token"].as_str().expect("an ID token");
        let mut browser = server.signed_in("alice").await;
        for query in [format!("id_token_hint={hint}&client_id=another"), "state=1&state=2".to_owned()] {
            let page = browser.get(&format!("/end-session?{query}")).await;
            assert_eq!(page.status, 400, "{query}");
            assert!(page.header(CONTENT_TYPE).starts_with("text/html"));
        }
        let there = browser.get("/account/").await;
        assert_eq!(there.status, 200, "still signed in");
        for method in [Method::PUT, Method::DELETE] {
            for path in ["/authorize", "/end-session"] {
                let request = Request::builder().method(&method).uri(path).body(Body::empty()).unwrap();
                let answer = server.send(request).await;
                assert_eq!((answer.status.as_u16(), answer.header(ALLOW)), (405, "GET,HEAD,POST"), "{method} {path}");
            }
        }
    }
}
