//! Two devices that meet by a QR code, each run by the SDK, and what people do between them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use matrix_sdk::authentication::oauth::qrcode::{
    CheckCodeSender, ContinuationMessageSender, GeneratedQrProgress, GrantLoginProgress, LoginProgress,
    QRCodeGrantLoginError, QRCodeLoginError, QrCodeData, QrProgress,
};
use tokio::sync::{Mutex, Notify, mpsc};
use url::Url;

use crate::app::{App, registration};

/// How long people wait for a device.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which device shows the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// The new one; the existing one scans.
    New,
    /// The existing one; the new one scans.
    Existing,
}

/// What both ended with.
#[derive(Debug)]
pub struct Ended {
    /// Nothing when its app was closed.
    pub new: Option<Result<(), QRCodeLoginError>>,
    pub existing: Result<(), QRCodeGrantLoginError>,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |error: Option<String>| error.unwrap_or_else(|| "done".to_owned());
        let new = match &self.new {
            Some(ended) => told(ended.as_ref().err().map(ToString::to_string)),
            None => "closed".to_owned(),
        };
        let existing = told(self.existing.as_ref().err().map(ToString::to_string));
        write!(f, "new device: {new}; existing device: {existing}")
    }
}

/// What people see on the devices.
pub enum Sight {
    /// The one that scans shows two digits.
    CheckCode(u8),
    /// The one that is scanned wants them typed in.
    AsksForCheckCode(CheckCodeSender),
    /// The existing device wants to open this page, and to be told that it was opened.
    Page(Url, ContinuationMessageSender),
    /// The new device shows the code that belongs to the page.
    UserCode(String),
    /// A device says that it did not work.
    Failure(String),
}

impl fmt::Display for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sight::CheckCode(_) => "a check code",
            Sight::AsksForCheckCode(_) => "the question for the check code",
            Sight::Page(..) => "a page",
            Sight::UserCode(_) => "a user code",
            Sight::Failure(error) => error,
        })
    }
}

/// The people in front of both devices.
pub struct People {
    sights: mpsc::UnboundedReceiver<Sight>,
    closed: Arc<Notify>,
}

impl People {
    async fn next(&mut self) -> Sight {
        let seen = tokio::time::timeout(PATIENCE, self.sights.recv()).await;
        seen.ok().flatten().expect("something to see")
    }

    /// Types the check code of the device that scanned into the other one.
    pub async fn compare_check_codes(&mut self) {
        self.type_check_code(|shown| shown).await;
    }

    /// Types something else.
    pub async fn type_a_wrong_check_code(&mut self) {
        self.type_check_code(|shown| (shown + 1) % 100).await;
    }

    async fn type_check_code(&mut self, typed: impl FnOnce(u8) -> u8) {
        // Either may come first.
        let (shown, asks) = match (self.next().await, self.next().await) {
            (Sight::CheckCode(shown), Sight::AsksForCheckCode(asks))
            | (Sight::AsksForCheckCode(asks), Sight::CheckCode(shown)) => (shown, asks),
            (one, other) => panic!("not what comes next: {one}; {other}"),
        };
        asks.send(typed(shown)).await.expect("the device waits for it");
    }

    /// The page that the existing device wants to open.
    pub async fn page(&mut self) -> (Url, ContinuationMessageSender) {
        match self.next().await {
            Sight::Page(url, opened) => (url, opened),
            other => panic!("not what comes next: {other}"),
        }
    }

    /// The code on the new device.
    pub async fn user_code(&mut self) -> String {
        match self.next().await {
            Sight::UserCode(code) => code,
            other => panic!("not what comes next: {other}"),
        }
    }

    /// Closes the app on the new device, whatever it is doing.
    pub fn close_the_new_app(&self) {
        self.closed.notify_one();
    }
}

/// What passes between the two devices and the people.
struct Between {
    sights: mpsc::UnboundedSender<Sight>,
    code_shown: mpsc::UnboundedSender<Vec<u8>>,
    code_scanned: Mutex<mpsc::UnboundedReceiver<Vec<u8>>>,
}

impl Between {
    fn tell(&self, sight: Sight) {
        // Nobody may be looking any more.
        let _ = self.sights.send(sight);
    }

    /// What a device that shows the code has come to.
    fn show(&self, progress: GeneratedQrProgress) {
        match progress {
            GeneratedQrProgress::QrReady(data) => drop(self.code_shown.send(data.to_bytes())),
            GeneratedQrProgress::QrScanned(asks) => self.tell(Sight::AsksForCheckCode(asks)),
        }
    }

    /// The code that the other device shows, as a camera sees it.
    async fn scan(&self) -> QrCodeData {
        let bytes = self.code_scanned.lock().await.recv().await.expect("a code");
        QrCodeData::from_bytes(&bytes).expect("a QR code")
    }

    fn of_login<Q>(&self, progress: LoginProgress<Q>, of_channel: impl FnOnce(Q)) {
        match progress {
            LoginProgress::EstablishingSecureChannel(progress) => of_channel(progress),
            LoginProgress::WaitingForToken { user_code } => self.tell(Sight::UserCode(user_code)),
            LoginProgress::Starting | LoginProgress::SyncingSecrets | LoginProgress::Done => {}
        }
    }

    fn of_grant<Q>(&self, progress: GrantLoginProgress<Q>, of_channel: impl FnOnce(Q)) {
        match progress {
            GrantLoginProgress::EstablishingSecureChannel(progress) => of_channel(progress),
            GrantLoginProgress::WaitingForAuth { verification_uri, continuation_sender } => {
                self.tell(Sight::Page(verification_uri, continuation_sender));
            }
            GrantLoginProgress::Starting | GrantLoginProgress::SyncingSecrets | GrantLoginProgress::Done => {}
        }
    }

    /// The new device.
    async fn log_in(&self, app: &App, shows_code: bool) -> Result<(), QRCodeLoginError> {
        let (oauth, registration) = (app.client.oauth(), registration());
        let logging_in = oauth.login_with_qr_code(Some(&registration));
        let done = if shows_code {
            let logging_in = logging_in.generate();
            let progress = logging_in.subscribe_to_progress();
            watched(logging_in, progress, |state| self.of_login(state, |shown| self.show(shown))).await
        } else {
            let code = self.scan().await;
            let logging_in = logging_in.scan(&code);
            let progress = logging_in.subscribe_to_progress();
            let scanned = |QrProgress { check_code }| self.tell(Sight::CheckCode(check_code));
            watched(logging_in, progress, |state| self.of_login(state, scanned)).await
        };
        done.inspect_err(|error| self.tell(Sight::Failure(format!("the new device: {error:?}"))))
    }

    /// The existing device.
    async fn grant(&self, app: &App, shows_code: bool) -> Result<(), QRCodeGrantLoginError> {
        let oauth = app.client.oauth();
        let granting = oauth.grant_login_with_qr_code();
        let done = if shows_code {
            let granting = granting.generate();
            let progress = granting.subscribe_to_progress();
            watched(granting, progress, |state| self.of_grant(state, |shown| self.show(shown))).await
        } else {
            let code = self.scan().await;
            let granting = granting.scan(&code);
            let progress = granting.subscribe_to_progress();
            let scanned = |QrProgress { check_code }| self.tell(Sight::CheckCode(check_code));
            watched(granting, progress, |state| self.of_grant(state, scanned)).await
        };
        done.inspect_err(|error| self.tell(Sight::Failure(format!("the existing device: {error:?}"))))
    }
}

/// Runs something to its end and looks at its progress meanwhile.
async fn watched<T, P>(
    work: impl IntoFuture<Output = T>,
    progress: impl futures_util::Stream<Item = P>,
    look: impl Fn(P),
) -> T {
    let looking = async {
        progress.for_each(async |state| look(state)).await;
        std::future::pending().await
    };
    tokio::select! {
        done = work.into_future() => done,
        never = looking => never,
    }
}

/// Lets two devices meet while people do something; what the devices ended with, and the people.
pub async fn meet<T>(
    existing: &App,
    new: &App,
    shows: Shows,
    people: impl AsyncFnOnce(&mut People) -> T,
) -> (Ended, T) {
    let (seen, sights) = mpsc::unbounded_channel();
    let (code_shown, code_scanned) = mpsc::unbounded_channel();
    let between = Between { sights: seen, code_shown, code_scanned: Mutex::new(code_scanned) };
    let mut in_front = People { sights, closed: Arc::default() };
    let closed = Arc::clone(&in_front.closed);
    let logging_in = async {
        tokio::select! {
            done = between.log_in(new, shows == Shows::New) => Some(done),
            () = closed.notified() => None,
        }
    };
    let granting = between.grant(existing, shows == Shows::Existing);
    let (new, existing, done) = tokio::join!(logging_in, granting, people(&mut in_front));
    (Ended { new, existing }, done)
}
