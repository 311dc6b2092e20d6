//! Free loopback ports, for servers whose listen address is configured.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Below the range from which Linux takes ephemeral ports (`net.ipv4.ip_local_port_range`). A port of that
/// range can be taken by any connection before its server listens, or while the server is down; a client of
/// it may even connect to itself.
const RANGE: Range<u16> = 16_384..32_768;

/// A port on which nothing listens, and that this process has not handed out before.
///
/// # Panics
/// There is none.
pub fn free() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    // Other runs on this machine look for free ports as well: each begins at a random one.
    let chance = RandomState::new();
    let tries = (0..4096_u32).map(|number| RANGE.start + (chance.hash_one(number) % RANGE.len() as u64) as u16);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let port = tries.filter(|port| !given.contains(port)).find(is_free).expect("loopback has free ports");
    given.insert(port);
    port
}
