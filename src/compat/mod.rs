//! The login API of older Matrix clients (Matrix CS API, Legacy API): login, logout, refresh and single
//! sign-on, for those that do not know OAuth.
//!
//! Owns `sso_logins`. Answers at the homeserver's address, below `/_matrix/client/{version}/` for any
//! version: `login`, `login/sso/redirect`, `logout`, `logout/all`, `refresh`; and `/sso/{id}`, the page that
//! asks the person. What such a client holds is a client session without an OAuth client, so everything that
//! ends, lists or remembers sessions knows these too.

pub mod error;
pub mod login;
pub mod logout;
mod password;
pub mod redirect_url;
pub mod refresh;
pub mod request;
mod session;
pub mod sso;
mod sso_logins;

pub use sso_logins::expire;
