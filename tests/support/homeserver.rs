//! A homeserver that only knows the calls we make to one: Synapse's provisioning API, its version, and
//! what it tells its clients about authentication. It keeps users and devices in memory and answers
//! with the status codes and Matrix error codes of the real one.
//!
//! - It remembers every call, in the order of arrival: [`StubHomeserver::calls`].
//! - It can be gone ([`go_down`](StubHomeserver::go_down)), in trouble
//!   ([`answer_with`](StubHomeserver::answer_with)), or slow ([`hold`](StubHomeserver::hold)).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use gatehouse::http::listen::{self, Limits, ListenAddress, ListenerConfig};
use serde_json::{Map, Value, json};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use url::Url;

use super::process;

/// A running stub. It is gone when this is dropped.
pub struct StubHomeserver {
    port: u16,
    shared: Arc<Shared>,
    running: Option<Running>,
}

/// A user as the homeserver knows them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StubUser {
    pub display_name: Option<String>,
    pub avatar_url: Option<String>,
    pub emails: BTreeSet<String>,
    pub is_locked: bool,
    pub is_suspended: bool,
    pub is_deactivated: bool,
    pub is_erased: bool,
    /// Devices by identifier, with the names they were given.
    pub devices: BTreeMap<String, Option<String>>,
    /// How often a reset of the cross-signing keys was allowed.
    pub cross_signing_resets: usize,
}

/// A call under `/_synapse/mas/`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The last part of the path, such as `provision_user`.
    pub endpoint: String,
    /// The JSON body of a POST, the query of a GET.
    pub given: Value,
    /// Whether it came with the shared secret.
    pub is_proven: bool,
}

impl Call {
    /// A member of what was given; empty when it is not there or not a text.
    pub fn text(&self, key: &str) -> &str {
        self.given[key].as_str().unwrap_or_default()
    }
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), listen::Error>>,
}

struct Shared {
    state: Mutex<Homeserver>,
    calls: watch::Sender<Vec<Call>>,
    held: watch::Sender<BTreeSet<String>>,
}

struct Homeserver {
    server_name: String,
    secret: String,
    version: String,
    users: BTreeMap<String, StubUser>,
    reserved: BTreeSet<String>,
    trouble: Option<StatusCode>,
    /// What `auth_metadata` answers; a homeserver that delegates nothing does not know it.
    auth_metadata: Option<Value>,
    /// What `whoami` answers to an unknown token.
    whoami: StatusCode,
}

impl StubHomeserver {
    /// Starts an empty homeserver named `example.org`.
    pub async fn start() -> Self {
        let state = Homeserver {
            server_name: "example.org".to_owned(),
            secret: "the-secret-that-the-stub-shares".to_owned(),
            version: "1.163.2".to_owned(),
            users: BTreeMap::new(),
            reserved: BTreeSet::new(),
            trouble: None,
            auth_metadata: None,
            whoami: StatusCode::UNAUTHORIZED,
        };
        let shared = Shared {
            state: Mutex::new(state),
            calls: watch::Sender::default(),
            held: watch::Sender::default(),
        };
        let mut stub = StubHomeserver { port: 0, shared: Arc::new(shared), running: None };
        // Another test run may take a port just after it was found free.
        while stub.running.is_none() {
            stub.port = process::free_port();
            stub.try_to_come_back();
        }
        stub
    }

    /// Where it is reached, for `homeserver.endpoint`.
    pub fn endpoint(&self) -> Url {
        let url = format!("http://127.0.0.1:{}/", self.port);
        url.parse().expect("an address and a port make a URL")
    }

    /// The name of the homeserver, for `homeserver.server_name`.
    pub fn server_name(&self) -> String {
        self.state().server_name.clone()
    }

    /// The shared secret, for `homeserver.secret`.
    pub fn secret(&self) -> String {
        self.state().secret.clone()
    }

    /// From now on only this secret is accepted.
    pub fn set_secret(&self, secret: &str) {
        self.state().secret = secret.to_owned();
    }

    /// Stops answering at all: connections are refused, and those that are open are closed.
    pub async fn go_down(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = running.stop.send(());
            running.task.await.expect("the stub does not panic").expect("the stub stops");
        }
    }

    /// Answers again, at the same address and with what it knew.
    pub async fn come_back(&mut self) {
        if self.running.is_none() {
            self.try_to_come_back();
        }
        assert!(self.running.is_some(), "the port of before can be listened on");
    }

    fn try_to_come_back(&mut self) {
        let address = ListenAddress::Tcp(([127, 0, 0, 1], self.port).into());
        let Ok(bound) = listen::bind(&[ListenerConfig { address, tls: None }]) else { return };
        let router = Router::new().fallback(answer).with_state(self.shared.clone());
        let (stop, stopped) = oneshot::channel();
        let until = async { stopped.await.unwrap_or_default() };
        let task = tokio::spawn(listen::serve(router, bound, Limits::default(), until));
        self.running = Some(Running { stop, task });
    }

    /// Answers every call with this status from now on; `None` is the normal state again.
    pub fn answer_with(&self, trouble: Option<StatusCode>) {
        self.state().trouble = trouble;
    }

    /// Lets calls of this endpoint arrive, but answers them only after [`StubHomeserver::release`]; of `query_user 2` the
    /// second one alone.
    pub fn hold(&self, endpoint: &str) {
        self.shared.held.send_if_modified(|held| held.insert(endpoint.to_owned()));
    }

    /// Answers the calls of this endpoint that were held back.
    pub fn release(&self, endpoint: &str) {
        self.shared.held.send_if_modified(|held| held.remove(endpoint));
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.borrow().clone()
    }

    /// All calls of one endpoint so far.
    pub fn calls_of(&self, endpoint: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.endpoint == endpoint).collect()
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.shared.calls.send_modify(Vec::clear);
    }

    /// Waits until an endpoint was called that often, and returns these calls.
    pub async fn until_called(&self, endpoint: &str, times: usize) -> Vec<Call> {
        let is_enough =
            |calls: &Vec<Call>| calls.iter().filter(|call| call.endpoint == endpoint).count() >= times;
        let mut calls = self.shared.calls.subscribe();
        let waited = tokio::time::timeout(std::time::Duration::from_secs(30), calls.wait_for(is_enough));
        match waited.await {
            Ok(Ok(calls)) => calls.iter().filter(|call| call.endpoint == endpoint).cloned().collect(),
            _ => panic!("{endpoint} was not called {times} times, only these came: {:?}", self.calls()),
        }
    }

    /// The user of that name.
    pub fn user(&self, localpart: &str) -> Option<StubUser> {
        self.state().users.get(localpart).cloned()
    }

    /// Adds or changes a user, as their own clients or the homeserver's admin would.
    pub fn set_user(&self, localpart: &str, user: StubUser) {
        self.state().users.insert(localpart.to_owned(), user);
    }

    /// Forgets a user, as if they had never been here.
    pub fn forget_user(&self, localpart: &str) {
        self.state().users.remove(localpart);
    }

    /// Another name for the homeserver from now on.
    pub fn set_server_name(&self, server_name: &str) {
        self.state().server_name = server_name.to_owned();
    }

    /// The user's devices; none for an unknown user.
    pub fn devices(&self, localpart: &str) -> Vec<String> {
        self.user(localpart).map(|user| user.devices.into_keys().collect()).unwrap_or_default()
    }

    /// Gives a name to an application service.
    pub fn reserve(&self, localpart: &str) {
        self.state().reserved.insert(localpart.to_owned());
    }

    /// The version of its software from now on.
    pub fn set_version(&self, version: &str) {
        self.state().version = version.to_owned();
    }

    /// What it tells clients about its authorization server from now on.
    pub fn set_auth_metadata(&self, metadata: Value) {
        self.state().auth_metadata = Some(metadata);
    }

    /// What it answers to an unknown token: 401, or 503 when it cannot introspect it.
    pub fn set_whoami(&self, status: StatusCode) {
        self.state().whoami = status;
    }

    fn state(&self) -> MutexGuard<'_, Homeserver> {
        self.shared.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Homeserver> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A status and the body that goes with it.
type Answer = (StatusCode, Value);

/// Answers of the provisioning API; a refusal ends the call.
type Outcome = Result<Answer, Answer>;

async fn answer(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (status, body) = match uri.path().strip_prefix("/_synapse/mas/") {
        Some(endpoint) => provisioning(&shared, &method, endpoint, &uri, &headers, &body).await,
        None => public(&shared.state(), &method, uri.path(), &headers),
    };
    match body {
        Value::Null => status.into_response(),
        body => (status, axum::Json(body)).into_response(),
    }
}

fn public(homeserver: &Homeserver, method: &Method, path: &str, headers: &HeaderMap) -> Answer {
    if let Some(status) = homeserver.trouble {
        return refusal(status, "M_UNKNOWN", "in trouble");
    }
    let found = |document: &Option<Value>| match document {
        Some(document) => (StatusCode::OK, document.clone()),
        None => unrecognized(StatusCode::NOT_FOUND),
    };
    match (method.as_str(), path) {
        ("GET", "/_synapse/admin/v1/server_version") => {
            (StatusCode::OK, json!({ "server_version": homeserver.version }))
        }
        ("GET", "/_matrix/client/v1/auth_metadata") => found(&homeserver.auth_metadata),
        ("GET", "/_matrix/client/v3/account/whoami") => match (bearer(headers), homeserver.whoami) {
            (None, _) => refusal(StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN", "Missing access token"),
            (Some(_), StatusCode::UNAUTHORIZED) => {
                refusal(StatusCode::UNAUTHORIZED, "M_UNKNOWN_TOKEN", "Token is not active")
            }
            (Some(_), status) => refusal(status, "M_UNKNOWN", "Unable to introspect the access token"),
        },
        _ => unrecognized(StatusCode::NOT_FOUND),
    }
}

async fn provisioning(
    shared: &Shared,
    method: &Method,
    endpoint: &str,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let given = match method {
        &Method::GET => query(uri),
        _ => serde_json::from_slice(body).unwrap_or(Value::Null),
    };
    let is_proven = bearer(headers).as_deref() == Some(&shared.state().secret);
    let call = Call { endpoint: endpoint.to_owned(), given: given.clone(), is_proven };
    let mut alone = String::new();
    shared.calls.send_modify(|calls| {
        calls.push(call);
        let times = calls.iter().filter(|call| call.endpoint == endpoint).count();
        alone = format!("{endpoint} {times}");
    });
    let name = given["localpart"].as_str().unwrap_or_default();
    let was_there = shared.state().users.contains_key(name);
    let is_free = |held: &BTreeSet<String>| !held.contains(endpoint) && !held.contains(&alone);
    let _ = shared.held.subscribe().wait_for(is_free).await;

    let mut homeserver = shared.state();
    if let Some(status) = homeserver.trouble {
        return refusal(status, "M_UNKNOWN", "in trouble");
    }
    match (method.as_str(), endpoint) {
        ("GET", "query_user" | "is_localpart_available") => {}
        ("POST", endpoint) if FIELDS.iter().any(|(name, _)| *name == endpoint) => {}
        (_, "query_user" | "is_localpart_available") => return unrecognized(StatusCode::METHOD_NOT_ALLOWED),
        (_, endpoint) if FIELDS.iter().any(|(name, _)| *name == endpoint) => {
            return unrecognized(StatusCode::METHOD_NOT_ALLOWED);
        }
        // No JSON here: the real one answers with a page.
        _ => return (StatusCode::NOT_FOUND, Value::Null),
    }
    match bearer(headers) {
        None => return refusal(StatusCode::UNAUTHORIZED, "M_MISSING_TOKEN", "Missing access token"),
        Some(_) if is_proven => {}
        Some(_) => {
            return refusal(StatusCode::FORBIDDEN, "M_UNKNOWN", "This endpoint must only be called by MAS");
        }
    }
    if method == Method::POST && serde_json::from_slice::<Value>(body).is_err() {
        return refusal(StatusCode::BAD_REQUEST, "M_NOT_JSON", "Content not JSON.");
    }
    if endpoint == "provision_user" && !was_there && homeserver.users.contains_key(name) {
        // As Synapse says it that looks first and makes the user then.
        return refusal(StatusCode::BAD_REQUEST, "M_USER_IN_USE", "User ID already taken.");
    }
    homeserver.call(endpoint, &given).unwrap_or_else(|refused| refused)
}

/// The members of each body: name, kind, and whether it must be there.
type Fields = &'static [(&'static str, Kind, bool)];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Boolean,
    Texts,
}

use Kind::{Boolean, Text, Texts};

const FIELDS: [(&str, Fields); 10] = [
    (
        "provision_user",
        &[
            ("localpart", Text, true),
            ("set_displayname", Text, false),
            ("unset_displayname", Boolean, false),
            ("set_avatar_url", Text, false),
            ("unset_avatar_url", Boolean, false),
            ("set_emails", Texts, false),
            ("unset_emails", Boolean, false),
            ("locked", Boolean, false),
        ],
    ),
    ("delete_user", &[("localpart", Text, true), ("erase", Boolean, true)]),
    ("reactivate_user", &[("localpart", Text, true)]),
    ("set_displayname", &[("localpart", Text, true), ("displayname", Text, true)]),
    ("unset_displayname", &[("localpart", Text, true)]),
    ("allow_cross_signing_reset", &[("localpart", Text, true)]),
    ("upsert_device", &[("localpart", Text, true), ("device_id", Text, true), ("display_name", Text, false)]),
    (
        "update_device_display_name",
        &[("localpart", Text, true), ("device_id", Text, true), ("display_name", Text, true)],
    ),
    ("delete_device", &[("localpart", Text, true), ("device_id", Text, true)]),
    ("sync_devices", &[("localpart", Text, true), ("devices", Texts, true)]),
];

impl Homeserver {
    fn call(&mut self, endpoint: &str, given: &Value) -> Outcome {
        match endpoint {
            "query_user" => return self.query_user(given),
            "is_localpart_available" => return self.is_localpart_available(given),
            _ => check(endpoint, given)?,
        }
        let text = |key: &str| given[key].as_str().unwrap_or_default().to_owned();
        if endpoint == "provision_user" {
            return Ok(self.provision_user(given));
        }
        let user = match self.users.get_mut(&text("localpart")) {
            Some(user) => user,
            None => return Err(not_found("User not found")),
        };
        match endpoint {
            "delete_user" => {
                user.is_deactivated = true;
                user.is_erased |= given["erase"] == true;
                user.devices.clear();
                (user.display_name, user.avatar_url) = (None, None);
                ok()
            }
            "reactivate_user" => {
                (user.is_deactivated, user.is_erased) = (false, false);
                ok()
            }
            "set_displayname" => {
                at_most(256, &text("displayname"), "M_UNKNOWN")?;
                user.display_name = Some(text("displayname"));
                ok()
            }
            "unset_displayname" => {
                user.display_name = None;
                ok()
            }
            "allow_cross_signing_reset" => {
                user.cross_signing_resets += 1;
                ok()
            }
            "upsert_device" => upsert_device(user, text("device_id"), given["display_name"].as_str()),
            "update_device_display_name" => {
                at_most(100, &text("display_name"), "M_TOO_LARGE")?;
                let device =
                    user.devices.get_mut(&text("device_id")).ok_or_else(|| not_found("No row found"))?;
                *device = Some(text("display_name"));
                ok()
            }
            "delete_device" => {
                user.devices.remove(&text("device_id"));
                Ok((StatusCode::NO_CONTENT, Value::Null))
            }
            "sync_devices" => {
                let wanted = texts(&given["devices"]);
                user.devices.retain(|device, _| wanted.contains(device));
                for device in wanted {
                    user.devices.entry(device).or_default();
                }
                ok()
            }
            _ => Err(unrecognized(StatusCode::NOT_FOUND)),
        }
    }

    fn query_user(&self, given: &Value) -> Outcome {
        let Some(localpart) = given["localpart"].as_str() else {
            let message = "Missing required string query parameter 'localpart'";
            return Err(refusal(StatusCode::BAD_REQUEST, "M_MISSING_PARAM", message));
        };
        let user = self.users.get(localpart).ok_or_else(|| not_found("User not found"))?;
        let facts = json!({
            "user_id": format!("@{localpart}:{}", self.server_name),
            "display_name": user.display_name,
            "avatar_url": user.avatar_url,
            "is_suspended": user.is_suspended,
            "is_deactivated": user.is_deactivated,
        });
        Ok((StatusCode::OK, facts))
    }

    fn is_localpart_available(&self, given: &Value) -> Outcome {
        let refuse = |errcode, message| Err(refusal(StatusCode::BAD_REQUEST, errcode, message));
        let Some(localpart) = given["localpart"].as_str() else {
            return refuse("M_UNKNOWN", "Missing localpart");
        };
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "=_-./+".contains(c);
        if !localpart.chars().all(is_plain) || localpart.is_empty() || localpart.starts_with('_') {
            return refuse("M_INVALID_USERNAME", "not a user name");
        }
        if self.reserved.contains(localpart) {
            return refuse("M_EXCLUSIVE", "This user ID is reserved by an application service.");
        }
        if localpart.len() + self.server_name.len() + 2 > 255 {
            return refuse("M_INVALID_USERNAME", "User ID may not be longer than 255 characters");
        }
        if self.users.keys().any(|taken| taken.eq_ignore_ascii_case(localpart)) {
            return refuse("M_USER_IN_USE", "User ID already taken.");
        }
        if localpart.chars().all(|c| c.is_ascii_digit()) {
            return refuse("M_INVALID_USERNAME", "Numeric user IDs are reserved for guest users.");
        }
        ok()
    }

    fn provision_user(&mut self, given: &Value) -> Answer {
        let localpart = given["localpart"].as_str().unwrap_or_default().to_owned();
        let is_new = !self.users.contains_key(&localpart);
        let user = self.users.entry(localpart.clone()).or_default();
        if is_new {
            // The homeserver itself takes the name when none is given.
            user.display_name = Some(localpart);
        }
        let set = |key: &str| given[key].as_str().map(str::to_owned);
        match set("set_displayname") {
            Some(name) => user.display_name = Some(name),
            None if given["unset_displayname"] == true => user.display_name = None,
            None => {}
        }
        match set("set_avatar_url") {
            Some(url) => user.avatar_url = Some(url),
            None if given["unset_avatar_url"] == true => user.avatar_url = None,
            None => {}
        }
        if given["set_emails"].is_array() || given["unset_emails"] == true {
            user.emails = texts(&given["set_emails"]);
        }
        if let Some(is_locked) = given["locked"].as_bool() {
            user.is_locked = is_locked;
        }
        (if is_new { StatusCode::CREATED } else { StatusCode::OK }, json!({}))
    }
}

fn upsert_device(user: &mut StubUser, device_id: String, name: Option<&str>) -> Outcome {
    at_most(100, name.unwrap_or_default(), "M_TOO_LARGE")?;
    let is_new = !user.devices.contains_key(&device_id);
    let device = user.devices.entry(device_id).or_default();
    if let Some(name) = name {
        *device = Some(name.to_owned());
    }
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, json!({})))
}

/// The rules for the body of a call: strict types, unknown members ignored.
fn check(endpoint: &str, given: &Value) -> Result<(), Answer> {
    let refuse = |errcode| Err(refusal(StatusCode::BAD_REQUEST, errcode, "validation error"));
    let Value::Object(given) = given else { return refuse("M_BAD_JSON") };
    let fields = FIELDS.iter().find(|(name, _)| *name == endpoint).map_or(&[][..], |(_, fields)| fields);
    let is_excluded = |what: &str| {
        given.contains_key(&format!("set_{what}")) && given.contains_key(&format!("unset_{what}"))
    };
    if ["displayname", "avatar_url", "emails"].into_iter().any(is_excluded) {
        return refuse("M_INVALID_PARAM");
    }
    let missing =
        fields.iter().filter(|(name, _, is_required)| *is_required && !given.contains_key(*name)).count();
    let wrong =
        fields.iter().filter(|(name, kind, is_required)| !fits(given, name, *kind, *is_required)).count();
    match (missing, wrong) {
        (0, 0) => Ok(()),
        (1, 0) => refuse("M_MISSING_PARAM"),
        _ => refuse("M_BAD_JSON"),
    }
}

fn fits(given: &Map<String, Value>, name: &str, kind: Kind, is_required: bool) -> bool {
    match (given.get(name), kind) {
        (None, _) => true,
        // Optional texts and lists, and whether somebody is locked, may be null.
        (Some(Value::Null), _) => !is_required && !name.starts_with("unset_"),
        (Some(value), Text) => value.is_string(),
        (Some(value), Boolean) => value.is_boolean(),
        (Some(value), Texts) => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
    }
}

fn texts(list: &Value) -> BTreeSet<String> {
    let items = list.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn at_most(characters: usize, text: &str, errcode: &str) -> Result<(), Answer> {
    match text.chars().count() > characters {
        true => Err(refusal(StatusCode::BAD_REQUEST, errcode, "the name is too long")),
        false => Ok(()),
    }
}

fn query(uri: &Uri) -> Value {
    let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    Value::Object(pairs.map(|(key, value)| (key.into_owned(), Value::from(value.into_owned()))).collect())
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let header = headers.get("authorization")?.to_str().ok()?;
    // As the real one does: a secret with a space in it never arrives.
    header.strip_prefix("Bearer ").filter(|token| !token.contains(' ')).map(str::to_owned)
}

fn ok() -> Outcome {
    Ok((StatusCode::OK, json!({})))
}

fn not_found(message: &str) -> Answer {
    refusal(StatusCode::NOT_FOUND, "M_NOT_FOUND", message)
}

fn unrecognized(status: StatusCode) -> Answer {
    refusal(status, "M_UNRECOGNIZED", "Unrecognized request")
}

fn refusal(status: StatusCode, errcode: &str, message: &str) -> Answer {
    (status, json!({ "errcode": errcode, "error": message }))
}
