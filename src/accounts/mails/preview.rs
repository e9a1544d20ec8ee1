//! One mail of each kind, and a page that shows them all as they would be sent from here.

use askama::Template;

use super::{Mail, Occasion, write};
use crate::accounts::activity::Event;
use crate::config::Config;
use crate::http::filters;
use crate::ids::MailId;
use crate::languages::Language;
use crate::mail::Letter;
use crate::time::Timestamp;

/// One mail of each kind, by a name for it; `address` stands in those about an address.
pub fn one_of_each(address: &str, occasion: &Occasion) -> Vec<(&'static str, Mail)> {
    let by_admin = || Occasion::by_admin(occasion.at);
    let factor = |change| Mail::FactorChanged { change, occasion: occasion.clone() };
    let code_used = |left| Mail::RecoveryCodeUsed { left, occasion: occasion.clone() };
    let (address, token) = (address.to_owned(), "A".repeat(43));
    vec![
        ("test", Mail::Test),
        ("verify-email", Mail::VerifyEmail { code: "314159".to_owned(), token: token.clone() }),
        ("email-taken", Mail::EmailTaken),
        ("verify-registration", Mail::VerifyRegistration { code: "314159".to_owned(), token: token.clone() }),
        ("account-exists", Mail::AccountExists),
        ("reset-password", Mail::ResetPassword { token }),
        ("new-sign-in", Mail::NewSignIn(occasion.clone())),
        ("password-changed", Mail::PasswordChanged(occasion.clone())),
        ("password-set", Mail::PasswordChanged(by_admin())),
        ("email-added", Mail::EmailAdded { address: address.clone(), occasion: occasion.clone() }),
        ("email-removed", Mail::EmailRemoved { address, occasion: occasion.clone() }),
        ("passkey-added", factor(Event::PasskeyAdded)),
        ("passkey-removed", factor(Event::PasskeyRemoved)),
        ("authenticator-added", factor(Event::AuthenticatorAdded)),
        ("authenticator-removed", factor(Event::AuthenticatorRemoved)),
        ("recovery-codes-made", factor(Event::RecoveryCodesMade)),
        ("factors-removed", factor(Event::FactorsRemoved)),
        ("recovery-link-made", factor(Event::RecoveryLinkMade)),
        ("recovery-link-used", factor(Event::RecoveryLinkUsed)),
        ("recovery-code-used", code_used(7)),
        ("last-recovery-code-used", code_used(0)),
        ("session-ended", Mail::SessionsEnded { count: 1, occasion: by_admin() }),
        ("sessions-ended", Mail::SessionsEnded { count: 7, occasion: by_admin() }),
    ]
}

/// A page with one mail of each kind in each language, with made-up people and the words, addresses and colours of
/// the configuration. It needs no server, fetches nothing and runs nothing.
///
/// # Errors
/// When a template fails, which it has no reason to.
pub fn preview(config: &Config, now: Timestamp) -> askama::Result<String> {
    let occasion = Occasion {
        at: now,
        is_by_admin: false,
        ip_address: Some("198.51.100.7".to_owned()),
        browser: Some("Firefox on Linux".to_owned()),
    };
    let mxid = format!("@alice:{}", config.homeserver.server_name);
    let letter = |language, mail: &Mail| {
        write(config, language, MailId::new(now), now, "alice@example.com", Some(&mxid), mail)
    };
    let mut languages = Vec::new();
    for language in Language::spoken() {
        let mails = one_of_each("alice@example.com", &occasion).into_iter();
        let letters: Vec<(&str, Letter)> =
            mails.map(|(name, mail)| Ok((name, letter(language, &mail)?))).collect::<askama::Result<_>>()?;
        languages.push((language.tag(), letters));
    }
    let service_name = config.branding.service_name.as_ref().unwrap_or(&config.homeserver.server_name);
    let from = config.email.from.as_deref();
    PreviewPage { service_name, from, reply_to: config.email.reply_to.as_deref(), languages }.render()
}

#[derive(Template)]
#[template(path = "mail/preview.html")]
struct PreviewPage<'a> {
    service_name: &'a str,
    from: Option<&'a str>,
    reply_to: Option<&'a str>,
    /// By tag: the mails, by name.
    languages: Vec<(&'static str, Vec<(&'static str, Letter)>)>,
}
