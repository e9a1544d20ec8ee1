//! The configuration: plain data, read once at the start.
//!
//! It comes from one YAML file and from environment variables, which win. Each section of the file
//! is one struct in one file here; the docstrings of its fields are the documentation that
//! administrators read, in the sample file, in the reference and in the schema. Nothing else in
//! the server reads the environment for settings.
//!
//! Adding a value means a documented field with its default, a line in the section's `check`, and
//! the two generated documents (`UPDATE_GENERATED=1 cargo test config`).

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

mod branding;
mod captcha;
mod clients;
mod compat;
mod data;
mod database;
mod email;
mod error;
mod homeserver;
mod http;
mod nearest;
mod oauth;
mod outbound;
mod passkeys;
mod passwords;
mod policy;
mod rate_limits;
mod read;
mod reference;
mod registration;
mod rendezvous;
mod sample;
mod schema;
mod second_factor;
mod secret;
mod secrets;
mod sessions;
mod source;
mod telemetry;
mod terms;

pub use branding::Branding;
pub use captcha::Captcha;
pub use clients::{GrantType, StaticClient, TokenEndpointAuthMethod, check_keys, is_plain_uri};
pub use compat::Compat;
pub use data::Data;
pub use database::{Database, Engine};
pub use email::{Email, MailTransport, Smtp, SmtpSecurity};
pub use error::{Error, Place, Problem};
pub use homeserver::Homeserver;
pub use http::{FileMode, Http, Listener, NotOctal, Tls};
pub use oauth::OAuth;
pub use outbound::Outbound;
pub use passkeys::Passkeys;
pub use passwords::{Argon2, Passwords};
pub use policy::Policy;
pub use rate_limits::{Limit, RateLimits};
pub use reference::reference;
pub use registration::{Registration, RegistrationEmail, RegistrationWays};
pub use rendezvous::Rendezvous;
pub use sample::sample;
pub use schema::schema;
pub use second_factor::{RequiredFor, SecondFactor};
pub use secret::Secret;
pub use secrets::Secrets;
pub use sessions::Sessions;
pub use telemetry::{LogFormat, Telemetry};
pub use terms::Terms;

use error::Problems;

/// The configuration of Gatehouse.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where Gatehouse keeps its files.
    pub data: Data,
    /// How browsers, clients and the homeserver reach Gatehouse.
    pub http: Http,
    /// Where users, clients and sessions are stored.
    pub database: Database,
    /// The Matrix homeserver that trusts Gatehouse with its sign-in.
    pub homeserver: Homeserver,
    /// The secret that protects everything else that is stored.
    pub secrets: Secrets,
    /// OAuth clients that are known from the start, besides those that register themselves. Each
    /// entry is one client; a change takes effect at the next start.
    #[schemars(extend("default" = []))]
    pub clients: Vec<StaticClient>,
    /// What OAuth clients get.
    pub oauth: OAuth,
    /// Signing in with Matrix clients that do not know OAuth.
    pub compat: Compat,
    /// Where two devices meet while one signs the other in by a QR code.
    pub rendezvous: Rendezvous,
    /// Calls to addresses that clients name: their keys (`jwks_uri`) and where they are told of a
    /// sign-out. Only public addresses are called, by https, on port 443 or one from 1024; never
    /// through a proxy, and no redirect is followed.
    pub outbound: Outbound,
    /// How long people stay signed in.
    pub sessions: Sessions,
    /// Signing in with a password.
    pub passwords: Passwords,
    /// Proving who one is by more than a password: authenticator apps, passkeys and recovery codes. Whoever
    /// has set one up is always asked for it.
    pub second_factor: SecondFactor,
    /// Signing in with passkeys and security keys.
    pub passkeys: Passkeys,
    /// Accounts that people make by themselves.
    pub registration: Registration,
    /// How mails are sent: links for those who cannot sign in, codes that confirm an address, and notices of
    /// what happened to an account.
    pub email: Email,
    /// What a browser computes before somebody makes an account, so that programs cannot make many at no cost.
    /// Nobody else is asked, and nothing is shown to be solved. A registration token stands in for it, also in
    /// browsers without JavaScript.
    pub captcha: Captcha,
    /// The terms of service that people must accept.
    pub terms: Terms,
    /// What is allowed here beyond what the protocols demand: names, e-mail addresses, clients,
    /// scopes, numbers of sessions. `docs/policies.md` describes the rules and what can be set.
    pub policy: Policy,
    /// How often something may be tried. Each limit lets `burst` attempts pass at once and then
    /// `per_hour` attempts an hour, evenly spread.
    pub rate_limits: RateLimits,
    /// How the pages look and where they link to.
    pub branding: Branding,
    /// What Gatehouse tells about itself while it runs.
    pub telemetry: Telemetry,
}

impl Config {
    /// Loads the configuration from the file at `path`, if one is given, and lays the variables of
    /// `environment` over it; see [`environment`].
    ///
    /// Files named for secrets are read: afterwards each secret stands in its plain field,
    /// and the file of the homeserver's secret is remembered beside it.
    ///
    /// # Errors
    /// The file cannot be read, or a list of everything that is wrong with it or the environment.
    pub fn load(
        path: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let file = path.map(Path::to_owned);
        let mut tree = match path {
            Some(path) => read_tree(path)?,
            None => source::Node::empty(),
        };
        let settings = schema::settings();
        let mut problems = Problems::default();
        source::overlay(&mut tree, &settings, environment, &mut problems);
        let mut config = read::config(&mut tree, &settings, &mut problems);
        problems.into_result(file.clone())?;

        let mut problems = Problems::default();
        config.read_secret_files(&mut problems);
        if problems.0.is_empty() {
            config.find_problems(&mut problems);
        }
        for problem in &mut problems.0 {
            problem.place = tree.place(&read::steps(&problem.key));
        }
        problems.into_result(file)?;
        Ok(config)
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// Everything that was found.
    pub fn check(&self) -> Result<(), Error> {
        let mut problems = Problems::default();
        self.find_problems(&mut problems);
        problems.into_result(None)
    }

    fn find_problems(&self, problems: &mut Problems) {
        self.data.check(problems);
        self.http.check(problems);
        self.database.check(problems);
        self.homeserver.check(problems);
        self.secrets.check(&self.database, problems);
        clients::check(&self.clients, problems);
        self.oauth.check(problems);
        self.sessions.check(problems);
        self.passwords.check(problems);
        self.second_factor.check(problems);
        self.passkeys.check(&self.http.public_base, problems);
        self.registration.check(self, problems);
        self.email.check(problems);
        self.captcha.check(problems);
        self.terms.check(&self.branding, problems);
        self.policy.check(problems);
        self.rate_limits.check(problems);
        self.branding.check(problems);
        self.telemetry.check(problems);
    }

    fn read_secret_files(&mut self, problems: &mut Problems) {
        self.database.read_secret_files(problems);
        self.homeserver.read_secret_files(problems);
        self.secrets.read_secret_files(problems);
        self.passwords.read_secret_files(problems);
        self.email.read_secret_files(problems);
        for (index, client) in self.clients.iter_mut().enumerate() {
            client.read_secret_files(index, problems);
        }
    }
}

/// The variables of the process's environment that may be settings.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(move |(name, value)| (lossy(name), lossy(value)))
        .filter(|(name, _)| name.starts_with("GATEHOUSE_"))
}

fn read_tree(path: &Path) -> Result<source::Node, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    source::parse(&text)
        .map_err(|problem| Error::Invalid { file: Some(path.to_owned()), problems: vec![problem] })
}
