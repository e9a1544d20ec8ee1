//! Rendezvous: where two devices of one person leave texts for each other, encrypted end to end, while one
//! of them signs the other in by a QR code.
//!
//! It owns the table `rendezvous_sessions`. [`sessions`] keeps what was left and knows no form of the
//! protocol. The faces do: [`msc4108`] speaks the 2024 one (MSC4108 at commit 87f8317a).

pub mod error;
pub mod msc4108;
pub mod sessions;
