//! Signing in and out with a browser.
//!
//! Owns `sign_in_attempts` and `used_captchas`, and in [`register`] `registrations`. It meets the other flows through `next`, a local path that says where a person goes
//! on, and through the authorization request that may stand behind it. Every proof of who a person is ends in
//! [`arrive`], which asks for a second step or lets them in.

pub mod arrive;
pub mod attempts;
pub mod captcha;
pub mod enrol;
pub mod enrol_key;
pub mod next;
pub mod passkey;
pub mod password;
pub mod recover;
pub mod register;
pub mod reset_password;
pub mod second;
pub mod security_key;
pub mod sign_out;
pub mod terms;
