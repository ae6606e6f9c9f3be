//! A proxy between a store and `PostgreSQL` that cuts a connection during a commit, answers it
//! itself, or drops all bytes and closes nothing, as a broken network does.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Text of a commit on the wire, with its end: not that of an isolation level.
const COMMIT: &[u8] = b"COMMIT\0";

/// An error `XX000` of a pooler, and readiness for the next query.
const POOLER_ERROR: &[u8] = b"E\0\0\0\x29SERROR\0VERROR\0CXX000\0Mpooler failed\0\0Z\0\0\0\x05I";

/// Moment of the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the commit reaches the database.
    BeforeCommit,
    /// After the commit; its answer is lost.
    AfterCommit,
    /// After the commit, whose answer is replaced by an error. Nothing is cut.
    AnsweredByError,
}

/// A proxy, gone when this is dropped.
#[derive(Debug)]
pub struct CommitProxy {
    address: SocketAddr,
    plan: Arc<ProxyState>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct ProxyState {
    moment: Moment,
    is_armed: AtomicBool,
    is_silent: AtomicBool,
    cuts: AtomicUsize,
}

impl CommitProxy {
    /// Stands in front of a database, and does nothing yet but pass on.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn before(database: SocketAddr, moment: Moment) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let plan = Arc::new(ProxyState {
            moment,
            is_armed: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            cuts: AtomicUsize::new(0),
        });
        let accepting = tokio::spawn(accept(listener, database, plan.clone()));
        Self {
            address,
            plan,
            accepting,
        }
    }

    /// Address that the proxy listens on.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the connection of the next commit, and no other.
    pub fn cut_next_commit(&self) {
        self.plan.is_armed.store(true, Ordering::SeqCst);
    }

    /// Drops all bytes from now on, in both directions, and closes nothing.
    pub fn fall_silent(&self) {
        self.plan.is_silent.store(true, Ordering::SeqCst);
    }

    /// Forwards bytes again, except on connections of which bytes were dropped.
    pub fn speak_again(&self) {
        self.plan.is_silent.store(false, Ordering::SeqCst);
    }

    /// Number of cuts so far.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.plan.cuts.load(Ordering::SeqCst)
    }
}

/// A connection. Once bytes of it were dropped, nothing passes it any more.
#[derive(Clone)]
struct ProxyConnection {
    plan: Arc<ProxyState>,
    is_silent: Arc<AtomicBool>,
    /// True if the next words of the database are replaced by an error.
    fails_next: Arc<AtomicBool>,
}

impl ProxyConnection {
    /// True if bytes that have just arrived are dropped.
    fn swallows(&self) -> bool {
        if self.plan.is_silent.load(Ordering::SeqCst) {
            self.is_silent.store(true, Ordering::SeqCst);
        }
        self.is_silent.load(Ordering::SeqCst)
    }
}

impl Drop for CommitProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, database: SocketAddr, plan: Arc<ProxyState>) {
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(pass(client, database, plan.clone()));
    }
}

/// Forwards bytes in both directions until one side ends or the cut is due.
async fn pass(client: TcpStream, database: SocketAddr, plan: Arc<ProxyState>) -> io::Result<()> {
    let (from_client, to_client) = client.into_split();
    let (from_database, to_database) = TcpStream::connect(database).await?.into_split();
    let line = ProxyConnection {
        plan: plan.clone(),
        is_silent: Arc::default(),
        fails_next: Arc::default(),
    };
    let back = tokio::spawn(backward(from_database, to_client, line.clone()));
    let cut = forward(from_client, to_database, &line).await?;
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
    line: &ProxyConnection,
) -> io::Result<Option<(OwnedWriteHalf, Vec<u8>)>> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = client.read(&mut buffer).await?;
        if count == 0 {
            database.shutdown().await?;
            return Ok(None);
        }
        if line.swallows() {
            continue;
        }
        let words = &buffer[..count];
        let is_commit = words.windows(COMMIT.len()).any(|part| part == COMMIT);
        if is_commit && line.plan.is_armed.swap(false, Ordering::SeqCst) {
            if line.plan.moment != Moment::AnsweredByError {
                return Ok(Some((database, words.to_vec())));
            }
            line.plan.cuts.fetch_add(1, Ordering::SeqCst);
            line.fails_next.store(true, Ordering::SeqCst);
        }
        database.write_all(words).await?;
    }
}

/// Passes the database's words on.
async fn backward(
    mut database: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    line: ProxyConnection,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = database.read(&mut buffer).await?;
        if count == 0 {
            return client.shutdown().await;
        }
        if line.swallows() {
            continue;
        }
        let words = if line.fails_next.swap(false, Ordering::SeqCst) {
            POOLER_ERROR
        } else {
            &buffer[..count]
        };
        client.write_all(words).await?;
    }
}
