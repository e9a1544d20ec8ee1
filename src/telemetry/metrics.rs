//! What a node counts, in the text form of OpenMetrics 1.0, which Prometheus reads.
//!
//! A label has one of a few values, all of them words of this program: never a name, a token or anything
//! else that somebody outside may choose. The table in `docs/operating.md` lists every metric.

use std::borrow::Cow;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use http::StatusCode;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The media type of what [`Metrics::tell`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: from what is served from memory to the longest call.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0, 15.0];

type Label = (&'static str, Cow<'static, str>);
type Counters<const LABELS: usize> = Family<[Label; LABELS], Counter>;
type Durations<const LABELS: usize> = Family<[Label; LABELS], Histogram, Buckets>;
type Reading = Gauge<f64, AtomicU64>;

#[derive(Clone)]
struct Buckets;

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(BUCKETS)
    }
}

/// What came of a sign-in, or of an attempt at one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// The person is signed in.
    Succeeded,
    /// What they gave is not right.
    Wrong,
    /// It was right, and the account is locked.
    Locked,
    /// It was right, and more is needed than this way of signing in can ask for.
    Refused,
    /// There were too many attempts before.
    Limited,
}

impl SignIn {
    const ALL: [SignIn; 5] =
        [SignIn::Succeeded, SignIn::Wrong, SignIn::Locked, SignIn::Refused, SignIn::Limited];

    /// As metrics and the log name it.
    pub fn as_str(self) -> &'static str {
        match self {
            SignIn::Succeeded => "succeeded",
            SignIn::Wrong => "wrong",
            SignIn::Locked => "locked",
            SignIn::Refused => "refused",
            SignIn::Limited => "limited",
        }
    }
}

/// What came of a presented refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// A new pair was answered.
    Rotated,
    /// The pair that was answered before was answered again.
    Repeated,
    /// The token was never ours, or is another client's, or its session is over.
    Over,
    /// It came back a moment after its successor was used, or the account is locked: later.
    Later,
    /// It came back long after its successor was used: the session ended.
    Reused,
    /// The session had outlived its limits, and ended.
    Expired,
    /// The policy no longer allows it: the session ended.
    Denied,
}

impl Refresh {
    const ALL: [Refresh; 7] = [
        Refresh::Rotated,
        Refresh::Repeated,
        Refresh::Over,
        Refresh::Later,
        Refresh::Reused,
        Refresh::Expired,
        Refresh::Denied,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Refresh::Rotated => "rotated",
            Refresh::Repeated => "repeated",
            Refresh::Over => "over",
            Refresh::Later => "later",
            Refresh::Reused => "reused",
            Refresh::Expired => "expired",
            Refresh::Denied => "denied",
        }
    }
}

/// Introspections by outcome: held one by one, so that to count costs one addition.
#[derive(Default)]
pub struct Introspections {
    /// The token is good.
    pub active: Counter,
    /// It is not.
    pub inactive: Counter,
    /// Whoever asked may not, or asked wrongly.
    pub refused: Counter,
    /// It could not be found out.
    pub failed: Counter,
}

/// What is read when somebody asks, rather than counted.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// Jobs that wait or run, of all nodes; `NaN` when the database does not say.
    pub jobs_waiting: f64,
    /// Since when the oldest of them waits, in seconds.
    pub jobs_oldest_seconds: f64,
    /// Jobs that a person must look at.
    pub jobs_given_up: f64,
    /// Passwords that are being hashed.
    pub hashes_running: usize,
    /// And those that wait for their turn.
    pub hashes_waiting: usize,
    /// Whether answers may be given from memory.
    pub is_memory_trusted: bool,
}

/// Everything that a node counts.
pub struct Metrics {
    registry: Registry,
    /// Introspections.
    pub introspections: Introspections,
    requests: Durations<2>,
    token_requests: Counters<2>,
    refreshes: Counters<1>,
    sign_ins: Counters<2>,
    registrations: Counters<1>,
    jobs: Counters<2>,
    homeserver_calls: Durations<2>,
    jobs_waiting: Reading,
    jobs_oldest: Reading,
    jobs_given_up: Reading,
    hashes_running: Gauge,
    hashes_waiting: Gauge,
    memory_trusted: Gauge,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

impl Metrics {
    /// Nothing is counted yet.
    pub fn new() -> Metrics {
        let durations = || Durations::new_with_constructor(Buckets);
        let mut metrics = Metrics {
            registry: Registry::with_prefix("gatehouse"),
            introspections: Introspections::default(),
            requests: durations(),
            token_requests: Family::default(),
            refreshes: Family::default(),
            sign_ins: Family::default(),
            registrations: Family::default(),
            jobs: Family::default(),
            homeserver_calls: durations(),
            jobs_waiting: Reading::default(),
            jobs_oldest: Reading::default(),
            jobs_given_up: Reading::default(),
            hashes_running: Gauge::default(),
            hashes_waiting: Gauge::default(),
            memory_trusted: Gauge::default(),
        };
        metrics.register();
        // What has not happened yet is 0 rather than absent, so that rates are right from the start.
        Refresh::ALL.into_iter().for_each(|outcome| drop(metrics.refreshes.get_or_create(&refresh(outcome))));
        for outcome in SignIn::ALL {
            drop(metrics.sign_ins.get_or_create(&sign_in("password", outcome)));
            drop(metrics.sign_ins.get_or_create(&sign_in("passkey", outcome)));
        }
        for way in ["password", "passkey", "both"] {
            drop(metrics.registrations.get_or_create(&registration(way)));
        }
        metrics
    }

    fn register(&mut self) {
        let introspections: Counters<1> = Family::default();
        let held = &mut self.introspections;
        for (outcome, counter) in [
            ("active", &mut held.active),
            ("inactive", &mut held.inactive),
            ("refused", &mut held.refused),
            ("failed", &mut held.failed),
        ] {
            *counter = introspections.get_or_create_owned(&[("outcome", outcome.into())]);
        }
        let to = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        to.register("build", "The program", version);
        to.register_with_unit(
            "http_request_duration",
            "Requests by route and class of status, but for those of the hot path",
            Unit::Seconds,
            self.requests.clone(),
        );
        to.register("introspections", "Introspections by outcome", introspections);
        to.register(
            "token_requests",
            "Requests at the token endpoint by grant and outcome",
            self.token_requests.clone(),
        );
        to.register("refreshes", "Presented refresh tokens by outcome", self.refreshes.clone());
        to.register("sign_ins", "Attempts to sign in by method and outcome", self.sign_ins.clone());
        to.register(
            "registrations",
            "Accounts that people made, by what they chose",
            self.registrations.clone(),
        );
        to.register("jobs", "Tries of background jobs by kind and outcome", self.jobs.clone());
        to.register("jobs_waiting", "Background jobs that wait, of all nodes", self.jobs_waiting.clone());
        to.register_with_unit(
            "jobs_oldest",
            "For how long the oldest of them has waited",
            Unit::Seconds,
            self.jobs_oldest.clone(),
        );
        to.register(
            "jobs_given_up",
            "Background jobs that a person must look at, of all nodes",
            self.jobs_given_up.clone(),
        );
        to.register_with_unit(
            "homeserver_call_duration",
            "Calls to the homeserver by name and outcome",
            Unit::Seconds,
            self.homeserver_calls.clone(),
        );
        to.register("hashes_running", "Passwords that are being hashed", self.hashes_running.clone());
        to.register("hashes_waiting", "Passwords that wait to be hashed", self.hashes_waiting.clone());
        to.register(
            "memory_trusted",
            "1 while this node answers from memory, 0 while its channel to the others is lost",
            self.memory_trusted.clone(),
        );
    }

    /// A request was answered; `route` is its template.
    pub fn request(&self, route: String, status: StatusCode, took: Duration) {
        let class = match status.as_u16() / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        let labels = [("route", route.into()), ("status", class.into())];
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// A request at the token endpoint was answered: with tokens, or with the code of an error.
    pub fn token_request(&self, grant: &'static str, outcome: &'static str) {
        self.token_requests.get_or_create(&[("grant", grant.into()), ("outcome", outcome.into())]).inc();
    }

    /// A refresh token was presented.
    pub fn refresh(&self, outcome: Refresh) {
        self.refreshes.get_or_create(&refresh(outcome)).inc();
    }

    /// Somebody tried to sign in.
    pub fn sign_in(&self, method: &'static str, outcome: SignIn) {
        self.sign_ins.get_or_create(&sign_in(method, outcome)).inc();
    }

    /// Somebody made an account, with a `password`, a `passkey` or `both`.
    pub fn registration(&self, way: &'static str) {
        self.registrations.get_or_create(&registration(way)).inc();
    }

    /// A job was tried.
    pub fn job(&self, kind: &'static str, outcome: &'static str) {
        self.jobs.get_or_create(&[("kind", kind.into()), ("outcome", outcome.into())]).inc();
    }

    /// The homeserver was called.
    pub fn homeserver_call(&self, call: &'static str, outcome: &'static str, took: Duration) {
        let labels = [("call", call.into()), ("outcome", outcome.into())];
        self.homeserver_calls.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Everything as text.
    pub fn tell(&self, readings: Readings) -> String {
        self.jobs_waiting.set(readings.jobs_waiting);
        self.jobs_oldest.set(readings.jobs_oldest_seconds);
        self.jobs_given_up.set(readings.jobs_given_up);
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        self.hashes_running.set(count(readings.hashes_running));
        self.hashes_waiting.set(count(readings.hashes_waiting));
        self.memory_trusted.set(i64::from(readings.is_memory_trusted));
        let mut told = String::new();
        // A text takes whatever is written to it.
        let _ = text::encode(&mut told, &self.registry);
        told
    }
}

fn refresh(outcome: Refresh) -> [Label; 1] {
    [("outcome", outcome.as_str().into())]
}

fn registration(way: &'static str) -> [Label; 1] {
    [("way", way.into())]
}

fn sign_in(method: &'static str, outcome: SignIn) -> [Label; 2] {
    [("method", method.into()), ("outcome", outcome.as_str().into())]
}
