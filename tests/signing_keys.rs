//! Signing keys from their making to their retirement: published before they sign, and after.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatehouse::store::query;
use serde_json::Value;

use crate::support::server::{Engine, Server, Tokens, on_both_engines};

const HOUR: Duration = Duration::from_secs(3600);

/// The `kid`s of the published set, in its order.
async fn published(server: &Server) -> Vec<String> {
    let set = server.get("/oauth2/keys.json").await.json();
    let keys = set["keys"].as_array().expect("a set of keys");
    for key in keys {
        assert!(["d", "p", "q"].iter().all(|private| key.get(private).is_none()), "only public members");
        assert_eq!(key["use"], "sig");
    }
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// A client of alice that asks for ID tokens.
struct OpenIdClient {
    id: String,
    tokens: Tokens,
}

impl OpenIdClient {
    async fn new(server: &Server) -> OpenIdClient {
        server.user("alice").await;
        let id = server.client().await;
        let tokens = server.tokens_for("alice", &id, "openid").await;
        OpenIdClient { id, tokens }
    }

    /// The `kid` that its next ID token is signed with.
    async fn next_kid(&mut self, server: &Server) -> String {
        self.tokens = Tokens::from(server.refresh(&self.id, &self.tokens.refresh).await.json());
        let token = self.tokens.answer["id_token"].as_str().expect("an ID token");
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
        serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
    }
}

async fn rotate(server: &Server) {
    server.app.keys.rotate(&server.app.store, server.app.clock.now()).await.unwrap();
}

async fn reload(server: &Server) {
    server.app.keys.reload(&server.app.store, server.app.clock.now()).await.unwrap();
}

on_both_engines! {
    async fn a_new_key_is_published_an_hour_before_it_signs_and_the_old_one_a_day_after(engine: Engine) {
        let server = Server::start(engine).await;
        let mut client = OpenIdClient::new(&server).await;
        let old = published(&server).await;
        assert_eq!(old.len(), 3, "one for each algorithm");
        rotate(&server).await;
        let both = published(&server).await;
        assert!(both.len() == 6 && old.iter().all(|kid| both.contains(kid)));
        server.advance(HOUR - Duration::from_millis(1));
        assert!(old.contains(&client.next_kid(&server).await));
        server.advance(Duration::from_millis(1));
        assert!(!old.contains(&client.next_kid(&server).await));
        server.advance(24 * HOUR - Duration::from_millis(1));
        reload(&server).await;
        assert_eq!(published(&server).await.len(), 6);
        server.advance(Duration::from_millis(1));
        reload(&server).await;
        let new = published(&server).await;
        assert!(new.len() == 3 && old.iter().all(|kid| !new.contains(kid)));
    }

    async fn keys_outlive_a_restart_also_in_the_midst_of_a_rotation(engine: Engine) {
        let server = Server::start(engine).await;
        rotate(&server).await;
        let before = published(&server).await;
        let server = server.restart().await;
        assert_eq!(published(&server).await, before);
        assert!(before.contains(&OpenIdClient::new(&server).await.next_kid(&server).await));
    }

    async fn a_rotation_in_the_midst_of_another_loses_no_key_that_signs(engine: Engine) {
        let server = Server::start(engine).await;
        let mut client = OpenIdClient::new(&server).await;
        for _ in 0..4 {
            rotate(&server).await;
            server.advance(HOUR / 2);
            reload(&server).await;
            assert!(published(&server).await.contains(&client.next_kid(&server).await));
        }
        server.advance(30 * HOUR);
        reload(&server).await;
        assert_eq!(published(&server).await.len(), 3);
        assert!(published(&server).await.contains(&client.next_kid(&server).await));
    }

    async fn a_key_that_is_no_longer_published_is_removed_with_its_file(engine: Engine) {
        let server = Server::start(engine).await;
        let folder = server.config.data.folder.join("keys");
        let files = || std::fs::read_dir(&folder).map_or(0, Iterator::count);
        rotate(&server).await;
        let before = files();
        server.advance(26 * HOUR);
        server.app.keys.forget_retired(&server.app.store, server.app.clock.now()).await.unwrap();
        reload(&server).await;
        assert_eq!(published(&server).await.len(), 3);
        let expected = if engine == Engine::Sqlite { (6, 3) } else { (0, 0) };
        assert_eq!((before, files()), expected);
    }

    async fn private_keys_are_private_files_or_ciphertext(engine: Engine) {
        let server = Server::start(engine).await;
        let folder = server.config.data.folder.join("keys");
        let plain = query("SELECT COUNT(*) AS n FROM signing_keys WHERE private_key IS NULL");
        let plain: i64 = plain.fetch_one(&server.app.store).await.unwrap();
        match engine {
            Engine::Postgres => assert!(plain == 0 && !folder.exists()),
            Engine::Sqlite => {
                let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
                assert!(plain == 3 && files.len() == 3);
                for path in files.iter().chain([&folder]) {
                    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
                }
            }
        }
    }
}

#[tokio::test]
async fn another_node_signs_with_a_rotated_key_as_soon_as_it_reads_them_again() {
    let server = Server::start(Engine::Postgres).await;
    let (other, _) = server.another_node().await;
    rotate(&server).await;
    assert_ne!(other.keys.current().jwks(), server.app.keys.current().jwks());
    other.keys.reload(&other.store, other.clock.now()).await.unwrap();
    assert_eq!(other.keys.current().jwks(), server.app.keys.current().jwks());
}
