//! Limits on everything that can be guessed, counted in the database so that all nodes together
//! allow no more than one.
//!
//! Each limited thing is one number: the moment at which its whole allowance will be back. An
//! attempt moves it on by the time in which one attempt grows back, unless it would lie further
//! ahead than the whole allowance takes (the generic cell rate algorithm).

use std::time::Duration;

use crate::app::App;
use crate::config::Limit;
use crate::ids::UserId;
use crate::store::{Error, FromRow, Row, Tx, query};
use crate::time::Timestamp;

/// An action that is limited, with what it is counted by.
#[derive(Clone, Debug)]
pub enum Action<'a> {
    /// Sign-in attempts from one address.
    SignInFrom(&'a str),
    /// Sign-in attempts on one account, named as it was typed, in lower case: an account that does
    /// not exist is limited like one that does. In a browser that is known there, given its secret, these are
    /// counted by themselves.
    SignInTo(&'a str, Option<&'a str>),
    /// Second steps of sign-ins from one address.
    SecondStepFrom(&'a str),
    /// Second steps of sign-ins to one account; in a browser that is known there, given its secret, these are
    /// counted by themselves.
    SecondStepBy(UserId, Option<&'a str>),
    /// Names tried for new accounts, and codes sent for them, from one address.
    RegisterFrom(&'a str),
    /// Registrations of clients from one address.
    RegisterClientFrom(&'a str),
    /// Rendezvous sessions that begin from one address.
    BeginRendezvousFrom(&'a str),
    /// Wrong secrets for one client from one address.
    ClientSecret(&'a str, &'a str),
    /// Wrong user codes (RFC 8628 §5.1) from one address.
    UserCodeFrom(&'a str),
    /// Wrong user codes that one person entered.
    UserCodeBy(UserId),
    /// Wrong registration tokens from one address.
    RegistrationTokenFrom(&'a str),
    /// Mails with a code that one person has sent.
    EmailCodeBy(UserId),
    /// Mails with a code to one e-mail address, in lower case.
    EmailCodeTo(&'a str),
    /// Mails with a way back into an account, asked for from one address.
    ResetPasswordFrom(&'a str),
    /// The same for one e-mail address, in lower case, whether or not it is anybody's.
    ResetPasswordTo(&'a str),
}

impl Action<'_> {
    fn subject(&self) -> String {
        match self {
            Action::SignInFrom(address) => format!("sign_in_from:{address}"),
            // Typed text is unbounded and may be anything: only its digest is kept.
            Action::SignInTo(name, None) => format!("sign_in_to:{}", crate::keys::digest(name)),
            Action::SignInTo(name, Some(browser)) => {
                format!("sign_in_to:{}:{}", crate::keys::digest(name), crate::keys::digest(browser))
            }
            Action::SecondStepFrom(address) => format!("second_step_from:{address}"),
            Action::SecondStepBy(user, None) => format!("second_step_by:{user}"),
            Action::SecondStepBy(user, Some(browser)) => {
                format!("second_step_by:{user}:{}", crate::keys::digest(browser))
            }
            Action::RegisterFrom(address) => format!("register_from:{address}"),
            Action::RegisterClientFrom(address) => format!("register_client_from:{address}"),
            Action::BeginRendezvousFrom(address) => format!("begin_rendezvous_from:{address}"),
            Action::ClientSecret(client, address) => {
                format!("client_secret:{}", crate::keys::digest(format!("{client} {address}")))
            }
            Action::UserCodeFrom(address) => format!("user_code_from:{address}"),
            Action::UserCodeBy(user) => format!("user_code_by:{user}"),
            Action::RegistrationTokenFrom(address) => format!("registration_token_from:{address}"),
            Action::EmailCodeBy(user) => format!("email_code_by:{user}"),
            Action::EmailCodeTo(email) => format!("email_code_to:{}", crate::keys::digest(email)),
            Action::ResetPasswordFrom(address) => format!("reset_password_from:{address}"),
            Action::ResetPasswordTo(email) => format!("reset_password_to:{}", crate::keys::digest(email)),
        }
    }

    fn limit(&self, app: &App) -> Limit {
        let limits = &app.config.rate_limits;
        match self {
            Action::SignInFrom(_) => limits.sign_in_per_address,
            Action::SignInTo(..) => limits.sign_in_per_account,
            Action::SecondStepFrom(_) => limits.second_step_per_address,
            Action::SecondStepBy(..) => limits.second_step_per_account,
            Action::RegisterFrom(_) => limits.registration_per_address,
            Action::RegisterClientFrom(_) => limits.client_registration_per_address,
            Action::BeginRendezvousFrom(_) => limits.rendezvous_per_address,
            Action::ClientSecret(..) => limits.client_secret_per_client,
            Action::UserCodeFrom(_) => limits.user_code_per_address,
            Action::UserCodeBy(_) => limits.user_code_per_account,
            Action::RegistrationTokenFrom(_) => limits.registration_token_per_address,
            Action::EmailCodeBy(_) => limits.email_code_per_account,
            Action::EmailCodeTo(_) => limits.email_code_per_recipient,
            Action::ResetPasswordFrom(_) => limits.password_reset_per_address,
            Action::ResetPasswordTo(_) => limits.password_reset_per_recipient,
        }
    }
}

/// What a limit says of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// Go on.
    Granted,
    /// Not before this has passed.
    Exhausted(Duration),
}

struct FullAt(Timestamp);

impl FromRow for FullAt {
    fn from_row(row: &Row) -> Result<FullAt, Error> {
        Ok(FullAt(row.get("full_at")?))
    }
}

/// The time in which one attempt grows back, and that for the whole allowance, in milliseconds.
fn spans(limit: &Limit) -> (i64, i64) {
    let one = 3_600_000 / i64::from(limit.per_hour.max(1));
    (one, one.saturating_mul(i64::from(limit.burst)))
}

/// Counts an attempt, if there is allowance left for it; nothing that was not counted is granted.
///
/// # Errors
/// When the database fails.
pub async fn spend(app: &App, action: &Action<'_>) -> Result<Allowance, Error> {
    const SPEND: &str = "
INSERT INTO rate_limits (subject, full_at) VALUES ($1, $2 + $3)
ON CONFLICT (subject) DO UPDATE
SET full_at = CASE WHEN rate_limits.full_at > $2 THEN rate_limits.full_at ELSE $2 END + $3
WHERE rate_limits.full_at + $3 - $2 <= $4";
    let (one, all) = spans(&action.limit(app));
    let now = app.clock.now();
    let spend = query(SPEND).bind(action.subject()).bind(now).bind(one).bind(all);
    match spend.execute_alone(&app.store).await? {
        1 => Ok(Allowance::Granted),
        _ => Ok(match look(app, action).await? {
            // It has grown back while this one waited.
            Allowance::Granted => Allowance::Exhausted(Duration::from_secs(1)),
            exhausted => exhausted,
        }),
    }
}

/// Whether there is allowance for an attempt, without counting one.
///
/// # Errors
/// When the database fails.
pub async fn look(app: &App, action: &Action<'_>) -> Result<Allowance, Error> {
    const FIND: &str = "SELECT full_at FROM rate_limits WHERE subject = $1";
    let (one, all) = spans(&action.limit(app));
    let found: Option<FullAt> = query(FIND).bind(action.subject()).fetch_optional(&app.store).await?;
    let wait = found.map_or(0, |FullAt(full_at)| full_at.0 + one - all - app.clock.now().0);
    Ok(match u64::try_from(wait) {
        Ok(wait) if wait > 0 => Allowance::Exhausted(Duration::from_millis(wait)),
        _ => Allowance::Granted,
    })
}

/// Gives back an attempt that turned out to be no guess, as all that it was counted as.
///
/// # Errors
/// When the database fails.
pub async fn refund(tx: &mut Tx, app: &App, actions: &[Action<'_>]) -> Result<(), Error> {
    const REFUND: &str = "
UPDATE rate_limits SET full_at = full_at - CASE subject WHEN $1 THEN $2 ELSE $4 END WHERE subject IN ($1, $3)";
    for two in actions.chunks(2) {
        let mut refund = query(REFUND);
        for place in 0..2 {
            let action = two.get(place);
            refund = refund.bind(action.map(Action::subject));
            refund = refund.bind(action.map(|action| spans(&action.limit(app)).0));
        }
        refund.execute(tx).await?;
    }
    Ok(())
}

/// Forgets everything whose allowance is whole again.
///
/// # Errors
/// When the database fails.
pub async fn expire(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    query("DELETE FROM rate_limits WHERE full_at < $1").bind(now).execute(tx).await?;
    Ok(())
}
