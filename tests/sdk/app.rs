//! An app on a device: the SDK, with its own store.

use matrix_sdk::authentication::oauth::registration::{
    ApplicationType, ClientMetadata, Localized, OAuthGrantType,
};
use matrix_sdk::authentication::oauth::{ClientRegistrationData, OAuthSession};
use matrix_sdk::encryption::EncryptionSettings;
use matrix_sdk::ruma::OwnedDeviceId;
use matrix_sdk::ruma::serde::Raw;
use matrix_sdk::store::RoomLoadSettings;
use matrix_sdk::{Client, ClientBuildError};
use tempfile::TempDir;
use url::Url;

use crate::browser::{Browser, Place};
use crate::world::World;

pub const REDIRECT_URI: &str = "https://app.example.com/callback";

/// An app, and the folder where it keeps what it knows.
pub struct App {
    pub client: Client,
    pub folder: TempDir,
}

/// What the app registers as.
pub fn registration() -> ClientRegistrationData {
    let grants = vec![
        OAuthGrantType::AuthorizationCode { redirect_uris: vec![REDIRECT_URI.parse().expect("a URL")] },
        OAuthGrantType::DeviceCode,
    ];
    let home: Url = "https://example.com/".parse().expect("a URL");
    let mut metadata = ClientMetadata::new(ApplicationType::Native, grants, Localized::new(home, []));
    metadata.client_name = Some(Localized::new("SDK app".to_owned(), []));
    Raw::new(&metadata).expect("metadata").into()
}

impl App {
    /// An app that was just installed and knows the homeserver.
    pub async fn new(world: &World) -> App {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let client = client(world, &folder).await.expect("a client");
        App { client, folder }
    }

    /// An app in which a person has signed in by a browser.
    pub async fn signed_in(world: &World, person: &str) -> App {
        let app = App::new(world).await;
        app.sign_in(&Browser::new(world, person), None).await;
        app
    }

    /// Signs in by a browser.
    pub async fn sign_in(&self, browser: &Browser<'_>, device_id: Option<OwnedDeviceId>) {
        let oauth = self.client.oauth();
        let redirect_uri = REDIRECT_URI.parse().expect("a URL");
        let begun = oauth.login(redirect_uri, device_id, Some(registration()), None).build().await;
        let begun = begun.expect("a URL to open");
        let back = match browser.answer(&begun.url, "approve").await {
            Place::Elsewhere(back) => back,
            Place::Page(page) => panic!("it ends on {}", page.text()),
        };
        assert!(back.as_str().starts_with(REDIRECT_URI), "{back}");
        oauth.finish_login(back.into()).await.expect("a session");
        self.client.encryption().wait_for_e2ee_initialization_tasks().await;
    }

    /// What the app has kept of its session.
    pub fn session(&self) -> OAuthSession {
        self.client.oauth().full_session().expect("a session")
    }

    /// Starts again with what was kept.
    pub async fn restarted(self, world: &World) -> App {
        let session = self.session();
        let App { client: old, folder } = self;
        drop(old);
        App::over(world, folder, session).await
    }

    /// An app over a folder, with a session.
    pub async fn over(world: &World, folder: TempDir, session: OAuthSession) -> App {
        let client = client(world, &folder).await.expect("a client");
        client.oauth().restore_session(session, RoomLoadSettings::default()).await.expect("a session");
        client.encryption().wait_for_e2ee_initialization_tasks().await;
        App { client, folder }
    }

    /// The name of the device.
    pub fn device_id(&self) -> String {
        self.client.device_id().expect("a session").to_string()
    }

    /// The devices that the homeserver knows of this person, in order.
    pub async fn devices(&self) -> Vec<String> {
        let devices = self.client.devices().await.expect("devices").devices;
        let mut ids: Vec<String> = devices.into_iter().map(|device| device.device_id.to_string()).collect();
        ids.sort();
        ids
    }
}

async fn client(world: &World, folder: &TempDir) -> Result<Client, ClientBuildError> {
    let encryption = EncryptionSettings {
        auto_enable_cross_signing: true,
        auto_enable_backups: true,
        ..EncryptionSettings::default()
    };
    Client::builder()
        .homeserver_url(&world.homeserver)
        .add_root_certificates(vec![world.authority.clone()])
        .disable_built_in_root_certificates()
        .sqlite_store(folder.path(), None)
        .handle_refresh_tokens()
        .with_encryption_settings(encryption)
        .build()
        .await
}
