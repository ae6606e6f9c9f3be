//! A line between two programs that can be cut, or hang.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A line, whose connections end when this is dropped.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    orders: watch::Sender<Order>,
    accepting: JoinHandle<()>,
}

/// What is to become of the connections that there are; those that come later pass.
#[derive(Debug, Clone, Copy)]
enum Order {
    Pass,
    Hang,
    Cut,
}

impl Line {
    /// A line to an address, which passes everything on.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn to(address: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let connections = Arc::new(AtomicUsize::new(0));
        let orders = watch::Sender::new(Order::Pass);
        Self {
            address: listener.local_addr().expect("an address"),
            connections: connections.clone(),
            orders: orders.clone(),
            accepting: tokio::spawn(accept(listener, address, connections, orders)),
        }
    }

    /// Where it begins.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections there have been.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Takes nothing more from either side of the connections that there are, and ends none.
    pub fn hang(&self) {
        self.orders.send_replace(Order::Hang);
    }

    /// Ends the connections that there are, also those that hang.
    pub fn cut(&self) {
        self.orders.send_replace(Order::Cut);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn accept(
    listener: TcpListener,
    to: SocketAddr,
    connections: Arc<AtomicUsize>,
    orders: watch::Sender<Order>,
) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass(client, to, orders.subscribe()));
        connections.fetch_add(1, Ordering::SeqCst);
    }
}

async fn pass(mut client: TcpStream, to: SocketAddr, mut orders: watch::Receiver<Order>) {
    let Ok(mut server) = TcpStream::connect(to).await else {
        return;
    };
    let hangs = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        changed = orders.changed() => {
            changed.is_ok() && matches!(*orders.borrow_and_update(), Order::Hang)
        }
    };
    if hangs {
        // Both ends stay open until then, and nobody reads.
        let _ = orders.wait_for(|order| matches!(order, Order::Cut)).await;
    }
}
