//! A real homeserver: Synapse on SQLite, without federation, delegating authentication.

use super::{installed, process};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::time::Instant;
use url::Url;

/// What a homeserver must know of its authorization server.
pub struct SynapseOptions {
    /// The part of every Matrix identifier after the colon.
    pub server_name: String,
    /// Where the homeserver reaches the authorization server.
    pub auth_endpoint: Url,
    /// The secret both share.
    pub secret: String,
}

/// A running homeserver. It is stopped when this is dropped.
pub struct Synapse {
    python: PathBuf,
    port: u16,
    folder: PathBuf,
    process: process::Watched,
}

impl Synapse {
    /// Starts a new, empty homeserver, and waits until it answers.
    pub async fn start(options: SynapseOptions) -> Self {
        Self::start_with(options, process::free_port(), |_| ()).await
    }

    /// The same on a port that is known already, and with a configuration that is changed.
    pub async fn start_with(options: SynapseOptions, port: u16, change: impl FnOnce(&mut Value)) -> Self {
        let python = installed::synapse_python();
        let folder = process::new_folder("synapse");
        let mut configuration = configuration(&options, port);
        change(&mut configuration);
        // JSON is YAML as well.
        std::fs::write(folder.path().join("homeserver.yaml"), configuration.to_string())
            .expect("a new folder can be written");
        let folder = folder.keep();
        let process = run(&python, &folder);
        let mut synapse = Self { python, port, folder, process };
        synapse.wait_until_healthy().await;
        synapse
    }

    /// Where clients reach the homeserver.
    pub fn base_url(&self) -> Url {
        let url = format!("http://127.0.0.1:{}/", self.port);
        url.parse().expect("an address and a port make a URL")
    }

    /// Stops the homeserver. What it knows is kept, for [`Synapse::start_again`].
    pub fn stop(&mut self) {
        self.process.stop_and_keep_folder();
    }

    /// Starts the homeserver after [`Synapse::stop`], with what it knew and at the same address.
    pub async fn start_again(&mut self) {
        self.process = run(&self.python, &self.folder);
        self.wait_until_healthy().await;
    }

    /// Stops the homeserver and starts it again, so that it forgets what it kept in memory.
    pub async fn restart(&mut self) {
        self.stop();
        self.start_again().await;
    }

    /// The end of the homeserver's log, for the message of a failing test.
    pub fn log(&self) -> String {
        self.process.log()
    }

    async fn wait_until_healthy(&mut self) {
        let health = self.base_url().join("health").expect("a path can be added to a URL");
        let deadline = Instant::now() + Duration::from_secs(90);
        let http_client = reqwest::Client::new();
        while !http_client.get(health.clone()).send().await.is_ok_and(|answer| answer.status().is_success()) {
            self.process.assert_running();
            assert!(Instant::now() < deadline, "Synapse does not get ready; {}", self.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn run(python: &Path, folder: &Path) -> process::Watched {
    let mut synapse = Command::new(python);
    synapse.args(["-m", "synapse.app.homeserver", "-c", "homeserver.yaml"]);
    process::Watched::start("synapse", folder, &synapse)
}

/// The whole configuration. Synapse refuses to delegate while it could still check passwords itself.
fn configuration(options: &SynapseOptions, port: u16) -> Value {
    let unlimited = json!({ "per_second": 1000, "burst_count": 1000 });
    json!({
        "server_name": options.server_name,
        "public_baseurl": format!("http://127.0.0.1:{port}/"),
        "listeners": [{
            "type": "http",
            "port": port,
            "bind_addresses": ["127.0.0.1"],
            "resources": [{ "names": ["client"] }],
        }],
        "matrix_authentication_service": {
            "enabled": true,
            "endpoint": options.auth_endpoint,
            "secret": options.secret,
        },
        "password_config": { "enabled": false },
        "database": { "name": "sqlite3", "args": { "database": "homeserver.db" } },
        "media_store_path": "media",
        "report_stats": false,
        "federation_domain_whitelist": [],
        "trusted_key_servers": [],
        // Nothing outside this homeserver trusts these.
        "signing_key": "ed25519 a_test aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "macaroon_secret_key": "for tests alone",
        "form_secret": "for tests alone",
        "rc_message": unlimited,
        "rc_joins": { "local": unlimited, "remote": unlimited },
        "rc_invites": { "per_room": unlimited, "per_user": unlimited, "per_issuer": unlimited },
        "rc_room_creation": unlimited,
    })
}
