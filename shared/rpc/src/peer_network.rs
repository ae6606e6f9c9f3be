//! Networks of peers, by which strangers are counted.

use std::net::{IpAddr, Ipv6Addr};

/// Bits of an IPv6 address that name a subscriber's network, which counts as one address.
const IPV6_NETWORK: u128 = !0 << 64;

/// Returns the address that a peer is counted by: its own, or the first of its IPv6 network.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & IPV6_NETWORK).into(),
        address @ IpAddr::V4(_) => address,
    }
}
