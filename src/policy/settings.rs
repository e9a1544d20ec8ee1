//! The settings of the rules: the defaults, and what the configuration lays over them.

use ipnet::IpNet;
use regex::Regex;
use serde_json::{Map, Value};

use super::error::Fault;

const DEFAULTS: &str = include_str!("../../policies/settings.json");

/// The settings that come with the rules.
pub(super) fn defaults() -> Map<String, Value> {
    // The file is part of the program and a test reads it.
    serde_json::from_str(DEFAULTS).unwrap_or_default()
}

/// The defaults with `given` laid over them.
///
/// A section of ours takes only its own keys, each with the kind of value that it has by default: a
/// ban that is misspelled must not pass for one. Other sections are the administrator's own.
pub(super) fn with(given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<Fault>> {
    let mut settings = defaults();
    let mut faults = Vec::new();
    for (section, value) in given {
        match settings.get_mut(section) {
            Some(default) => lay_over(default, value, &format!("policy.data.{section}"), &mut faults),
            None => {
                settings.insert(section.clone(), value.clone());
            }
        }
    }
    if faults.is_empty() { Ok(settings) } else { Err(faults) }
}

fn lay_over(default: &mut Value, given: &Value, place: &str, faults: &mut Vec<Fault>) {
    let Value::Object(members) = default else {
        let key = place.rsplit('.').next().unwrap_or_default();
        match expectation(key, default, given) {
            None => *default = given.clone(),
            Some(expectation) => faults.push(Fault::new(place, expectation)),
        }
        return;
    };
    let Value::Object(given) = given else {
        faults.push(Fault::new(place, "must be a section with keys and values"));
        return;
    };
    let mut known: Vec<String> = members.keys().cloned().collect();
    known.sort();
    let known = known.join(", ");
    for (key, value) in given {
        let place = format!("{place}.{key}");
        match members.get_mut(key) {
            Some(default) => lay_over(default, value, &place, faults),
            None => faults.push(Fault::new(place, format!("is not known; there are {known}"))),
        }
    }
}

/// What the value must be, when it is not.
fn expectation(key: &str, default: &Value, given: &Value) -> Option<String> {
    let is_good = match default {
        Value::Array(_) => return list_expectation(key, given),
        Value::Null => given.is_null() || given.is_u64(),
        _ => given.is_u64(),
    };
    let or_none = if default.is_null() { ", or null for none" } else { "" };
    (!is_good).then(|| format!("must be a whole number{or_none}"))
}

/// An entry that no rule can read would never match, and a ban would let everybody pass.
fn list_expectation(key: &str, given: &Value) -> Option<String> {
    let entries: Option<Vec<&str>> =
        given.as_array().and_then(|entries| entries.iter().map(Value::as_str).collect());
    let Some(entries) = entries else {
        return Some("must be a list of texts; put each in quotes".to_owned());
    };
    let (is_good, kind): (fn(&str) -> bool, _) = match key {
        "regexes" => (|entry| Regex::new(entry).is_ok(), "a regular expression"),
        "banned_networks" => (|entry| entry.parse::<IpNet>().is_ok(), "a network, such as 198.51.100.0/24"),
        key if key.ends_with("hosts") || key.ends_with("domains") => {
            (is_host_pattern, "a host, which may have * for a label and ** for several")
        }
        _ => return None,
    };
    let bad = entries.into_iter().find(|entry| !is_good(entry))?;
    Some(format!("\"{bad}\" is not {kind}"))
}

fn is_host_pattern(text: &str) -> bool {
    let is_allowed = |c: char| c.is_alphanumeric() || "-_.*:".contains(c);
    !text.is_empty() && text.chars().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn faults(given: Value) -> Vec<String> {
        with(given.as_object().unwrap()).unwrap_err().iter().map(Fault::to_string).collect()
    }

    #[test]
    fn the_defaults_are_a_document() {
        assert!(defaults().contains_key("requester") && defaults().contains_key("sessions"));
        assert_eq!(with(&Map::new()).unwrap(), defaults());
    }

    #[test]
    fn what_is_given_is_laid_over_the_defaults() {
        let given = json!({ "register": { "banned_names": { "literals": ["admin"] } }, "own": [1] });
        let settings = with(given.as_object().unwrap()).unwrap();
        assert_eq!(settings["register"]["banned_names"]["literals"], json!(["admin"]));
        assert_eq!(settings["register"]["banned_names"]["prefixes"], json!([]));
        assert_eq!(settings["register"]["minimum_name_length"], json!(1));
        assert_eq!(settings["own"], json!([1]));
    }

    #[test]
    fn a_misspelled_ban_is_not_taken_for_one() {
        assert_eq!(
            faults(json!({ "register": { "baned_names": {} } })),
            [
                "policy.data.register.baned_names: is not known; there are allowed_names, banned_names, methods, \
              minimum_name_length"
            ]
        );
        assert_eq!(
            faults(
                json!({ "email": { "banned_domains": "example.org" }, "sessions": { "soft_limit": "5" } })
            ),
            [
                "policy.data.email.banned_domains: must be a list of texts; put each in quotes",
                "policy.data.sessions.soft_limit: must be a whole number, or null for none"
            ]
        );
        assert_eq!(
            faults(json!({
                "requester": {
                    "banned_networks": ["198.51.100.0/24", "198.51.100.7/33"],
                    "banned_user_agents": { "regexes": ["^ok$", "("] },
                },
                "email": { "banned_domains": ["*.example.org", "[a"] },
            }))
            .len(),
            3
        );
        assert_eq!(
            faults(json!({ "email": 7 })),
            ["policy.data.email: must be a section with keys and values"]
        );
    }
}
