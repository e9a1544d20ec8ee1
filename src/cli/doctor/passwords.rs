//! The list of breached passwords: whether the server can look into it.

use super::{Check, fine, problem};
use crate::accounts::breached_passwords::BreachedPasswords;
use crate::config::Config;

const NAME: &str = "breached passwords";

pub(super) fn look(config: &Config) -> Option<Check> {
    let path = config.passwords.breached_list.as_ref()?;
    let shown = path.display();
    Some(match BreachedPasswords::open(path) {
        Ok(list) => fine(
            NAME,
            format!(
                "{shown}: {} that were found {} times or more, of {}",
                list.count, list.header.minimum_count, list.header.begun_at
            ),
        ),
        Err(error) => problem(
            NAME,
            format!("{shown}: {error}; no password can be set"),
            format!("gatehouse passwords download --out {shown}"),
        ),
    })
}
