//! The real programs that the tests run the server against. `scripts/test` installs them.
//!
//! - [`postgres`]: one PostgreSQL for the whole test run, a new empty database for each test.
//! - [`synapse`]: a homeserver that delegates authentication to the server under test.
//! - [`homeserver`]: a homeserver in this process that only knows the calls we make to one.
//! - [`factors`]: a person with an authenticator app.
//! - [`browser`]: headless Chromium, its screenshots, and the accessibility rules of axe-core.
//! - [`secrets`]: finds secrets in a log, however they are written there.
//! - [`server`]: the server under test in this process, and a browser that keeps cookies.
//! - [`running`]: the same server on a socket, for other programs.
//! - [`program`]: the program itself, which can be killed and started again.
//! - [`wire`]: requests over one connection, and what is known when it breaks.
//! - [`authenticator`]: a device that keeps passkeys, and can be told to cheat.
//! - [`routes`]: every URL that the server lists.
//! - [`smtp`]: a mail server that can be stopped and started again.
//! - [`page`]: a page of ours as a reader sees it.
//! - [`process`]: starts such a program, and stops it even when the tests are killed.
//! - [`installed`]: where the programs are, and what to do when one is missing.

pub mod authenticator;
pub mod browser;
pub mod factors;
pub mod homeserver;
pub mod installed;
pub mod page;
pub mod postgres;
pub mod process;
pub mod program;
pub mod routes;
pub mod running;
pub mod secrets;
pub mod server;
pub mod smtp;
pub mod synapse;
pub mod wire;
