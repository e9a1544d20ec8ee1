//! Every flow of the server, one module each.

mod config;
mod gallery;
mod harness;
mod listeners;
mod support;
