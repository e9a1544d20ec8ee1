//! A session as its client knows it: what the server acknowledged, what is in doubt, and what therefore
//! has to be so.

use std::time::{Duration, Instant};

use super::calls::{Calls, Pair, Stop};
use super::ledger::Ledger;

/// Surely less than the time for which a repeated refresh is answered with the same pair (60 s).
const SAME_AGAIN: Duration = Duration::from_secs(50);
/// Surely less than the time for which an old refresh token is taken for a straggler (30 s).
const STRAGGLER: Duration = Duration::from_secs(20);
/// Surely more than that.
const STOLEN: Duration = Duration::from_secs(31);
/// Surely less than the time in which a code that comes again harms nothing (20 s).
const POSTED_TWICE: Duration = Duration::from_secs(12);

/// What was sent and not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// A refresh with the last refresh token.
    Refresh,
    /// The first use of the last access token.
    FirstUse,
    /// Something that ends the session.
    End(&'static str),
}

/// A session and what was answered about it.
pub struct Session {
    pub id: u64,
    pub device: String,
    pub is_ended: bool,
    pub doubt: Option<Doubt>,
    /// The life of the server in which it was last looked at.
    pub checked: u64,
    code: String,
    begun: Instant,
    /// Every pair that was answered, the first one first.
    pairs: Vec<Pair>,
    /// Whether the last pair is not known to have been used, so that the token before it still counts.
    is_pending: bool,
    /// When the last pair was first asked for.
    asked: Instant,
    /// When its last access token was first shown.
    shown: Instant,
    /// Between which moments a pair was first used for the last time.
    confirmed: [Instant; 2],
}

fn wrong<T>(what: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Wrong(what.into()))
}

impl Session {
    pub fn new(id: u64, device: String, code: String, pair: Pair, life: u64) -> Session {
        let now = Instant::now();
        Session {
            id,
            device,
            is_ended: false,
            doubt: None,
            checked: life,
            code,
            begun: now,
            pairs: vec![pair],
            is_pending: false,
            asked: now,
            shown: now,
            confirmed: [now; 2],
        }
    }

    fn last(&self) -> &Pair {
        self.pairs.last().expect("a session begins with a pair")
    }

    /// The refresh tokens that were replaced by one that was used.
    fn superseded(&self) -> &[Pair] {
        &self.pairs[..self.pairs.len().saturating_sub(if self.is_pending { 2 } else { 1 })]
    }

    fn take(&mut self, pair: Pair) {
        if self.is_pending {
            self.confirmed = [self.asked, Instant::now()];
        }
        self.is_pending = true;
        self.pairs.push(pair);
        self.doubt = None;
    }

    fn begin_refresh(&mut self) -> String {
        if self.doubt.replace(Doubt::Refresh) != Some(Doubt::Refresh) {
            self.asked = Instant::now();
        }
        self.last().refresh.clone()
    }

    /// Refreshes with the last token.
    pub async fn refresh(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        let token = self.begin_refresh();
        match calls.refresh(&token).await? {
            Some(pair) => self.take(pair),
            None => return wrong("the last refresh token of a live session is refused"),
        }
        ledger.acknowledged.count("refresh");
        Ok(())
    }

    /// Refreshes twice at once.
    pub async fn refresh_twice(&mut self, calls: [&mut Calls; 2], ledger: &mut Ledger) -> Result<(), Stop> {
        let token = self.begin_refresh();
        let [one, two] = calls;
        let answers: [Result<Option<Pair>, Stop>; 2] =
            futures_util::future::join(one.refresh(&token), two.refresh(&token)).await.into();
        let mut pairs = Vec::new();
        let mut stopped = Stop::Later;
        for answer in answers {
            match answer {
                Ok(Some(pair)) => pairs.push(pair),
                Ok(None) => return wrong("one of two refreshes at once is told that the session is over"),
                Err(Stop::Wrong(what)) => return wrong(what),
                Err(stop) => stopped = stop,
            }
        }
        if pairs.iter().any(|pair| *pair != pairs[0]) {
            return wrong("two refreshes at once have forked the chain");
        }
        match pairs.pop() {
            Some(pair) => self.take(pair),
            None => return Err(stopped),
        }
        ledger.acknowledged.count("refresh, twice at once");
        Ok(())
    }

    /// Shows the last access token to the homeserver.
    pub async fn use_access(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        if self.is_pending && self.doubt.replace(Doubt::FirstUse) != Some(Doubt::FirstUse) {
            self.shown = Instant::now();
        }
        if !calls.is_active(&self.last().access, &self.device).await? {
            return wrong("the last access token of a live session is not good");
        }
        self.doubt = None;
        if std::mem::take(&mut self.is_pending) {
            self.confirmed = [self.shown, Instant::now()];
            ledger.acknowledged.count("first use");
        }
        Ok(())
    }

    /// Ends it by revoking a token: its last one, or its very first one.
    pub async fn revoke(&mut self, calls: &mut Calls, ledger: &mut Ledger, which: u32) -> Result<(), Stop> {
        let token = match which % 3 {
            0 => self.last().access.clone(),
            1 => self.last().refresh.clone(),
            _ => self.pairs[0].refresh.clone(),
        };
        self.doubt = Some(Doubt::End("revocation"));
        calls.revoke(&token).await?;
        self.end("revocation", ledger);
        Ok(())
    }

    /// Notes that it was ended, which was acknowledged.
    pub fn end(&mut self, how: &str, ledger: &mut Ledger) {
        (self.doubt, self.is_ended) = (None, true);
        ledger.acknowledged.count(how);
    }

    /// Presents a refresh token whose successor was used: a straggler at first, a theft later.
    pub async fn present_superseded(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        let Some(Pair { refresh, .. }) = self.superseded().last().cloned() else { return Ok(()) };
        let [from, to] = self.confirmed;
        if from.elapsed() < STRAGGLER {
            return match calls.refresh(&refresh).await {
                Err(Stop::Later) => {
                    ledger.checked.count("consumed token refused");
                    Ok(())
                }
                Ok(Some(_)) => wrong("a consumed refresh token is accepted"),
                Ok(None) => wrong("a straggler has ended the session"),
                Err(stop) => Err(stop),
            };
        }
        if to.elapsed() < STOLEN {
            return Ok(());
        }
        self.doubt = Some(Doubt::End("end by theft"));
        match calls.refresh(&refresh).await? {
            None => self.end("end by theft", ledger),
            Some(_) => return wrong("a refresh token from long ago is accepted"),
        }
        Ok(())
    }

    /// Finds out what became of a request that was not answered. Either way the session is whole.
    pub async fn settle(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        match self.doubt {
            None => {}
            Some(Doubt::Refresh) => {
                self.refresh(calls, ledger).await?;
                ledger.resolved.count("refresh: answered when it came again");
            }
            Some(Doubt::FirstUse) => {
                self.use_access(calls, ledger).await?;
                ledger.resolved.count("first use: answered when it came again");
            }
            Some(Doubt::End(how)) => self.settle_end(how, calls, ledger).await?,
        }
        Ok(())
    }

    async fn settle_end(&mut self, how: &str, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        let asked = Instant::now();
        if !calls.is_active(&self.last().access, &self.device).await? {
            (self.doubt, self.is_ended) = (None, true);
            ledger.resolved.count(format!("{how}: done"));
            return self.check_ended(calls, ledger).await;
        }
        if std::mem::take(&mut self.is_pending) {
            self.confirmed = [asked, Instant::now()];
        }
        self.doubt = None;
        ledger.resolved.count(format!("{how}: not done"));
        // What keeps the access token alive must keep the refresh token alive too.
        self.refresh(calls, ledger).await
    }

    /// Looks whether everything is as it was acknowledged.
    pub async fn check(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        if self.is_ended {
            return self.check_ended(calls, ledger).await;
        }
        if self.confirmed[0].elapsed() < STRAGGLER {
            self.present_superseded(calls, ledger).await?;
        }
        if self.begun.elapsed() < POSTED_TWICE {
            self.present_code(calls, ledger).await?;
        }
        if let [.., before, last] = &self.pairs[..] {
            if self.is_pending && self.asked.elapsed() < SAME_AGAIN {
                match calls.refresh(&before.refresh).await? {
                    Some(pair) if pair == *last => ledger.checked.count("same pair again"),
                    Some(_) => return wrong("a repeated refresh is answered with another pair"),
                    None => return wrong("a repeated refresh is refused"),
                }
            }
            if !calls.is_active(&before.access, &self.device).await? {
                return wrong("the access token before the last is no longer good");
            }
            ledger.checked.count("older access token good");
        }
        self.use_access(calls, ledger).await?;
        ledger.checked.count("access token good");
        self.refresh(calls, ledger).await?;
        ledger.checked.count("refresh token good");
        Ok(())
    }

    async fn check_ended(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        for pair in self.pairs.iter().rev() {
            if calls.is_active(&pair.access, &self.device).await? {
                return wrong("an access token of an ended session is good");
            }
        }
        for pair in [self.last(), &self.pairs[0]] {
            if calls.refresh(&pair.refresh).await?.is_some() {
                return wrong("a refresh token of an ended session is good");
            }
        }
        ledger.checked.count("ended session over");
        self.present_code(calls, ledger).await
    }

    async fn present_code(&self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        match calls.exchange(&self.code).await? {
            None => ledger.checked.count("spent code refused"),
            Some(_) => return wrong("a spent code is accepted"),
        }
        Ok(())
    }

    /// Presents the code of the session, which was spent: long after that it ends the session.
    pub async fn reuse_code(&mut self, calls: &mut Calls, ledger: &mut Ledger) -> Result<(), Stop> {
        self.present_code(calls, ledger).await?;
        if self.begun.elapsed() > Duration::from_secs(25) {
            self.is_ended = true;
            if calls.is_active(&self.last().access, &self.device).await? {
                return wrong("a code that was used twice has not ended its session");
            }
        }
        Ok(())
    }
}
