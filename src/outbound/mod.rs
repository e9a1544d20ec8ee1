//! Calls to addresses that somebody else chose: a client's `jwks_uri`, its back-channel logout URI.
//!
//! Whoever may register a client can have this server call any address they like, from where it
//! stands (server-side request forgery, RFC 7591 §5). So every such call is made here, and:
//!
//! - the address is https, has no user name or password, and a port of 443 or from 1024: no other
//!   well-known service can be spoken to;
//! - a host name is resolved once, every address found must be public, and those very addresses are
//!   connected to; an address in the place of the name is judged in the same way;
//! - networks that the configuration allows count as public; http is let pass to a loopback address
//!   among them, written as such;
//! - no proxy is used, since it would resolve the name again; no redirect is followed; no connection
//!   is kept for another call;
//! - size and time are limited, and so is the number of calls at a time.

mod addresses;
mod error;
mod key_sets;
mod names;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Request, Response};
use serde::de::DeserializeOwned;
use tokio::sync::Semaphore;
use url::{Host, Url};

pub use addresses::{Allowed, is_public};
pub use error::{Error, OpenError};
pub use key_sets::KeySets;
pub use names::Names;

use crate::config;
use names::CheckedNames;

/// How many calls run at a time; further ones wait, and their time runs meanwhile.
const AT_A_TIME: usize = 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What one call may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most bytes that are read of an answer.
    pub bytes: usize,
    /// From the start of the call to the end of the answer.
    pub time: Duration,
}

impl Default for Limits {
    /// Ample for a set of keys: 64 KiB, ten seconds.
    fn default() -> Limits {
        Limits { bytes: 64 * 1024, time: Duration::from_secs(10) }
    }
}

/// The way out. Cheap to clone.
#[derive(Clone)]
pub struct Outbound {
    http_client: Client,
    allowed: Arc<Allowed>,
    calls: Arc<Semaphore>,
}

impl Outbound {
    /// Gets ready to call, with the names that the system knows; nothing is sent yet.
    ///
    /// # Errors
    /// [`OpenError`], worded for the admin.
    pub fn new(settings: &config::Outbound) -> Result<Outbound, OpenError> {
        Outbound::with_names(settings, Names::System)
    }

    /// The same with other names.
    ///
    /// # Errors
    /// [`OpenError`], worded for the admin.
    pub fn with_names(settings: &config::Outbound, names: Names) -> Result<Outbound, OpenError> {
        let allowed = Arc::new(Allowed::new(&settings.allowed_networks));
        let http_client = Client::builder()
            .tls_certs_merge(certificates(settings.ca_file.as_ref())?)
            .dns_resolver(CheckedNames { names: Arc::new(names), allowed: Arc::clone(&allowed) })
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT_TIMEOUT)
            .user_agent(concat!("gatehouse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(OpenError::Client)?;
        Ok(Outbound { http_client, allowed, calls: Arc::new(Semaphore::new(AT_A_TIME)) })
    }

    /// Whether an address has a form that is ever called, without resolving its name: worth telling
    /// a client when it registers one.
    ///
    /// # Errors
    /// [`Error::Address`] or [`Error::NotPublic`].
    pub fn check(&self, url: &Url) -> Result<(), Error> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Error::Address("it has a user name or a password"));
        }
        let literal: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) => None,
            None => return Err(Error::Address("it has no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if literal.is_some_and(|address| address.to_canonical().is_loopback()) => {}
            _ => return Err(Error::Address("it is not https")),
        }
        match url.port_or_known_default() {
            Some(443 | 1024..) => {}
            Some(80) if url.scheme() == "http" => {}
            _ => return Err(Error::Address("its port belongs to another service")),
        }
        match literal {
            Some(address) if !self.allowed.may_be_called(address) => Err(Error::NotPublic),
            _ => Ok(()),
        }
    }

    /// Fetches a JSON document.
    ///
    /// # Errors
    /// [`Error`]; what of it a stranger may be told, [`Error::for_strangers`] says.
    pub async fn get_json<T: DeserializeOwned>(&self, url: &Url, limits: Limits) -> Result<T, Error> {
        self.check(url)?;
        let accept = HeaderValue::from_static("application/json, application/jwk-set+json");
        let request = self.http_client.get(url.clone()).header(ACCEPT, accept).build();
        let call = async {
            let answer = self.send(request.map_err(Error::of)?).await?;
            let body = read_at_most(answer, limits.bytes).await?;
            serde_json::from_slice(&body).map_err(|_| Error::NotJson)
        };
        self.limited(limits.time, call).await
    }

    /// Posts a form and reads nothing of the answer but its status.
    ///
    /// # Errors
    /// [`Error`]; what of it a stranger may be told, [`Error::for_strangers`] says.
    pub async fn post_form(&self, url: &Url, form: &[(&str, &str)], time: Duration) -> Result<(), Error> {
        self.check(url)?;
        let request = self.http_client.post(url.clone()).form(form).build();
        let call = async { self.send(request.map_err(Error::of)?).await.map(drop) };
        self.limited(time, call).await
    }

    async fn send(&self, request: Request) -> Result<Response, Error> {
        let answer = self.http_client.execute(request).await.map_err(Error::of)?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            status => Err(Error::Status(status.as_u16())),
        }
    }

    async fn limited<T>(
        &self,
        time: Duration,
        call: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let call = async {
            let _place = self.calls.acquire().await;
            call.await
        };
        tokio::time::timeout(time, call).await.unwrap_or(Err(Error::Slow))
    }
}

/// Reads an answer as far as it may go: its announced length need not be true.
///
/// # Errors
/// [`Error::TooLarge`], and [`Error::Unanswered`] when it breaks off.
pub async fn read_at_most(mut answer: Response, most: usize) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(Error::of)? {
        if body.len() + part.len() > most {
            return Err(Error::TooLarge(most));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

fn certificates(file: Option<&PathBuf>) -> Result<Vec<Certificate>, OpenError> {
    let Some(file) = file else { return Ok(Vec::new()) };
    let pem = std::fs::read(file).map_err(|source| OpenError::Unreadable { file: file.clone(), source })?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(OpenError::NoCertificate(file.clone())),
    }
}
