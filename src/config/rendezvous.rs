//! The `rendezvous` section.

use schemars::JsonSchema;
use serde::Deserialize;

/// Where two devices meet while one signs the other in by a QR code.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rendezvous {
    /// Whether Gatehouse hosts rendezvous sessions in their 2024 form (MSC4108). The homeserver must
    /// send clients here: `docs/qr-login.md` has the lines.
    pub msc4108: bool,
}
