//! SQL of what follows for clients from the end of a browser session.

use super::super::logout::Held;
use crate::store::{Error, FromRow, Row, Tx, query};
use crate::time::Timestamp;

impl FromRow for Held {
    fn from_row(row: &Row) -> Result<Held, Error> {
        Ok(Held {
            id: row.get("id")?,
            client_id: row.get("client_id")?,
            user_id: row.get("user_id")?,
            browser_session_id: row.get("browser_session_id")?,
            scope: row.get("scope")?,
            device_id: row.get("device_id")?,
            is_ended: row.get::<Option<Timestamp>>("ended_at")?.is_some(),
        })
    }
}

/// The client sessions, ended or not, that were allowed in browser sessions which ended at this moment, of
/// clients that want to be told.
pub(in crate::sessions) async fn list_held(tx: &mut Tx, ended_at: Timestamp) -> Result<Vec<Held>, Error> {
    // Within the text of another member the quotes would be escaped.
    const LIST: &str = r#"
SELECT s.id, s.client_id, b.user_id, s.browser_session_id, s.scope, s.device_id, s.ended_at
FROM browser_sessions AS b
JOIN client_sessions AS s ON s.user_id = b.user_id AND s.browser_session_id = b.id
JOIN oauth_clients AS c ON c.id = s.client_id
WHERE b.ended_at = $1 AND c.removed_at IS NULL AND c.metadata LIKE '%"backchannel_logout_uri":%'
ORDER BY s.id"#;
    query(LIST).bind(ended_at).fetch_all(tx).await
}
