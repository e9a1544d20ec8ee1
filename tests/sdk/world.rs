//! Gatehouse and Synapse, side by side, each behind its own TLS.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tokio::time::Instant;
use url::Url;

use crate::support::process::{self, Watched};
use crate::support::synapse::{Synapse, SynapseOptions};

pub const PASSWORD: &str = "correct horse battery staple";
/// Where a rendezvous begins.
const RENDEZVOUS: &str = "_matrix/client/unstable/org.matrix.msc4108/rendezvous";
const SECRET: &str = "shared-by-the-two-for-this-suite-alone";
/// The shortest life of an access token that can be set.
pub const TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// Both servers. They end with this.
pub struct World {
    /// Gatehouse, as browsers and apps see it.
    pub gatehouse: Url,
    /// Synapse, as apps see it.
    pub homeserver: Url,
    _synapse: Synapse,
    /// The one authority that signed both certificates.
    pub authority: reqwest::Certificate,
    folder: TempDir,
    _gatehouse: Watched,
}

impl World {
    pub async fn start() -> World {
        let folder = process::new_folder("sdk");
        let authority = write_certificates(folder.path());
        let [tls_port, plain_port, synapse_port, synapse_tls_port] = [(); 4].map(|()| process::free_port());
        let local = |scheme: &str, port: u16| -> Url {
            format!("{scheme}://localhost:{port}/").parse().expect("a URL")
        };
        let (gatehouse, homeserver) = (local("https", tls_port), local("https", synapse_tls_port));
        let files = |name: &str| folder.path().join(name);

        let options = SynapseOptions {
            server_name: "example.org".to_owned(),
            auth_endpoint: local("http", plain_port),
            secret: SECRET.to_owned(),
        };
        let synapse = Synapse::start_with(options, synapse_port, |configuration| {
            configuration["public_baseurl"] = json!(homeserver);
            configuration["tls_certificate_path"] = json!(files("chain.pem"));
            configuration["tls_private_key_path"] = json!(files("key.pem"));
            let mut behind_tls = configuration["listeners"][0].clone();
            behind_tls["port"] = json!(synapse_tls_port);
            behind_tls["tls"] = json!(true);
            configuration["listeners"].as_array_mut().expect("a list").push(behind_tls);
            let rendezvous = gatehouse.join(RENDEZVOUS).expect("a path");
            configuration["experimental_features"] = json!({ "msc4108_delegation_endpoint": rendezvous });
        })
        .await;

        let plenty = json!({ "burst": 1_000_000, "per_hour": 1_000_000 });
        let configuration = json!({
            "http": {
                "public_base": gatehouse,
                "listeners": [
                    {
                        "address": format!("127.0.0.1:{tls_port}"),
                        "tls": { "certificate_file": files("chain.pem"), "key_file": files("key.pem") },
                    },
                    // For the homeserver, which knows nothing of the authority.
                    { "address": format!("127.0.0.1:{plain_port}") },
                ],
            },
            "homeserver": {
                "server_name": "example.org",
                "endpoint": synapse.base_url(),
                "secret": SECRET,
            },
            "oauth": { "access_token_lifetime_seconds": TOKEN_LIFETIME.as_secs() },
            "rendezvous": { "msc4108": true },
            "passwords": { "argon2": { "memory_kib": 64, "iterations": 1 } },
            "rate_limits": { "sign_in_per_address": plenty, "rendezvous_per_address": plenty },
        });
        // JSON is YAML.
        fs::write(files("gatehouse.yaml"), configuration.to_string()).expect("a file");
        let mut serve = Command::new("sh");
        serve.args(["-c", "cd \"$1\" && exec \"$0\" serve --config gatehouse.yaml"]);
        serve.arg(program()).arg(folder.path());
        let server = Watched::start("gatehouse", &process::new_folder("sdk-server").keep(), &serve);

        let mut world =
            World { gatehouse, homeserver, _synapse: synapse, authority, folder, _gatehouse: server };
        world.wait_until_healthy().await;
        world
    }

    async fn wait_until_healthy(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let health = self.gatehouse.join("health").expect("a path");
        while !self.http().get(health.clone()).send().await.is_ok_and(|answer| answer.status().is_success()) {
            self._gatehouse.assert_running();
            assert!(Instant::now() < deadline, "Gatehouse does not get ready; {}", self._gatehouse.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// An HTTP client that trusts the authority, keeps cookies and follows nothing by itself.
    pub fn http(&self) -> reqwest::Client {
        reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([self.authority.clone()])
            .redirect(reqwest::redirect::Policy::none())
            .cookie_store(true)
            .build()
            .expect("an HTTP client")
    }

    /// Creates an account with [`PASSWORD`], by the command line.
    pub async fn create_user(&self, name: &str) {
        self.command(&["users", "create", name, "--password-stdin"], PASSWORD);
    }

    /// Runs a command of Gatehouse, which must succeed; what it printed.
    pub fn command(&self, words: &[&str], input: &str) -> String {
        let mut command = Command::new(program());
        command.current_dir(self.folder.path()).env_clear().args(["--config", "gatehouse.yaml"]).args(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// Changes rows in Gatehouse's database behind its back, as time does: how many.
    pub fn change(&self, sql: &str) -> usize {
        self.database().execute(sql, []).expect("a statement")
    }

    /// A number from Gatehouse's database.
    pub fn count(&self, sql: &str) -> i64 {
        self.database().query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    fn database(&self) -> rusqlite::Connection {
        let database = self.folder.path().join("gatehouse-data/gatehouse.db");
        let connection = rusqlite::Connection::open(database).expect("a database");
        connection.busy_timeout(Duration::from_secs(10)).expect("a setting");
        connection
    }
}

/// Gatehouse, as `scripts/test-sdk` has built it.
fn program() -> PathBuf {
    std::env::var_os("GATEHOUSE_BINARY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/debug/gatehouse"),
        PathBuf::from,
    )
}

/// Makes an authority and, in the folder, a certificate for this machine that it signed.
fn write_certificates(folder: &Path) -> reqwest::Certificate {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "The authority of this test run");
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.signed_by(&key, &authority).expect("a certificate");
    fs::write(folder.join("chain.pem"), certificate.pem()).expect("a file");
    fs::write(folder.join("key.pem"), key.serialize_pem()).expect("a file");
    reqwest::Certificate::from_pem(authority.pem().as_bytes()).expect("a certificate")
}
