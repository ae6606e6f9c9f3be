//! A proxy between a store and `PostgreSQL` that cuts a connection in the middle of a commit.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the last words of a transaction look like on the wire.
const COMMIT: &[u8] = b"COMMIT";

/// Where in a commit the connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The database never hears of it.
    BeforeCommit,
    /// The database does it, and its answer is lost.
    AfterCommit,
}

/// A proxy, gone when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    plan: Arc<Plan>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Plan {
    moment: Moment,
    is_armed: AtomicBool,
    cuts: AtomicUsize,
}

impl Proxy {
    /// Stands in front of a database, and does nothing yet but pass on.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn before(database: SocketAddr, moment: Moment) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let plan = Arc::new(Plan {
            moment,
            is_armed: AtomicBool::new(false),
            cuts: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, database, plan.clone()));
        Self {
            address,
            plan,
            accepting,
        }
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the connection of the next commit, and no other.
    pub fn cut_next_commit(&self) {
        self.plan.is_armed.store(true, Ordering::SeqCst);
    }

    /// How many connections were cut so far.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.plan.cuts.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, database: SocketAddr, plan: Arc<Plan>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass(client, database, plan.clone()));
    }
}

/// Passes bytes on in both directions until one side ends, or the plan says to cut.
async fn pass(client: TcpStream, database: SocketAddr, plan: Arc<Plan>) -> io::Result<()> {
    let (from_client, mut to_client) = client.into_split();
    let (mut from_database, to_database) = TcpStream::connect(database).await?.into_split();
    let back = tokio::spawn(async move {
        let passed = tokio::io::copy(&mut from_database, &mut to_client).await;
        (passed, from_database)
    });
    let cut = forward(from_client, to_database, &plan).await?;
    if let Some((mut to_database, words)) = cut {
        plan.cuts.fetch_add(1, Ordering::SeqCst);
        // From here on nothing gets back to the client.
        back.abort();
        let _ = back.await;
        if plan.moment == Moment::AfterCommit {
            to_database.write_all(&words).await?;
        }
        to_database.shutdown().await?;
    }
    Ok(())
}

/// Passes the client's words on. Answers those that were held back, if it is to be cut.
async fn forward(
    mut client: OwnedReadHalf,
    mut database: OwnedWriteHalf,
    plan: &Plan,
) -> io::Result<Option<(OwnedWriteHalf, Vec<u8>)>> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            database.shutdown().await?;
            return Ok(None);
        }
        let words = &buffer[..count];
        let is_commit = words.windows(COMMIT.len()).any(|part| part == COMMIT);
        if is_commit && plan.is_armed.swap(false, Ordering::SeqCst) {
            return Ok(Some((database, words.to_vec())));
        }
        database.write_all(words).await?;
    }
}
