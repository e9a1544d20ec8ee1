//! Calls to addresses that somebody else chose: what is never called, and what an answer may cost.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use gatehouse::config;
use gatehouse::http::listen::{Limits as ListenLimits, ListenAddress, ListenerConfig, TlsFiles, bind, serve};
use gatehouse::outbound::{Error, Limits, Names, OpenError, Outbound};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// The host that the tests' own certificates are for.
const HOST: &str = "keys.client.example";

/// A web site of a client, on this machine, with a certificate of an authority of its own.
pub(crate) struct Site {
    pub(crate) port: u16,
    folder: TempDir,
    task: JoinHandle<()>,
}

impl Site {
    pub(crate) fn start(router: Router) -> Site {
        Site::start_at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), router)
    }

    fn start_at(address: SocketAddr, router: Router) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let authority = {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
        };
        let key = KeyPair::generate().unwrap();
        let names = [HOST.to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        let files = TlsFiles {
            certificate_file: folder.path().join("chain.pem"),
            key_file: folder.path().join("key.pem"),
        };
        fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        fs::write(&files.certificate_file, certificate.pem()).unwrap();
        fs::write(&files.key_file, key.serialize_pem()).unwrap();
        let address = ListenAddress::Tcp(address);
        let bound = bind(&[ListenerConfig { address, tls: Some(files) }]).unwrap();
        let port = match bound[0].address() {
            ListenAddress::Tcp(address) => address.port(),
            ListenAddress::Unix { .. } => panic!("not a TCP listener"),
        };
        let task = tokio::spawn(async move {
            serve(router, bound, ListenLimits::default(), std::future::pending()).await.unwrap();
        });
        Site { port, folder, task }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A path of the site by its name.
    fn url(&self, path: &str) -> Url {
        url(&format!("https://{HOST}:{}{path}", self.port))
    }

    /// A way out that trusts the site's authority, finds the site by its name, and may call it.
    fn outbound(&self) -> Outbound {
        Outbound::with_names(&settings(Some(self.ca_file()), &["127.0.0.0/8"]), names(&[HOST])).unwrap()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

fn settings(ca_file: Option<PathBuf>, networks: &[&str]) -> config::Outbound {
    let allowed_networks = networks.iter().map(|network| network.parse().unwrap()).collect();
    config::Outbound { ca_file, allowed_networks }
}

/// Names that all mean this machine.
fn names(hosts: &[&str]) -> Names {
    table(&hosts.iter().map(|host| (*host, vec!["127.0.0.1"])).collect::<Vec<_>>())
}

fn table(hosts: &[(&str, Vec<&str>)]) -> Names {
    let read = |address: &&str| address.parse::<IpAddr>().unwrap();
    let entry = |(host, found): &(&str, Vec<&str>)| ((*host).to_owned(), found.iter().map(read).collect());
    let table: BTreeMap<_, _> = hosts.iter().map(entry).collect();
    Names::Given(Arc::new(move |name| table.get(name).cloned().unwrap_or_default()))
}

async fn fetch(outbound: &Outbound, url: &Url) -> Result<Value, Error> {
    outbound.get_json(url, Limits::default()).await
}

#[track_caller]
fn refused(outbound: &Outbound, address: &str) -> Error {
    match outbound.check(&url(address)) {
        Err(error) => error,
        Ok(()) => panic!("{address} would be called"),
    }
}

#[tokio::test]
async fn a_document_is_fetched_over_https_with_the_authority_of_the_ca_file() {
    let site = Site::start(Router::new().route("/jwks", get(async || axum::Json(json!({ "keys": [] })))));
    assert_eq!(fetch(&site.outbound(), &site.url("/jwks")).await, Ok(json!({ "keys": [] })));
    let address = url(&format!("https://127.0.0.1:{}/jwks", site.port));
    assert_eq!(fetch(&site.outbound(), &address).await, Ok(json!({ "keys": [] })));
}

#[tokio::test]
async fn without_the_ca_file_the_same_certificate_is_not_trusted() {
    let site = Site::start(Router::new().route("/jwks", get(async || axum::Json(json!({})))));
    let outbound = Outbound::with_names(&settings(None, &["127.0.0.0/8"]), names(&[HOST])).unwrap();
    assert!(matches!(fetch(&outbound, &site.url("/jwks")).await, Err(Error::Unanswered(_))));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_not_accepted() {
    let site = Site::start(Router::new().route("/jwks", get(async || axum::Json(json!({})))));
    let settings = settings(Some(site.ca_file()), &["127.0.0.0/8"]);
    let outbound = Outbound::with_names(&settings, names(&["other.example"])).unwrap();
    let address = url(&format!("https://other.example:{}/jwks", site.port));
    assert!(matches!(fetch(&outbound, &address).await, Err(Error::Unanswered(_))));
}

#[test]
fn a_ca_file_that_cannot_be_used_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let open = || Outbound::new(&settings(Some(file.clone()), &[])).err();
    assert!(matches!(open(), Some(OpenError::Unreadable { .. })));
    for content in ["", "not a certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    {
        fs::write(&file, content).unwrap();
        assert!(open().is_some_and(|error| error.to_string().contains("ca")), "{content}");
    }
}

#[test]
fn addresses_that_are_not_public_are_refused_however_they_are_written() {
    let outbound = Outbound::new(&settings(None, &[])).unwrap();
    for address in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0177.0.0.1/",
        "https://0x7f.0.0.1/",
        "https://017700000001/",
        "https://%31%32%37.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://127.0.0.1./",
        "https://0/",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://100.64.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://172.16.0.1/",
        "https://192.168.1.1/",
        "https://198.18.0.1/",
        "https://203.0.113.1/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::]/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:db8::1]/",
        "https://[fd00:ec2::254]/",
        "https://[fe80::1]/",
        "https://[ff02::1]/",
    ] {
        assert_eq!(refused(&outbound, address), Error::NotPublic, "{address}");
    }
    for address in ["https://8.8.8.8/", "https://[2606:4700::1111]/", "https://client.example/"] {
        assert_eq!(outbound.check(&url(address)), Ok(()), "{address}");
    }
}

#[test]
fn only_plain_https_addresses_are_called() {
    let outbound = Outbound::new(&settings(None, &["127.0.0.0/8"])).unwrap();
    for address in [
        "http://client.example/",
        "http://8.8.8.8/",
        "http://localhost/",
        "http://localhost.client.example/",
        "ftp://client.example/",
        "file:///etc/passwd",
        "data:application/json,{}",
        "gopher://127.0.0.1/",
        "https://user@client.example/",
        "https://user:password@client.example/",
        "https://:password@client.example/",
        "https://client.example:22/",
        "https://client.example:25/",
        "https://client.example:80/",
        "https://client.example:0/",
        "https://client.example:1023/",
    ] {
        assert!(matches!(refused(&outbound, address), Error::Address(_)), "{address}");
    }
    for address in [
        "https://client.example/",
        "https://client.example:8443/x?y",
        "http://127.0.0.1/",
        "http://127.9.9.9:8000/",
    ] {
        assert_eq!(outbound.check(&url(address)), Ok(()), "{address}");
    }
}

#[test]
fn http_is_refused_to_a_loopback_address_that_is_not_allowed() {
    let outbound = Outbound::new(&settings(None, &["10.0.0.0/8"])).unwrap();
    assert_eq!(refused(&outbound, "http://127.0.0.1/"), Error::NotPublic);
    assert!(matches!(refused(&outbound, "http://10.0.0.1/"), Error::Address(_)));
}

/// Counts who connects, and never says a word.
async fn trap() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            held.push(connection);
        }
    });
    (address, count)
}

#[tokio::test]
async fn a_name_with_an_address_that_is_not_public_is_refused_before_anything_connects() {
    let (address, connections) = trap().await;
    let found = table(&[
        ("loopback.example", vec!["127.0.0.1"]),
        ("mapped.example", vec!["::ffff:127.0.0.1"]),
        ("both.example", vec!["93.184.215.14", "127.0.0.1"]),
        ("metadata.example", vec!["169.254.169.254"]),
    ]);
    let outbound = Outbound::with_names(&settings(None, &[]), found).unwrap();
    for host in ["loopback", "mapped", "both", "metadata"] {
        let address = url(&format!("https://{host}.example:{}/", address.port()));
        assert_eq!(fetch(&outbound, &address).await, Err(Error::NotPublic), "{host}");
        let posted = outbound.post_form(&address, &[("a", "b")], Duration::from_secs(5)).await;
        assert_eq!(posted, Err(Error::NotPublic), "{host}");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

/// DNS rebinding: the answer that is judged may be called, and the next one is the address to reach.
#[tokio::test]
async fn a_name_whose_answer_changes_is_looked_up_once_and_called_as_it_was_judged() {
    let (inside, connections) = trap().await;
    let outside = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), inside.port()));
    let lookups = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&lookups);
    let names = Names::Given(Arc::new(move |_| {
        // Every other answer: the first of each call, as long as that asks once.
        let is_first = counted.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        vec![if is_first { outside.ip() } else { inside.ip() }]
    }));
    let open = |ca_file| Outbound::with_names(&settings(ca_file, &["127.0.0.2/32"]), names.clone()).unwrap();
    let address = url(&format!("https://{HOST}:{}/keys", inside.port()));

    // Nobody listens there yet: what fails is not tried again elsewhere.
    assert!(matches!(fetch(&open(None), &address).await, Err(Error::Unanswered(_))));
    assert_eq!(lookups.load(Ordering::SeqCst), 1);
    assert_eq!(fetch(&open(None), &address).await, Err(Error::NotPublic), "each call looks and judges anew");
    assert_eq!(lookups.load(Ordering::SeqCst), 2);

    let router = Router::new().route("/keys", get(async || "{}").post(async || StatusCode::NO_CONTENT));
    let site = Site::start_at(outside, router);
    let outbound = open(Some(site.ca_file()));
    assert_eq!(fetch(&outbound, &address).await, Ok(json!({})));
    assert_eq!(lookups.load(Ordering::SeqCst), 3);
    let post = async || outbound.post_form(&address, &[("a", "b")], Duration::from_secs(5)).await;
    assert_eq!(post().await, Err(Error::NotPublic));
    assert_eq!(post().await, Ok(()));
    assert_eq!(lookups.load(Ordering::SeqCst), 5);
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_of_this_machine_is_refused_when_the_system_resolves_it() {
    let (address, connections) = trap().await;
    let outbound = Outbound::new(&settings(None, &[])).unwrap();
    let address = url(&format!("https://localhost:{}/", address.port()));
    assert_eq!(fetch(&outbound, &address).await, Err(Error::NotPublic));
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_apart_only_to_the_admin() {
    let outbound =
        Outbound::with_names(&settings(None, &[]), table(&[("inside.example", vec!["10.0.0.1"])])).unwrap();
    let unknown = fetch(&outbound, &url("https://nowhere.example/")).await.unwrap_err();
    let inside = fetch(&outbound, &url("https://inside.example/")).await.unwrap_err();
    assert!(matches!(unknown, Error::Unresolved(_)));
    assert_eq!(inside, Error::NotPublic);
    assert_eq!(unknown.for_strangers(), inside.for_strangers());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&seen);
    let site = Site::start(
        Router::new()
            .route("/303", any(async || Redirect::to("/here")))
            .route("/308", any(async || Redirect::permanent("https://127.0.0.1/latest/meta-data/")))
            .route("/here", any(async move || counted.fetch_add(1, Ordering::SeqCst).to_string())),
    );
    for (path, status) in [("/303", 303), ("/308", 308)] {
        let outbound = site.outbound();
        assert_eq!(fetch(&outbound, &site.url(path)).await, Err(Error::Status(status)));
        let posted = outbound.post_form(&site.url(path), &[], Duration::from_secs(5)).await;
        assert_eq!(posted, Err(Error::Status(status)));
    }
    assert_eq!(seen.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_is_read_up_to_the_limit_and_no_further() {
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let endless = async move || {
        // In pieces and without a length.
        let pieces = futures_util::stream::repeat_with(move || {
            counted.fetch_add(1024, Ordering::SeqCst);
            Ok::<_, std::io::Error>([b' '; 1024].to_vec())
        });
        Body::from_stream(pieces)
    };
    let exact = async || format!("\"{}\"", "x".repeat(998));
    let site = Site::start(Router::new().route("/endless", get(endless)).route("/exact", get(exact)));
    let limits = |bytes| Limits { bytes, ..Limits::default() };
    let outbound = site.outbound();
    let cut = outbound.get_json::<Value>(&site.url("/endless"), limits(100_000)).await;
    assert_eq!(cut, Err(Error::TooLarge(100_000)));
    assert!(sent.load(Ordering::SeqCst) < 32 * 1024 * 1024, "it went on long after the limit");
    assert!(outbound.get_json::<Value>(&site.url("/exact"), limits(1000)).await.is_ok());
    let cut = outbound.get_json::<Value>(&site.url("/exact"), limits(999)).await;
    assert_eq!(cut, Err(Error::TooLarge(999)));
}

#[tokio::test]
async fn a_server_that_takes_its_time_is_given_up() {
    let (silent, _) = trap().await;
    let drip = async || {
        let pieces = futures_util::stream::unfold((), async |()| {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(" "), ()))
        });
        Body::from_stream(pieces)
    };
    let never = async || std::future::pending::<StatusCode>().await;
    let site = Site::start(Router::new().route("/drip", get(drip)).route("/never", any(never)));
    let outbound = site.outbound();
    let limits = Limits { time: Duration::from_millis(200), ..Limits::default() };
    let silent = url(&format!("https://{HOST}:{}/", silent.port()));
    for address in [silent, site.url("/never"), site.url("/drip")] {
        assert_eq!(outbound.get_json::<Value>(&address, limits).await, Err(Error::Slow), "{address}");
    }
    let posted = outbound.post_form(&site.url("/never"), &[], limits.time).await;
    assert_eq!(posted, Err(Error::Slow));
}

#[tokio::test]
async fn errors_and_other_documents_are_told_apart() {
    let site = Site::start(
        Router::new()
            .route("/html", get(async || "<html>"))
            .route("/error", any(async || StatusCode::INTERNAL_SERVER_ERROR)),
    );
    let outbound = site.outbound();
    assert_eq!(fetch(&outbound, &site.url("/html")).await, Err(Error::NotJson));
    assert_eq!(fetch(&outbound, &site.url("/error")).await, Err(Error::Status(500)));
    assert_eq!(fetch(&outbound, &site.url("/missing")).await, Err(Error::Status(404)));
}

#[tokio::test]
async fn a_form_is_posted_and_carries_nothing_else() {
    let seen = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&seen);
    let take = async move |request: Request| {
        let headers = request.headers().clone();
        let body = axum::body::to_bytes(request.into_body(), 1000).await.unwrap();
        *kept.lock().unwrap() = Some((headers, body));
        StatusCode::NO_CONTENT.into_response()
    };
    let site = Site::start(Router::new().route("/logout", any(take)));
    let form = [("logout_token", "a.b+c/d=")];
    let posted = site.outbound().post_form(&site.url("/logout"), &form, Duration::from_secs(5)).await;
    assert_eq!(posted, Ok(()));
    let (headers, body) = seen.lock().unwrap().take().unwrap();
    assert_eq!(body, "logout_token=a.b%2Bc%2Fd%3D");
    assert_eq!(headers[CONTENT_TYPE], "application/x-www-form-urlencoded");
    for absent in ["cookie", "authorization", "referer"] {
        assert!(!headers.contains_key(absent), "{absent}");
    }
}

/// In a process of its own, since only that can have an environment of its own.
#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    let (proxy, connections) = trap().await;
    let site = Site::start(Router::new().route("/jwks", get(async || axum::Json(json!({})))));
    let proxy = format!("http://{proxy}");
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "outbound::fetch_in_an_environment_with_proxies", "--ignored", "--nocapture"])
        .env("TEST_OUTBOUND_PORT", site.port.to_string())
        .env("TEST_OUTBOUND_CA_FILE", site.ca_file());
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        child.env(variable, &proxy).env(variable.to_lowercase(), &proxy);
    }
    let ended =
        tokio::task::spawn_blocking(move || child.env_remove("NO_PROXY").env_remove("no_proxy").output());
    let ended = ended.await.unwrap().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("1 passed"));
    assert_eq!(connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
#[ignore = "runs within proxies_of_the_environment_are_not_used"]
async fn fetch_in_an_environment_with_proxies() {
    assert!(std::env::var_os("HTTPS_PROXY").is_some());
    let ca_file = PathBuf::from(std::env::var_os("TEST_OUTBOUND_CA_FILE").unwrap());
    let port = std::env::var("TEST_OUTBOUND_PORT").unwrap();
    let outbound = Outbound::with_names(&settings(Some(ca_file), &["127.0.0.1/32"]), names(&[HOST])).unwrap();
    let fetched = fetch(&outbound, &url(&format!("https://{HOST}:{port}/jwks"))).await;
    assert_eq!(fetched, Ok(json!({})));
}

#[tokio::test]
async fn http_reaches_an_allowed_loopback_address() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let _ = connection.read(&mut [0; 4096]).await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    });
    let outbound = Outbound::new(&settings(None, &["127.0.0.1/32"])).unwrap();
    assert_eq!(fetch(&outbound, &url(&format!("http://{address}/jwks"))).await, Ok(json!({})));
    answer.await.unwrap();
}
