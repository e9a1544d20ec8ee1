//! What callers, proxies and forgers may write, and whom we take them for.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use ipnet::IpNet;
use proptest::prelude::*;

use super::{client_address, limit_key};

const PROXY: &str = "10.0.0.1";

fn trusted() -> Vec<IpNet> {
    ["10.0.0.0/8", "fd00::/8", "::ffff:172.16.0.0/108"]
        .iter()
        .map(|network| network.parse().unwrap())
        .collect()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    lines
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn seen(peer: &str, lines: &[(&'static str, &str)]) -> String {
    let peer = (peer != "unix").then(|| peer.parse().unwrap());
    client_address(peer, &headers(lines), &trusted())
        .map_or_else(|| "nobody".to_owned(), |address| address.to_string())
}

#[test]
fn x_forwarded_for_is_read_from_the_right() {
    let table: &[(&str, &[&str], &str)] = &[
        // peer, lines, caller
        ("192.0.2.9", &["198.51.100.1"], "192.0.2.9"),
        (PROXY, &[], PROXY),
        (PROXY, &["198.51.100.1"], "198.51.100.1"),
        (PROXY, &["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
        (PROXY, &["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
        (PROXY, &["198.51.100.1, 10.0.0.2", "10.0.0.3"], "198.51.100.1"),
        (PROXY, &["  198.51.100.1\t,10.0.0.2  "], "198.51.100.1"),
        (PROXY, &["198.51.100.1:4711"], "198.51.100.1"),
        (PROXY, &["\"198.51.100.1:4711\""], "198.51.100.1"),
        (PROXY, &["2001:db8::1"], "2001:db8::1"),
        (PROXY, &["[2001:db8::1]"], "2001:db8::1"),
        (PROXY, &["\"[2001:db8::1]:443\""], "2001:db8::1"),
        (PROXY, &["::ffff:198.51.100.1"], "198.51.100.1"),
        (PROXY, &["[::ffff:198.51.100.1]:80"], "198.51.100.1"),
        (PROXY, &["198.51.100.1, ::ffff:10.0.0.2"], "198.51.100.1"),
        (PROXY, &["198.51.100.1, fd00::7"], "198.51.100.1"),
        (PROXY, &["198.51.100.1, 172.16.5.5"], "198.51.100.1"),
        ("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
        ("::ffff:192.0.2.9", &["198.51.100.1"], "192.0.2.9"),
        ("unix", &["198.51.100.1"], "198.51.100.1"),
        ("unix", &["203.0.113.5, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("unix", &[], "nobody"),
        // The trail ends: the last address that a trusted proxy vouched for.
        (PROXY, &["10.0.0.50"], "10.0.0.50"),
        (PROXY, &["198.51.100.1, unknown"], PROXY),
        (PROXY, &["198.51.100.1, unknown, 10.0.0.2"], "10.0.0.2"),
        (PROXY, &["198.51.100.1,"], PROXY),
        (PROXY, &["198.51.100.1", ""], PROXY),
        (PROXY, &["198.51.100.1, unix:"], PROXY),
        (PROXY, &["198.51.100.1, 1.2.3.4.5"], PROXY),
        (PROXY, &["198.51.100.1, 010.0.0.2"], PROXY),
        (PROXY, &["198.51.100.1, [2001:db8::1"], PROXY),
        (PROXY, &["198.51.100.1, [198.51.100.2]"], PROXY),
        (PROXY, &["198.51.100.1, fe80::1%eth0"], PROXY),
        (PROXY, &["198.51.100.1:port"], PROXY),
        ("unix", &["198.51.100.1, unknown"], "nobody"),
    ];
    for (peer, lines, caller) in table {
        let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
        assert_eq!(seen(peer, &lines), *caller, "{peer} {lines:?}");
    }
}

#[test]
fn forwarded_is_read_from_the_right() {
    let table: &[(&[&str], &str)] = &[
        (&["for=198.51.100.1"], "198.51.100.1"),
        (&["For=198.51.100.1;proto=https;by=10.0.0.1"], "198.51.100.1"),
        (&["proto=https;FOR=\"198.51.100.1:4711\""], "198.51.100.1"),
        (&["for=\"[2001:db8::1]:4711\""], "2001:db8::1"),
        (&["for=\"[2001:db8::1]:_hidden\""], "2001:db8::1"),
        (&["for=[2001:db8::1]:4711"], "2001:db8::1"),
        (&["for=\"\\1\\9\\8.51.100.1\""], "198.51.100.1"),
        (&["for=\"::ffff:198.51.100.1\""], "198.51.100.1"),
        (&["for=203.0.113.5, for=198.51.100.1 , for=10.0.0.2"], "198.51.100.1"),
        (&["for=203.0.113.5", "for=198.51.100.1"], "198.51.100.1"),
        (&["for=203.0.113.5;host=\"a,b;for=1.1.1.1\", for=198.51.100.1"], "198.51.100.1"),
        (&["for=198.51.100.1; proto=https ; host=x"], "198.51.100.1"),
        (&["for=198.51.100.1;"], "198.51.100.1"),
        (&["for=203.0.113.5, for=unknown"], PROXY),
        (&["for=203.0.113.5, for=\"_gazonk\""], PROXY),
        (&["for=203.0.113.5, for=_hidden, for=10.0.0.2"], "10.0.0.2"),
        (&["for=203.0.113.5, proto=https"], PROXY),
        (&["for=203.0.113.5,"], PROXY),
        (&[""], PROXY),
        // Broken grammar: the whole line says nothing, a line of the proxy's own still counts.
        (&["for=203.0.113.5;for=203.0.113.6"], PROXY),
        (&["for=203.0.113.5;x=\", for=198.51.100.1"], PROXY),
        (&["for=203.0.113.5;x=\", for=\"[2001:db8::1]\""], PROXY),
        (&["for=203.0.113.5;x=\"\\"], PROXY),
        (&["for=203.0.113.5 for=203.0.113.6"], PROXY),
        (&["nonsense"], PROXY),
        (&["for=203.0.113.5;x=\"", "for=198.51.100.1"], "198.51.100.1"),
    ];
    for (lines, caller) in table {
        let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
        assert_eq!(seen(PROXY, &lines), *caller, "{lines:?}");
    }
}

#[test]
fn two_headers_must_agree() {
    let both = |list, forwarded| seen(PROXY, &[("x-forwarded-for", list), ("forwarded", forwarded)]);
    assert_eq!(both("198.51.100.1", "for=198.51.100.1"), "198.51.100.1");
    assert_eq!(both("203.0.113.5, 198.51.100.1", "for=198.51.100.1"), "198.51.100.1");
    assert_eq!(both("198.51.100.1", "for=203.0.113.5"), PROXY);
    assert_eq!(both("198.51.100.1", "for=unknown"), PROXY);
}

#[test]
fn a_network_of_all_addresses_covers_ipv4_too() {
    let all: Vec<IpNet> = vec!["::/0".parse().unwrap()];
    let lines = headers(&[("x-forwarded-for", "203.0.113.5, 198.51.100.1")]);
    let peer = "192.0.2.9".parse().ok();
    assert_eq!(client_address(peer, &lines, &all), "203.0.113.5".parse().ok());
}

#[test]
fn limits_count_ipv6_by_network() {
    let key = |text: &str| limit_key(text.parse().unwrap());
    assert_eq!(key("198.51.100.1"), "198.51.100.1");
    assert_eq!(key("::ffff:198.51.100.1"), "198.51.100.1");
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    assert_eq!(key("2001:db8:1:2::"), key("2001:db8:1:2:ffff::"));
    assert_ne!(key("2001:db8:1:2::"), key("2001:db8:1:3::"));
}

/// Text that a forger may send: anything, with a liking for what the grammar is made of.
fn forged() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("for=".to_owned()),
        Just("\"".to_owned()),
        Just("\\".to_owned()),
        Just(",".to_owned()),
        Just(";".to_owned()),
        Just("=".to_owned()),
        Just(" ".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just("203.0.113.5".to_owned()),
        Just("10.0.0.2".to_owned()),
        Just("[2001:db8::bad]:1".to_owned()),
        Just("unknown".to_owned()),
        "[ -~]{0,6}",
    ];
    prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
}

/// An address no proxy of ours has.
fn outsider() -> impl Strategy<Value = IpAddr> {
    let networks = trusted();
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
        .prop_map(|address| address.to_canonical())
        .prop_filter("is a proxy", move |address| !super::is_trusted(*address, &networks))
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(
        lines in prop::collection::vec((any::<bool>(), any::<Vec<u8>>()), 0..6),
        peer in any::<Option<IpAddr>>(),
    ) {
        let mut headers = HeaderMap::new();
        for (list, bytes) in lines {
            if let Ok(value) = HeaderValue::from_bytes(&bytes) {
                headers.append(if list { "x-forwarded-for" } else { "forwarded" }, value);
            }
        }
        client_address(peer, &headers, &trusted());
    }

    #[test]
    fn a_caller_behind_an_appending_proxy_cannot_choose_an_address(
        real in outsider(),
        sent in prop::collection::vec(forged(), 0..3),
        other_header in prop::collection::vec(forged(), 0..2),
        maintains_list in any::<bool>(),
        own_line in any::<bool>(),
        quoted in any::<bool>(),
    ) {
        let (maintained, passed_through) = match maintains_list {
            true => ("x-forwarded-for", "forwarded"),
            false => ("forwarded", "x-forwarded-for"),
        };
        let added = match (maintains_list, real) {
            (true, _) => real.to_string(),
            (false, IpAddr::V4(_)) if !quoted => format!("for={real};proto=https"),
            (false, IpAddr::V4(_)) => format!("for=\"{real}:4711\";proto=\"https\""),
            (false, IpAddr::V6(_)) => format!("proto=https;for=\"[{real}]\""),
        };
        let mut lines = sent;
        match lines.last_mut() {
            Some(last) if !own_line => *last = format!("{last}, {added}"),
            _ => lines.push(added),
        }
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append(maintained, HeaderValue::from_str(line).unwrap());
        }
        for line in &other_header {
            headers.append(passed_through, HeaderValue::from_str(line).unwrap());
        }

        let proxy: IpAddr = PROXY.parse().unwrap();
        let found = client_address(Some(proxy), &headers, &trusted());
        prop_assert!(found == Some(real) || found == Some(proxy), "{lines:?} gave {found:?}");
        if other_header.is_empty() && (maintains_list || own_line) {
            prop_assert_eq!(found, Some(real));
        }
        prop_assert_eq!(client_address(None, &headers, &trusted()).unwrap_or(real), real);
    }
}
