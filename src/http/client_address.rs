//! The address of the person or program that called, seen through the reverse proxies in between.
//!
//! Proxies report the address they were called from in `X-Forwarded-For` or in `Forwarded`
//! (RFC 7239), each adding itself on the right. Everything further left was written by someone we
//! do not know, so the list is read from the right, and the nearest address that is not one of our
//! own proxies is the caller. A header is believed only when the connection itself comes from a
//! trusted proxy.
//!
//! A proxy usually maintains one of the two headers and passes the other through as the caller
//! sent it, and we cannot know which one that is. So when a request carries both, they must name
//! the same caller; if they do not, neither is believed and the proxy's own address is used. A
//! caller can then hide among others behind the proxy, but never pass for somebody else. A proxy
//! that removes the header it does not maintain avoids even that.

use std::net::{IpAddr, Ipv6Addr};

use http::{HeaderMap, HeaderName, HeaderValue, header::FORWARDED};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// One step of the way a request took: an address, or something that names none (`unknown`, an
/// obfuscated identifier, a malformed or empty entry), beyond which nothing can be believed.
type Hop = Option<IpAddr>;

/// The address of the caller, or `None` when it is not known.
///
/// `peer` is the other end of the connection; `None` is a Unix socket, which only the proxy can
/// open and which therefore counts as trusted. IPv4 addresses mapped into IPv6 are read as IPv4.
pub fn client_address(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = peer.map(|address| address.to_canonical());
    if peer.is_some_and(|address| !is_trusted(address, trusted)) {
        return peer;
    }
    let by_list =
        reported_by(headers, &X_FORWARDED_FOR, list_hops).map(|hops| nearest_untrusted(peer, &hops, trusted));
    let by_forwarded =
        reported_by(headers, &FORWARDED, forwarded_hops).map(|hops| nearest_untrusted(peer, &hops, trusted));
    match (by_list, by_forwarded) {
        (None, None) => peer,
        (Some(found), None) | (None, Some(found)) => found,
        (Some(one), Some(other)) if one == other => one,
        (Some(_), Some(_)) => peer,
    }
}

/// What to count attempts by: an IPv4 address, or the /64 network of an IPv6 address, since one
/// subscriber commonly holds all of it.
pub fn limit_key(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = Ipv6Addr::from(u128::from(address) & (u128::MAX << 64));
            format!("{network}/64")
        }
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| match (network, address) {
        // A network may itself be written in the mapped form, ::ffff:10.0.0.0/104.
        (IpNet::V6(network), IpAddr::V4(address)) => network.contains(&address.to_ipv6_mapped()),
        _ => network.contains(&address),
    })
}

/// All hops that one header reports, over all its lines in order; `None` without that header.
fn reported_by(headers: &HeaderMap, name: &HeaderName, read_line: fn(&str) -> Vec<Hop>) -> Option<Vec<Hop>> {
    let read = |line: &HeaderValue| line.to_str().map_or_else(|_| vec![None], read_line);
    headers.contains_key(name).then(|| headers.get_all(name).iter().flat_map(read).collect())
}

/// Walks from the nearest hop outwards. Where the trail ends inside our own proxies, the last
/// address on it is the best that is known.
fn nearest_untrusted(peer: Hop, hops: &[Hop], trusted: &[IpNet]) -> Hop {
    let mut known = peer;
    for hop in hops.iter().rev() {
        let Some(address) = *hop else { return known };
        known = Some(address);
        if !is_trusted(address, trusted) {
            return known;
        }
    }
    known
}

/// The entries of one `X-Forwarded-For` line.
fn list_hops(line: &str) -> Vec<Hop> {
    line.split(',').map(|entry| node(entry.trim().trim_matches('"'))).collect()
}

/// The elements of one `Forwarded` line (RFC 7239 §4). A line that breaks the grammar is one
/// unknown hop: guessing where its quotes end would let the caller hide what the proxy added.
fn forwarded_hops(line: &str) -> Vec<Hop> {
    let mut hops = Vec::new();
    let mut rest = line;
    loop {
        let Some((hop, after)) = forwarded_element(rest) else {
            return vec![None];
        };
        hops.push(hop);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return hops,
        }
    }
}

/// Reads `for=192.0.2.43;proto=https` up to the next comma or the end, and returns what is left.
/// `None` for broken grammar or a repeated `for`.
fn forwarded_element(text: &str) -> Option<(Hop, &str)> {
    let mut named: Option<Hop> = None;
    let mut rest = text.trim_start();
    loop {
        if !rest.is_empty() && !rest.starts_with([',', ';']) {
            let (name, after) = rest.split_once('=')?;
            let (value, after) = forwarded_value(after)?;
            if name.contains(['"', ',', ';', ' ', '\t']) {
                return None;
            }
            if name.eq_ignore_ascii_case("for") && named.replace(node(&value)).is_some() {
                return None;
            }
            rest = after.trim_start();
        }
        match rest.strip_prefix(';') {
            Some(next) => rest = next.trim_start(),
            None if rest.is_empty() || rest.starts_with(',') => {
                return Some((named.flatten(), rest));
            }
            None => return None,
        }
    }
}

/// A token or a quoted string (RFC 9110 §5.6.4), and what follows it. Unquoted colons and
/// brackets are let pass, since many proxies forget to quote them.
fn forwarded_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ';', ' ', '\t']).unwrap_or(text.len());
        let (value, after) = text.split_at(end);
        return (!value.contains('"')).then(|| (value.to_owned(), after));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

/// A node of RFC 7239 §6, or the bare IPv6 address that `X-Forwarded-For` also allows; a port is
/// ignored. `None` for anything that is not an address.
fn node(text: &str) -> Hop {
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (host, after) = bracketed.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        match after {
            "" => (host, None),
            _ => (host, Some(after.strip_prefix(':')?)),
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        }
    };
    port.is_none_or(is_port).then_some(())?;
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// A port, or an obfuscated port (RFC 7239 §6.3).
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => !hidden.is_empty() && hidden.bytes().all(|byte| byte.is_ascii_graphic()),
        None => matches!(text.len(), 1..=5) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests;
