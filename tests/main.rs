//! Every flow of the server, one module each.

mod config;
mod listeners;
