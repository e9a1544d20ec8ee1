//! What clients ask of people at the authorization endpoint, from the request to the spent code.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{AuthorizationRequestId, BrowserSessionId, ClientId, ClientSessionId, DeviceId, UserId};
use crate::methods::{Acr, Methods};
use crate::store::{Error, FromRow, Query, Row, Store, Tx, query};
use crate::time::Timestamp;

/// How long a person may take to answer.
const PENDING: Duration = Duration::from_secs(60 * 60);
/// How long a browser may take to begin a request that the client has pushed (RFC 9126 §2.2).
pub const PUSHED: Duration = Duration::from_secs(90);
/// How long a request is kept after its end, so that a code that comes back late is recognised.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

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
    #[serde(default)]
    pub device_id: Option<DeviceId>,
    /// Returned unchanged with the answer.
    pub state: Option<String>,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// Returned in the ID token (OpenID Connect Core §3.1.2.1).
    pub nonce: Option<String>,
    /// The PKCE challenge, always S256 (RFC 7636 §4.3).
    pub code_challenge: String,
    /// Whom the client believes to be there (OpenID Connect Core §3.1.2.1, MSC4198).
    pub login_hint: Option<String>,
    /// What the person must or must not be shown (OpenID Connect Core §3.1.2.1).
    #[serde(default)]
    pub prompt: Prompt,
    /// How many seconds ago the person may have proved who they are (OpenID Connect Core §3.1.2.1).
    #[serde(default)]
    pub max_age: Option<u64>,
    /// How strongly the person should prove who they are, by any of these (OpenID Connect Core §3.1.2.1).
    #[serde(default)]
    pub acr_values: Option<String>,
    /// The languages of the pages that follow, best first (OpenID Connect Core §3.1.2.1).
    #[serde(default)]
    pub ui_locales: Option<String>,
    /// Who the client knows to have been there, from an ID token of ours.
    #[serde(default)]
    pub expected_user: Option<UserId>,
}

impl Asked {
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
    /// Its identifier.
    pub id: AuthorizationRequestId,
    /// Who asks.
    pub client_id: ClientId,
    /// What is asked.
    pub asked: Asked,
    /// Since when.
    pub created_at: Timestamp,
}

impl Pending {
    /// Whether somebody who is signed in may answer: the person whom the client expects, if it said
    /// whom, who proved recently enough who they are (OpenID Connect Core §3.1.2.1, `prompt`,
    /// `max_age` and `id_token_hint`).
    pub fn accepts(&self, user_id: UserId, authenticated_at: Timestamp) -> bool {
        let Asked { prompt, max_age, expected_user, .. } = &self.asked;
        let is_since_the_request = authenticated_at >= self.created_at;
        let is_recent = |seconds: u64| authenticated_at >= self.created_at - Duration::from_secs(seconds);
        expected_user.is_none_or(|expected| expected == user_id)
            && (is_since_the_request || (!prompt.login && max_age.is_none_or(is_recent)))
    }
}

/// A person's yes.
pub struct Approval<'a> {
    /// Who said it.
    pub user_id: UserId,
    /// In which browser session.
    pub browser_session_id: BrowserSessionId,
    /// When they last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// Digest of the code that the client gets.
    pub code_digest: &'a str,
    /// Until when the code is good.
    pub code_expires_at: Timestamp,
}

/// A code and what it stands for.
#[derive(Clone, Debug)]
pub struct Granted {
    /// The request.
    pub id: AuthorizationRequestId,
    /// Who asked.
    pub client_id: ClientId,
    /// What was asked.
    pub asked: Asked,
    /// Who granted it.
    pub user_id: UserId,
    /// In which browser session.
    pub browser_session_id: Option<BrowserSessionId>,
    /// When that person last proved who they are.
    pub authenticated_at: Timestamp,
    /// How they proved it.
    pub methods: Methods,
    /// Digest of the code.
    pub code_digest: String,
    /// Until when the code is good.
    pub expires_at: Timestamp,
    /// When it was spent, and for which session.
    pub spent: Option<(Timestamp, Option<ClientSessionId>)>,
}

fn asked(row: &Row) -> Result<Asked, Error> {
    let text: String = row.get("request")?;
    serde_json::from_str(&text).map_err(|_| Error::Corrupt { column: "request" })
}

impl FromRow for Pending {
    fn from_row(row: &Row) -> Result<Pending, Error> {
        Ok(Pending {
            id: row.get("request_id")?,
            client_id: row.get("client_id")?,
            asked: asked(row)?,
            created_at: row.get("requested_at")?,
        })
    }
}

impl FromRow for Granted {
    fn from_row(row: &Row) -> Result<Granted, Error> {
        let session: Option<ClientSessionId> = row.get("client_session_id")?;
        Ok(Granted {
            id: row.get("request_id")?,
            client_id: row.get("client_id")?,
            asked: asked(row)?,
            user_id: row.get("user_id")?,
            browser_session_id: row.get("browser_session_id")?,
            authenticated_at: row.get("authenticated_at")?,
            methods: row.get("methods")?,
            code_digest: row.get("code_digest")?,
            expires_at: row.get("code_expires_at")?,
            spent: row.get::<Option<Timestamp>>("code_spent_at")?.map(|at| (at, session)),
        })
    }
}

/// Run twice when a connection dies in the midst.
const ADD: &str = "
INSERT INTO authorization_requests (id, client_id, request, device_id, is_pushed, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (id) DO NOTHING";

/// Stores a checked request that a browser has brought.
///
/// # Errors
/// When the database fails.
pub async fn add(
    store: &Store,
    client_id: &ClientId,
    asked: &Asked,
    now: Timestamp,
) -> Result<AuthorizationRequestId, Error> {
    let id = AuthorizationRequestId::new(now);
    let request = to_json(asked)?;
    query(ADD)
        .bind(id)
        .bind(client_id)
        .bind(request)
        .bind(asked.device_id.as_ref())
        .bind(false)
        .bind(now)
        .bind(now + PENDING)
        .execute_alone(store)
        .await?;
    Ok(id)
}

/// Stores a checked request that the client has pushed (RFC 9126); a browser has to begin it within
/// [`PUSHED`].
///
/// # Errors
/// When the database fails.
pub async fn push(
    store: &Store,
    client_id: &ClientId,
    asked: &Asked,
    now: Timestamp,
) -> Result<AuthorizationRequestId, Error> {
    let id = AuthorizationRequestId::new(now);
    let request = to_json(asked)?;
    query(ADD)
        .bind(id)
        .bind(client_id)
        .bind(request)
        .bind(asked.device_id.as_ref())
        .bind(true)
        .bind(now)
        .bind(now + PUSHED)
        .execute_alone(store)
        .await?;
    Ok(id)
}

/// Begins a request that the client has pushed; `false` when there is none, it is another client's, it
/// was begun before, or it waited too long.
///
/// # Errors
/// When the database fails.
pub async fn begin_pushed(
    store: &Store,
    id: AuthorizationRequestId,
    client_id: &ClientId,
    now: Timestamp,
) -> Result<bool, Error> {
    const BEGIN: &str = "
UPDATE authorization_requests SET is_pushed = FALSE, created_at = $1, expires_at = $2
WHERE id = $3 AND client_id = $4 AND is_pushed AND expires_at > $1";
    let begun = query(BEGIN).bind(now).bind(now + PENDING).bind(id).bind(client_id);
    Ok(begun.execute_alone(store).await? == 1)
}

fn to_json(asked: &Asked) -> Result<String, Error> {
    serde_json::to_string(asked).map_err(|_| Error::Corrupt { column: "request" })
}

/// A request that still waits for its answer; `None` when it was answered, or waited too long.
///
/// # Errors
/// When the database fails.
pub async fn find_pending(
    store: &Store,
    id: AuthorizationRequestId,
    now: Timestamp,
) -> Result<Option<Pending>, Error> {
    const FIND: &str = "
SELECT id AS request_id, client_id, request, created_at AS requested_at FROM authorization_requests
WHERE id = $1 AND NOT is_pushed AND answered_at IS NULL AND expires_at > $2";
    query(FIND).bind(id).bind(now).fetch_optional(store).await
}

const APPROVE: &str = "
UPDATE authorization_requests
SET answered_at = $1, user_id = $2, browser_session_id = $3, authenticated_at = $4, methods = $5,
    code_digest = $6, code_expires_at = $7
WHERE id = $8 AND (answered_at IS NULL OR code_digest = $6) AND expires_at > $1";

fn approval_of(id: AuthorizationRequestId, approval: &Approval<'_>, now: Timestamp) -> Query {
    query(APPROVE)
        .bind(now)
        .bind(approval.user_id)
        .bind(approval.browser_session_id)
        .bind(approval.authenticated_at)
        .bind(approval.methods)
        .bind(approval.code_digest)
        .bind(approval.code_expires_at)
        .bind(id)
}

/// Answers a request with yes; `false` when it was answered before, or waited too long.
///
/// # Errors
/// When the database fails.
pub async fn approve(
    store: &Store,
    id: AuthorizationRequestId,
    approval: &Approval<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(approval_of(id, approval, now).execute_alone(store).await? == 1)
}

/// Answers a request with yes as [`approve`] does, together with something else.
///
/// # Errors
/// When the database fails.
pub async fn approve_with(
    tx: &mut Tx,
    id: AuthorizationRequestId,
    approval: &Approval<'_>,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(approval_of(id, approval, now).execute(tx).await? == 1)
}

/// Answers a request with no; `false` when it was answered before.
///
/// # Errors
/// When the database fails.
pub async fn deny(store: &Store, id: AuthorizationRequestId, now: Timestamp) -> Result<bool, Error> {
    const DENY: &str =
        "UPDATE authorization_requests SET answered_at = $1 WHERE id = $2 AND answered_at IS NULL";
    Ok(query(DENY).bind(now).bind(id).execute_alone(store).await? == 1)
}

/// What spends a code for a session that is started with it. It finds nothing when the code was spent
/// before, and nothing of the transaction may stay then.
pub fn spending(id: AuthorizationRequestId, session: ClientSessionId, now: Timestamp) -> Query {
    const SPEND: &str = "
UPDATE authorization_requests SET code_spent_at = $1, client_session_id = $2 WHERE id = $3 AND code_spent_at IS NULL";
    query(SPEND).bind(now).bind(session).bind(id)
}

/// Makes worthless the codes that the person has allowed the client and that it has not spent. Whoever spends
/// one at this moment is waited for, so that the session is there to be ended.
///
/// # Errors
/// When the database fails.
pub async fn withdraw(tx: &mut Tx, user: UserId, client: &ClientId, now: Timestamp) -> Result<(), Error> {
    const WITHDRAW: &str = "
UPDATE authorization_requests SET code_spent_at = $1
WHERE client_id = $2 AND user_id = $3 AND code_digest IS NOT NULL AND code_spent_at IS NULL";
    query(WITHDRAW).bind(now).bind(client).bind(user).execute(tx).await?;
    Ok(())
}

/// Forgets requests that ended long ago.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    // None expired before it was made, so that no index but that of its identifier is needed.
    const EXPIRE: &str = "DELETE FROM authorization_requests WHERE id < $1 AND expires_at < $2";
    let then = now - KEPT;
    query(EXPIRE).bind(AuthorizationRequestId::before(then)).bind(then).execute(tx).await?;
    Ok(())
}
