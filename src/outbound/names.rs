//! From host names to addresses that may be connected to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Allowed, Error};

/// Finds the addresses of a name.
type Find = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Where names are looked up.
#[derive(Clone)]
pub enum Names {
    /// As every program of this machine does.
    System,
    /// By a function; a name for which it finds nothing does not exist.
    Given(Arc<Find>),
}

impl Names {
    async fn find(&self, name: &str) -> Result<Vec<IpAddr>, Error> {
        let unresolved = |why: &str| Error::Unresolved(why.to_owned());
        let found: Vec<IpAddr> = match self {
            Names::System => tokio::net::lookup_host((name, 0))
                .await
                .map_err(|error| unresolved(&error.to_string()))?
                .map(|found| found.ip())
                .collect(),
            Names::Given(find) => find(name),
        };
        if found.is_empty() { Err(unresolved("it has no address")) } else { Ok(found) }
    }
}

/// What the HTTP client resolves names with. It connects to what this returns and asks nobody else,
/// so a name cannot mean one thing when it is judged and another when it is called.
pub(super) struct CheckedNames {
    pub(super) names: Arc<Names>,
    pub(super) allowed: Arc<Allowed>,
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let (names, allowed) = (Arc::clone(&self.names), Arc::clone(&self.allowed));
        Box::pin(async move {
            let found = names.find(name.as_str()).await?;
            // One address that may not be called condemns the name: an honest host has none such.
            if !found.iter().all(|address| allowed.may_be_called(*address)) {
                return Err(Error::NotPublic.into());
            }
            // The client puts the port of the URL in the place of 0.
            let addresses: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
