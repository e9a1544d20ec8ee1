//! A mail server on a socket of its own (RFC 5321), with TLS from the start or by STARTTLS (RFC 3207), that
//! lets in who signs in (RFC 4954) and keeps what it takes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gatehouse::config::{Config, MailTransport, Secret, SmtpSecurity};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::process::free_port;

const USERNAME: &str = "gatehouse";
/// What it lets in with.
pub const PASSWORD: &str = "the password of the mail account";

/// The mail server. It stops when it is dropped.
pub struct MailServer {
    port: u16,
    security: SmtpSecurity,
    tls: TlsAcceptor,
    folder: TempDir,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    behaviour: Mutex<Behaviour>,
}

/// How it treats whoever comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Behaviour {
    /// It takes mails.
    #[default]
    Takes,
    /// It answers each recipient with this.
    Refuses(&'static str),
    /// It takes the mail, and the connection breaks before anybody hears of it.
    BreaksOffAfterwards,
    /// It never answers.
    IsSilent,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Received {
    pub from: String,
    pub to: String,
    /// Whether it came over TLS.
    pub is_encrypted: bool,
    /// Whether whoever sent it had signed in.
    pub is_authenticated: bool,
    raw: String,
}

impl Received {
    /// The value of a header.
    pub fn header(&self, name: &str) -> String {
        let (head, _) = self.raw.split_once("\r\n\r\n").expect("a head and a body");
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let line = head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("no {name} in {head}")).to_owned()
    }

    /// What is read by those who read text.
    pub fn text(&self) -> String {
        self.part("text/plain")
    }

    /// What is read by those who read HTML.
    pub fn html(&self) -> String {
        self.part("text/html")
    }

    fn part(&self, media_type: &str) -> String {
        let content_type = self.header("Content-Type");
        let boundary = content_type.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
        let boundary = format!("--{}", boundary.expect("a boundary"));
        let is_it = |part: &&str| part.contains(&format!("Content-Type: {media_type}"));
        let part = self.raw.split(&boundary).skip(1).find(is_it).expect("the part");
        let (head, body) = part.split_once("\r\n\r\n").expect("a head and a body");
        let decoded = match head.split("Content-Transfer-Encoding: ").nth(1).and_then(|e| e.lines().next()) {
            Some("base64") => STANDARD.decode(body.replace("\r\n", "")).expect("base64"),
            Some("quoted-printable") => from_quoted_printable(body),
            _ => body.as_bytes().to_vec(),
        };
        String::from_utf8(decoded).expect("UTF-8").replace("\r\n", "\n")
    }

    /// The link that begins with this, in the text.
    pub fn link(&self, begin: &str) -> String {
        let text = self.text();
        let at = text.find(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
        text[at..].split_whitespace().next().expect("a link").to_owned()
    }
}

/// RFC 2045 §6.7.
fn from_quoted_printable(text: &str) -> Vec<u8> {
    let text = text.replace("=\r\n", "");
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'=' => {
                let digits = [bytes.next().expect("a digit"), bytes.next().expect("a digit")];
                u8::from_str_radix(std::str::from_utf8(&digits).expect("ASCII"), 16).expect("a number")
            }
            byte => byte,
        });
    }
    decoded
}

impl MailServer {
    /// A server without TLS, as on the same machine.
    pub async fn start() -> MailServer {
        MailServer::start_with(SmtpSecurity::None).await
    }

    /// A server that is reached in this way, and with TLS lets in only who signs in.
    pub async fn start_with(security: SmtpSecurity) -> MailServer {
        let folder = tempfile::tempdir().expect("a folder");
        let tls = certified(&folder);
        let (port, shared) = (free_port(), Arc::default());
        let mut server = MailServer { port, security, tls, folder, shared, task: None };
        server.restart().await;
        server
    }

    /// Has a server under test send its mails here.
    pub fn configure(&self, config: &mut Config) {
        let email = &mut config.email;
        email.transport = MailTransport::Smtp;
        email.from = Some("Example Chat <noreply@chat.example.org>".to_owned());
        email.smtp.host = "localhost".to_owned();
        email.smtp.port = Some(self.port);
        email.smtp.security = self.security;
        if self.security != SmtpSecurity::None {
            email.smtp.username = Some(USERNAME.to_owned());
            email.smtp.password = Some(Secret::new(PASSWORD));
            email.smtp.ca_file = Some(self.ca_file());
        }
    }

    /// The section `email` of a configuration file that sends mails here.
    pub fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "transport": "smtp", "from": "Example Chat <noreply@chat.example.org>",
            "smtp": {
                "host": "localhost", "port": self.port, "security": self.security, "username": USERNAME,
                "password": PASSWORD, "ca_file": self.ca_file(),
            },
        })
    }

    /// The certificate of the authority that vouches for it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The port that it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it, with all its connections.
    pub fn kill(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }

    /// Starts it again on the same port.
    pub async fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + Duration::from_secs(10);
        let listener = loop {
            match TcpListener::bind(("127.0.0.1", self.port)).await {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < deadline, "the port is not given back: {error}"),
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        let (shared, tls, security) = (Arc::clone(&self.shared), self.tls.clone(), self.security);
        self.task = Some(tokio::spawn(async move {
            // Those who are served end with whoever accepts them.
            let mut served = tokio::task::JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(Service::serve(stream, security, tls.clone(), Arc::clone(&shared)));
            }
        }));
    }

    /// Changes how it treats whoever comes.
    pub fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().expect("a lock") = behaviour;
    }

    /// What it has taken, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("a lock").clone()
    }

    /// What it has taken for an address, in order.
    pub fn received_by(&self, address: &str) -> Vec<Received> {
        self.received().into_iter().filter(|mail| mail.to == address).collect()
    }

    /// Waits until it has taken so many mails.
    pub async fn until_received(&self, count: usize) -> Vec<Received> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.received().len() < count {
            assert!(Instant::now() < deadline, "{} of {count} mails came", self.received().len());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.received()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn certified(folder: &TempDir) -> TlsAcceptor {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"));
    let authority = authority.expect("a certificate");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("a file");
    let key = KeyPair::generate().expect("a key");
    let names = vec!["localhost".to_owned()];
    let certificate = CertificateParams::new(names).expect("a name").signed_by(&key, &authority);
    let chain = vec![certificate.expect("a certificate").der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
    TlsAcceptor::from(Arc::new(config.expect("a configuration")))
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// One connection.
struct Service {
    stream: BufStream<Box<dyn Stream>>,
    shared: Arc<Shared>,
    wants_tls: bool,
    is_encrypted: bool,
    is_authenticated: bool,
}

impl Service {
    async fn serve(
        stream: tokio::net::TcpStream,
        security: SmtpSecurity,
        tls: TlsAcceptor,
        shared: Arc<Shared>,
    ) -> Option<()> {
        let stream: Box<dyn Stream> = match security {
            SmtpSecurity::Tls => Box::new(tls.accept(stream).await.ok()?),
            _ => Box::new(stream),
        };
        let mut service = Service {
            stream: BufStream::new(stream),
            shared,
            wants_tls: security != SmtpSecurity::None,
            is_encrypted: security == SmtpSecurity::Tls,
            is_authenticated: false,
        };
        service.say("220 localhost ready").await?;
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let line = service.line().await?;
            let behaviour = service.shared.behaviour.lock().expect("a lock").clone();
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            if behaviour == Behaviour::IsSilent {
                std::future::pending::<()>().await;
            }
            let may_send = !service.wants_tls || service.is_authenticated;
            match verb.as_str() {
                "EHLO" => service.greet().await?,
                "STARTTLS" if service.wants_tls && !service.is_encrypted => {
                    service.say("220 go ahead").await?;
                    let plain =
                        std::mem::replace(&mut service.stream, BufStream::new(Box::new(tokio::io::empty())));
                    let encrypted = tls.accept(plain.into_inner()).await.ok()?;
                    service.stream = BufStream::new(Box::new(encrypted));
                    service.is_encrypted = true;
                }
                "AUTH" if service.is_encrypted => service.authenticate(&line).await?,
                "MAIL" | "RCPT" | "DATA" if !may_send => service.say("530 5.7.0 sign in first").await?,
                "MAIL" => {
                    from = path_of(&line);
                    service.say("250 2.1.0 yes").await?;
                }
                "RCPT" => match behaviour {
                    Behaviour::Refuses(answer) => service.say(answer).await?,
                    _ => {
                        to = path_of(&line);
                        service.say("250 2.1.5 yes").await?;
                    }
                },
                "DATA" => {
                    service.say("354 go ahead").await?;
                    let raw = service.data().await?;
                    let received = Received {
                        from: std::mem::take(&mut from),
                        to: std::mem::take(&mut to),
                        is_encrypted: service.is_encrypted,
                        is_authenticated: service.is_authenticated,
                        raw,
                    };
                    service.shared.received.lock().expect("a lock").push(received);
                    if behaviour == Behaviour::BreaksOffAfterwards {
                        return None;
                    }
                    service.say("250 2.0.0 taken").await?;
                }
                "NOOP" | "RSET" => service.say("250 2.0.0 yes").await?,
                "QUIT" => return service.say("221 2.0.0 bye").await,
                _ => service.say("502 5.5.1 what").await?,
            }
        }
    }

    async fn greet(&mut self) -> Option<()> {
        self.say("250-localhost").await?;
        if self.wants_tls && !self.is_encrypted {
            self.say("250-STARTTLS").await?;
        }
        if self.wants_tls && self.is_encrypted {
            self.say("250-AUTH PLAIN").await?;
        }
        self.say("250-8BITMIME").await?;
        self.say("250 SMTPUTF8").await
    }

    async fn authenticate(&mut self, line: &str) -> Option<()> {
        let right = STANDARD.encode(format!("\0{USERNAME}\0{PASSWORD}"));
        self.is_authenticated = line == format!("AUTH PLAIN {right}");
        let answer = if self.is_authenticated { "235 2.7.0 welcome" } else { "535 5.7.8 wrong" };
        self.say(answer).await
    }

    /// What comes up to the line with a single dot, with doubled dots made single (RFC 5321 §4.5.2).
    async fn data(&mut self) -> Option<String> {
        let mut data = String::new();
        loop {
            let line = self.line().await?;
            if line == "." {
                return Some(data);
            }
            data.push_str(line.strip_prefix('.').unwrap_or(&line));
            data.push_str("\r\n");
        }
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let length = self.stream.read_line(&mut line).await.ok()?;
        (length > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }
}

/// The address between the angle brackets.
fn path_of(line: &str) -> String {
    let inner = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map(|(path, _)| path.to_owned()).unwrap_or_default()
}
