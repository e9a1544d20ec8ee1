//! Names of people, servers and things.

use gatehouse::accounts::emails::Address;
use gatehouse::config::Config;
use gatehouse::http::{user_agent, words};
use gatehouse::ids::{Localpart, UserId, localpart_of};

use super::{fuzz, text, two_texts};

/// A name for a new account makes a user identifier that can be taken apart again in one way.
#[test]
fn localparts() {
    fuzz!("localparts", |input: &[u8]| {
        let (typed, server_name) = two_texts(input);
        if let Ok(localpart) = Localpart::new(&typed, "example.org:8448") {
            let mxid = localpart.mxid("example.org:8448");
            assert!(mxid.len() <= 255);
            assert_eq!(localpart_of(&mxid, "example.org:8448"), Some(typed.as_str()));
            assert_eq!(localpart_of(&typed, "example.org:8448"), Some(typed.as_str()));
            assert_eq!(typed, typed.to_lowercase());
            assert!(!typed.contains(['@', ':', ' ']) && words::exact(&typed) == typed);
        }
        // Whatever is typed: it is a part of what was typed, and never of another server.
        if let Some(localpart) = localpart_of(&typed, &server_name) {
            assert!(typed.contains(localpart));
        }
        assert_eq!(
            localpart_of(&format!("@{}:elsewhere.example", typed.replace(':', "")), "example.org"),
            None
        );
    });
}

/// What is taken for an e-mail address is one line that stands in a mail as the one recipient, and stays the same
/// address when it is read again.
#[test]
fn email_addresses() {
    fuzz!("email_addresses", |input: &[u8]| {
        let typed = text(input);
        let Ok(address) = typed.parse::<Address>() else { return };
        assert_eq!(address.to_string(), typed);
        assert!(!typed.contains(|c: char| c.is_control() || c.is_whitespace()), "{typed:?}");
        assert!(typed.len() <= 254, "{typed:?}");
        assert_eq!(address.folded().to_lowercase(), address.folded());
        let to: lettre::Address = typed.parse().expect("an address that can be written to");
        let mail = lettre::Message::builder()
            .from("noreply@example.org".parse().expect("a sender"))
            .to(lettre::message::Mailbox::new(None, to))
            .body(String::new())
            .expect("a mail");
        assert_eq!(mail.envelope().to().iter().map(ToString::to_string).collect::<Vec<_>>(), [typed]);
        let written = String::from_utf8(mail.formatted()).expect("text").replace("\r\n ", " ");
        let names: Vec<&str> = written.lines().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(names.iter().filter(|name| ["To", "Cc", "Bcc"].contains(name)).count(), 1, "{written}");
    });
}

/// A server name that is accepted can stand in user identifiers and URLs.
#[test]
fn server_names() {
    let config = Config::default();
    fuzz!("server_names", |input: &[u8]| {
        let mut config = config.clone();
        config.homeserver.server_name = text(input);
        if config.check().is_ok() {
            let name = &config.homeserver.server_name;
            assert!((1..=255).contains(&name.len()) && name.is_ascii());
            assert!(!name.contains(['/', '@', '?', '#', ' ', '%', '\\']));
            assert!(
                Localpart::new("a", name).is_err()
                    || Localpart::new("a", name).unwrap().mxid(name).len() <= 255
            );
        }
    });
}

/// An identifier of ours is read in any case and written in one.
#[test]
fn identifiers() {
    fuzz!("identifiers", |input: &[u8]| {
        let text = text(input);
        if let Ok(id) = text.parse::<UserId>() {
            assert_eq!(id.to_string().parse::<UserId>().ok(), Some(id));
            assert!(id.to_string().eq_ignore_ascii_case(&text), "{text:?}: {id}");
            assert_eq!(text.len(), 26);
        }
    });
}

/// A name from a stranger stays on its line, in its direction and within its length.
#[test]
fn names_shown_to_people() {
    fuzz!("names", |input: &[u8]| {
        let given = text(input);
        let shown = words::shown(&given);
        assert_eq!(words::shown(&shown), shown);
        assert!(shown.chars().count() <= 81 && shown == shown.trim());
        for text in [&shown, &words::exact(&given)] {
            assert!(
                !text.chars().any(|c| c.is_control() || "\u{202e}\u{2066}\u{200b}\u{200f}".contains(c)),
                "{text:?}"
            );
        }
        assert_eq!(words::name(&given), Some(shown).filter(|shown| !shown.is_empty()));
    });
}

/// What a program calls itself becomes a few words on one line, and words that are known stay known.
#[test]
fn user_agents() {
    fuzz!("user_agents", |input: &[u8]| {
        let given = text(input);
        let Some(shown) = user_agent::in_words(&given) else {
            return assert_eq!(words::name(&given), None);
        };
        assert!(
            !shown.is_empty() && shown.chars().count() <= 81 && shown == words::shown(&shown),
            "{shown:?}"
        );
        assert_eq!(
            user_agent::in_words(&format!("{given} Firefox/140.0")).as_deref().map(str::is_empty),
            Some(false)
        );
    });
}
