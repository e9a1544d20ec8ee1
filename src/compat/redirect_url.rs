//! Where single sign-on brings its token: a URL that any client may name (Matrix CS API, `redirectUrl`).

use url::Url;

use crate::clients::label::Destination;
use crate::config::is_plain_uri;
use crate::http::headers::{FormAction, form_action_source_of_any_site};

const LONGEST: usize = 2048;
const PARAMETER: &str = "loginToken";

/// A URL that may be led to, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUrl {
    text: String,
    /// Where that is, as far as a person can tell.
    pub destination: Destination,
    /// What lets a form lead there.
    pub form_action: FormAction,
}

impl RedirectUrl {
    /// Reads a URL. Web sites are named as browsers understand them, without user or password; of other
    /// schemes, those to which browsers give a meaning of their own are refused, since some run code.
    pub fn parse(text: &str) -> Option<RedirectUrl> {
        if text.len() > LONGEST || !is_plain_uri(text) {
            return None;
        }
        let url = Url::parse(text).ok()?;
        let (_, rest) = text.split_once(':')?;
        let authority =
            rest.strip_prefix("//").map(|rest| &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())]);
        if authority.is_some_and(|authority| authority.contains('@')) {
            return None;
        }
        // "https:example.org" and "https:///example.org" parse, but are not what they look like.
        if matches!(url.scheme(), "http" | "https") && authority.is_none_or(str::is_empty) {
            return None;
        }
        let destination = Destination::of(text)?;
        let form_action = form_action_source_of_any_site(text)?;
        Some(RedirectUrl { text: text.to_owned(), destination, form_action })
    }

    /// The URL as it was sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The URL with the token in its query, in the place of any that is there already. All else stays as it
    /// was sent, since URL libraries change private-use schemes.
    pub fn with_login_token(&self, token: &str) -> String {
        let (before, fragment) = match self.text.split_once('#') {
            Some((before, fragment)) => (before, Some(fragment)),
            None => (self.text.as_str(), None),
        };
        let (base, query) = before.split_once('?').unwrap_or((before, ""));
        let mut pairs: Vec<&str> =
            query.split('&').filter(|pair| !pair.is_empty() && !is_token(pair)).collect();
        let own = format!("{PARAMETER}={token}");
        pairs.push(&own);
        let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
        format!("{base}?{}{fragment}", pairs.join("&"))
    }
}

/// Whether a pair of a query is a login token, however its name is encoded.
fn is_token(pair: &str) -> bool {
    url::form_urlencoded::parse(pair.as_bytes()).next().is_some_and(|(name, _)| name == PARAMETER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_added_in_the_place_of_any_other() {
        for (sent, led_to) in [
            ("https://app.example.org/", "https://app.example.org/?loginToken=T"),
            ("https://app.example.org", "https://app.example.org?loginToken=T"),
            ("app://x?loginToken=old&y=1", "app://x?y=1&loginToken=T"),
            ("app://x?y=1&login%54oken=old&loginToken&z=%7e", "app://x?y=1&z=%7e&loginToken=T"),
            ("org.example:/cb?", "org.example:/cb?loginToken=T"),
            ("org.example:cb", "org.example:cb?loginToken=T"),
            ("http://localhost:8080/#/login?a=b", "http://localhost:8080/?loginToken=T#/login?a=b"),
            ("https://app.example.org/?a=1&a=2&#x", "https://app.example.org/?a=1&a=2&loginToken=T#x"),
            ("https://app.example.org/?loginTokens=1", "https://app.example.org/?loginTokens=1&loginToken=T"),
        ] {
            let url = RedirectUrl::parse(sent).unwrap_or_else(|| panic!("{sent}"));
            assert_eq!(url.with_login_token("T"), led_to, "{sent}");
        }
    }

    #[test]
    fn only_what_is_what_it_looks_like_is_led_to() {
        for bad in [
            "",
            "/login",
            "app.example.org",
            "https:app.example.org",
            "https://",
            "https:///app.example.org",
            "https://?x",
            "http:",
            "https://alice@app.example.org/",
            "https://alice:secret@app.example.org/",
            "https://@app.example.org/",
            "https://app.example.org\\@evil.example/",
            "https://app.example.org/ x",
            "https://app.example.org/\r\nSet-Cookie: x",
            "https://b\u{fc}cher.example/",
            "app://alice@x",
            "javascript:alert(1)",
            "JavaScript://app.example.org/%0aalert(1)",
            "data:text/html,x",
            "vbscript:x",
            "blob:https://app.example.org/x",
            "file:///etc/passwd",
            "about:blank",
            "view-source:https://app.example.org/",
            "ws://app.example.org/",
        ] {
            assert_eq!(RedirectUrl::parse(bad), None, "{bad:?}");
        }
        assert_eq!(RedirectUrl::parse(&format!("app:{}", "x".repeat(LONGEST))), None);
        let plain = RedirectUrl::parse("http://app.example.org:81/x?y").unwrap();
        assert_eq!(plain.destination, Destination::PlainWebsite("app.example.org:81".to_owned()));
        assert_eq!(plain.form_action.as_str(), "http://app.example.org:81");
        // After the authority an @ is a character like any other.
        assert!(RedirectUrl::parse("https://app.example.org/@alice?to=@bob").is_some());
    }
}
