//! The calls we make to the homeserver: Synapse's provisioning API under `/_synapse/mas/`.
//!
//! Every call may be repeated without harm. None is made while a transaction is open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use reqwest::{Method, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::ids::{DeviceId, Localpart};
use crate::outbound::read_at_most;
use crate::telemetry::metrics::Metrics;

/// How long one call may take. Whoever waits for it waits for a person.
const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most that is read of an answer, in bytes. What we ask for takes some hundred.
const LARGEST: usize = 64 * 1024;

/// The homeserver that this installation is paired with. Cheap to clone.
#[derive(Clone)]
pub struct Homeserver {
    http_client: reqwest::Client,
    endpoint: Url,
    secret: String,
    is_answering: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
}

/// Why a call to the homeserver did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// It does not answer, or answers that it is in trouble.
    #[error("the homeserver cannot be reached: {0}")]
    Unreachable(String),
    /// It does not accept the shared secret, or does not know the API.
    #[error(
        "the homeserver refuses our shared secret (HTTP {0}); compare homeserver.secret here with \
         matrix_authentication_service.secret there"
    )]
    Secret(u16),
    /// It does not know the user.
    #[error("the homeserver does not know this user")]
    NotFound,
    /// It refuses what was asked.
    #[error("the homeserver refuses: {errcode}: {message}")]
    Refused {
        /// The Matrix error code.
        errcode: String,
        /// Its explanation.
        message: String,
    },
}

impl Error {
    /// Whether the same call may succeed a while later without anybody doing anything here.
    pub fn is_passing(&self) -> bool {
        matches!(self, Error::Unreachable(_) | Error::Secret(_))
    }
}

/// Whether a name can be a new account's, as the homeserver sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Nobody has it.
    Available,
    /// Somebody has it, perhaps in other letter case.
    Taken,
    /// It belongs to an application service or to the server itself.
    Reserved,
    /// The homeserver does not allow such a name.
    Invalid,
}

/// What the homeserver knows of a user.
#[derive(Clone, Debug, Deserialize)]
pub struct UserFacts {
    /// The full Matrix identifier.
    pub user_id: String,
    /// The name they chose to be shown by.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether the homeserver has it deactivated.
    pub is_deactivated: bool,
}

#[derive(Deserialize)]
struct MatrixError {
    #[serde(default)]
    errcode: String,
    #[serde(default)]
    error: String,
}

impl Homeserver {
    /// Prepares the connection; nothing is sent yet.
    ///
    /// # Errors
    /// When the HTTP client cannot be built, which is a fault of the system.
    pub fn new(endpoint: Url, secret: String, metrics: Arc<Metrics>) -> Result<Homeserver, Error> {
        let http_client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            // The homeserver is the admin's own; a proxy from the environment would only leak the secret.
            .no_proxy()
            .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::Unreachable(error.to_string()))?;
        let is_answering = Arc::new(AtomicBool::new(true));
        Ok(Homeserver { http_client, endpoint, secret, is_answering, metrics })
    }

    /// Whether the last call was answered, whatever the answer; true before the first one.
    pub fn seems_reachable(&self) -> bool {
        self.is_answering.load(Ordering::Relaxed)
    }

    /// The address we call.
    pub fn endpoint(&self) -> &Url {
        &self.endpoint
    }

    /// What the homeserver knows of a user.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it does not know them.
    pub async fn query_user(&self, localpart: &Localpart) -> Result<UserFacts, Error> {
        let (_, answer) =
            self.call(Method::GET, "query_user", &[("localpart", localpart.as_str())], None).await?;
        serde_json::from_value(answer).map_err(|error| Error::Unreachable(error.to_string()))
    }

    /// Whether the homeserver would accept the name for a new account.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn is_localpart_available(&self, localpart: &Localpart) -> Result<Availability, Error> {
        let asked = self
            .call(Method::GET, "is_localpart_available", &[("localpart", localpart.as_str())], None)
            .await;
        match asked {
            Ok(_) => Ok(Availability::Available),
            Err(Error::Refused { errcode, .. }) if errcode == "M_USER_IN_USE" => Ok(Availability::Taken),
            Err(Error::Refused { errcode, .. }) if errcode == "M_EXCLUSIVE" => Ok(Availability::Reserved),
            Err(Error::Refused { errcode, .. }) if errcode == "M_INVALID_USERNAME" => {
                Ok(Availability::Invalid)
            }
            Err(error) => Err(error),
        }
    }

    /// Creates or updates a user there.
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses.
    pub async fn provision_user(
        &self,
        localpart: &Localpart,
        is_locked: bool,
        emails: Option<&[String]>,
    ) -> Result<(), Error> {
        let mut body = json!({ "localpart": localpart, "locked": is_locked });
        // Even an empty list takes away what is there.
        if let Some(emails) = emails {
            body["set_emails"] = json!(emails);
        }
        match self.post("provision_user", body.clone()).await {
            // Of two calls that make the same user at the same moment Synapse says this to one; now the user is there.
            Err(Error::Refused { errcode, .. }) if errcode == "M_USER_IN_USE" => {
                self.post("provision_user", body).await
            }
            answered => answered,
        }
    }

    /// Sets the name that a user is shown by, or takes it away.
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses, as it does for more than 256 characters.
    pub async fn set_display_name(&self, localpart: &Localpart, name: Option<&str>) -> Result<(), Error> {
        match name {
            Some(name) => {
                self.post("set_displayname", json!({ "localpart": localpart, "displayname": name })).await
            }
            None => self.post("unset_displayname", json!({ "localpart": localpart })).await,
        }
    }

    /// Deactivates a user there, optionally asking for what they wrote to be erased.
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses.
    pub async fn delete_user(&self, localpart: &Localpart, erase: bool) -> Result<(), Error> {
        self.post("delete_user", json!({ "localpart": localpart, "erase": erase })).await
    }

    /// Undoes [`Homeserver::delete_user`].
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses.
    pub async fn reactivate_user(&self, localpart: &Localpart) -> Result<(), Error> {
        self.post("reactivate_user", json!({ "localpart": localpart })).await
    }

    /// Lets the user's clients replace their cross-signing keys, for ten minutes or once, without any
    /// further proof (Matrix CS API, OAuth authentication; MSC4312).
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses.
    pub async fn allow_cross_signing_reset(&self, localpart: &Localpart) -> Result<(), Error> {
        self.post("allow_cross_signing_reset", json!({ "localpart": localpart })).await
    }

    /// Makes sure that a device exists; `true` when it was made just now.
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses.
    pub async fn upsert_device(&self, localpart: &Localpart, device_id: &DeviceId) -> Result<bool, Error> {
        let body = json!({ "localpart": localpart, "device_id": device_id });
        let (status, _) = self.call(Method::POST, "upsert_device", &[], Some(body)).await?;
        Ok(status == StatusCode::CREATED)
    }

    /// Gives a device another name.
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses, as it does for more than 100 characters.
    pub async fn rename_device(
        &self,
        localpart: &Localpart,
        device_id: &DeviceId,
        name: &str,
    ) -> Result<(), Error> {
        let body = json!({ "localpart": localpart, "device_id": device_id, "display_name": name });
        self.post("update_device_display_name", body).await
    }

    /// Deletes a device with its keys, and with that the homeserver's memory of its tokens.
    ///
    /// # Errors
    /// When the homeserver cannot be reached or refuses.
    pub async fn delete_device(&self, localpart: &Localpart, device_id: &DeviceId) -> Result<(), Error> {
        match self.post("delete_device", json!({ "localpart": localpart, "device_id": device_id })).await {
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    /// The version of Synapse; `None` when it answers but does not say. A listener that serves only
    /// clients says it in its admin API, one that serves only other homeservers in their API.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn version(&self) -> Result<Option<String>, Error> {
        let places = [
            ("_synapse/admin/v1/server_version", "/server_version"),
            ("_matrix/federation/v1/version", "/server/version"),
        ];
        for (path, member) in places {
            let answer = self.http_client.get(self.url(path, &[])?).send().await.map_err(unreachable)?;
            let answer: Value = read(answer).await.unwrap_or_default();
            if let Some(version) = answer.pointer(member).and_then(Value::as_str) {
                return Ok(Some(version.to_owned()));
            }
        }
        Ok(None)
    }

    async fn post(&self, call: &'static str, body: Value) -> Result<(), Error> {
        self.call(Method::POST, call, &[], Some(body)).await.map(drop)
    }

    async fn call(
        &self,
        method: Method,
        call: &'static str,
        parameters: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), Error> {
        let begun = Instant::now();
        let answer = self.send(method, call, parameters, body).await;
        self.metrics.homeserver_call(call, outcome_of(&answer), begun.elapsed());
        let is_answering = !answer.as_ref().is_err_and(Error::is_passing);
        self.is_answering.store(is_answering, Ordering::Relaxed);
        answer
    }

    async fn send(
        &self,
        method: Method,
        call: &str,
        parameters: &[(&str, &str)],
        body: Option<Value>,
    ) -> Result<(StatusCode, Value), Error> {
        let url = self.url(&format!("_synapse/mas/{call}"), parameters)?;
        let mut request = self.http_client.request(method, url).bearer_auth(&self.secret);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        if status.is_success() {
            // A 204 has no body, and no caller but one reads it.
            return Ok((status, read(answer).await.unwrap_or(Value::Null)));
        }
        let error: Option<MatrixError> = read(answer).await;
        Err(match (status, error) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => Error::Secret(status.as_u16()),
            (StatusCode::NOT_FOUND, Some(error)) if error.errcode == "M_NOT_FOUND" => Error::NotFound,
            // Synapse without the integration switched on does not know the path.
            (StatusCode::NOT_FOUND, _) => Error::Secret(404),
            (status, Some(error)) if status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS => {
                Error::Refused { errcode: error.errcode, message: error.error }
            }
            (status, _) => Error::Unreachable(format!("HTTP {status}")),
        })
    }

    fn url(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Url, Error> {
        let mut url = self.endpoint.join(path).map_err(|error| Error::Unreachable(error.to_string()))?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(url)
    }
}

/// The JSON of an answer; `None` when it is none, breaks off or is too large.
async fn read<T: DeserializeOwned>(answer: Response) -> Option<T> {
    serde_json::from_slice(&read_at_most(answer, LARGEST).await.ok()?).ok()
}

fn outcome_of<T>(answer: &Result<T, Error>) -> &'static str {
    match answer {
        Ok(_) => "ok",
        Err(Error::NotFound) => "not_found",
        Err(Error::Refused { .. }) => "refused",
        Err(Error::Secret(_)) => "secret_refused",
        Err(Error::Unreachable(_)) => "unreachable",
    }
}

/// Says what failed without the URL, which may hold a name.
fn unreachable(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Error::Unreachable(text)
}
