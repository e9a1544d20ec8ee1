//! People's e-mail addresses. An address belongs to one account at most, however it is capitalised.

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use serde::Serialize;

use super::sql;
use crate::ids::UserId;
use crate::store::{self, On, Tx};
use crate::time::Timestamp;

/// The longest address that mail servers take, in bytes (RFC 5321 §4.5.3.1.3, without the angle brackets).
const LONGEST: usize = 254;

/// An e-mail address as it was given, of a form that mail servers take (RFC 5321 §4.1.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Address(String);

/// A text that is no e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not an e-mail address")]
pub struct InvalidAddress;

impl FromStr for Address {
    type Err = InvalidAddress;
    fn from_str(text: &str) -> Result<Address, InvalidAddress> {
        let options = Options::default().without_display_text().without_domain_literal();
        // Nobody should have a quoted one (RFC 5321 §4.1.2), and mails could not be written to all of them.
        if text.len() > LONGEST || text.starts_with('"') {
            return Err(InvalidAddress);
        }
        match EmailAddress::parse_with_options(text, options) {
            // A name that is empty is overlooked by the options.
            Ok(address) if address.email() == text => Ok(Address(text.to_owned())),
            _ => Err(InvalidAddress),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Address {
    /// What two spellings of one address have in common: no mail server of today tells capitals apart.
    pub fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

/// An address of an account.
#[derive(Clone, Debug)]
pub struct UserEmail {
    /// The address, as it was given.
    pub address: String,
    /// When it was shown, or an admin vouched, that the person receives what is sent there.
    pub verified_at: Option<Timestamp>,
}

/// Adds an address to an account.
///
/// # Errors
/// [`store::Error::Conflict`] when it belongs to an account already, be it this one.
pub async fn add(
    tx: &mut Tx,
    user_id: UserId,
    address: &Address,
    verified_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), store::Error> {
    sql::add_email(tx, user_id, &address.0, &address.folded(), verified_at, now).await
}

/// Whose address it is.
///
/// # Errors
/// When the database fails.
pub async fn find_owner(on: impl Into<On<'_>>, address: &Address) -> Result<Option<UserId>, store::Error> {
    sql::find_email_owner(on, &address.folded()).await
}

/// Whose address it is, if it was shown that this person receives what is sent there.
///
/// # Errors
/// When the database fails.
pub async fn find_verified_owner(
    on: impl Into<On<'_>>,
    address: &Address,
) -> Result<Option<UserId>, store::Error> {
    sql::find_verified_email_owner(on, &address.folded()).await
}

/// Gives an address to the account whose person was shown to receive what is sent there, also when another
/// account has it without such proof. `false` when it is proven for another account.
///
/// # Errors
/// When the database fails.
pub async fn confirm(
    tx: &mut Tx,
    user_id: UserId,
    address: &Address,
    now: Timestamp,
) -> Result<bool, store::Error> {
    sql::confirm_email(tx, user_id, &address.0, &address.folded(), now).await
}

/// Takes an address from an account; `false` when the account does not have it.
///
/// # Errors
/// When the database fails.
pub async fn remove(tx: &mut Tx, user_id: UserId, address: &Address) -> Result<bool, store::Error> {
    sql::remove_email(tx, user_id, &address.folded()).await
}

/// The account's addresses, the verified ones first, then in the order in which they came. The first is
/// the one that others are told.
///
/// # Errors
/// When the database fails.
pub async fn list(on: impl Into<On<'_>>, user_id: UserId) -> Result<Vec<UserEmail>, store::Error> {
    sql::list_emails(on, user_id).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_given_and_compared_without_capitals() {
        let address: Address = "Alice.Smith+x@Example.ORG".parse().unwrap();
        assert_eq!(address.to_string(), "Alice.Smith+x@Example.ORG");
        assert_eq!(address.folded(), "alice.smith+x@example.org");
        assert!("alice@localhost".parse::<Address>().is_ok());
        for bad in [
            "",
            "alice",
            "@example.org",
            "alice@",
            "a b@example.org",
            "Alice <alice@example.org>",
            " <alice@example.org>",
            "<alice@example.org>",
            "alice@[192.0.2.1]",
            "alice@example.org\r\nBcc: x@example.org",
            "alice@example.org ",
            "alice@exa mple.org",
            "a@b@example.org",
            "\"a b\"@example.org",
            "\"alice\"@example.org",
        ] {
            assert_eq!(bad.parse::<Address>(), Err(InvalidAddress), "{bad}");
        }
        assert!(format!("{}@example.org", "x".repeat(65)).parse::<Address>().is_err());
        let of_length = |length: usize| {
            let domain = format!("{}.{}.{}", "d".repeat(63), "e".repeat(63), "f".repeat(length - 193));
            format!("{}@{domain}", "x".repeat(64)).parse::<Address>()
        };
        assert!(of_length(254).is_ok_and(|address| address.0.len() == 254) && of_length(255).is_err());
    }
}
