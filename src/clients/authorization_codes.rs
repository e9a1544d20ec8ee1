//! What people have granted, until it is a session (RFC 6749 §4.1.2). It travels as the code, which says all of it;
//! stored is which codes were spent.

use std::time::Duration;

use super::authorization_requests::{PENDING, Pending};
use crate::ids::{AuthorizationRequestId, BrowserSessionId, ClientId, ClientSessionId, ConsentId, UserId};
use crate::keys::{BrokenCiphertext, RootSecret};
use crate::methods::Methods;
use crate::store::{Error, Query, Tx, query};
use crate::time::Timestamp;

/// How long a code is good (RFC 6749 §4.1.2 recommends ten minutes at most).
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// How long it is known after that whether it was spent, so that one that comes back late is recognised.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What the code is to the root secret.
const CODE: &str = "authorization code";

/// What a code stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The request, for which one code is good, once.
    pub request_id: AuthorizationRequestId,
    /// Who asked.
    pub client_id: ClientId,
    /// Where the code went.
    pub redirect_uri: String,
    /// What the client may do.
    pub scope: String,
    /// Returned in the ID token (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// The PKCE challenge (RFC 7636 §4.3).
    pub code_challenge: String,
    /// Who granted it.
    pub user_id: UserId,
    /// By what they have allowed the client; nothing is granted any more when that is forgotten.
    pub consent_id: ConsentId,
    /// In which browser session.
    pub browser_session_id: BrowserSessionId,
    /// When that person last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// Until when the code is good.
    pub expires_at: Timestamp,
}

/// A person's yes.
pub struct Approval {
    /// Who said it.
    pub user_id: UserId,
    /// What is remembered of it.
    pub consent_id: ConsentId,
    /// In which browser session.
    pub browser_session_id: BrowserSessionId,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
}

impl Granted {
    /// What is granted by a yes to a request now.
    pub fn new(pending: &Pending, approval: Approval, now: Timestamp) -> Granted {
        Granted {
            request_id: pending.id,
            client_id: pending.client_id.clone(),
            redirect_uri: pending.asked.redirect_uri.clone(),
            scope: pending.asked.scope.clone(),
            nonce: pending.asked.nonce.clone(),
            code_challenge: pending.asked.code_challenge.clone(),
            user_id: approval.user_id,
            consent_id: approval.consent_id,
            browser_session_id: approval.browser_session_id,
            authenticated_at: approval.authenticated_at,
            methods: approval.methods,
            expires_at: now + LIFETIME,
        }
    }

    /// The code.
    ///
    /// # Errors
    /// When the cipher fails, which it has no reason to.
    pub fn to_code(&self, root: &RootSecret) -> Result<String, BrokenCiphertext> {
        let what = (&self.client_id, &self.redirect_uri, &self.scope, &self.nonce, &self.code_challenge);
        let who = (self.user_id, self.consent_id, self.browser_session_id);
        let how = (self.authenticated_at, self.methods.to_text(), self.expires_at);
        let plain = serde_json::to_vec(&(what, who, how)).map_err(|_| BrokenCiphertext)?;
        root.seal(CODE, self.request_id.to_bytes(), plain)
    }

    /// What a code stands for; `None` for anything else. It may have expired.
    pub fn from_code(code: &str, root: &RootSecret) -> Option<Granted> {
        let (id, plain) = root.open(CODE, code).ok()?;
        let ((client_id, redirect_uri, scope, nonce, code_challenge), who, how) =
            serde_json::from_slice(&plain).ok()?;
        let (user_id, consent_id, browser_session_id) = who;
        let (authenticated_at, methods, expires_at): (_, String, _) = how;
        Some(Granted {
            request_id: AuthorizationRequestId::from_bytes(id),
            client_id,
            redirect_uri,
            scope,
            nonce,
            code_challenge,
            user_id,
            consent_id,
            browser_session_id,
            authenticated_at,
            methods: Methods::parse(&methods)?,
            expires_at,
        })
    }
}

/// What spends the code for a request, for a session that is started with it. It changes nothing when one was spent
/// before, and nothing of the transaction may stay then.
pub fn spending(id: AuthorizationRequestId, session: ClientSessionId, now: Timestamp) -> Query {
    const SPEND: &str = "
INSERT INTO spent_codes (request_id, client_session_id, spent_at) VALUES ($1, $2, $3)
ON CONFLICT (request_id) DO NOTHING";
    query(SPEND).bind(id).bind(session).bind(now)
}

/// Forgets codes that could no longer be good, long ago.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    const EXPIRE: &str = "DELETE FROM spent_codes WHERE request_id < $1";
    let oldest = AuthorizationRequestId::before(now - PENDING - LIFETIME - KEPT);
    query(EXPIRE).bind(oldest).execute(tx).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::Method;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn granted() -> Granted {
        Granted {
            request_id: AuthorizationRequestId::new(NOW),
            client_id: ClientId("a client".to_owned()),
            redirect_uri: "https://app.example.com/callback".to_owned(),
            scope: "openid".to_owned(),
            nonce: Some("a nonce".to_owned()),
            code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            user_id: UserId::new(NOW),
            consent_id: ConsentId::new(NOW),
            browser_session_id: BrowserSessionId::new(NOW),
            authenticated_at: NOW,
            methods: Methods::default().with(Method::Password).with(Method::Totp),
            expires_at: NOW + LIFETIME,
        }
    }

    #[test]
    fn a_code_says_what_was_granted_to_nobody_but_us() {
        let (root, granted) = (RootSecret::generate(), granted());
        let code = granted.to_code(&root).unwrap();
        assert_eq!(Granted::from_code(&code, &root), Some(granted));
        assert_eq!(Granted::from_code(&code, &RootSecret::generate()), None);
        let seen = crate::keys::from_base64url(&code).unwrap();
        let shows = |text: &str| seen.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(!shows("a client") && !shows("a nonce") && !shows("openid"));
    }

    #[test]
    fn no_part_of_a_code_can_be_changed() {
        let root = RootSecret::generate();
        let code = granted().to_code(&root).unwrap();
        for place in 0..code.len() {
            let other = if &code[place..=place] == "A" { "B" } else { "A" };
            let changed = format!("{}{other}{}", &code[..place], &code[place + 1..]);
            assert_eq!(Granted::from_code(&changed, &root), None, "{place}");
            assert_eq!(Granted::from_code(&code[..place], &root), None, "{place}");
        }
    }

    #[test]
    fn a_request_is_no_code() {
        let (root, id) = (RootSecret::generate(), AuthorizationRequestId::new(NOW).to_bytes());
        let plain = root.open(CODE, &granted().to_code(&root).unwrap()).unwrap().1;
        assert!(Granted::from_code(&root.seal(CODE, id, plain.clone()).unwrap(), &root).is_some());
        assert_eq!(Granted::from_code(&root.seal("authorization request", id, plain).unwrap(), &root), None);
    }
}
