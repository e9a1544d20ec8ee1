//! The pages on which somebody makes an account.

use std::time::Duration;

use askama::Template;
use gatehouse::accounts::account_pages::NotAdded;
use gatehouse::accounts::new_password::Problem as PasswordProblem;
use gatehouse::accounts::passkeys::Ceremony;
use gatehouse::accounts::registration_tokens::Useless;
use gatehouse::accounts::terms::Terms;
use gatehouse::http::pages::{Frame, Site};
use gatehouse::ids::InvalidLocalpart;
use gatehouse::login::captcha::{Challenge, Unproven};
use gatehouse::login::register::code::{CodePage, WrongCode};
use gatehouse::login::register::email::{EmailPage, EmailProblem};
use gatehouse::login::register::link::{LinkDonePage, LinkPage};
use gatehouse::login::register::name::{NamePage, NameProblem};
use gatehouse::login::register::passkey::PasskeyPage;
use gatehouse::login::register::password::PasswordPage;
use gatehouse::login::register::resume::{ResumePage, SignedInPage};
use gatehouse::login::register::terms::TermsPage;
use gatehouse::policy::{Code, Violation};

use super::Words;
use gatehouse::login::next::Onward;

impl Words {
    fn violation(&self, code: Code) -> Violation {
        // Only a rule of an admin's own has a sentence of its own.
        let message = (self.which == "hostile").then(|| self.typed.clone());
        Violation { code, message, data: Default::default() }
    }

    pub(super) fn registration(&self, site: &Site) -> Vec<(&'static str, askama::Result<String>)> {
        let frame = || Frame::new(site, "bm9uY2U", "csrf-token").in_language(self.language);
        let onward = || Onward { next: Some("/authorize/01".to_owned()), needs_second: false };
        let address =
            || if self.typed.is_empty() { "alice@example.com".to_owned() } else { self.typed.clone() };
        let wait = Duration::from_secs(200);
        let (client, mxid) = (|| Some(self.client()), || self.mxid.clone());
        let mut pages = Vec::new();

        let challenge = Challenge {
            salt: "AA".to_owned(),
            target: "AA".to_owned(),
            work: 100_000,
            sealed: "1.AA.AA.AA".to_owned(),
        };
        let name = |token: Option<String>, captcha, problems| {
            let (typed, is_too_late) = (self.typed.clone(), token.is_some());
            NamePage {
                frame: frame(),
                onward: onward(),
                client: client(),
                typed,
                token,
                captcha,
                is_too_late,
                problems,
            }
            .render()
        };
        pages.push(("register-name", name(None, Some(challenge.clone()), Vec::new())));
        pages.push(("register-name-too-late", name(Some(String::new()), None, Vec::new())));
        let denied = |code| NameProblem::Denied(self.violation(code));
        for (page, problems) in [
            ("register-name-taken", vec![NameProblem::Taken, NameProblem::TokenMissing]),
            (
                "register-name-denied",
                vec![
                    denied(Code::RequesterBanned),
                    denied(Code::MethodNotAllowed),
                    denied(Code::NameTooShort),
                    denied(Code::NameBanned),
                    denied(Code::NameNotAllowed),
                    denied(Code::Other("own".to_owned())),
                ],
            ),
            (
                "register-name-invalid",
                vec![
                    NameProblem::Invalid(InvalidLocalpart::Empty),
                    NameProblem::Invalid(InvalidLocalpart::Underscore),
                    NameProblem::Invalid(InvalidLocalpart::Characters),
                    NameProblem::Invalid(InvalidLocalpart::Digits),
                    NameProblem::Invalid(InvalidLocalpart::Long),
                    NameProblem::OtherServer,
                ],
            ),
            (
                "register-name-token",
                vec![
                    NameProblem::TokenUseless(Useless::Unknown),
                    NameProblem::TokenUseless(Useless::UsedUp),
                    NameProblem::TokenUseless(Useless::Expired),
                    NameProblem::TokenUseless(Useless::TooManyGuesses(wait)),
                ],
            ),
            ("register-name-unreachable", vec![NameProblem::HomeserverUnreachable]),
            ("register-name-too-many", vec![NameProblem::TooMany(wait), NameProblem::FormExpired]),
        ] {
            pages.push((page, name(Some(self.typed.clone()), None, problems)));
        }
        for (page, why) in [
            ("register-name-captcha-missing", Unproven::Missing),
            ("register-name-captcha-wrong", Unproven::Wrong),
            ("register-name-captcha-stale", Unproven::Stale),
        ] {
            pages.push((page, name(None, Some(challenge.clone()), vec![NameProblem::Captcha(why)])));
        }

        let resume = ResumePage { frame: frame(), client: client(), mxid: mxid() };
        pages.push(("register-resume", resume.render()));
        for (page, client) in [("register-signed-in", None), ("register-signed-in-client", client())] {
            let (person, go_on) = (self.person(), "/account/".to_owned());
            let page_of = SignedInPage { frame: frame(), person, client, go_on, onward: onward() };
            pages.push((page, page_of.render()));
        }

        let denied = |code| EmailProblem::Denied(self.violation(code));
        for (page, is_optional, problems) in [
            ("register-email", false, vec![]),
            ("register-email-optional", true, vec![]),
            ("register-email-invalid", true, vec![EmailProblem::Invalid]),
            (
                "register-email-denied",
                false,
                vec![
                    denied(Code::EmailDomainBanned),
                    denied(Code::EmailBanned),
                    denied(Code::EmailNotAllowed),
                ],
            ),
            (
                "register-email-too-many",
                false,
                vec![EmailProblem::TooMany(wait), EmailProblem::CodeOver, EmailProblem::FormExpired],
            ),
            ("register-email-taken", false, vec![EmailProblem::Taken]),
        ] {
            let (client, mxid, typed) = (client(), mxid(), self.typed.clone());
            let page_of = EmailPage { frame: frame(), client, mxid, is_optional, typed, problems };
            pages.push((page, page_of.render()));
        }
        for (page, problem) in [("register-code", None), ("register-code-wrong", Some(WrongCode))] {
            let page_of = CodePage { frame: frame(), client: client(), address: address(), problem };
            pages.push((page, page_of.render()));
        }
        let (path, address) = ("/register/link/AA".to_owned(), address());
        pages.push(("register-link", LinkPage { frame: frame(), path, address, mxid: mxid() }.render()));
        pages.push(("register-link-done", LinkDonePage { frame: frame() }.render()));

        for (page, or_passkey, problem) in [
            ("register-password", true, None),
            ("register-password-short", false, Some(PasswordProblem::TooShort(15))),
        ] {
            let (client, mxid, minimum_length) = (client(), mxid(), 15);
            let page_of = PasswordPage { frame: frame(), client, mxid, minimum_length, or_passkey, problem };
            pages.push((page, page_of.render()));
        }
        for (page, is_optional, or_password, problem) in [
            ("register-passkey", false, true, None),
            ("register-passkey-only", false, false, Some(NotAdded::Invalid)),
            ("register-passkey-optional", true, false, None),
            ("register-passkey-no-script", true, false, Some(NotAdded::NoScript)),
            ("register-passkey-stale", true, false, Some(NotAdded::Stale)),
            ("register-passkey-known", true, false, Some(NotAdded::AlreadyEnrolled)),
        ] {
            let ceremony =
                Ceremony { options: self.typed.chars().take(1400).collect(), sealed: "e30.AA".to_owned() };
            let (client, mxid) = (client(), mxid());
            let page_of =
                PasskeyPage { frame: frame(), client, mxid, is_optional, or_password, ceremony, problem };
            pages.push((page, page_of.render()));
        }
        let uri = "https://example.org/terms".parse().expect("a URL");
        for (page, terms_missing) in [("register-terms", false), ("register-terms-missing", true)] {
            let policy_uri = (self.which != "missing").then_some(&uri);
            let terms = Some(Terms { version: "2026-01-31", tos_uri: &uri, policy_uri });
            let page_of = TermsPage { frame: frame(), client: client(), mxid: mxid(), terms, terms_missing };
            pages.push((page, page_of.render()));
        }
        pages
    }
}
