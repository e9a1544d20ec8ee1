//! All SQL of the passkeys.

use webauthn_rs::prelude::Uuid;

use super::relying_party::Stranded;
use super::{Kind, Passkey};
use crate::ids::{PasskeyId, UserId};
use crate::store::{Error, FromRow, On, Row, Store, Tx, query};
use crate::time::Timestamp;

impl FromRow for Passkey {
    fn from_row(row: &Row) -> Result<Passkey, Error> {
        let stored: String = row.get("credential")?;
        let kind: String = row.get("kind")?;
        let aaguid: Option<String> = row.get("aaguid")?;
        Ok(Passkey {
            id: row.get("id")?,
            user_id: row.get("user_id")?,
            kind: match kind.as_str() {
                "passkey" => Kind::Passkey,
                "security_key" => Kind::SecurityKey,
                _ => return Err(Error::Corrupt { column: "kind" }),
            },
            relying_party_id: row.get("relying_party_id")?,
            credential: serde_json::from_str(&stored).map_err(|_| Error::Corrupt { column: "credential" })?,
            stored,
            name: row.get("name")?,
            aaguid: aaguid.and_then(|aaguid| Uuid::parse_str(&aaguid).ok()),
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    }
}

pub(super) async fn list(on: impl Into<On<'_>>, user: UserId) -> Result<Vec<Passkey>, Error> {
    const LIST: &str = "
SELECT id, user_id, kind, relying_party_id, credential, name, aaguid, created_at, last_used_at
FROM passkeys WHERE user_id = $1 ORDER BY id";
    query(LIST).bind(user).fetch_all(on).await
}

pub(super) async fn find(
    on: impl Into<On<'_>>,
    id: PasskeyId,
    user: UserId,
) -> Result<Option<Passkey>, Error> {
    const FIND: &str = "
SELECT id, user_id, kind, relying_party_id, credential, name, aaguid, created_at, last_used_at
FROM passkeys WHERE id = $1 AND user_id = $2";
    query(FIND).bind(id).bind(user).fetch_optional(on).await
}

pub(super) async fn find_by_credential(
    store: &Store,
    credential_id: &str,
    relying_party_id: &str,
) -> Result<Option<Passkey>, Error> {
    const FIND: &str = "
SELECT id, user_id, kind, relying_party_id, credential, name, aaguid, created_at, last_used_at
FROM passkeys WHERE credential_id = $1 AND relying_party_id = $2";
    query(FIND).bind(credential_id).bind(relying_party_id).fetch_optional(store).await
}

/// Adds one; `false` when the credential is somebody's already.
pub(super) async fn add(tx: &mut Tx, passkey: &Passkey) -> Result<bool, Error> {
    const ADD: &str = "
INSERT INTO passkeys (id, user_id, kind, relying_party_id, credential_id, credential, name, aaguid, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (credential_id) DO NOTHING";
    let add = query(ADD)
        .bind(passkey.id)
        .bind(passkey.user_id)
        .bind(passkey.kind.as_str())
        .bind(passkey.relying_party_id.as_str())
        .bind(passkey.credential_id())
        .bind(passkey.stored.as_str())
        .bind(passkey.name.as_str())
        .bind(passkey.aaguid.map(|aaguid| aaguid.to_string()))
        .bind(passkey.created_at);
    Ok(add.execute(tx).await? == 1)
}

/// Notes a use, with the counter and flags it came with; `false` when the passkey is gone, or another use
/// has changed it since it was read.
pub(super) async fn note_use(
    tx: &mut Tx,
    passkey: &Passkey,
    credential: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    const NOTE: &str =
        "UPDATE passkeys SET credential = $1, last_used_at = $2 WHERE id = $3 AND credential = $4";
    let note = query(NOTE).bind(credential).bind(now).bind(passkey.id).bind(passkey.stored.as_str());
    Ok(note.execute(tx).await? == 1)
}

pub(super) async fn rename(tx: &mut Tx, id: PasskeyId, user: UserId, name: &str) -> Result<bool, Error> {
    const RENAME: &str = "UPDATE passkeys SET name = $1 WHERE id = $2 AND user_id = $3";
    Ok(query(RENAME).bind(name).bind(id).bind(user).execute(tx).await? == 1)
}

pub(super) async fn remove(tx: &mut Tx, id: PasskeyId, user: UserId) -> Result<bool, Error> {
    const REMOVE: &str = "DELETE FROM passkeys WHERE id = $1 AND user_id = $2";
    Ok(query(REMOVE).bind(id).bind(user).execute(tx).await? == 1)
}

impl FromRow for Stranded {
    fn from_row(row: &Row) -> Result<Stranded, Error> {
        Ok(Stranded {
            relying_party_id: row.get("relying_party_id")?,
            count: row.get("passkeys")?,
            is_settled: row.get("is_settled")?,
        })
    }
}

/// How many there are for each domain, those first for which the server was last started.
pub(super) async fn count_by_relying_party(store: &Store) -> Result<Vec<Stranded>, Error> {
    const COUNT: &str = "
SELECT k.relying_party_id, COUNT(*) AS passkeys, COUNT(i.value) > 0 AS is_settled
FROM passkeys AS k
LEFT JOIN installation AS i ON i.name = 'relying_party_id' AND i.value = k.relying_party_id
GROUP BY k.relying_party_id ORDER BY 3 DESC, 2 DESC, 1";
    query(COUNT).fetch_all(store).await
}

/// Notes for which domain passkeys are, in place of another.
pub(super) async fn set_relying_party(tx: &mut Tx, id: &str) -> Result<(), Error> {
    const SET: &str = "
INSERT INTO installation (name, value) VALUES ('relying_party_id', $1)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE installation.value <> excluded.value";
    query(SET).bind(id).execute(tx).await?;
    Ok(())
}

/// Notes that a ceremony is over; `false` when it was before.
pub(super) async fn use_up(tx: &mut Tx, digest: &str, expires_at: Timestamp) -> Result<bool, Error> {
    const USE_UP: &str = "
INSERT INTO used_ceremonies (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING";
    Ok(query(USE_UP).bind(digest).bind(expires_at).execute(tx).await? == 1)
}

pub(super) async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM used_ceremonies WHERE expires_at <= $1").bind(now).execute(tx).await?;
    Ok(())
}
