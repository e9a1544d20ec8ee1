//! One of many clients that are used at once, by one person: signs in, refreshes, signs out, in an order
//! that a seed decides, and remembers what it was told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::calls::{Browser, Calls, Stop};
use super::ledger::Ledger;
use super::session::{Doubt, Session};

/// How many sessions it keeps.
const SESSIONS: usize = 10;
/// How long it waits when it was asked to come back; not as long as it was asked to.
const AGAIN: Duration = Duration::from_millis(50);

/// A code whose exchange was not answered with tokens yet.
struct Exchange {
    code: String,
    device: String,
    /// The session that it replaces.
    replaces: Option<u64>,
    /// Whether it was sent at least once.
    is_in_doubt: bool,
    not_before: Instant,
}

/// A client and everything it was told.
pub struct Client {
    pub ledger: Ledger,
    username: String,
    calls: Calls,
    other_calls: Calls,
    rng: TestRng,
    life: u64,
    browser: Option<Browser>,
    /// A browser whose signing out was not answered.
    leaving: Option<Browser>,
    signed_out: Vec<Browser>,
    browser_checked: u64,
    /// An authorization request whose consent was not answered: its path and the device.
    asking: Option<(String, String)>,
    /// Whether a consent was acknowledged.
    pub has_allowed: bool,
    exchanges: Vec<Exchange>,
    sessions: Vec<Session>,
    over: Vec<Session>,
    begun: u64,
    /// Devices of sessions that began without anybody hearing of it.
    lost_devices: Vec<String>,
    devices: u64,
    /// What is being done, for the count of what is in doubt.
    doing: &'static str,
}

/// A generator of choices.
pub fn choices(seed: u64, of: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..16].copy_from_slice(&of.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

impl Client {
    pub fn new(number: usize, seed: u64, port: u16, homeserver_secret: &str) -> Client {
        Client {
            ledger: Ledger::default(),
            username: Client::username(number),
            calls: Calls::new(port, homeserver_secret),
            other_calls: Calls::new(port, homeserver_secret),
            rng: choices(seed, number as u64 + 1),
            life: 0,
            browser: None,
            leaving: None,
            signed_out: Vec::new(),
            browser_checked: 0,
            asking: None,
            has_allowed: false,
            exchanges: Vec::new(),
            sessions: Vec::new(),
            over: Vec::new(),
            begun: 0,
            lost_devices: Vec::new(),
            devices: 0,
            doing: "",
        }
    }

    /// The account of the client of that number.
    pub fn username(number: usize) -> String {
        format!("user{number}")
    }

    /// Goes on until the server is gone or it is told to stop: first it looks at everything that was
    /// acknowledged before, then it goes on with its work.
    pub async fn live(&mut self, life: u64, stop: &Arc<AtomicBool>) {
        self.life = life;
        while !stop.load(Ordering::Relaxed) {
            let step = match self.look_back().await {
                Ok(false) => self.go_on().await,
                other => other.map(drop),
            };
            if self.note(step).await {
                return;
            }
        }
    }

    /// Looks once more at everything that was ever acknowledged. A sign-in that the server died in keeps its
    /// device for half a minute; who is not patient leaves that in doubt.
    pub async fn look_at_everything(&mut self, life: u64, is_patient: bool) {
        self.life = life;
        let deadline = Instant::now() + Duration::from_secs(300);
        loop {
            assert!(Instant::now() < deadline, "{} does not come to an end: {}", self.username, self.doing);
            let step = match self.look_back().await {
                Ok(false) if self.exchanges.is_empty() || !is_patient => break,
                Ok(_) => Ok(()),
                Err(stop) => Err(stop),
            };
            if matches!(step, Ok(())) && !self.exchanges.is_empty() {
                tokio::time::sleep(AGAIN).await;
            }
            assert!(!self.note(step).await, "the server is gone");
        }
        for _ in self.exchanges.drain(..) {
            self.ledger.resolved.count("code exchange: left in doubt");
        }
        for mut session in std::mem::take(&mut self.over) {
            let checked = session.check(&mut self.calls, &mut self.ledger).await;
            assert!(!self.note(checked).await, "the server is gone");
        }
        for browser in std::mem::take(&mut self.signed_out) {
            let checked = check_signed_out(&browser, &mut self.calls, &mut self.ledger).await;
            assert!(!self.note(checked).await, "the server is gone");
        }
    }

    /// Presents the codes of the sessions that are left; of those that are old enough this is the end.
    pub async fn reuse_codes(&mut self) {
        for mut session in std::mem::take(&mut self.sessions) {
            let reused = session.reuse_code(&mut self.calls, &mut self.ledger).await;
            assert!(!self.note(reused).await, "the server is gone");
        }
    }

    /// The devices of its sessions that are not over.
    pub fn live_devices(&self) -> Vec<String> {
        self.sessions
            .iter()
            .filter(|session| !session.is_ended)
            .map(|session| session.device.clone())
            .collect()
    }

    /// How many sessions began without anybody hearing of it, and were not replaced since.
    pub fn count_lost_devices(&self) -> usize {
        self.lost_devices.len()
    }

    pub fn name(&self) -> &str {
        &self.username
    }

    /// Takes down how a step ended; whether the server is gone.
    async fn note(&mut self, step: Result<(), Stop>) -> bool {
        match step {
            Ok(()) => false,
            Err(Stop::Gone) => {
                self.ledger.in_doubt.count(self.doing);
                true
            }
            Err(Stop::Later) => {
                self.ledger.in_doubt.count(format!("{} (503)", self.doing));
                tokio::time::sleep(AGAIN).await;
                false
            }
            Err(Stop::Wrong(what)) => {
                self.ledger.violations.push(format!("{}, {}: {what}", self.username, self.doing));
                // The run has failed, and has only to come to its end.
                self.asking = None;
                self.leaving = None;
                self.exchanges.clear();
                false
            }
        }
    }

    /// Settles what is in doubt and looks at what was acknowledged in an earlier life of the server;
    /// `false` when nothing is left to look at.
    async fn look_back(&mut self) -> Result<bool, Stop> {
        if let Some(browser) = &self.leaving {
            self.doing = "browser sign-out";
            let is_in = self.calls.is_signed_in(browser).await?;
            let browser = self.leaving.take().expect("it was there");
            self.ledger.resolved.count(if is_in {
                "browser sign-out: not done"
            } else {
                "browser sign-out: done"
            });
            match is_in {
                true => self.browser = Some(browser),
                false => self.signed_out.push(browser),
            }
            return Ok(true);
        }
        if self.browser_checked < self.life {
            self.doing = "look at the browser";
            if let Some(browser) = &self.browser {
                if !self.calls.is_signed_in(browser).await? {
                    self.browser = None;
                    return Err(Stop::Wrong("a browser is no longer signed in".to_owned()));
                }
                self.ledger.checked.count("browser signed in");
            }
            if let Some(browser) = self.signed_out.last() {
                let checked = check_signed_out(browser, &mut self.calls, &mut self.ledger).await;
                if let Err(Stop::Wrong(_)) = checked {
                    self.signed_out.pop();
                }
                checked?;
            }
            self.browser_checked = self.life;
            return Ok(true);
        }
        if let Some((path, device)) = self.asking.clone() {
            self.doing = "consent";
            let Some(browser) = &self.browser else {
                self.asking = None;
                return Ok(true);
            };
            let code = self.calls.allow(browser, &path).await?;
            self.ledger.resolved.count("consent");
            self.allowed(code, device);
            return Ok(true);
        }
        let is_due = |exchange: &Exchange| exchange.not_before <= Instant::now();
        if let Some(index) = self.exchanges.iter().position(is_due) {
            self.exchange(index).await?;
            return Ok(true);
        }
        let is_to_look_at = |session: &Session| session.doubt.is_some() || session.checked < self.life;
        if let Some(index) = self.sessions.iter().position(is_to_look_at) {
            self.doing = "look at a session";
            let looked = look_at(&mut self.sessions[index], &mut self.calls, &mut self.ledger).await;
            match looked {
                Ok(()) => self.sessions[index].checked = self.life,
                Err(Stop::Wrong(what)) => {
                    let session = self.sessions.swap_remove(index);
                    return Err(Stop::Wrong(format!("{}: {what}", session.device)));
                }
                Err(stop) => return Err(stop),
            }
            self.bury();
            return Ok(true);
        }
        Ok(false)
    }

    /// Moves sessions that are over, and known to be, out of the way.
    fn bury(&mut self) {
        let exchanges = &self.exchanges;
        let life = self.life;
        let is_done = |session: &mut Session| {
            session.is_ended
                && session.checked == life
                && !exchanges.iter().any(|exchange| exchange.replaces == Some(session.id))
        };
        self.over.extend(self.sessions.extract_if(.., is_done));
    }

    /// One thing that a client does.
    async fn go_on(&mut self) -> Result<(), Stop> {
        let Some(browser) = self.browser.clone() else {
            self.doing = "password sign-in";
            self.browser = Some(self.calls.sign_in(&self.username).await?);
            self.ledger.acknowledged.count("password sign-in");
            return Ok(());
        };
        let (choice, which) = (self.rng.next_u32() % 100, self.rng.next_u32());
        let is_free = |session: &Session| {
            !session.is_ended && !self.exchanges.iter().any(|exchange| exchange.device == session.device)
        };
        let free: Vec<usize> = (0..self.sessions.len()).filter(|i| is_free(&self.sessions[*i])).collect();
        if let Some(device) = self.lost_devices.pop() {
            return self.sign_in(browser, device).await;
        }
        if free.len() < 3 || (72..80).contains(&choice) && free.len() < SESSIONS {
            let device = self.new_device();
            return self.sign_in(browser, device).await;
        }
        let index = free[which as usize % free.len()];
        let session = &mut self.sessions[index];
        let (calls, ledger) = (&mut self.calls, &mut self.ledger);
        let done = match choice {
            0..52 => {
                self.doing = "refresh";
                session.refresh(calls, ledger).await
            }
            52..66 => {
                self.doing = "first use";
                session.use_access(calls, ledger).await
            }
            66..74 => {
                self.doing = "refresh, twice at once";
                session.refresh_twice([calls, &mut self.other_calls], ledger).await
            }
            74..85 => {
                self.doing = "revocation";
                session.revoke(calls, ledger, self.rng.next_u32()).await
            }
            85..89 => {
                self.doing = "look for a session";
                let Some(path) = calls.find_end(&browser, &session.device).await? else { return Ok(()) };
                self.doing = "end on its page";
                session.doubt = Some(Doubt::End("end on its page"));
                let ended = calls.end(&browser, &path).await;
                if ended.is_ok() {
                    session.end("end on its page", ledger);
                }
                ended
            }
            89..94 => {
                let device = session.device.clone();
                return self.sign_in(browser, device).await;
            }
            94..99 => {
                self.doing = "consumed token";
                session.present_superseded(calls, ledger).await
            }
            // A code that was not spent yet would end with the browser session.
            _ if !self.exchanges.is_empty() => return Ok(()),
            _ => {
                self.doing = "browser sign-out";
                self.leaving = self.browser.take();
                calls.sign_out(&browser).await?;
                self.signed_out.extend(self.leaving.take());
                self.ledger.acknowledged.count("browser sign-out");
                return Ok(());
            }
        };
        if let Err(Stop::Wrong(what)) = done {
            let session = self.sessions.swap_remove(index);
            return Err(Stop::Wrong(format!("{}: {what}", session.device)));
        }
        done
    }

    fn new_device(&mut self) -> String {
        self.devices += 1;
        format!("DEVICE{:06}", self.devices)
    }

    /// Signs in on a device; a session that is there already is replaced.
    async fn sign_in(&mut self, browser: Browser, device: String) -> Result<(), Stop> {
        self.doing = "authorization request";
        let path = self.calls.authorize(&browser, &device).await?;
        self.doing = "consent";
        self.asking = Some((path.clone(), device.clone()));
        let code = self.calls.allow(&browser, &path).await?;
        self.allowed(code, device);
        self.exchange(self.exchanges.len() - 1).await
    }

    /// Takes down a consent, of which the first alone is something new to write, and what its code is for.
    fn allowed(&mut self, code: String, device: String) {
        self.asking = None;
        if !std::mem::replace(&mut self.has_allowed, true) {
            self.ledger.acknowledged.count("consent");
        }
        let is_replaced = |session: &&Session| session.device == device && !session.is_ended;
        let replaces = self.sessions.iter().find(is_replaced).map(|session| session.id);
        let not_before = Instant::now();
        self.exchanges.push(Exchange { code, device, replaces, is_in_doubt: false, not_before });
    }

    /// Exchanges a code, once more when that was not answered. Whether the session that it replaces is over
    /// must agree with whether the code is spent.
    async fn exchange(&mut self, index: usize) -> Result<(), Stop> {
        let Exchange { code, device, replaces, is_in_doubt, .. } = &mut self.exchanges[index];
        let (code, device, replaces) = (code.clone(), device.clone(), *replaces);
        let was_in_doubt = std::mem::replace(is_in_doubt, true);
        self.exchanges[index].not_before = Instant::now() + Duration::from_secs(1);
        let mut was_over = None;
        if let Some(session) = self.sessions.iter_mut().find(|session| Some(session.id) == replaces) {
            self.doing = "look at a replaced session";
            session.settle(&mut self.calls, &mut self.ledger).await?;
            was_over = Some(session.is_ended);
            if !session.is_ended {
                session.doubt = Some(Doubt::End("replacement"));
            }
        }
        self.doing = "code exchange";
        let exchanged = self.calls.exchange(&code).await?;
        self.exchanges.swap_remove(index);
        let before = self.sessions.iter_mut().find(|session| Some(session.id) == replaces);
        match exchanged {
            Some(pair) => {
                if was_over == Some(true) {
                    return Err(Stop::Wrong("a session was replaced by one that had not begun".to_owned()));
                }
                if let Some(session) = before {
                    session.end("replacement", &mut self.ledger);
                    session.checked = 0;
                }
                self.ledger.acknowledged.count("code exchange");
                if was_in_doubt {
                    self.ledger.resolved.count("code exchange: not done");
                }
                self.begun += 1;
                self.sessions.push(Session::new(self.begun, device, code, pair, self.life));
            }
            None if !was_in_doubt => return Err(Stop::Wrong("a code is refused".to_owned())),
            None => {
                if let Some(session) = before {
                    session.doubt = None;
                }
                if was_over == Some(false) {
                    return Err(Stop::Wrong("a code is spent, but what it replaces goes on".to_owned()));
                }
                self.ledger.resolved.count("code exchange: done");
                self.lost_devices.push(device);
            }
        }
        Ok(())
    }
}

async fn look_at(session: &mut Session, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
    session.settle(calls, ledger).await?;
    session.check(calls, ledger).await
}

async fn check_signed_out(browser: &Browser, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
    match calls.is_signed_in(browser).await? {
        false => ledger.checked.count("browser signed out"),
        true => return Err(Stop::Wrong("a browser that was signed out is signed in".to_owned())),
    }
    Ok(())
}
