//! What clients send: JSON, whatever they say that it is.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::error::Error;
use crate::ids::DeviceId;

/// The most characters of a device identifier that homeservers accept.
const LONGEST_DEVICE_ID: usize = 255;

/// Reads a body. A NUL character stands in no text of ours, and PostgreSQL could not store it.
///
/// # Errors
/// `M_NOT_JSON`, `M_BAD_JSON`, `M_TOO_LARGE`.
pub fn read(body: Result<Bytes, BytesRejection>) -> Result<Value, Error> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge,
        _ => Error::NotJson,
    })?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| Error::NotJson)?;
    match has_nul(&body) {
        false => Ok(body),
        true => Err(Error::BadJson("the request has a character that is not allowed")),
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(members) => members.values().any(has_nul),
        _ => false,
    }
}

/// How somebody logs in (Matrix CS API, `POST /login`).
#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type")]
pub enum Login {
    /// With a password.
    #[serde(rename = "m.login.password")]
    Password(PasswordLogin),
    /// With the token that single sign-on gave.
    #[serde(rename = "m.login.token")]
    Token {
        /// The token.
        token: String,
    },
    /// As an application service (MSC4190).
    #[serde(rename = "m.login.application_service", alias = "uk.half-shot.msc2778.login.application_service")]
    ApplicationService,
    /// In a way that is not offered here.
    #[serde(other)]
    Other,
}

/// What comes with `m.login.password`.
#[derive(Debug, PartialEq, Deserialize)]
pub struct PasswordLogin {
    identifier: Option<Identifier>,
    /// The deprecated way of naming the user; it counts where both are given.
    user: Option<String>,
    password: Option<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(tag = "type")]
enum Identifier {
    #[serde(rename = "m.id.user")]
    User { user: String },
    #[serde(rename = "m.id.thirdparty")]
    ThirdParty { medium: String, address: String },
    #[serde(other)]
    Other,
}

/// Whom a client names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A user, by local part or whole identifier.
    User(String),
    /// Whoever has this e-mail address.
    Email(String),
}

impl PasswordLogin {
    /// Who, and the password.
    ///
    /// # Errors
    /// `M_BAD_JSON` when one of them is missing, `M_UNKNOWN` for kinds of identifiers that nobody has here.
    pub fn into_parts(self) -> Result<(Named, String), Error> {
        let named = match (self.user, self.identifier) {
            (Some(user), _) | (None, Some(Identifier::User { user })) => Named::User(user),
            (None, Some(Identifier::ThirdParty { medium, address })) if medium == "email" => {
                Named::Email(address)
            }
            (None, Some(_)) => return Err(Error::Unsupported("this kind of identifier is not offered here")),
            (None, None) => return Err(Error::BadJson("identifier is required")),
        };
        match self.password {
            Some(password) => Ok((named, password)),
            None => Err(Error::BadJson("password is required")),
        }
    }
}

/// What a client wants to have, however it logs in.
#[derive(Debug, Default, PartialEq, Deserialize)]
pub struct Wanted {
    /// The device to be; a new one if there is none.
    #[serde(default)]
    pub device_id: Option<DeviceId>,
    /// What the device is called if it is new.
    #[serde(default)]
    pub initial_device_display_name: Option<String>,
    /// Whether the client can refresh its access token; if not, it gets one that does not expire.
    #[serde(default)]
    pub refresh_token: Option<bool>,
}

/// Reads a login.
///
/// # Errors
/// `M_BAD_JSON`; `M_INVALID_PARAM` for a device identifier that no homeserver takes.
pub fn login(body: &Value) -> Result<(Login, Wanted), Error> {
    let login = Login::deserialize(body).map_err(|_| Error::BadJson("this is not a login"))?;
    let mut wanted = Wanted::deserialize(body).map_err(|_| Error::BadJson("this is not a login"))?;
    // Some clients say so that they have none yet.
    wanted.device_id = wanted.device_id.filter(|id| !id.0.is_empty());
    if wanted.device_id.as_ref().is_some_and(|id| id.0.chars().count() > LONGEST_DEVICE_ID) {
        return Err(Error::InvalidParam("device_id has at most 255 characters"));
    }
    Ok((login, wanted))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: Value) -> Result<(Login, Wanted), Error> {
        login(&body)
    }

    fn named(identifier: Value) -> Result<(Named, String), Error> {
        let mut body = json!({ "type": "m.login.password", "password": "p" });
        for (key, value) in identifier.as_object().unwrap() {
            body[key] = value.clone();
        }
        match read(body) {
            Ok((Login::Password(login), _)) => login.into_parts(),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        }
    }

    #[test]
    fn a_person_is_named_in_the_ways_of_all_times() {
        let alice = (Named::User("alice".to_owned()), "p".to_owned());
        let by_user = json!({ "identifier": { "type": "m.id.user", "user": "alice" } });
        assert_eq!(named(by_user).unwrap(), alice);
        assert_eq!(named(json!({ "user": "alice" })).unwrap(), alice);
        let both = json!({ "user": "alice", "identifier": { "type": "m.id.user", "user": "bob" } });
        assert_eq!(named(both).unwrap(), alice);
        let email =
            json!({ "identifier": { "type": "m.id.thirdparty", "medium": "email", "address": "a@b.c" } });
        assert_eq!(named(email).unwrap().0, Named::Email("a@b.c".to_owned()));
        for other in [
            json!({ "identifier": { "type": "m.id.phone", "country": "GB", "phone": "1" } }),
            json!({ "identifier": { "type": "m.id.thirdparty", "medium": "msisdn", "address": "1" } }),
        ] {
            assert!(matches!(named(other), Err(Error::Unsupported(_))));
        }
        for bad in [json!({}), json!({ "identifier": { "type": "m.id.user" } }), json!({ "user": 1 })] {
            assert!(matches!(named(bad.clone()), Err(Error::BadJson(_))), "{bad}");
        }
    }

    #[test]
    fn what_is_wanted_may_be_left_out() {
        let token =
            json!({ "type": "m.login.token", "token": "t", "device_id": null, "refresh_token": null });
        let (login, wanted) = read(token).unwrap();
        assert_eq!(login, Login::Token { token: "t".to_owned() });
        assert_eq!(wanted, Wanted::default());
        let (_, wanted) = read(json!({ "type": "m.login.dummy", "device_id": "" })).unwrap();
        assert_eq!(wanted.device_id, None);
        let of = |length| read(json!({ "type": "x", "device_id": "\u{1f511}".repeat(length) }));
        assert!(of(255).is_ok());
        assert!(matches!(of(256), Err(Error::InvalidParam(_))));
        assert!(matches!(read(json!({ "type": "x", "refresh_token": "yes" })), Err(Error::BadJson(_))));
    }
}
