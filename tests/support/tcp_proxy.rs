//! A TCP proxy whose connections can be cut or made to hang.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A TCP proxy. Its connections end when it is dropped.
#[derive(Debug)]
pub struct TcpProxy {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    orders: watch::Sender<ProxyOrder>,
    accepting: JoinHandle<()>,
}

/// State of the open connections. Later connections pass.
#[derive(Debug, Clone, Copy)]
enum ProxyOrder {
    Pass,
    Hang,
    Cut,
}

impl TcpProxy {
    /// Starts a proxy to an address that forwards everything.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn to(address: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let connections = Arc::new(AtomicUsize::new(0));
        let orders = watch::Sender::new(ProxyOrder::Pass);
        Self {
            address: listener.local_addr().expect("an address"),
            connections: connections.clone(),
            orders: orders.clone(),
            accepting: tokio::spawn(accept(listener, address, connections, orders)),
        }
    }

    /// Address that the proxy listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Number of connections so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Makes the open connections hang: reads nothing more from either side, and closes none.
    pub fn hang(&self) {
        self.orders.send_replace(ProxyOrder::Hang);
    }

    /// Cuts the open connections, hanging ones included.
    pub fn cut(&self) {
        self.orders.send_replace(ProxyOrder::Cut);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    to: SocketAddr,
    connections: Arc<AtomicUsize>,
    orders: watch::Sender<ProxyOrder>,
) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass(client, to, orders.subscribe()));
        connections.fetch_add(1, Ordering::SeqCst);
    }
}

async fn pass(mut client: TcpStream, to: SocketAddr, mut orders: watch::Receiver<ProxyOrder>) {
    let Ok(mut server) = TcpStream::connect(to).await else {
        return;
    };
    let hangs = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        changed = orders.changed() => {
            changed.is_ok() && matches!(*orders.borrow_and_update(), ProxyOrder::Hang)
        }
    };
    if hangs {
        // Both ends stay open and unread until the cut.
        let _ = orders
            .wait_for(|order| matches!(order, ProxyOrder::Cut))
            .await;
    }
}
