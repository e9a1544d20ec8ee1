//! The requests of the load, and what their answers mean.

use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use serde_json::Value;

use crate::support::program::CLIENT;
use crate::support::server::{Answer, PASSWORD, REDIRECT_URI, VERIFIER, authorization_query, matrix_scope};
use crate::support::wire::{Gone, Sent, Wire, get, post};

/// Why something did not come to its end.
#[derive(Debug)]
pub enum Stop {
    /// There was no answer.
    Gone,
    /// The server asks to come back later, as it should: 503 with Retry-After.
    Later,
    /// The answer is one that must not be.
    Wrong(String),
}

impl From<Gone> for Stop {
    fn from(Gone: Gone) -> Stop {
        Stop::Gone
    }
}

/// What the token endpoint gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    pub access: String,
    pub refresh: String,
}

/// A browser at our pages.
#[derive(Clone)]
pub struct Browser {
    cookies: String,
    csrf: String,
}

/// Requests over one connection.
pub struct Calls {
    wire: Wire,
    origin: String,
    homeserver_secret: String,
}

impl Calls {
    pub fn new(port: u16, homeserver_secret: &str) -> Calls {
        let origin = format!("http://127.0.0.1:{port}");
        Calls { wire: Wire::new(port), origin, homeserver_secret: homeserver_secret.to_owned() }
    }

    async fn send(&mut self, request: Sent) -> Result<Answer, Stop> {
        let path = request.uri().path().to_owned();
        let answer = self.wire.send(request).await?;
        match answer.status {
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds: Option<u64> = answer.header(RETRY_AFTER).parse().ok();
                let is_clear = match path.starts_with("/oauth2/") {
                    true => answer.text().contains(r#""error":"temporarily_unavailable""#),
                    // A page says what happened, and has a way on.
                    false => answer.text().contains("class=\"button primary wide\""),
                };
                match is_clear && seconds.is_some_and(|seconds| seconds > 0) {
                    true => Err(Stop::Later),
                    false => Err(wrong("not a clear 503", &path, &answer)),
                }
            }
            status if status.is_server_error() => Err(wrong("an error of the server", &path, &answer)),
            _ => Ok(answer),
        }
    }

    /// A pair, or nothing when the grant is said to be over.
    async fn token(&mut self, form: &[(&str, &str)]) -> Result<Option<Pair>, Stop> {
        let answer = self.send(post("/oauth2/token", &[], form)).await?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match answer.status {
            StatusCode::OK => {
                let text = |key: &str| body[key].as_str().map(str::to_owned);
                let pair = text("access_token").zip(text("refresh_token"));
                let (access, refresh) = pair.ok_or_else(|| wrong("no tokens", "token", &answer))?;
                Ok(Some(Pair { access, refresh }))
            }
            StatusCode::BAD_REQUEST if body["error"] == "invalid_grant" => Ok(None),
            _ => Err(wrong("an unexpected answer", "token", &answer)),
        }
    }

    pub async fn refresh(&mut self, token: &str) -> Result<Option<Pair>, Stop> {
        self.token(&[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)]).await
    }

    pub async fn exchange(&mut self, code: &str) -> Result<Option<Pair>, Stop> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("client_id", CLIENT),
            ("code_verifier", VERIFIER),
        ];
        self.token(&form).await
    }

    /// Asks as the homeserver does whether a token is good, and whether it is that device's.
    pub async fn is_active(&mut self, token: &str, device: &str) -> Result<bool, Stop> {
        let secret = format!("Bearer {}", self.homeserver_secret);
        let headers = [("authorization", secret.as_str()), ("x-mas-supports-device-id", "1")];
        let answer = self.send(post("/oauth2/introspect", &headers, &[("token", token)])).await?;
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match (answer.status, body["active"].as_bool()) {
            (StatusCode::OK, Some(false)) => Ok(false),
            (StatusCode::OK, Some(true)) if body["device_id"] == device => Ok(true),
            _ => Err(wrong("an unexpected answer", "introspect", &answer)),
        }
    }

    pub async fn revoke(&mut self, token: &str) -> Result<(), Stop> {
        let form = [("token", token), ("client_id", CLIENT)];
        let answer = self.send(post("/oauth2/revoke", &[], &form)).await?;
        match answer.status {
            StatusCode::OK => Ok(()),
            _ => Err(wrong("an unexpected answer", "revoke", &answer)),
        }
    }

    /// Signs in with the password.
    pub async fn sign_in(&mut self, username: &str) -> Result<Browser, Stop> {
        let page = self.send(get("/login", &[])).await?;
        let csrf = hidden(&page, "csrf").ok_or_else(|| wrong("no form", "login", &page))?;
        let browser = Browser { cookies: cookies(&page), csrf };
        let form = [("username", username), ("password", PASSWORD)];
        let answer = self.submit(&browser, "/login", &form).await?;
        match is_leading(&answer, "/account/") {
            true => Ok(Browser { cookies: [browser.cookies, cookies(&answer)].join("; "), ..browser }),
            false => Err(wrong("not signed in", "login", &answer)),
        }
    }

    /// Whether the browser is signed in.
    pub async fn is_signed_in(&mut self, browser: &Browser) -> Result<bool, Stop> {
        let answer = self.page(browser, "/account/").await?;
        match answer.status {
            StatusCode::OK => Ok(true),
            StatusCode::SEE_OTHER => Ok(false),
            _ => Err(wrong("an unexpected answer", "account", &answer)),
        }
    }

    pub async fn sign_out(&mut self, browser: &Browser) -> Result<(), Stop> {
        let answer = self.submit(browser, "/logout", &[]).await?;
        match is_leading(&answer, "/signed-out") {
            true => Ok(()),
            false => Err(wrong("not signed out", "logout", &answer)),
        }
    }

    /// Begins an authorization request; its path.
    pub async fn authorize(&mut self, browser: &Browser, device: &str) -> Result<String, Stop> {
        let query = authorization_query(CLIENT, &matrix_scope(device), &[]);
        let answer = self.page(browser, &format!("/authorize?{query}")).await?;
        match is_leading(&answer, "/authorize/") {
            true => Ok(answer.location().to_owned()),
            false => Err(wrong("no request", "authorize", &answer)),
        }
    }

    /// Allows what was asked for; the code.
    pub async fn allow(&mut self, browser: &Browser, path: &str) -> Result<String, Stop> {
        let answer = self.submit(browser, path, &[("answer", "approve")]).await?;
        match answer.status {
            StatusCode::SEE_OTHER if answer.location().starts_with(REDIRECT_URI) => {
                answer.query_parameter("code").ok_or_else(|| wrong("no code", path, &answer))
            }
            _ => Err(wrong("an unexpected answer", path, &answer)),
        }
    }

    /// Where the session of a device is ended, if the list of sessions shows it.
    pub async fn find_end(&mut self, browser: &Browser, device: &str) -> Result<Option<String>, Stop> {
        let page = self.page(browser, "/account/sessions").await?;
        if page.status != StatusCode::OK {
            return Err(wrong("no list", "sessions", &page));
        }
        let text = page.text();
        let below = text.split_once(&format!("<code>{device}</code>")).map(|(_, below)| below);
        let mut links = below.into_iter().flat_map(|below| below.split("href=\"").skip(1));
        let link = links.find_map(|link| link.split('"').next().filter(|link| link.ends_with("/end")));
        Ok(link.map(str::to_owned))
    }

    /// Ends a session on its page.
    pub async fn end(&mut self, browser: &Browser, path: &str) -> Result<(), Stop> {
        let answer = self.submit(browser, path, &[]).await?;
        match is_leading(&answer, "/account/sessions") {
            true => Ok(()),
            false => Err(wrong("not ended", path, &answer)),
        }
    }

    async fn page(&mut self, browser: &Browser, path: &str) -> Result<Answer, Stop> {
        self.send(get(path, &[("cookie", &browser.cookies)])).await
    }

    async fn submit(&mut self, browser: &Browser, path: &str, form: &[(&str, &str)]) -> Result<Answer, Stop> {
        let origin = self.origin.clone();
        let headers = [("cookie", browser.cookies.as_str()), ("origin", &origin)];
        let form: Vec<_> = form.iter().copied().chain([("csrf", browser.csrf.as_str())]).collect();
        self.send(post(path, &headers, &form)).await
    }
}

fn wrong(what: &str, path: &str, answer: &Answer) -> Stop {
    let text: String = answer.text().chars().take(300).collect();
    Stop::Wrong(format!("{what}: {path} was answered with {} {text}", answer.status))
}

fn is_leading(answer: &Answer, path: &str) -> bool {
    answer.status == StatusCode::SEE_OTHER && answer.header(LOCATION).starts_with(path)
}

fn cookies(answer: &Answer) -> String {
    let cookies = answer.headers.get_all(SET_COOKIE).into_iter().filter_map(|cookie| cookie.to_str().ok());
    cookies.filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ")
}

/// The value of a hidden field.
fn hidden(page: &Answer, name: &str) -> Option<String> {
    let text = page.text();
    let (_, below) = text.split_once(&format!("name=\"{name}\""))?;
    let (_, value) = below.split_once("value=\"")?;
    value.split('"').next().map(str::to_owned)
}
