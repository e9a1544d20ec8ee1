//! Every page, with usual, longest, missing and hostile data.
//!
//! `GALLERY=<folder> cargo test gallery` also writes the pages into a folder, to be looked at.

mod account;
mod registration;

use std::collections::HashSet;
use std::time::Duration;

use askama::Template;
use axum::http::HeaderMap;
use gatehouse::accounts::account_pages::authenticator_app::{
    AddAppPage, EnrolmentForm, EnrolmentProblem, Instead, RemoveAppPage,
};
use gatehouse::accounts::account_pages::passkeys::PasskeySection;
use gatehouse::accounts::account_pages::recovery_codes::{NewCodesPage, OfferCodesPage};
use gatehouse::accounts::account_pages::security::{SecurityNotice, SecurityPage};
use gatehouse::accounts::account_pages::{
    AccountHomePage, AccountNotice, ActivityPage, AddEmailPage, ChangedPasswordPage, ConfirmEmailPage,
    ConfirmedEmailPage, CrossSigningResetAllowedPage, CrossSigningResetPage, DeactivatePage, DeactivatedPage,
    EmailNotice, EmailProblem, EmailsPage, EndOthersPage, EndSessionPage, KeyForm, Loss, NewPasskeyPage,
    NotAdded, PasskeyNotice, PasskeyPage, PasskeyRow, PasswordPage, RemoveEmailPage, RemovePasskeyPage,
    SessionKind, SessionPage, SessionRow, SessionsPage, UselessLinkPage, VerifyEmailPage, WrongCode,
    WrongName,
};
use gatehouse::accounts::activity::{Entry, Event};
use gatehouse::accounts::authenticator_apps::{AuthenticatorApp, Instructions};
use gatehouse::accounts::emails::UserEmail;
use gatehouse::accounts::factors::Factors;
use gatehouse::accounts::mails::Occasion;
use gatehouse::accounts::new_password::Problem as PasswordProblem;
use gatehouse::accounts::passkeys::{Ceremony, Kind};
use gatehouse::accounts::remembered_browsers::RememberedBrowser;
use gatehouse::accounts::terms::Terms;
use gatehouse::clients::label::{ClientLabel, Destination};
use gatehouse::clients::scope_words::{self, ScopeRow};
use gatehouse::compat::sso::{MEANINGS, SsoPage};
use gatehouse::config::Config;
use gatehouse::http::error::{ErrorPage, Problem, WayOn};
use gatehouse::http::index::IndexPage;
use gatehouse::http::pages::{Frame, Person, Site};
use gatehouse::ids::{AccountEventId, AuthenticatorAppId, RememberedBrowserId};
use gatehouse::keys::Weakness;
use gatehouse::languages::Language;
use gatehouse::login::next::Onward;
use gatehouse::login::password::{SignInNotice, SignInPage, SignInProblem};
use gatehouse::login::recover::{RecoverPage, RecoverProblem};
use gatehouse::login::reset_password::{
    NewPasswordPage, ResetPasswordPage, ResetPasswordSentPage, ResetProblem,
};
use gatehouse::login::second::{self, RecoveryCodePage, SecondStepPage, Ways};
use gatehouse::login::sign_out::SignedOutPage;
use gatehouse::login::terms::TermsPage;
use gatehouse::oauth::consent::{ConsentPage, Lasts};
use gatehouse::oauth::link::{CodeProblem, LinkConfirmPage, LinkDonePage, LinkPage, Outcome};
use gatehouse::oauth::logout::SignOutPage;
use gatehouse::oauth::response_mode::FormPostPage;
use gatehouse::time::Timestamp;
use scraper::{Html, Selector};

const NOW: Timestamp = Timestamp(1_795_216_860_000);
const DAY: i64 = 86_400_000;
const BASE: &str = "/auth";

/// What strangers may write into every field.
struct Words {
    which: &'static str,
    language: Language,
    server_name: String,
    display_name: Option<String>,
    mxid: String,
    client_name: Option<String>,
    redirect_uri: String,
    device_name: Option<String>,
    device_id: String,
    scope: String,
    user_agent: Option<String>,
    ip_address: Option<String>,
    typed: String,
    uri: String,
}

fn usual() -> Words {
    Words {
        which: "usual",
        language: Language::ENGLISH,
        server_name: "chat.example.org".to_owned(),
        display_name: Some("Alice Liddell".to_owned()),
        mxid: "@alice:chat.example.org".to_owned(),
        client_name: Some("Element".to_owned()),
        redirect_uri: "https://app.element.io/callback".to_owned(),
        device_name: Some("Alice’s phone".to_owned()),
        device_id: "KXOWPQRZVA".to_owned(),
        scope: "openid urn:matrix:client:api:* urn:matrix:client:device:KXOWPQRZVA".to_owned(),
        user_agent: Some("Firefox on Linux".to_owned()),
        ip_address: Some("192.0.2.7".to_owned()),
        typed: "alice".to_owned(),
        uri: "https://element.io/terms?a=1&b=2".to_owned(),
    }
}

fn longest() -> Words {
    let long = |text: &str| text.repeat(255 / text.len());
    let german = long("Rechtsschutzversicherungsgesellschaften");
    Words {
        which: "longest",
        language: Language::of_tag("de").expect("German"),
        server_name: format!("{}.example.org", "a-very-long-label-of-sixty-three.".repeat(6)),
        display_name: Some(german.clone()),
        mxid: format!("@{}:example.org", long("abcdefghi")),
        client_name: Some(german.clone()),
        redirect_uri: format!("https://{}example.org/cb", "label-of-a-host.".repeat(12)),
        device_name: Some(german.clone()),
        device_id: long("KXOWPQRZVA"),
        scope: format!("urn:matrix:client:api:* urn:synapse:admin:* email profile urn:{}", long("unknown")),
        user_agent: Some(german.clone()),
        ip_address: Some("2001:0db8:85a3:0000:0000:8a2e:0370:7334%ethernet".to_owned()),
        typed: german,
        uri: format!("https://example.org/{}", long("terms")),
    }
}

fn missing() -> Words {
    Words {
        which: "missing",
        display_name: None,
        client_name: None,
        redirect_uri: "org.example.app:/callback".to_owned(),
        device_name: None,
        scope: String::new(),
        user_agent: None,
        ip_address: None,
        typed: String::new(),
        uri: String::new(),
        ..usual()
    }
}

/// Markup, attributes, a reversed line, control characters, and far too much of everything.
fn hostile() -> Words {
    let payload = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>\u{202e}{{7*7}}\u{0}\u{7f}";
    let huge = format!("{payload}{}", "A\u{301}\u{301}\u{301}\u{301}\u{301}\u{301} ".repeat(65_536 / 14));
    Words {
        which: "hostile",
        language: Language::ENGLISH,
        server_name: payload.to_owned(),
        display_name: Some(huge.clone()),
        mxid: huge.clone(),
        client_name: Some(huge.clone()),
        redirect_uri: "http://127.0.0.1/".to_owned(),
        device_name: Some(huge.clone()),
        device_id: huge.clone(),
        scope: format!("openid {payload}"),
        user_agent: Some(huge.clone()),
        ip_address: Some(payload.to_owned()),
        // A form that holds U+0000 is refused before any page is made of it.
        typed: huge.replace('\0', ""),
        uri: "javascript:alert(1)".to_owned(),
    }
}

impl Words {
    fn site(&self) -> Site {
        let mut config = Config::default();
        config.http.public_base = "https://example.org/auth/".parse().expect("a URL");
        config.homeserver.server_name = self.server_name.clone();
        let link = (self.which != "missing").then(|| "https://example.org/page".parse().expect("a URL"));
        config.branding.imprint_uri = link.clone();
        config.branding.policy_uri = link.clone();
        config.branding.tos_uri = link;
        Site::new(&config).expect("a site")
    }

    fn client(&self) -> ClientLabel {
        ClientLabel::new(self.client_name.as_deref(), Some(&self.destination()))
    }

    fn destination(&self) -> Destination {
        Destination::of(&self.redirect_uri).expect("a redirect URI")
    }

    fn person(&self) -> Person {
        Person { display_name: self.display_name.clone(), mxid: self.mxid.clone(), is_admin: true }
    }

    fn browser(&self, days: i64) -> SessionRow {
        SessionRow {
            kind: SessionKind::Browser,
            path: None,
            end_path: "/account/sessions/browser/01ARZ3NDEKTSV4RRFFQ69G5FAV/end".to_owned(),
            client: None,
            user_agent: self.user_agent.clone(),
            name: None,
            device_id: None,
            last_seen_at: (self.which != "missing").then_some(Timestamp(NOW.0 - days * DAY - 200_000)),
            ip_address: self.ip_address.clone(),
            created_at: Timestamp(NOW.0 - days * DAY - 30 * DAY),
            scopes: Vec::new(),
            expires_at: None,
            is_this_one: days == 0,
        }
    }

    fn app(&self, days: i64) -> SessionRow {
        SessionRow {
            kind: SessionKind::Client,
            path: Some("/account/sessions/client/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned()),
            end_path: "/account/sessions/client/01ARZ3NDEKTSV4RRFFQ69G5FAV/end".to_owned(),
            client: Some(self.client()),
            name: self.device_name.clone(),
            device_id: Some(self.device_id.clone()),
            scopes: scope_words::rows(&self.scope),
            is_this_one: false,
            ..self.browser(days)
        }
    }

    fn older_app(&self, days: i64) -> SessionRow {
        SessionRow { client: None, ..self.app(days) }
    }

    fn pages(&self) -> Vec<(String, String)> {
        let site = self.site();
        let frame = || Frame::new(&site, "bm9uY2U", "csrf-token").in_language(self.language);
        let mut pages = Vec::new();
        let mut add = |name: &str, html: askama::Result<String>| {
            pages.push((format!("{name}-{}", self.which), html.expect("a page")));
        };

        let onward = |next: &str| Onward { next: Some(next.to_owned()), needs_second: false };
        let sign_in = || SignInPage {
            frame: frame(),
            onward: Onward::default(),
            client: None,
            username: String::new(),
            problems: Vec::new(),
            notice: None,
            passkey: None,
            signals: None,
            homeserver_unreachable: false,
            help: None,
            register: None,
        };
        let ceremony =
            || Ceremony { options: self.typed.chars().take(1400).collect(), sealed: "e30.AA".to_owned() };
        let for_client =
            SignInPage { client: Some(self.client()), onward: onward("/authorize/01"), ..sign_in() };
        add("sign-in", for_client.render());
        let refused = SignInPage {
            username: self.typed.clone(),
            problems: vec![SignInProblem::WrongNameOrPassword],
            help: Some("/reset-password".to_owned()),
            register: Some("/register?next=%2Fauthorize%2F01".to_owned()),
            onward: onward(&self.typed),
            ..sign_in()
        };
        add("sign-in-refused", refused.render());
        let empty = SignInPage {
            problems: vec![SignInProblem::MissingUsername, SignInProblem::MissingPassword],
            homeserver_unreachable: true,
            ..sign_in()
        };
        add("sign-in-empty", empty.render());
        let passkey = SignInPage {
            passkey: Some(ceremony()),
            signals: Some(self.typed.chars().take(1400).collect()),
            problems: vec![
                SignInProblem::PasskeyInvalid,
                SignInProblem::PasskeyStale,
                SignInProblem::PasskeyNeedsScript,
            ],
            ..sign_in()
        };
        add("sign-in-passkey", passkey.render());
        for (name, kind) in [("passkey", Kind::Passkey), ("security-key", Kind::SecurityKey)] {
            let row = || PasskeyRow {
                name: if self.typed.is_empty() { "Passkey".to_owned() } else { self.typed.clone() },
                kind,
                provider: Some("Bitwarden"),
                is_synced: true,
                made_for: (self.which == "hostile").then(|| self.typed.clone()),
                created_at: NOW,
                last_used_at: None,
                path: "/account/security/passkeys/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            };
            for problem in [None, Some(NotAdded::Invalid), Some(NotAdded::TooMany)] {
                let page = NewPasskeyPage {
                    frame: frame(),
                    person: self.person(),
                    action: "/account/security/passkeys/new".to_owned(),
                    form: KeyForm {
                        action: "/login/enrol/key",
                        fields: vec![("next", self.typed.clone())],
                        back: "/login/enrol".to_owned(),
                    },
                    kind,
                    ceremony: ceremony(),
                    problem,
                };
                add(&format!("new-{name}-{problem:?}"), page.render());
            }
            let page = PasskeyPage {
                frame: frame(),
                passkey: row(),
                notice: Some(PasskeyNotice::Added),
                is_name_missing: self.which == "missing",
            };
            add(name, page.render());
            for loss in [Loss::OnlyWayIn, Loss::LastSecondStep, Loss::Nothing] {
                let page = RemovePasskeyPage { frame: frame(), passkey: row(), loss, now: NOW };
                add(&format!("remove-{name}-{loss:?}"), page.render());
            }
        }
        let again = SignInPage {
            username: self.typed.clone(),
            notice: Some(SignInNotice::SessionEnded),
            homeserver_unreachable: true,
            ..sign_in()
        };
        add("sign-in-again", again.render());
        let too_many = SignInPage {
            problems: vec![
                SignInProblem::TooManyAttempts(Duration::from_secs(200)),
                SignInProblem::FormExpired,
                SignInProblem::AccountLocked,
            ],
            notice: Some(SignInNotice::ConfirmItIsYou),
            ..sign_in()
        };
        add("sign-in-too-many", too_many.render());
        for (name, page) in self.registration(&site) {
            add(name, page);
        }
        add("signed-out", SignedOutPage { frame: frame() }.render());

        let second = |app, key, recovery_code, problem| SecondStepPage {
            frame: frame(),
            onward: onward(&self.typed),
            client: Some(self.client()),
            mxid: self.mxid.clone(),
            ways: Ways { app, key, recovery_code },
            remembered_for: Some(Duration::from_secs(30 * 86_400)),
            problem,
        };
        add("second", second(true, true, true, None).render());
        add("second-key", second(false, true, false, None).render());
        let wait = Duration::from_secs(200);
        for (name, problem) in [
            ("wrong", second::CodeProblem::Wrong),
            ("too-many", second::CodeProblem::TooManyAttempts(wait)),
            ("expired", second::CodeProblem::FormExpired),
        ] {
            add(&format!("second-{name}"), second(true, false, false, Some(problem)).render());
        }
        for (name, problem) in
            [("recovery-code", None), ("recovery-code-wrong", Some(second::CodeProblem::Wrong))]
        {
            let (frame, onward) = (frame(), onward(&self.typed));
            add(
                name,
                RecoveryCodePage {
                    frame,
                    onward,
                    client: Some(self.client()),
                    mxid: self.mxid.clone(),
                    problem,
                }
                .render(),
            );
        }
        for (name, has_password, problem) in [
            ("recover", true, None),
            ("recover-no-password", false, None),
            ("recover-wrong", true, Some(RecoverProblem::WrongPassword)),
            ("recover-too-many", true, Some(RecoverProblem::TooManyAttempts(wait))),
            ("recover-expired", true, Some(RecoverProblem::FormExpired)),
        ] {
            let (mxid, token) = (self.mxid.clone(), "token".to_owned());
            add(name, RecoverPage { frame: frame(), mxid, token, has_password, problem }.render());
        }
        let tos_uri = "https://example.org/terms".parse().expect("a URL");
        let policy_uri = (self.which != "missing").then_some(&tos_uri);
        let version: String = self.typed.chars().take(64).collect();
        let terms = Terms { version: &version, tos_uri: &tos_uri, policy_uri };
        let page = TermsPage { frame: frame(), person: self.person(), terms, onward: onward(&self.typed) };
        add("terms", page.render());
        for (name, is_demanded, problem) in [
            ("add-app", false, None),
            ("add-app-demanded", true, None),
            ("add-app-wrong", false, Some(EnrolmentProblem::WrongCode)),
            ("add-app-expired", true, Some(EnrolmentProblem::Expired)),
        ] {
            let form = EnrolmentForm {
                action: "/login/enrol",
                fields: vec![("next", self.typed.clone())],
                is_demanded,
                instead: is_demanded.then(|| Instead {
                    passkey: "/login/enrol/key?kind=passkey".to_owned(),
                    security_key: "/login/enrol/key?kind=security-key".to_owned(),
                }),
            };
            let instructions = Instructions {
                picture: "<svg viewBox=\"0 0 9 9\"><path d=\"M1,1h7v7h-7\"/></svg>".to_owned(),
                text: "ABCD EFGH IJKL MNOP QRST UVWX YZ23 4567".to_owned(),
                sealed: "sealed".to_owned(),
            };
            let page = AddAppPage { frame: frame(), form, instructions, name: self.typed.clone(), problem };
            add(name, page.render());
        }
        let called = self.device_name.clone().unwrap_or_else(|| "Authenticator app".to_owned());
        let app = |name: &str| AuthenticatorApp {
            id: AuthenticatorAppId::of_name(name),
            name: name.to_owned(),
            created_at: Timestamp(NOW.0 - 86_400_000),
            last_used_at: NOW,
        };
        for (name, is_last) in [("remove-app", false), ("remove-last-app", true)] {
            let action = "/account/security".to_owned();
            let authenticator = app(&called);
            add(name, RemoveAppPage { frame: frame(), action, authenticator, is_last }.render());
        }
        for left in [0, 1, 7] {
            let page = OfferCodesPage { frame: frame(), next: "/account/security".to_owned(), left };
            add(&format!("offer-codes-{left}"), page.render());
        }
        let codes = vec!["k7qm-2xwd-9fth".to_owned(); 10];
        let next = "/account/security".to_owned();
        add("new-codes", NewCodesPage { frame: frame(), person: self.person(), next, codes }.render());
        let passkey = || PasskeyRow {
            name: if self.typed.is_empty() { "Passkey".to_owned() } else { self.typed.clone() },
            kind: Kind::SecurityKey,
            provider: Some("Bitwarden"),
            is_synced: true,
            made_for: (self.which == "hostile").then(|| self.typed.clone()),
            created_at: NOW,
            last_used_at: Some(NOW),
            path: "/account/security/passkeys/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
        };
        let security = |notice, factors: Factors, apps, browsers| SecurityPage {
            frame: frame(),
            notice,
            factors,
            passkeys: PasskeySection {
                are_offered: notice.is_some(),
                rows: (0..factors.passkeys).map(|_| passkey()).collect(),
                signals: "[]".to_owned(),
            },
            apps,
            browsers,
            now: NOW,
        };
        let browser = RememberedBrowser {
            id: RememberedBrowserId::of_name("browser"),
            user_agent: self.user_agent.clone(),
            created_at: Timestamp(NOW.0 - 86_400_000),
            expires_at: Timestamp(NOW.0 + 86_400_000),
        };
        add("security-empty", security(None, Factors::default(), Vec::new(), Vec::new()).render());
        for notice in [
            SecurityNotice::AppAdded,
            SecurityNotice::AppRemoved,
            SecurityNotice::LastFactor,
            SecurityNotice::ShortPassword,
            SecurityNotice::TooManyApps,
            SecurityNotice::BrowserForgotten,
            SecurityNotice::Recovered,
        ] {
            let factors = Factors { has_password: true, passkeys: 1, apps: 2, recovery_codes: 1 };
            let apps = vec![app(&called), app("Tablet")];
            let page = security(Some(notice), factors, apps, vec![browser.clone()]);
            add(&format!("security-{notice:?}"), page.render());
        }

        let sign_out = |client| SignOutPage {
            frame: frame(),
            client,
            parameters: vec![("state".to_owned(), self.typed.clone())],
        };
        let asking = ClientLabel::new(self.client_name.as_deref(), Some(&self.destination()));
        add("sign-out", sign_out(Some(asking)).render());
        add("sign-out-unknown", sign_out(None).render());

        let consent = |client, is_first_time, destination| ConsentPage {
            frame: frame(),
            client,
            is_first_time,
            person: self.person(),
            action: "/authorize/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            scopes: scope_words::rows(&self.scope),
            device_id: Some(self.device_id.clone()),
            lasts: Lasts::UntilSignedOut,
            tos_uri: Some(self.uri.clone()),
            policy_uri: Some(self.uri.clone()),
            destination,
        };
        add("consent-first", consent(self.client(), true, self.destination()).render());
        let known = ConsentPage {
            lasts: Lasts::For(Duration::from_secs(30 * 86_400)),
            ..consent(self.client(), false, self.destination())
        };
        add("consent-known", known.render());
        for (name, uri) in [
            ("consent-loopback", "http://[::1]/"),
            ("consent-app", "io.element.app:/"),
            ("consent-http", "http://a.example/"),
        ] {
            let destination = Destination::of(uri).expect("a redirect URI");
            let client = ClientLabel::new(self.client_name.as_deref(), Some(&destination));
            add(name, consent(client, true, destination).render());
        }
        let code_entry = |problem| LinkPage { frame: frame(), typed: self.typed.clone(), problem };
        add("link", LinkPage { typed: String::new(), ..code_entry(None) }.render());
        add("link-wrong", code_entry(Some(CodeProblem::Wrong)).render());
        let wait = Duration::from_secs(200);
        add("link-too-many", code_entry(Some(CodeProblem::TooManyAttempts(wait))).render());
        let confirm = LinkConfirmPage {
            frame: frame(),
            code: "WDJB-MJHT".to_owned(),
            client: ClientLabel::new(self.client_name.as_deref(), None),
            requester_ip: self.ip_address.clone(),
            is_same_address: false,
            user_agent: self.user_agent.clone(),
            created_at: Timestamp(NOW.0 - 200_000),
            now: NOW,
            person: self.person(),
            action: "/link?code=WDJB-MJHT".to_owned(),
            scopes: scope_words::rows(&self.scope),
            device_id: Some(self.device_id.clone()),
            lasts: Lasts::UntilSignedOut,
        };
        add("link-confirm", confirm.render());
        for (name, outcome) in [("link-allowed", Outcome::Allowed), ("link-denied", Outcome::Denied)] {
            add(name, LinkDonePage { frame: frame(), outcome }.render());
        }
        for (name, url) in [
            ("sso", self.redirect_uri.as_str()),
            ("sso-app", "element://vector/webapp/"),
            ("sso-http", "http://a.example/"),
        ] {
            let page = SsoPage {
                frame: frame(),
                person: self.person(),
                action: "/sso/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
                scopes: MEANINGS.map(|meaning| ScopeRow { meaning, exact: Vec::new() }),
                lasts: (name == "sso-app").then_some(Duration::from_secs(30 * 86_400)),
                redirect_url: format!("{url}{}", self.typed),
                destination: Destination::of(url).expect("a URL"),
            };
            add(name, page.render());
        }
        let form_post = FormPostPage {
            frame: frame(),
            redirect_uri: self.redirect_uri.clone(),
            parameters: vec![
                ("code".to_owned(), "ghc_0123456789".to_owned()),
                ("state".to_owned(), self.typed.clone()),
                ("iss".to_owned(), "https://auth.example.org/".to_owned()),
            ],
            destination: self.destination(),
        };
        add("form-post", form_post.render());

        let problems = [
            ("bad-request", Problem::BadRequest, None),
            ("unknown-client", Problem::UnknownClient, None),
            ("unknown-redirect", Problem::UnknownRedirect, None),
            ("request-expired", Problem::RequestExpired, None),
            ("link-expired", Problem::LinkExpired, None),
            ("form-expired", Problem::FormExpired, Some(WayOn::Again("/login".to_owned()))),
            ("signed-out", Problem::SignedOut, Some(WayOn::SignIn)),
            ("forbidden", Problem::Forbidden, Some(WayOn::Account)),
            ("account-locked", Problem::AccountLocked, None),
            ("too-many-sessions", Problem::TooManySessions(2), Some(WayOn::Again("/login".to_owned()))),
            ("not-found", Problem::NotFound, Some(WayOn::SignIn)),
            ("unknown-device", Problem::UnknownDevice, None),
            ("too-many-attempts", Problem::TooManyAttempts(Duration::from_secs(61)), None),
            ("internal", Problem::Internal, None),
            ("homeserver", Problem::HomeserverUnreachable, Some(WayOn::Again("/account/".to_owned()))),
            ("unavailable", Problem::Unavailable, None),
        ];
        for (name, problem, way_on) in problems {
            let request_id = "01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
            let page = ErrorPage { frame: frame(), problem, way_on, request_id };
            add(&format!("error-{name}"), page.render());
        }

        add("index", IndexPage { frame: frame(), person: None }.render());
        add("index-signed-in", IndexPage { frame: frame(), person: Some(self.person()) }.render());
        for (name, homeserver_unreachable) in [("account", false), ("account-unreachable", true)] {
            let home = AccountHomePage { frame: frame(), person: self.person(), homeserver_unreachable };
            add(name, home.render());
        }

        let entry = |event, is_by_admin| Entry {
            id: AccountEventId::of_name("event"),
            event,
            occasion: Occasion {
                at: NOW,
                is_by_admin,
                ip_address: Some("192.0.2.1".to_owned()),
                browser: self.user_agent.clone(),
            },
        };
        for (name, entries) in [
            ("activity-empty", Vec::new()),
            ("activity", vec![entry(Some(Event::SignedIn), false), entry(None, true)]),
        ] {
            let next = Some("/account/activity?before=01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned());
            let first = Some("/account/activity".to_owned());
            add(name, ActivityPage { frame: frame(), entries, next, first, now: NOW }.render());
        }

        let emails = |notice, is_mail_on, emails: Vec<UserEmail>| {
            EmailsPage { frame: frame(), notice, emails, is_mail_on }.render()
        };
        let address = || if self.typed.is_empty() { "a@b.example".to_owned() } else { self.typed.clone() };
        let email = |verified_at| UserEmail { address: address(), verified_at };
        add("emails", emails(Some(EmailNotice::Added), true, vec![email(Some(NOW)), email(None)]));
        add("emails-off", emails(Some(EmailNotice::Over), false, vec![email(None)]));
        add("emails-none", emails(None, true, Vec::new()));
        add("emails-removed", emails(Some(EmailNotice::Removed), false, Vec::new()));
        add("emails-taken", emails(Some(EmailNotice::Taken), true, Vec::new()));
        for (name, problem) in [
            ("email-add", None),
            ("email-invalid", Some(EmailProblem::Invalid)),
            ("email-not-allowed", Some(EmailProblem::NotAllowed)),
            ("email-too-many", Some(EmailProblem::TooManyCodes(wait))),
        ] {
            add(name, AddEmailPage { frame: frame(), typed: self.typed.clone(), problem }.render());
        }
        for (name, problem) in [("email-code", None), ("email-code-wrong", Some(WrongCode))] {
            let path = "/account/email/verify/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned();
            add(name, VerifyEmailPage { frame: frame(), path, address: address(), problem }.render());
        }
        for (name, is_last) in [("email-remove", false), ("email-remove-last", true)] {
            add(name, RemoveEmailPage { frame: frame(), address: address(), is_last }.render());
        }
        let (path, address, mxid) = (format!("/email/{}", self.typed), address(), self.mxid.clone());
        add("email-confirm", ConfirmEmailPage { frame: frame(), path, address, mxid }.render());
        add("email-confirmed", ConfirmedEmailPage { frame: frame() }.render());
        add("useless-link", UselessLinkPage { frame: frame(), new_one: "/reset-password" }.render());
        let problems = [
            ("", None),
            ("-missing", Some(PasswordProblem::Missing)),
            ("-short", Some(PasswordProblem::TooShort(15))),
            ("-long", Some(PasswordProblem::TooLong)),
            ("-guessable", Some(PasswordProblem::Guessable(Weakness::AboutYou))),
            ("-breached", Some(PasswordProblem::Breached)),
            ("-different", Some(PasswordProblem::Different)),
        ];
        for (name, problem) in problems {
            let (person, action, end_others) =
                (self.person(), "/account/password".to_owned(), name.is_empty());
            let page =
                PasswordPage { frame: frame(), person, action, minimum_length: 15, end_others, problem };
            add(&format!("password{name}"), page.render());
            let (path, mxid) = (format!("/reset-password/{}", self.typed), self.mxid.clone());
            let (minimum_length, end_devices) = (15, !name.is_empty());
            let page = NewPasswordPage { frame: frame(), path, mxid, minimum_length, end_devices, problem };
            add(&format!("reset-password-password{name}"), page.render());
        }
        add("password-changed", ChangedPasswordPage { frame: frame() }.render());
        for (name, is_possible, problem) in [
            ("reset-password", true, None),
            ("reset-password-off", false, None),
            ("reset-password-invalid", true, Some(ResetProblem::Invalid)),
            ("reset-password-too-many", true, Some(ResetProblem::TooMany(wait))),
        ] {
            add(
                name,
                ResetPasswordPage { frame: frame(), is_possible, typed: self.typed.clone(), problem }
                    .render(),
            );
        }
        add("reset-password-sent", ResetPasswordSentPage { frame: frame() }.render());

        let sessions = |in_use: Vec<SessionRow>, unused: Vec<SessionRow>| SessionsPage {
            frame: frame(),
            notice: None,
            in_use,
            unused,
            search: String::new(),
            next: None,
            previous: None,
            first: None,
            has_others: true,
            now: NOW,
        };
        let full = SessionsPage {
            notice: Some(AccountNotice::Ended(SessionKind::Client)),
            next: Some("/account/sessions?before=01".to_owned()),
            previous: Some("/account/sessions?after=01".to_owned()),
            first: Some("/account/sessions".to_owned()),
            ..sessions(
                vec![self.browser(0), self.app(0), self.app(3), self.older_app(5), self.token(2)],
                vec![self.app(100), self.browser(400)],
            )
        };
        add("sessions", full.render());
        add("sessions-in-use", sessions(vec![self.browser(0), self.app(2)], Vec::new()).render());
        let searched = |row: Vec<SessionRow>| SessionsPage {
            search: if self.typed.is_empty() { "x".to_owned() } else { self.typed.clone() },
            ..sessions(row, Vec::new())
        };
        add("sessions-found", searched(vec![self.app(2)]).render());
        add("sessions-not-found", searched(Vec::new()).render());
        let none = SessionsPage {
            notice: Some(AccountNotice::EndedOthers(1)),
            has_others: false,
            ..sessions(Vec::new(), Vec::new())
        };
        add("sessions-none", none.render());
        let session = |is_renamed, is_name_missing| SessionPage {
            frame: frame(),
            session: self.app(3),
            path: "/account/sessions/client/01ARZ3NDEKTSV4RRFFQ69G5FAV".to_owned(),
            is_renamed,
            is_name_missing,
            now: NOW,
        };
        add("session", session(false, false).render());
        add("session-renamed", session(true, false).render());
        add("session-name-missing", session(false, true).render());
        for (name, problem) in [("deactivate", None), ("deactivate-wrong", Some(WrongName))] {
            let action = "/account/deactivate".to_owned();
            let (frame, person, erase) = (frame(), self.person(), problem.is_some());
            add(name, DeactivatePage { frame, person, action, erase, problem }.render());
        }
        add("deactivated", DeactivatedPage { frame: frame() }.render());
        for (name, devices) in [("cross-signing-reset", 1), ("cross-signing-reset-many", 7)] {
            let action = "/account/cross-signing-reset".to_owned();
            add(
                name,
                CrossSigningResetPage { frame: frame(), person: self.person(), action, devices }.render(),
            );
        }
        add("cross-signing-reset-allowed", CrossSigningResetAllowedPage { frame: frame() }.render());
        add("end-device", EndSessionPage { frame: frame(), session: self.app(3), now: NOW }.render());
        add("end-older", EndSessionPage { frame: frame(), session: self.older_app(3), now: NOW }.render());
        add("end-this", EndSessionPage { frame: frame(), session: self.browser(0), now: NOW }.render());
        add("end-browser", EndSessionPage { frame: frame(), session: self.browser(5), now: NOW }.render());
        add("end-token", EndSessionPage { frame: frame(), session: self.token(3), now: NOW }.render());
        add("end-others", EndOthersPage { frame: frame(), others: 7, devices: 5 }.render());
        add("end-one-other", EndOthersPage { frame: frame(), others: 1, devices: 1 }.render());
        pages.extend(account::pages(self));
        pages
    }
}

/// Every page in a language. Whatever is no text of ours has none of the letters from A to Z, but for what stands in
/// `<bdi>` and `<code>`.
pub(crate) fn pages_in(language: Language) -> Vec<(String, String)> {
    let words = Words {
        language,
        server_name: "чат.пример".to_owned(),
        display_name: Some("Алиса".to_owned()),
        mxid: "@алиса:чат.пример".to_owned(),
        client_name: Some("Элемент".to_owned()),
        device_name: Some("Телефон".to_owned()),
        user_agent: Some("Лиса".to_owned()),
        typed: "алиса".to_owned(),
        ..usual()
    };
    [words, Words { language, server_name: "чат.пример".to_owned(), ..missing() }]
        .iter()
        .flat_map(Words::pages)
        .collect()
}

/// What pages with usual words are made of, for pictures of them.
pub(crate) fn usual_site() -> Site {
    usual().site()
}

/// Those pages in a language, by name.
pub(crate) fn usual_pages(language: Language) -> Vec<(String, String)> {
    Words { language, ..usual() }.pages()
}

fn every_page() -> Vec<(String, String)> {
    [usual(), longest(), missing(), hostile()].iter().flat_map(Words::pages).collect()
}

fn select(css: &str) -> Selector {
    Selector::parse(css).expect("a selector")
}

#[test]
fn every_page_has_its_landmarks() {
    for (name, html) in every_page() {
        let page = Html::parse_document(&html);
        assert!(page.errors.is_empty(), "{name}: {:?}", page.errors);
        let count = |css| page.select(&select(css)).count();
        assert_eq!(count("h1"), 1, "{name}: one heading says the task");
        assert_eq!(count("main"), 1, "{name}");
        assert_eq!(count("html[lang][dir]"), 1, "{name}");
        let title: String = page.select(&select("title")).flat_map(|title| title.text()).collect();
        let (what, server) = title.split_once(" - ").unwrap_or_else(|| panic!("{name}: title {title:?}"));
        assert!(!what.trim().is_empty() && !server.trim().is_empty(), "{name}: title {title:?}");
        assert!(count("[autofocus]") <= 1, "{name}: focus goes to one place");
        assert!(count(".primary, .danger") <= 1, "{name}: one primary action");
    }
}

#[test]
fn headings_do_not_skip_a_level() {
    for (name, html) in every_page() {
        let page = Html::parse_document(&html);
        let mut last = 0;
        for heading in page.select(&select("h1, h2, h3, h4")) {
            let level = heading.value().name()[1..].parse().unwrap_or(9);
            assert!(level <= last + 1, "{name}: h{level} after h{last}");
            last = level;
        }
    }
}

#[test]
fn nothing_in_a_page_is_inline_script_or_style() {
    for (name, html) in every_page() {
        let page = Html::parse_document(&html);
        for element in page.select(&select("*")) {
            for (attribute, value) in element.value().attrs() {
                assert!(attribute != "style" && !attribute.starts_with("on"), "{name}: {attribute}={value}");
                let is_address = ["href", "src", "action"].contains(&attribute);
                assert!(!(is_address && value.trim_start().starts_with("javascript:")), "{name}: {value}");
            }
        }
        assert_eq!(page.select(&select("style, iframe, object, base")).count(), 0, "{name}");
        for script in page.select(&select("script")) {
            assert!(script.attr("src").is_some() && script.attr("nonce") == Some("bm9uY2U"), "{name}");
            assert_eq!(script.text().collect::<String>(), "", "{name}");
        }
    }
}

#[test]
fn hostile_words_stay_words() {
    for (name, html) in hostile().pages() {
        assert!(!html.contains("<script>") && !html.contains("<img"), "{name}: markup");
        let page = Html::parse_document(&html);
        // What a client is sent back must be what it sent, so hidden values are left as they are.
        let shown: String = page.select(&select("html")).flat_map(|html| html.text()).collect();
        assert!(!shown.contains(['\u{202e}', '\u{0}', '\u{7f}']), "{name}: steering characters");
        for image in page.select(&select("img, script")) {
            assert!(image.attr("src").is_some_and(|src| src.starts_with("/auth/assets/")), "{name}");
        }
    }
}

#[test]
fn every_field_is_labelled_and_every_reference_leads_somewhere() {
    for (name, html) in every_page() {
        let page = Html::parse_document(&html);
        let mut ids = HashSet::new();
        for element in page.select(&select("[id]")) {
            let id = element.attr("id").unwrap_or_default();
            assert!(ids.insert(id), "{name}: two elements are called {id}");
        }
        for input in page.select(&select("input:not([type=hidden]), select, textarea")) {
            let id = input.attr("id").unwrap_or_default();
            assert_eq!(page.select(&select(&format!("label[for='{id}']"))).count(), 1, "{name}: {id}");
            let is_typed = !matches!(input.attr("type"), Some("checkbox" | "radio"));
            assert_eq!(input.attr("autocomplete").is_some(), is_typed, "{name}: {id}");
        }
        for element in page.select(&select("[aria-describedby], [data-shows], a[href^='#']")) {
            let targets =
                ["aria-describedby", "data-shows", "href"].iter().filter_map(|key| element.attr(key));
            for target in targets.flat_map(str::split_whitespace) {
                assert!(ids.contains(target.trim_start_matches('#')), "{name}: {target} leads nowhere");
            }
        }
        for element in page.select(&select("a, button, summary, h1, h2, h3, dt, dd, li, label")) {
            let text: String = element.text().collect();
            let is_brand = element.attr("class") == Some("brand");
            assert!(is_brand || !text.trim().is_empty(), "{name}: an empty {}", element.value().name());
        }
    }
}

#[test]
fn every_form_that_changes_something_here_carries_its_token() {
    for (name, html) in every_page() {
        let page = Html::parse_document(&html);
        for form in page.select(&select("form")) {
            let ours = form.attr("action").is_some_and(|action| action.starts_with(BASE));
            let tokens = form.select(&select("input[type=hidden][name=csrf][value=csrf-token]")).count();
            // To look for something changes nothing.
            if form.attr("role") == Some("search") {
                assert_eq!((form.attr("method"), tokens), (Some("get"), 0), "{name}");
                continue;
            }
            assert_eq!(form.attr("method"), Some("post"), "{name}");
            assert_eq!(tokens, usize::from(ours), "{name}: {:?}", form.attr("action"));
        }
    }
}

#[test]
fn every_local_address_stands_below_the_base_and_every_asset_is_there() {
    let site = usual().site();
    for (name, html) in usual().pages() {
        let page = Html::parse_document(&html);
        for element in page.select(&select("[href], [src], [action]")) {
            for address in ["href", "src", "action"].iter().filter_map(|key| element.attr(key)) {
                let is_file = element.attr("download").is_some() && address.starts_with("data:text/plain;");
                let is_elsewhere = is_file || address.starts_with("https://") || address.starts_with('#');
                assert!(is_elsewhere || address.starts_with("/auth/"), "{name}: {address}");
                if let Some(asset) = address.strip_prefix("/auth/assets/") {
                    assert_eq!(
                        site.assets.respond(asset, &HeaderMap::new()).status(),
                        200,
                        "{name}: {asset}"
                    );
                }
            }
        }
    }
}

#[test]
fn links_to_strangers_tell_them_nothing() {
    let page = usual().pages().into_iter().find(|(name, _)| name == "consent-first-usual").expect("a page").1;
    let page = Html::parse_document(&page);
    let links: Vec<_> = page.select(&select("a[href^='https://element.io/']")).collect();
    assert_eq!(links.len(), 2);
    assert!(links.iter().all(|link| link.attr("rel") == Some("noopener noreferrer")));
}

#[test]
fn an_unproven_name_is_never_in_the_heading() {
    for (name, html) in usual().pages() {
        if ["consent-loopback", "consent-app", "consent-http"].iter().any(|page| name.starts_with(page)) {
            let page = Html::parse_document(&html);
            let heading: String = page.select(&select("h1")).flat_map(|h1| h1.text()).collect();
            assert_eq!(heading, "Let this app use your account?", "{name}");
            assert!(html.contains("It says it is “<bdi>Element</bdi>”"), "{name}");
        }
    }
}

#[test]
fn a_password_is_never_written_into_a_page() {
    for (name, html) in every_page() {
        let page = Html::parse_document(&html);
        assert_eq!(page.select(&select("input[type=password][value]")).count(), 0, "{name}");
    }
}

#[test]
fn a_sign_in_page_is_small() {
    let site = usual().site();
    for (name, html) in every_page().into_iter().filter(|(name, _)| name.starts_with("sign-in")) {
        let page = Html::parse_document(&html);
        let mut bytes = html.len();
        // A hidden `next` is as long as what was sent; it is checked and bounded before it gets here.
        bytes -= page
            .select(&select("input[name=next]"))
            .filter_map(|i| i.attr("value"))
            .map(str::len)
            .sum::<usize>()
            .min(bytes / 2);
        for element in page.select(&select("[href], [src]")) {
            let address = element.attr("href").or(element.attr("src")).unwrap_or_default();
            if let Some(asset) = address.strip_prefix("/auth/assets/") {
                let response = site.assets.respond(asset, &HeaderMap::new());
                bytes += axum::body::HttpBody::size_hint(response.body()).exact().unwrap_or(0) as usize;
            }
        }
        assert!(bytes < 60_000, "{name}: {bytes} bytes with all it loads");
    }
}

#[test]
fn the_gallery_is_written_where_asked() {
    let Some(folder) = std::env::var_os("GALLERY") else { return };
    let folder = std::path::PathBuf::from(folder);
    let assets = folder.join("assets");
    std::fs::create_dir_all(&assets).expect("a folder");
    let site = usual().site();
    for plain in ["style.css", "brand.css", "icon.svg", "show-password.js", "local-time.js", "submit-form.js"]
    {
        let name = site.assets.name(plain).expect("an asset");
        let body = site.assets.respond(name, &HeaderMap::new()).into_body();
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let bytes = runtime.block_on(axum::body::to_bytes(body, usize::MAX)).expect("bytes");
        std::fs::write(assets.join(name), bytes).expect("an asset written");
    }
    let german = Words { which: "german", language: Language::of_tag("de").expect("German"), ..usual() };
    for (name, html) in every_page().into_iter().chain(german.pages()) {
        let local = html.replace("/auth/assets/", "assets/");
        std::fs::write(folder.join(format!("{name}.html")), local).expect("a page written");
    }
}
