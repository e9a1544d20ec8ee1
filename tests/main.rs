//! Every flow of the server, one module each.

mod config;
mod harness;
mod listeners;
mod support;
