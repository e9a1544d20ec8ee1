//! Every URL that the server answers, but for the metrics, which have listeners of their own (`scrape`).

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path, State};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Extension, Router};
use http::{HeaderMap, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

use crate::accounts::account_pages::{
    activity, add_email, application, applications, authenticator_app, confirm_email, cross_signing_reset,
    deactivate, emails, end_others, end_session, export, home, new_passkey, new_token,
    passkey as account_passkey, passkeys, password as new_password, profile, recovery_codes, remove_email,
    rename_app, security, session, sessions, tokens, verify_email,
};
use crate::accounts::{language, signed_in};
use crate::app::App;
use crate::compat::{self, sso};
use crate::http::cors::{cors, preflight};
use crate::http::error::Problem;
use crate::http::form::LARGEST;
use crate::http::headers::{PageHeaders, no_store_layer, page_headers};
use crate::http::index::IndexPage;
use crate::http::measure::measure;
use crate::http::pages::Site;
use crate::http::request_id::request_id;
use crate::http::visit::Visit;
use crate::login::register::{
    code, email as register_email, link as register_link, name, passkey as register_passkey,
    password as register_password, resume, terms as register_terms,
};
use crate::login::{
    enrol, enrol_key, passkey, password, recover, reset_password, second, security_key, sign_out, terms,
};
use crate::oauth::guard::{in_time, method_not_allowed, method_not_allowed_for_any_origin, panicked};
use crate::oauth::metadata::{self, Jwks};
use crate::oauth::{
    authorize, client_registration, consent, device, introspect, link, logout, pushed_request, revoke, token,
    userinfo,
};
use crate::rendezvous::msc4108;

/// No request takes longer; what a person or client waits for is bounded well below.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);

/// Puts everything together, at the root and, for a proxy that does not strip it, below the path of
/// the public base.
pub fn router(app: App, site: Site) -> Router {
    let site = Arc::new(site);
    let hot = hot(&app);
    let base = app.config.http.public_base.path().trim_end_matches('/').to_owned();
    let at_root = everything(&app);
    let router = match base.as_str() {
        "" => at_root,
        // A nested router does not answer at its own path with a slash behind it.
        base => {
            let home = Router::new().route(&format!("{base}/"), get(index));
            at_root.nest(base, everything(&app)).merge(presented(&app, home))
        }
    };
    router
        .layer(DefaultBodyLimit::max(LARGEST))
        .layer(Extension(site))
        .layer(from_fn(request_id))
        .layer(from_fn_with_state(app.clone(), measure))
        .merge(hot)
        .with_state(app)
}

/// What is asked for most, and what is the same for everybody: without any layer, since each costs as
/// much as all that is done here. Introspection has its limits of size and time in its handler; the
/// others have nothing that could fail.
fn hot(app: &App) -> Router<App> {
    let base = app.config.http.public_base.path().trim_end_matches('/').to_owned();
    let discovery = Arc::new(metadata::discovery(&app.config));
    let jwks = Arc::new(Jwks::default());
    let document = async move |headers: HeaderMap| discovery.respond(&headers);
    let document = get(document).options(preflight).fallback(method_not_allowed_for_any_origin);
    let jwks =
        async move |State(app): State<App>, headers: HeaderMap| jwks.respond(app.keys.current(), &headers);
    let jwks = get(jwks).options(preflight).fallback(method_not_allowed_for_any_origin);
    let introspection = post(introspect::post).fallback(method_not_allowed);
    let at = |base: &str| {
        Router::new()
            .route(&format!("{base}/oauth2/introspect"), introspection.clone())
            .route(&format!("{base}/oauth2/keys.json"), jwks.clone())
            .route(&format!("{base}/.well-known/openid-configuration"), document.clone())
            .route(&format!("{base}/.well-known/oauth-authorization-server"), document.clone())
    };
    match base.as_str() {
        "" => at(""),
        base => at("").merge(at(base)).route(&metadata::rfc8414_path(&app.config), document.clone()),
    }
}

/// What must stand inside of the layers that complete a page: a panic and a request that takes too
/// long are answered too, and browsers must be able to read that.
fn guarded(router: Router<App>) -> Router<App> {
    router
        .layer(CatchPanicLayer::new())
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, LONGEST_REQUEST))
}

fn everything(app: &App) -> Router<App> {
    let rendezvous = match app.config.rendezvous.msc4108 {
        true => msc4108::router(LONGEST_REQUEST),
        false => Router::new(),
    };
    let passkey_endpoints = passkeys::endpoints(&app.config).map(Arc::new);
    let mut router = Router::new();
    if let Some(endpoints) = passkey_endpoints {
        let document = async move |headers: HeaderMap| endpoints.respond(&headers);
        router = router.route(passkeys::ENDPOINTS_PATH, get(document));
    }
    router
        .merge(machines(app))
        .merge(login_api(app))
        .merge(rendezvous)
        .merge(pages(app))
        .route("/assets/{name}", get(asset))
        .route("/health", get(health))
}

/// What clients call, from any origin.
fn machines(app: &App) -> Router<App> {
    let mut router = Router::new()
        .route("/oauth2/token", post(token::post))
        .route("/oauth2/par", post(pushed_request::post))
        .route("/oauth2/device", post(device::post))
        .route("/oauth2/revoke", post(revoke::post))
        .route("/oauth2/userinfo", get(userinfo::respond).post(userinfo::respond));
    if app.config.oauth.dynamic_registration {
        router = router.route("/oauth2/registration", post(client_registration::post));
    }
    // As for pages, but answered as these endpoints answer.
    router
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(LONGEST_REQUEST, in_time))
        .layer(from_fn(cors))
}

/// What older Matrix clients call, from any origin, at the homeserver's address.
fn login_api(app: &App) -> Router<App> {
    let nothing = any(compat::error::not_found);
    let mut router = Router::new().route("/_matrix/", nothing.clone()).route("/_matrix/{*path}", nothing);
    if app.config.compat.enabled {
        router = router
            .route("/_matrix/client/{version}/login", get(compat::login::get).post(compat::login::post))
            .route("/_matrix/client/{version}/logout", post(compat::logout::post))
            .route("/_matrix/client/{version}/logout/all", post(compat::logout::post_all))
            .route("/_matrix/client/{version}/refresh", post(compat::refresh::post));
    }
    router
        .method_not_allowed_fallback(compat::error::method_not_allowed)
        .layer(CatchPanicLayer::custom(compat::error::panicked))
        .layer(from_fn_with_state(LONGEST_REQUEST, compat::error::in_time))
        .layer(from_fn(cors))
}

/// What people see.
fn pages(app: &App) -> Router<App> {
    let mut router = Router::new()
        .route("/", get(index))
        .route("/authorize", get(authorize::get).post(authorize::post))
        .route("/authorize/{secret}", get(consent::get).post(consent::post))
        .route("/login", get(password::get).post(password::post))
        .route("/login/second", get(second::get).post(second::post))
        .route("/login/recovery-code", get(second::get_recovery).post(second::post_recovery))
        .route(terms::PATH, get(terms::get).post(terms::post))
        .route("/login/enrol", get(enrol::get).post(enrol::post))
        .route("/recover", get(recover::get).post(recover::post))
        .route("/login/security-key", get(security_key::get).post(security_key::post))
        .route("/link", get(link::get).post(link::post))
        .route("/end-session", get(logout::get).post(logout::post))
        .route("/reset-password", get(reset_password::get).post(reset_password::post))
        .route("/reset-password/{secret}", get(reset_password::get_link).post(reset_password::post_link))
        .route("/logout", post(sign_out::post))
        .route("/language", post(language::post))
        .route("/signed-out", get(sign_out::signed_out))
        .route("/account", get(home::get))
        .route("/account/", get(home::get))
        .route("/account/security", get(security::get))
        .route(
            "/account/security/apps/add",
            get(authenticator_app::get_add).post(authenticator_app::post_add),
        )
        .route(
            "/account/security/apps/{id}/remove",
            get(authenticator_app::get_remove).post(authenticator_app::post_remove),
        )
        .route("/account/security/apps/{id}/rename", get(rename_app::get).post(rename_app::post))
        .route("/account/security/recovery-codes", get(recovery_codes::get).post(recovery_codes::post))
        .route("/account/security/browsers/{id}/forget", post(security::post_forget))
        .route("/account/security/passkeys/{id}", get(account_passkey::get).post(account_passkey::post))
        .route(
            "/account/security/passkeys/{id}/remove",
            get(account_passkey::get_remove).post(account_passkey::post_remove),
        )
        .route("/account/activity", get(activity::get))
        .route("/account/profile", get(profile::get).post(profile::post))
        .route("/account/applications", get(applications::get))
        .route("/account/application", get(application::get))
        .route("/account/application/end", get(application::get_end).post(application::post_end))
        .route("/account/export", get(export::get).post(export::post))
        .route("/account/tokens", get(tokens::get))
        .route("/account/tokens/new", get(new_token::get).post(new_token::post))
        .route("/account/sessions", get(sessions::get))
        .route("/account/email", get(emails::get))
        .route("/account/email/add", get(add_email::get).post(add_email::post))
        .route("/account/email/verify/{id}", get(verify_email::get).post(verify_email::post))
        .route("/account/email/remove", get(remove_email::get).post(remove_email::post))
        .route("/email/{secret}", get(confirm_email::get).post(confirm_email::post))
        .route("/account/password", get(new_password::get).post(new_password::post))
        .route("/account/deactivate", get(deactivate::get).post(deactivate::post))
        .route("/account/cross-signing-reset", get(cross_signing_reset::get).post(cross_signing_reset::post))
        .route("/account/sessions/client/{id}", get(session::get).post(session::post))
        .route("/account/sessions/end-others", get(end_others::get).post(end_others::post))
        .route(
            "/account/sessions/browser/{id}/end",
            get(end_session::get_browser).post(end_session::post_browser),
        )
        .route(
            "/account/sessions/client/{id}/end",
            get(end_session::get_client).post(end_session::post_client),
        )
        .fallback(not_found);
    if app.config.relying_party_id().is_some() {
        router = router
            .route("/login/passkey", post(passkey::post))
            .route("/login/enrol/key", get(enrol_key::get).post(enrol_key::post))
            .route(new_passkey::PATH, get(new_passkey::get).post(new_passkey::post));
    }
    if app.config.registration.enabled {
        router = router
            .route("/register", get(name::get).post(name::post))
            .route("/register/name", get(name::get_change))
            .route("/register/continue", post(resume::post))
            .route("/register/email", get(register_email::get).post(register_email::post))
            .route("/register/email/code", get(code::get).post(code::post))
            .route("/register/link/{secret}", get(register_link::get).post(register_link::post))
            .route("/register/password", get(register_password::get).post(register_password::post))
            .route("/register/passkey", get(register_passkey::get).post(register_passkey::post))
            .route("/register/terms", get(register_terms::get).post(register_terms::post));
    }
    if app.config.compat.enabled {
        router = router
            .route("/sso/{id}", get(sso::get).post(sso::post))
            .route("/_matrix/client/{version}/login/sso/redirect", get(sso::redirect))
            .route("/_matrix/client/{version}/login/sso/redirect/", get(sso::redirect))
            .route("/_matrix/client/{version}/login/sso/redirect/{provider}", get(sso::redirect));
    }
    presented(app, router)
}

/// What all pages have.
fn presented(app: &App, router: Router<App>) -> Router<App> {
    guarded(router)
        .layer(map_response(no_store_layer))
        .layer(from_fn_with_state(PageHeaders::new(&app.config.http.public_base), page_headers))
}

async fn index(State(app): State<App>, visit: Visit) -> Response {
    let made = signed_in::find(&app, &visit).await.map(|signed_in| {
        let person = signed_in.map(|signed_in| signed_in.person(&app));
        visit.page(StatusCode::OK, &IndexPage { frame: visit.frame(), person }, None)
    });
    visit.answer(made.map_err(Into::into))
}

async fn asset(
    Extension(site): Extension<Arc<Site>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    site.assets.respond(&name, &headers)
}

async fn not_found(visit: Visit) -> Response {
    visit.answer(Err(Problem::NotFound.into()))
}

/// `GET /health`: whether this node can do its work, which needs a database that answers and takes writes.
async fn health(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.store.answers().await {
        Ok(()) if app.store.takes_writes() => (StatusCode::OK, "ok"),
        Ok(()) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not take writes"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer"),
    }
}
