//! Every flow of the server, one module each.

mod account_pages;
mod authorization_code;
mod config;
mod gallery;
mod harness;
mod listeners;
mod support;
