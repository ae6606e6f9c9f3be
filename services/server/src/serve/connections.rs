//! The open connections of a listener: how many an address has, and which are idle.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rpc::peer_network::network;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The open connections of a listener. Clones share them.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Maximum number of connections of one address.
    per_address_max: usize,
    state: Arc<Mutex<OpenConnections>>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next_id: u64,
    by_id: HashMap<u64, OpenConnection>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct OpenConnection {
    address: IpAddr,
    /// Time since which it has no open call.
    idle_since: Option<Instant>,
    closing: CancellationToken,
}

/// An open connection, until it is dropped.
#[derive(Debug)]
pub struct ConnectionGuard {
    id: u64,
    connections: Connections,
    closing: CancellationToken,
}

impl Connections {
    /// No connections. 0 stands for any number of one address.
    pub fn new(per_address_max: usize) -> Self {
        Self {
            per_address_max: match per_address_max {
                0 => usize::MAX,
                max => max,
            },
            state: Arc::default(),
        }
    }

    /// Registers a connection; `None` if its address has as many as it may.
    pub fn open(&self, peer: SocketAddr) -> Option<ConnectionGuard> {
        let address = network(peer.ip());
        let mut state = self.lock();
        let count = state.by_address.entry(address).or_default();
        if *count >= self.per_address_max {
            return None;
        }
        *count += 1;
        state.next_id += 1;
        let (id, closing) = (state.next_id, CancellationToken::new());
        let connection = OpenConnection {
            address,
            idle_since: Some(Instant::now()),
            closing: closing.clone(),
        };
        state.by_id.insert(id, connection);
        Some(ConnectionGuard {
            id,
            connections: self.clone(),
            closing,
        })
    }

    /// Closes the connection that has been idle for longest, if any is idle.
    pub fn close_idlest(&self) {
        let state = self.lock();
        let open = state.by_id.values();
        let idle = open.filter(|open| !open.closing.is_cancelled());
        let idlest = idle
            .filter_map(|open| Some((open.idle_since?, &open.closing)))
            .min_by_key(|(since, _)| *since);
        if let Some((_, closing)) = idlest {
            closing.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionGuard {
    /// Waits until the connection is to be closed for another one.
    pub async fn closing(&self) {
        self.closing.cancelled().await;
    }

    /// Sets the time since which the connection has no open call; `None` while it has one.
    pub fn set_idle_since(&self, since: Option<Instant>) {
        if let Some(open) = self.connections.lock().by_id.get_mut(&self.id) {
            open.idle_since = since;
        }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut state = self.connections.lock();
        let Some(open) = state.by_id.remove(&self.id) else {
            return;
        };
        if let Some(count) = state.by_address.get_mut(&open.address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&open.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::advance;

    use super::*;

    fn peer(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().expect("an address"), 4711)
    }

    #[tokio::test]
    async fn an_address_has_a_limited_number_of_connections() {
        for [one, same, other] in [
            ["192.0.2.1", "192.0.2.1", "192.0.2.2"],
            ["2001:db8::1", "2001:db8::2:0:0:1", "2001:db8:0:1::1"],
            ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"],
        ] {
            let connections = Connections::new(2);
            let first = connections.open(peer(one)).expect(one);
            let _second = connections.open(peer(same)).expect(same);
            assert!(connections.open(peer(one)).is_none(), "{one}");
            let _other = connections.open(peer(other)).expect(other);
            drop(first);
            connections.open(peer(same)).expect(same);
        }
    }

    #[tokio::test]
    async fn closed_connections_leave_nothing_behind() {
        let connections = Connections::new(0);
        drop(connections.open(peer("192.0.2.1")));
        let state = connections.lock();
        assert_eq!((state.by_id.len(), state.by_address.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_idlest_connection_is_closed() {
        let connections = Connections::new(0);
        let open = || connections.open(peer("192.0.2.1")).expect("a connection");
        let busy = open();
        busy.set_idle_since(None);
        advance(Duration::from_secs(1)).await;
        let idlest = open();
        advance(Duration::from_secs(1)).await;
        let idle = open();
        connections.close_idlest();
        let closing = |guard: &ConnectionGuard| guard.closing.is_cancelled();
        assert_eq!([&busy, &idlest, &idle].map(closing), [false, true, false]);
        connections.close_idlest();
        connections.close_idlest();
        assert_eq!([&busy, &idlest, &idle].map(closing), [false, true, true]);
    }
}
