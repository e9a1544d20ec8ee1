//! What this suite has in common with the other tests.
#![allow(dead_code, reason = "the other tests need more")]

#[path = "../support/installed.rs"]
pub mod installed;
#[path = "../support/process.rs"]
pub mod process;
#[path = "../support/synapse.rs"]
pub mod synapse;
