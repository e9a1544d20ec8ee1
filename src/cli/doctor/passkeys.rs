//! Passkeys: whether those that people have still work with the configuration as it is now.

use serde::{Deserialize, Serialize};

use super::{Check, fine, problem, warning};
use crate::accounts::passkeys::{self, Stranded};
use crate::app::App;
use crate::config::Config;
use crate::store;

const NAME: &str = "passkeys";

/// What the configuration says of the domain that passkeys are made for. A server that runs may have been
/// started with another one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Domain {
    relying_party_id: Option<String>,
    is_set: bool,
}

impl Domain {
    /// Reads it.
    pub fn of(config: &Config) -> Domain {
        Domain {
            relying_party_id: config.relying_party_id().map(str::to_owned),
            is_set: config.passkeys.relying_party_id.is_some(),
        }
    }
}

pub(super) async fn look(app: &App, domain: &Domain) -> Result<Check, store::Error> {
    let (count, stranded) = passkeys::look(&app.store, domain.relying_party_id.as_deref()).await?;
    Ok(judge(domain, count, stranded.into_iter().next()))
}

fn judge(domain: &Domain, count: i64, stranded: Option<Stranded>) -> Check {
    match (&domain.relying_party_id, stranded) {
        (_, Some(Stranded { relying_party_id, count, is_settled: true })) if !domain.is_set => problem(
            NAME,
            format!(
                "{count} were made for {relying_party_id} and would never work with this http.public_base"
            ),
            format!(
                "set passkeys.relying_party_id to {relying_party_id} to keep them, with a host at or below it, or to \
                 the new host to go on without them; until then the server does not start again"
            ),
        ),
        (_, Some(Stranded { relying_party_id, count, .. })) => warning(
            NAME,
            format!("{count} were made for {relying_party_id} and do not work any more"),
            "their owners are told so in their accounts, and can remove them",
        ),
        (Some(id), None) => {
            fine(NAME, format!("{count}, made for {id}: they would not survive a change of that"))
        }
        (None, None) => {
            fine(NAME, "not offered: browsers keep them for sites with a name, not for bare addresses")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;

    #[test]
    fn a_change_of_the_host_that_would_strand_passkeys_is_a_problem_until_somebody_wants_it() {
        let judged = |id: Option<&str>, is_set, stranded: Option<&str>, is_settled| {
            let domain = Domain { relying_party_id: id.map(str::to_owned), is_set };
            let relying_party_id = stranded.map(str::to_owned);
            let stranded =
                relying_party_id.map(|relying_party_id| Stranded { relying_party_id, count: 3, is_settled });
            judge(&domain, 5, stranded).outcome
        };
        let (new, old) = (Some("new.example.org"), Some("old.example.org"));
        assert_eq!(judged(new, false, old, true), Outcome::Problem);
        assert_eq!(judged(None, false, old, true), Outcome::Problem);
        assert_eq!(judged(new, true, old, true), Outcome::Warning);
        assert_eq!(judged(new, false, old, false), Outcome::Warning, "it was wanted before");
        assert_eq!(judged(old, false, None, false), Outcome::Ok);
        assert_eq!(judged(None, false, None, false), Outcome::Ok);
    }
}
