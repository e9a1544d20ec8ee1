//! What clients ask of people at the authorization endpoint. A request travels with the browser until it is
//! answered, since anybody may begin one and nothing should be stored for that.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{AuthorizationRequestId, ClientId, DeviceId, UserId};
use crate::keys::{BrokenCiphertext, RootSecret};
use crate::methods::Acr;
use crate::time::Timestamp;

/// How long a person may take to answer.
pub(super) const PENDING: Duration = Duration::from_secs(60 * 60);
/// The most bytes of a request as JSON: addresses of twice that pass through every proxy.
const LONGEST: usize = 4096;
/// What a sealed request is to the root secret.
const REQUEST: &str = "authorization request";

/// How the answer travels back (OAuth 2.0 Multiple Response Types §2.1, OAuth 2.0 Form Post Response
/// Mode).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of the redirect URI: the default for codes.
    #[default]
    Query,
    /// In its fragment.
    Fragment,
    /// As a form that the browser posts.
    FormPost,
}

impl ResponseMode {
    /// All that are offered.
    pub const ALL: [ResponseMode; 3] = [ResponseMode::Query, ResponseMode::Fragment, ResponseMode::FormPost];

    /// The value as the specifications spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseMode::Query => "query",
            ResponseMode::Fragment => "fragment",
            ResponseMode::FormPost => "form_post",
        }
    }
}

/// A checked request at the authorization endpoint (RFC 6749 §4.1.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where the answer goes, as it was asked for.
    pub redirect_uri: String,
    /// The scope, without what is unknown.
    pub scope: String,
    /// The Matrix device in the scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<DeviceId>,
    /// Returned unchanged with the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// How the answer travels.
    #[serde(default, skip_serializing_if = "is_default")]
    pub response_mode: ResponseMode,
    /// Returned in the ID token (OpenID Connect Core §3.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The PKCE challenge, always S256 (RFC 7636 §4.3).
    pub code_challenge: String,
    /// Whom the client believes to be there (OpenID Connect Core §3.1.2.1, MSC4198).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_hint: Option<String>,
    /// What the person must or must not be shown (OpenID Connect Core §3.1.2.1).
    #[serde(default, skip_serializing_if = "is_default")]
    pub prompt: Prompt,
    /// How many seconds ago the person may have proved who they are (OpenID Connect Core §3.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u64>,
    /// How strongly the person should prove who they are, by any of these (OpenID Connect Core §3.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acr_values: Option<String>,
    /// The languages of the pages that follow, best first (OpenID Connect Core §3.1.2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ui_locales: Option<String>,
    /// Who the client knows to have been there, from an ID token of ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_user: Option<UserId>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Asked {
    /// Whether it is more than what can travel in an address.
    pub fn is_too_long(&self) -> bool {
        serde_json::to_vec(self).is_ok_and(|json| json.len() > LONGEST)
    }

    /// How strongly the person should prove who they are at least. It is a wish: who cannot goes on all the
    /// same, and the client reads how it was.
    pub fn acr(&self) -> Option<Acr> {
        self.acr_values.as_deref().and_then(Acr::asked)
    }
}

/// The values of `prompt` that a request has (OpenID Connect Core §3.1.2.1; Initiating User
/// Registration via OpenID Connect).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Prompt {
    /// `none`: no page may be shown.
    pub none: bool,
    /// `login`: the person must prove anew who they are.
    pub login: bool,
    /// `consent`: the person must be asked, even for what they allowed before.
    pub consent: bool,
    /// `select_account`: the person must be able to choose another account.
    pub select_account: bool,
    /// `create`: the person wants an account; where that is not offered, they sign in.
    pub create: bool,
}

/// The local path at which a request waits for its answer, up to the sealed request.
pub const WAITING: &str = "/authorize/";

/// The query of the path at which a request waits by which somebody who is signed in says that they want no
/// other account (`prompt=create`).
pub const NO_NEW_ACCOUNT: &str = "account=this";

impl Prompt {
    /// The values that are offered, and `create` where people may make accounts by themselves (Initiating User
    /// Registration via OpenID Connect §4).
    pub fn offered(can_register: bool) -> Vec<&'static str> {
        let create = can_register.then_some("create");
        ["none", "login", "consent", "select_account"].into_iter().chain(create).collect()
    }

    /// Reads the parameter; values that are not known are passed over. `None` when `none` does not
    /// stand alone.
    pub fn parse(text: &str) -> Option<Prompt> {
        let has = |value: &str| text.split(' ').any(|one| one == value);
        let prompt = Prompt {
            none: has("none"),
            login: has("login"),
            consent: has("consent"),
            select_account: has("select_account"),
            create: has("create"),
        };
        let is_alone = text.split(' ').filter(|one| !one.is_empty()).count() == 1;
        (!prompt.none || is_alone).then_some(prompt)
    }
}

/// A request that waits for its answer.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Its identifier, which says since when.
    pub id: AuthorizationRequestId,
    /// Who asks.
    pub client_id: ClientId,
    /// What is asked.
    pub asked: Asked,
}

impl Pending {
    /// A request that begins now.
    pub fn new(client_id: ClientId, asked: Asked, now: Timestamp) -> Pending {
        Pending { id: AuthorizationRequestId::new(now), client_id, asked }
    }

    /// Puts it into the form in which it travels with the browser, which can neither read nor change it.
    ///
    /// # Errors
    /// When the cipher fails, which it has no reason to.
    pub fn seal(&self, root: &RootSecret) -> Result<String, BrokenCiphertext> {
        let plain = serde_json::to_vec(&(&self.client_id.0, &self.asked)).map_err(|_| BrokenCiphertext)?;
        root.seal(REQUEST, self.id.to_bytes(), plain)
    }

    /// Reads what [`Pending::seal`] made; `None` for anything else, and when it waited too long.
    pub fn open(sealed: &str, root: &RootSecret, now: Timestamp) -> Option<Pending> {
        let (id, plain) = root.open(REQUEST, sealed).ok()?;
        let id = AuthorizationRequestId::from_bytes(id);
        let (client_id, asked) = serde_json::from_slice(&plain).ok()?;
        (now < id.made_at() + PENDING).then_some(Pending { id, client_id: ClientId(client_id), asked })
    }

    /// Whether somebody who is signed in may answer: the person whom the client expects, if it said
    /// whom, who proved recently enough who they are (OpenID Connect Core §3.1.2.1, `prompt`,
    /// `max_age` and `id_token_hint`).
    pub fn accepts(&self, user_id: UserId, authenticated_at: Timestamp) -> bool {
        let Asked { prompt, max_age, expected_user, .. } = &self.asked;
        let began_at = self.id.made_at();
        let is_recent = |seconds: u64| authenticated_at >= began_at - Duration::from_secs(seconds);
        expected_user.is_none_or(|expected| expected == user_id)
            && (authenticated_at >= began_at || (!prompt.login && max_age.is_none_or(is_recent)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(now: Timestamp) -> Pending {
        let asked = Asked {
            redirect_uri: "https://app.example.com/callback".to_owned(),
            scope: "openid".to_owned(),
            device_id: None,
            state: Some("a state".to_owned()),
            response_mode: ResponseMode::Fragment,
            nonce: None,
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            login_hint: None,
            prompt: Prompt { consent: true, ..Prompt::default() },
            max_age: Some(7),
            acr_values: None,
            ui_locales: None,
            expected_user: None,
        };
        Pending::new(ClientId("a client".to_owned()), asked, now)
    }

    #[test]
    fn a_sealed_request_comes_back_as_it_was_for_an_hour() {
        let (root, now) = (RootSecret::generate(), Timestamp(1_700_000_000_000));
        let pending = pending(now);
        let sealed = pending.seal(&root).unwrap();
        for later in [0, 1, 3_599_999] {
            let opened = Pending::open(&sealed, &root, Timestamp(now.0 + later)).unwrap();
            assert_eq!((opened.id, &opened.client_id), (pending.id, &pending.client_id));
            assert_eq!(opened.asked, pending.asked);
        }
        assert!(Pending::open(&sealed, &root, Timestamp(now.0 + 3_600_000)).is_none());
        assert!(Pending::open(&sealed, &RootSecret::generate(), now).is_none());
    }

    #[test]
    fn what_was_changed_or_mixed_is_no_request() {
        let (root, now) = (RootSecret::generate(), Timestamp(1_700_000_000_000));
        let sealed = pending(now).seal(&root).unwrap();
        let other = pending(now).seal(&root).unwrap();
        assert_ne!(sealed, other);
        for place in 0..sealed.len() {
            let mixed = format!("{}{}", &sealed[..place], &other[place..]);
            let is_whole = mixed == sealed || mixed == other;
            assert_eq!(Pending::open(&mixed, &root, now).is_some(), is_whole, "{place}");
            assert!(Pending::open(&sealed[..place], &root, now).is_none(), "{place}");
        }
    }

    #[test]
    fn a_request_says_nothing_to_who_carries_it() {
        let (root, now) = (RootSecret::generate(), Timestamp(1_700_000_000_000));
        let sealed = pending(now).seal(&root).unwrap();
        let seen = crate::keys::from_base64url(&sealed).unwrap();
        let shows = |text: &str| seen.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!shows("a client") && !shows("a state") && !shows("openid"));
    }
}
