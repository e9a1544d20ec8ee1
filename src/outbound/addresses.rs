//! Which addresses may be called.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 networks that are not the public internet: those that IANA's registry of special-purpose
/// addresses does not call globally reachable (RFC 6890 and its successors), and multicast.
const NOT_PUBLIC_V4: [Ipv4Net; 16] = [
    v4([0, 0, 0, 0], 8),        // this network, RFC 791
    v4([10, 0, 0, 0], 8),       // private, RFC 1918
    v4([100, 64, 0, 0], 10),    // behind a carrier's NAT, RFC 6598
    v4([127, 0, 0, 0], 8),      // loopback, RFC 1122
    v4([168, 63, 129, 16], 32), // what machines of one cloud take their orders from; public in name only
    v4([169, 254, 0, 0], 16),   // link-local, RFC 3927; clouds keep credentials at 169.254.169.254
    v4([172, 16, 0, 0], 12),    // private, RFC 1918
    v4([192, 0, 0, 0], 24),     // protocol assignments, RFC 6890
    v4([192, 0, 2, 0], 24),     // documentation, RFC 5737
    v4([192, 88, 99, 0], 24),   // 6to4 relays, RFC 7526
    v4([192, 168, 0, 0], 16),   // private, RFC 1918
    v4([198, 18, 0, 0], 15),    // benchmarks, RFC 2544
    v4([198, 51, 100, 0], 24),  // documentation, RFC 5737
    v4([203, 0, 113, 0], 24),   // documentation, RFC 5737
    v4([224, 0, 0, 0], 4),      // multicast, RFC 5771
    v4([240, 0, 0, 0], 4),      // reserved, RFC 1112, and the limited broadcast
];

/// All that is assigned for the public IPv6 internet (RFC 4291 §2.4); the rest is loopback,
/// link-local, unique local, multicast and unassigned.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);

/// What within it is not public.
const NOT_PUBLIC_V6: [Ipv6Net; 3] = [
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), // protocol assignments with Teredo, RFC 2928
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), // documentation, RFC 3849
    v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), // documentation, RFC 9637
];

/// 6to4 (RFC 3056 §2): the next 32 bits are the IPv4 address that is called.
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16);
/// NAT64 (RFC 6052 §2.1): the last 32 bits are the IPv4 address that is called. Hosts without IPv4
/// reach all of it through this network.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96);

const fn v4(address: [u8; 4], prefix: u8) -> Ipv4Net {
    let [a, b, c, d] = address;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(address: [u16; 8], prefix: u8) -> Ipv6Net {
    let [a, b, c, d, e, f, g, h] = address;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), prefix)
}

/// Whether an address belongs to the public internet, as does the IPv4 address that an IPv6 address
/// may stand for.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded(address) {
            Some(embedded) => is_public_v4(embedded),
            None => {
                GLOBAL_V6.contains(&address)
                    && !NOT_PUBLIC_V6.iter().any(|network| network.contains(&address))
            }
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !NOT_PUBLIC_V4.iter().any(|network| network.contains(&address))
}

/// The IPv4 address at which a call to this address ends.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [_, a, b, _, _, _, c, d] = address.segments();
    let join = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    if SIX_TO_FOUR.contains(&address) {
        Some(join(a, b))
    } else if NAT64.contains(&address) {
        Some(join(c, d))
    } else {
        None
    }
}

/// The public internet, and the networks that the configuration adds to it.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Vec<IpNet>);

impl Allowed {
    /// The public internet and `networks`.
    pub fn new(networks: &[IpNet]) -> Allowed {
        Allowed(networks.to_vec())
    }

    /// Whether an address may be called. IPv4 addresses mapped into IPv6 are read as IPv4.
    pub fn may_be_called(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_edges_of_every_network_are_where_they_belong() {
        for inside in [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.127.255.255",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.0",
            "169.254.169.254",
            "169.254.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.0",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.0",
            "192.168.255.255",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.255",
            "224.0.0.0",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::10.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::8.8.8.8",
            "100::1",
            "2001::1",
            "2001:1ff:ffff::",
            "2001:db8::1",
            "2002:a00:1::",
            "2002:a9fe:a9fe::1",
            "2002:7f00:1::",
            "3fff::1",
            "3fff:fff:ffff::",
            "4000::",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(address(inside)), "{inside}");
        }
        for outside in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2001:200::",
            "2001:db7::1",
            "2001:db9::1",
            "2002:808:808::1",
            "2606:4700::1111",
            "3ffe::1",
            "3fff:1000::",
        ] {
            assert!(is_public(address(outside)), "{outside}");
        }
    }

    #[test]
    fn a_network_of_the_configuration_may_be_called_and_nothing_beside_it() {
        let allowed = Allowed::new(&["10.0.5.0/24".parse().unwrap(), "fd00:5::/32".parse().unwrap()]);
        for inside in ["10.0.5.1", "::ffff:10.0.5.1", "fd00:5::1", "8.8.8.8"] {
            assert!(allowed.may_be_called(address(inside)), "{inside}");
        }
        for outside in ["10.0.6.1", "::ffff:10.0.6.1", "fd00:6::1", "127.0.0.1", "2002:a00:501::"] {
            assert!(!allowed.may_be_called(address(outside)), "{outside}");
        }
    }

    proptest! {
        /// The standard library knows some of the ranges in its own way.
        #[test]
        fn what_the_standard_library_calls_local_is_not_public(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            if address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast()
                || address.is_broadcast() || address.is_documentation() || address.is_unspecified() {
                prop_assert!(!is_public(address.into()));
            }
        }

        #[test]
        fn an_ipv4_address_is_judged_alike_in_every_disguise(
            bits in prop_oneof![
                any::<u32>(),
                (0..NOT_PUBLIC_V4.len(), -2i64..3, any::<bool>()).prop_map(|(place, off, is_end)| {
                    let network = NOT_PUBLIC_V4[place];
                    let edge = if is_end { network.broadcast() } else { network.network() };
                    edge.to_bits().wrapping_add_signed(off as i32)
                }),
            ],
            rest: u64,
        ) {
            let address = Ipv4Addr::from_bits(bits);
            let expected = is_public(address.into());
            let (high, low) = ((bits >> 16) as u16, bits as u16);
            let mapped = address.to_ipv6_mapped();
            let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low);
            let six_to_four = Ipv6Addr::from_bits(0x2002 << 112 | u128::from(bits) << 80 | u128::from(rest));
            for disguised in [mapped, nat64, six_to_four] {
                prop_assert_eq!(is_public(disguised.into()), expected, "{}", disguised);
            }
            // The form without a prefix is no public address whatever it holds (RFC 4291 §2.5.5.1).
            prop_assert!(!is_public(Ipv6Addr::from_bits(bits.into()).into()));
        }

        #[test]
        fn an_ipv6_address_that_is_public_is_a_global_unicast_address(bits: u128) {
            let address = Ipv6Addr::from_bits(bits);
            if is_public(address.into()) {
                prop_assert!(!address.is_unique_local() && !address.is_unicast_link_local());
                prop_assert!(!address.is_multicast() && !address.is_loopback() && !address.is_unspecified());
                prop_assert!(address.segments()[0] >> 13 == 1 || NAT64.contains(&address) || address.to_ipv4_mapped().is_some());
            }
        }
    }
}
