//! Who calls: the address, seen through trusted proxies, and what the program calls itself.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use http::header::USER_AGENT;
use http::request::Parts;

use tracing::field::DisplayValue;

use super::client_address::{client_address, limit_key};
use super::listen::Peer;
use crate::app::App;
use crate::policy::input;

/// How much of a program's name is kept.
const LONGEST_USER_AGENT: usize = 256;

/// Where a request came from.
#[derive(Clone, Debug, Default)]
pub struct Requester {
    /// The address of the person or program that called, if it is known.
    pub address: Option<IpAddr>,
    /// What their program calls itself, cut to a sensible length.
    pub user_agent: Option<String>,
}

impl Requester {
    /// What attempts from here are counted by.
    pub fn limit_key(&self) -> String {
        self.address.map_or_else(|| "unknown".to_owned(), limit_key)
    }

    /// The address as a field of the log (`ip`).
    pub fn ip(&self) -> Option<DisplayValue<IpAddr>> {
        self.address.map(tracing::field::display)
    }

    /// The same as policies are told.
    pub fn for_policy(&self) -> input::Requester {
        input::Requester { ip_address: self.address, user_agent: self.user_agent.clone() }
    }
}

impl FromRequestParts<App> for Requester {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Requester, Infallible> {
        Ok(Requester::of(parts, app))
    }
}

impl Requester {
    /// Where the request with these parts came from.
    pub fn of(parts: &Parts, app: &App) -> Requester {
        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
        let user_agent = parts.headers.get(USER_AGENT).map(|name| {
            let name = String::from_utf8_lossy(name.as_bytes());
            name.chars().filter(|c| !c.is_control()).take(LONGEST_USER_AGENT).collect()
        });
        Requester {
            address: client_address(peer, &parts.headers, &app.config.http.trusted_proxies),
            user_agent,
        }
    }
}
