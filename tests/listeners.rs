//! Listeners on real sockets: protocols, TLS and its renewal, socket files, stopping.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
    sync::Arc,
    time::Duration,
};

use axum::{Extension, Router, http::Version, routing::get};
use gatehouse::http::listen::{
    Bound, Error, Limits, ListenAddress, ListenerConfig, Peer, TlsFiles, bind, serve,
};
use reqwest::{Client, ClientBuilder, StatusCode, tls::TlsInfo};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::{JoinHandle, yield_now},
};

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn tcp(tls: Option<TlsFiles>) -> ListenerConfig {
    let address = ListenAddress::Tcp(SocketAddr::new(LOOPBACK, 0));
    ListenerConfig { address, tls }
}

fn unix(path: &Path) -> ListenerConfig {
    let address = ListenAddress::Unix { path: path.to_owned(), mode: 0o620 };
    ListenerConfig { address, tls: None }
}

/// The tests' own patience: short where a test waits for the end of it.
fn limits() -> Limits {
    Limits { certificate_check: Duration::from_millis(20), ..Limits::default() }
}

fn socket_address(bound: &Bound) -> SocketAddr {
    match bound.address() {
        ListenAddress::Tcp(address) => *address,
        ListenAddress::Unix { .. } => panic!("not a TCP listener"),
    }
}

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), Error>>,
}

impl Server {
    /// Serves on these listeners, of which the first is TCP.
    fn start(configs: &[ListenerConfig], router: Router, limits: Limits) -> Self {
        let bound = bind(configs).unwrap();
        let address = socket_address(&bound[0]);
        let (stop, stopped) = oneshot::channel();
        let until = async { stopped.await.unwrap_or_default() };
        let task = tokio::spawn(serve(router, bound, limits, until));
        Self { address, stop, task }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}/peer", self.address.port())
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// Tells who called.
fn router() -> Router {
    Router::new().route("/peer", get(async |Extension(peer): Extension<Peer>| format!("{peer:?}")))
}

/// Enters a request, says so, and answers once told to.
fn slow_router(entered: &Arc<Notify>, release: &Arc<Notify>) -> Router {
    let (entered, release) = (Arc::clone(entered), Arc::clone(release));
    let handler = async move || {
        entered.notify_one();
        release.notified().await;
        "finished"
    };
    Router::new().route("/peer", get(handler))
}

fn http_client() -> ClientBuilder {
    Client::builder().no_proxy()
}

/// Writes a fresh certificate and its key, and returns the certificate as handshakes show it.
fn write_certificate(files: &TlsFiles) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&files.key_file, made.signing_key.serialize_pem()).unwrap();
    fs::write(&files.certificate_file, made.cert.pem()).unwrap();
    made.cert.der().to_vec()
}

fn tls_files(folder: &TempDir) -> TlsFiles {
    TlsFiles { certificate_file: folder.path().join("chain.pem"), key_file: folder.path().join("key.pem") }
}

/// One request over a connection of its own: its version, and the certificate shown.
async fn handshake(server: &Server, client: ClientBuilder) -> (Version, Vec<u8>) {
    let client = client.tls_danger_accept_invalid_certs(true).tls_info(true).build().unwrap();
    let response = client.get(server.url("https")).send().await.unwrap();
    let info = response.extensions().get::<TlsInfo>().unwrap();
    (response.version(), info.peer_certificate().unwrap().to_vec())
}

#[tokio::test]
async fn one_port_speaks_http_1_and_http_2_in_plain_text() {
    let server = Server::start(&[tcp(None)], router(), limits());
    for (client, version) in
        [(http_client(), Version::HTTP_11), (http_client().http2_prior_knowledge(), Version::HTTP_2)]
    {
        let response = client.build().unwrap().get(server.url("http")).send().await.unwrap();
        assert_eq!(response.version(), version);
        assert_eq!(response.text().await.unwrap(), "Peer(Some(127.0.0.1))");
    }
    server.stop().await;
}

#[tokio::test]
async fn a_unix_socket_has_its_mode_and_no_peer_and_is_removed_in_the_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gatehouse.sock");
    let server = Server::start(&[tcp(None), unix(&path)], router(), limits());
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o620);

    let client = http_client().unix_socket(path.as_path()).build().unwrap();
    let response = client.get("http://localhost/peer").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), "Peer(None)");
    drop(client);

    server.stop().await;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn only_a_socket_that_nobody_answers_on_is_replaced() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gatehouse.sock");

    let living = UnixListener::bind(&path).unwrap();
    let error = bind(&[unix(&path)]).unwrap_err().to_string();
    assert!(error.contains("stop the program that listens there"), "{error}");

    drop(living);
    assert!(path.exists());
    let bound = bind(&[unix(&path)]).unwrap();
    drop(bound);
    assert!(!path.exists());

    fs::write(&path, "precious").unwrap();
    let error = bind(&[unix(&path)]).unwrap_err().to_string();
    assert!(error.contains("not a socket"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[test]
fn a_socket_that_somebody_else_put_in_place_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("gatehouse.sock");
    let bound = bind(&[unix(&path)]).unwrap();
    fs::remove_file(&path).unwrap();
    let _successor = UnixListener::bind(&path).unwrap();
    drop(bound);
    assert!(path.exists());
}

#[test]
fn an_address_in_use_names_the_setting_to_change() {
    let first = bind(&[tcp(None)]).unwrap();
    let taken = socket_address(&first[0]);
    let again = ListenerConfig { address: ListenAddress::Tcp(taken), tls: None };
    let error = bind(&[tcp(None), again]).unwrap_err().to_string();
    for part in [
        &format!("cannot listen on {taken}"),
        "in use",
        "stop the program that listens there",
        "http.listeners[1]",
    ] {
        assert!(error.contains(part), "{part} is missing in {error}");
    }
}

#[tokio::test]
async fn tls_offers_http_2_and_http_1() {
    let folder = TempDir::new().unwrap();
    let files = tls_files(&folder);
    let certificate = write_certificate(&files);
    let server = Server::start(&[tcp(Some(files))], router(), limits());
    assert_eq!(handshake(&server, http_client()).await, (Version::HTTP_2, certificate.clone()));
    assert_eq!(handshake(&server, http_client().http1_only()).await, (Version::HTTP_11, certificate));
    server.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_without_a_restart() {
    let folder = TempDir::new().unwrap();
    let files = tls_files(&folder);
    let first = write_certificate(&files);
    let server = Server::start(&[tcp(Some(files.clone()))], router(), limits());
    assert_eq!(handshake(&server, http_client()).await.1, first);

    let second = write_certificate(&files);
    while handshake(&server, http_client()).await.1 != second {}
    server.stop().await;
}

#[test]
fn certificates_that_cannot_be_used_say_what_to_do() {
    let folder = TempDir::new().unwrap();
    let files = tls_files(&folder);
    let error = |part: &str| {
        let error = bind(&[tcp(Some(files.clone()))]).unwrap_err().to_string();
        assert!(error.contains(part), "{part} is missing in {error}");
        assert!(error.ends_with("(http.listeners[0].tls)"), "{error}");
    };
    error("cannot read");
    write_certificate(&files);
    let other_key = fs::read(&files.key_file).unwrap();
    write_certificate(&files);
    let key = fs::read(&files.key_file).unwrap();
    fs::write(&files.key_file, other_key).unwrap();
    error("check that both come from the same renewal");
    fs::write(&files.key_file, "").unwrap();
    error("holds no private key");
    fs::write(&files.key_file, key).unwrap();
    fs::write(&files.certificate_file, "").unwrap();
    error("holds no certificate");
}

#[tokio::test]
async fn stopping_lets_requests_in_flight_finish_and_refuses_new_ones() {
    for client in [http_client(), http_client().http2_prior_knowledge()] {
        let (entered, release) = (Arc::default(), Arc::default());
        let server = Server::start(&[tcp(None)], slow_router(&entered, &release), limits());
        let request = client.build().unwrap().get(server.url("http"));
        let in_flight = tokio::spawn(request.send());
        entered.notified().await;

        server.stop.send(()).unwrap();
        while TcpStream::connect(server.address).await.is_ok() {
            yield_now().await;
        }
        assert!(!server.task.is_finished());
        release.notify_one();

        let response = in_flight.await.unwrap().unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.text().await.unwrap(), "finished");
        server.task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn stopping_waits_no_longer_than_allowed() {
    let (entered, release) = (Arc::default(), Arc::default());
    let limits = Limits { drain: Duration::from_millis(20), ..limits() };
    let server = Server::start(&[tcp(None)], slow_router(&entered, &release), limits);
    let request = http_client().build().unwrap().get(server.url("http"));
    let in_flight = tokio::spawn(request.send());
    entered.notified().await;
    server.stop().await;
    assert!(in_flight.await.unwrap().is_err());
}

#[tokio::test]
async fn a_connection_that_asks_nothing_is_closed() {
    let folder = TempDir::new().unwrap();
    let files = tls_files(&folder);
    write_certificate(&files);
    let limits = Limits { first_request: Duration::from_millis(20), ..limits() };
    for tls in [None, Some(files)] {
        let server = Server::start(&[tcp(tls)], router(), limits);
        for sent in ["", "GET /peer HT", "GET /peer HTTP/1.1\r\nHost: ", "PRI * HTTP/2.0\r\n"] {
            let mut connection = TcpStream::connect(server.address).await.unwrap();
            connection.write_all(sent.as_bytes()).await.unwrap();
            // Ends, however it ends: the test would hang otherwise.
            let _ = connection.read_to_end(&mut Vec::new()).await;
        }
        server.stop().await;
    }
}

/// Asks over a connection that stays open, and reads the answer's first bytes.
async fn ask_and_stay(server: &Server) -> TcpStream {
    let mut connection = TcpStream::connect(server.address).await.unwrap();
    connection.write_all(b"GET /peer HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut start = [0; 15];
    connection.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 200 OK");
    connection
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = Limits { idle: Duration::from_millis(20), ..limits() };
    let server = Server::start(&[tcp(None)], router(), limits);
    let mut connection = ask_and_stay(&server).await;
    connection.read_to_end(&mut Vec::new()).await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn connections_above_the_limit_wait_for_room() {
    let limits = Limits { connections: 1, ..limits() };
    let server = Server::start(&[tcp(None)], router(), limits);
    let first = ask_and_stay(&server).await;
    let request = http_client().build().unwrap().get(server.url("http"));
    let mut second = tokio::spawn(request.send());
    let early = tokio::time::timeout(Duration::from_millis(30), &mut second).await;
    assert!(early.is_err());
    drop(first);
    assert_eq!(second.await.unwrap().unwrap().status(), StatusCode::OK);
    server.stop().await;
}
