//! Every flow of the server, one module each.

mod account_pages;
mod authorization_code;
mod authorization_requests;
mod client_authentication;
mod client_registration;
mod code_redemption;
mod command_line;
mod config;
mod consent;
mod gallery;
mod harness;
mod homeserver_contract;
mod id_tokens;
mod listeners;
mod login_password;
mod metadata;
mod support;
