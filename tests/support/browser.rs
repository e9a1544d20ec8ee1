//! Headless Chromium, driven through ChromeDriver.

use super::{installed, process};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::prelude::*;
use thirtyfour::{LoggingPrefsLogLevel, TypingData};

/// The colours a person prefers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourScheme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// What a person looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    /// 1280 by 900.
    #[default]
    Desktop,
    /// 390 by 844, touched.
    Phone,
}

/// The browser a person has.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The colours the person prefers.
    pub colour_scheme: ColourScheme,
    /// The size of the window.
    pub screen: Screen,
    /// Whether pages may run scripts.
    pub javascript: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { colour_scheme: ColourScheme::default(), screen: Screen::default(), javascript: true }
    }
}

/// A browser with one empty profile and one window. It is closed when this is dropped.
pub struct Browser {
    /// The session itself, for what has no method here.
    pub driver: WebDriver,
    _chromedriver: process::Watched,
}

impl Browser {
    /// Starts a browser that has never been anywhere.
    pub async fn start(options: Options) -> Self {
        let chromium = installed::program("chromium").display().to_string();
        let mut chromedriver = Command::new(installed::program("chromedriver"));
        let folder = process::new_folder("browser").keep();
        // What Chromium writes beside its profile ends up in the folder too, and is removed with it.
        chromedriver.arg("--port=0").env("TMPDIR", &folder).env("HOME", &folder);
        let mut chromedriver = process::Watched::start("chromedriver", &folder, &chromedriver);
        let port = port_of(&mut chromedriver).await;

        let mut capabilities = DesiredCapabilities::chrome();
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            // Chromium ends with ChromeDriver, however that ends: it sees the pipe close.
            "--remote-debugging-pipe",
            &profile,
        ];
        capabilities.set_binary(&chromium).expect("a path can be told to ChromeDriver");
        for argument in arguments {
            capabilities.add_arg(argument).expect("an argument can be told to ChromeDriver");
        }
        for log in ["browser", "performance"] {
            capabilities.set_logging_prefs(log, LoggingPrefsLogLevel::All).expect("a log can be asked for");
        }
        // Chromium's own page of new tabs takes longer to load than all of ours.
        let blank = json!({ "session": { "restore_on_startup": 4, "startup_urls": ["about:blank"] } });
        capabilities.add_experimental_option("prefs", blank).expect("settings can be told to ChromeDriver");
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await;
        let driver =
            driver.unwrap_or_else(|error| panic!("Chromium does not start: {error}; {}", chromedriver.log()));

        let browser = Self { driver, _chromedriver: chromedriver };
        browser.set_colour_scheme(options.colour_scheme).await;
        browser.set_screen(options.screen).await;
        browser.set_javascript(options.javascript).await;
        browser
    }

    /// Opens a page.
    pub async fn goto(&self, url: impl AsRef<str>) {
        let url = url.as_ref();
        self.driver.goto(url).await.unwrap_or_else(|error| panic!("cannot open {url}: {error}"));
    }

    /// The address of the page.
    pub async fn url(&self) -> url::Url {
        self.driver.current_url().await.expect("the browser knows where it is")
    }

    /// The text a person sees in an element, named by a CSS selector.
    pub async fn text(&self, selector: &str) -> String {
        let text = self.element(selector).await.text().await;
        text.unwrap_or_else(|error| panic!("cannot read {selector}: {error}"))
    }

    /// Types into a field, in place of what is there.
    pub async fn fill(&self, selector: &str, text: &str) {
        let field = self.element(selector).await;
        field.clear().await.unwrap_or_else(|error| panic!("cannot clear {selector}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("cannot fill {selector}: {error}"));
    }

    /// Clicks on an element that leads to another page, or to this one anew, and waits until that is there.
    pub async fn follow(&self, selector: &str) {
        let before = self.element("html").await.element_id();
        self.click(selector).await;
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.element("html").await.element_id() == before {
            assert!(Instant::now() < deadline, "{selector} leads nowhere from {}", self.url().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Clicks on an element that changes something on this page.
    pub async fn click(&self, selector: &str) {
        let clicked = self.element(selector).await.click().await;
        clicked.unwrap_or_else(|error| panic!("cannot click {selector}: {error}"));
    }

    /// Presses keys, wherever the focus is.
    pub async fn press(&self, keys: impl Into<TypingData>) {
        let pressed = self.driver.action_chain().send_keys(keys).perform().await;
        pressed.unwrap_or_else(|error| panic!("cannot type: {error}"));
    }

    /// Asserts that an element has the focus, which a page gives it only once it is drawn.
    pub async fn assert_focus(&self, id: &str) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut focused = self.evaluate("document.activeElement.id").await;
        while focused != id && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(20)).await;
            focused = self.evaluate("document.activeElement.id").await;
        }
        assert_eq!(focused, id, "what has the focus on {}", self.url().await);
    }

    /// What browser and pages wrote to the console since this was last asked, violations of a page's
    /// content security policy among it.
    pub async fn console(&self) -> Vec<String> {
        let log = self.driver.browser_log().await.expect("the browser keeps a log");
        log.into_iter().map(|entry| entry.message).collect()
    }

    /// The addresses of all pages that the browser went to since this was last asked, of those too that
    /// are no web pages, so that it looked for another program to open them.
    pub async fn went_to(&self) -> Vec<String> {
        let log = self.driver.get_log("performance").await.expect("the browser keeps a log");
        let events = log.iter().filter_map(|entry| serde_json::from_str::<Value>(&entry.message).ok());
        let requests = events.filter(|event| event["message"]["method"] == "Network.requestWillBeSent");
        requests
            .filter_map(|event| Some(event["message"]["params"]["documentURL"].as_str()?.to_owned()))
            .collect()
    }

    /// Shows this page and later ones in other colours, all at once.
    pub async fn set_colour_scheme(&self, colour_scheme: ColourScheme) {
        let value = match colour_scheme {
            ColourScheme::Light => "light",
            ColourScheme::Dark => "dark",
        };
        let features = json!([
            { "name": "prefers-color-scheme", "value": value },
            // Else pictures and contrasts would be those of colours that are on their way.
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.command("Emulation.setEmulatedMedia", json!({ "features": features })).await;
    }

    /// Shows this page and later ones in another size.
    pub async fn set_screen(&self, screen: Screen) {
        let (width, height, scale, mobile) = match screen {
            Screen::Desktop => (1280, 900, 1, false),
            Screen::Phone => (390, 844, 2, true),
        };
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile });
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
        self.command("Emulation.setTouchEmulationEnabled", json!({ "enabled": mobile })).await;
    }

    /// Whether the page, shown in a window that is 320 CSS pixels wide, can be read without scrolling
    /// sideways (WCAG 2.2, 1.4.10); then the same on a desktop that is zoomed to 200 % (1.4.4).
    pub async fn fits_narrow_and_zoomed_windows(&self) -> bool {
        let mut fits = true;
        for (width, height, scale) in [(320, 640, 1), (640, 450, 2)] {
            let metrics =
                json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
            self.command("Emulation.setDeviceMetricsOverride", metrics).await;
            fits &= self.evaluate("document.documentElement.scrollWidth <= innerWidth").await == true;
        }
        self.set_screen(Screen::Desktop).await;
        fits
    }

    /// Lets this page and later ones run scripts or not. While they may not, nothing can be evaluated; and
    /// what a page would have run when it came does not run later.
    pub async fn set_javascript(&self, is_on: bool) {
        self.command("Emulation.setScriptExecutionDisabled", json!({ "value": !is_on })).await;
    }

    /// Writes a picture of the whole page to `target/screenshots/`, and tells its path.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let picture = self.command("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
        let picture = picture["data"].as_str().and_then(|data| STANDARD.decode(data).ok());
        let path = process::output_folder("screenshots").join(format!("{name}.png"));
        std::fs::write(&path, picture.expect("a screenshot is base64"))
            .expect("the target folder can be written");
        path
    }

    /// Takes pictures of the page in light, dark and on a phone: `name-light`, `name-dark`, `name-phone`.
    pub async fn screenshots(&self, name: &str) {
        self.set_screen(Screen::Desktop).await;
        self.set_colour_scheme(ColourScheme::Dark).await;
        self.screenshot(&format!("{name}-dark")).await;
        self.set_colour_scheme(ColourScheme::Light).await;
        self.screenshot(&format!("{name}-light")).await;
        self.set_screen(Screen::Phone).await;
        self.screenshot(&format!("{name}-phone")).await;
        self.set_screen(Screen::Desktop).await;
    }

    /// What axe-core finds wrong with the page as it is shown now.
    ///
    /// Its script comes through the debugger, so the page's content security policy may forbid every script.
    pub async fn axe(&self) -> Vec<Violation> {
        let axe = std::fs::read_to_string(installed::axe_core()).expect("axe-core can be read");
        self.evaluate(&format!("{axe}; undefined")).await;
        let violations = self.evaluate("axe.run({ preload: false }).then(found => found.violations)").await;
        serde_json::from_value(violations).expect("axe-core reports violations as it documents them")
    }

    /// Sends a command of the Chrome DevTools Protocol.
    pub async fn command(&self, method: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method} failed: {error}"))
    }

    /// The value of a JavaScript expression, run beside the page's content security policy.
    pub async fn evaluate(&self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.command("Runtime.evaluate", parameters).await;
        assert!(answer.get("exceptionDetails").is_none(), "a script failed: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    async fn element(&self, selector: &str) -> WebElement {
        let element =
            self.driver.query(By::Css(selector)).wait(Duration::from_secs(20), Duration::from_millis(50));
        match element.first().await {
            Ok(element) => element,
            Err(error) => panic!("there is no {selector} on {}: {error}", self.url().await),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without this the driver would wait here for an answer that only a running test could receive.
        // ChromeDriver is stopped next, and Chromium with it.
        let _ = self.driver.clone().leak();
    }
}

/// An accessibility rule that a page breaks.
#[derive(Debug, Deserialize)]
pub struct Violation {
    /// The name of the rule, such as `image-alt`.
    pub id: String,
    help: String,
    nodes: Vec<Place>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    html: String,
    failure_summary: Option<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.id, self.help)?;
        for place in &self.nodes {
            write!(f, "\n  {}", place.html)?;
            for line in place.failure_summary.iter().flat_map(|summary| summary.lines()) {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

/// Fails the test when there are violations, and says which.
pub fn assert_accessible(page: &str, violations: &[Violation]) {
    let text: Vec<String> = violations.iter().map(Violation::to_string).collect();
    assert!(violations.is_empty(), "{page} is not accessible:\n{}", text.join("\n"));
}

/// The port that ChromeDriver chose: it prints it when it is ready.
async fn port_of(chromedriver: &mut process::Watched) -> u16 {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let log = chromedriver.log();
        let port = log.split_once("started successfully on port ").map(|(_, rest)| rest);
        if let Some(port) = port.and_then(|rest| rest.split('.').next()?.parse().ok()) {
            return port;
        }
        chromedriver.assert_running();
        assert!(Instant::now() < deadline, "ChromeDriver does not get ready; {log}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
