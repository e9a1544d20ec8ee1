//! The `passkeys` section.

use schemars::JsonSchema;
use serde::Deserialize;
use url::{Host, Url};

use super::{Config, error::Problems};

/// Signing in with passkeys and security keys.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Passkeys {
    /// The domain that passkeys are made for, and the only one at which browsers offer them. Without it,
    /// it is the host of `http.public_base`; with `example.org` here, passkeys also outlive a move from
    /// `auth.example.org` to `id.example.org`, and every site below `example.org` could ask for them.
    /// Passkeys that were made for another domain never work again, so Gatehouse does not start when the
    /// domain has changed only because `http.public_base` did: set it here to say which one it is to be.
    /// Without a host name (`http://127.0.0.1:8080/`) there are no passkeys.
    #[schemars(example = "example.org")]
    pub relying_party_id: Option<String>,
}

impl Passkeys {
    pub(super) fn check(&self, public_base: &Url, problems: &mut Problems) {
        let Some(id) = &self.relying_party_id else { return };
        let key = "passkeys.relying_party_id";
        match public_base.host() {
            Some(Host::Domain(host)) if !is_same_or_below(host, id) => problems.add(
                key,
                format!("must be {host}, the host of http.public_base, or a domain that it is below"),
            ),
            Some(Host::Domain(host)) if id != host && is_public_suffix(id) => {
                problems.add(key, "is a domain under which anybody may have a name; no browser takes it");
            }
            Some(Host::Domain(_)) => {}
            _ => problems
                .add(key, "needs a host name in http.public_base: browsers have no passkeys for addresses"),
        }
    }
}

impl Config {
    /// The domain that passkeys are made for (WebAuthn L3 §4, relying party identifier); `None` when the
    /// public base has no host name, and so no passkeys.
    pub fn relying_party_id(&self) -> Option<&str> {
        match self.http.public_base.host() {
            Some(Host::Domain(host)) => Some(self.passkeys.relying_party_id.as_deref().unwrap_or(host)),
            _ => None,
        }
    }
}

fn is_same_or_below(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

fn is_public_suffix(domain: &str) -> bool {
    psl::domain_str(domain).is_none()
}

#[cfg(test)]
mod tests {
    use super::super::http::url_of;
    use super::*;

    fn problems_of(base: &'static str, id: &str) -> usize {
        let mut problems = Problems::default();
        let passkeys = Passkeys { relying_party_id: Some(id.to_owned()) };
        passkeys.check(&url_of(base), &mut problems);
        problems.0.len()
    }

    #[test]
    fn passkeys_are_for_the_host_or_a_domain_above_it() {
        for id in ["auth.example.org", "example.org"] {
            assert_eq!(problems_of("https://auth.example.org/a/", id), 0, "{id}");
        }
        assert_eq!(problems_of("http://localhost:8080/", "localhost"), 0);
        for id in ["id.example.org", "ample.org", ".example.org", "org", "", "Example.org", "example.org:443"]
        {
            assert_eq!(problems_of("https://auth.example.org/", id), 1, "{id}");
        }
        assert_eq!(problems_of("https://auth.example.co.uk/", "co.uk"), 1);
        assert_eq!(problems_of("https://badexample.org/", "example.org"), 1);
        assert_eq!(problems_of("https://192.0.2.1/", "192.0.2.1"), 1);
    }

    #[test]
    fn without_a_host_name_there_are_no_passkeys() {
        let of = |base| {
            let mut config = Config::default();
            config.http.public_base = url_of(base);
            config.relying_party_id().map(str::to_owned)
        };
        assert_eq!(of("https://auth.example.org/a/").as_deref(), Some("auth.example.org"));
        assert_eq!(of("http://localhost:8080/").as_deref(), Some("localhost"));
        assert_eq!(of("http://127.0.0.1:8080/"), None);
        assert_eq!(of("https://[2001:db8::1]/"), None);
    }
}
