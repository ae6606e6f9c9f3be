//! The bounds of the binary, with their units. What can be configured has its default and
//! its cap beside the key, in `config`.

use std::time::Duration;

use domain::limits::ID_BYTES_MAX;

/// Bytes of a MiB.
pub const MEBIBYTE: u32 = 1024 * 1024;

/// How long a connection without an open call may take to finish what it has begun to
/// say: its TLS handshake, its preface, a frame, a block of headers.
pub const UNFINISHED_MAX: Duration = Duration::from_secs(10);
/// How often a connection is looked at for that.
pub const UNFINISHED_CHECK: Duration = Duration::from_secs(1);
/// Bytes of a call's headers.
pub const HEADER_LIST_BYTES_MAX: u32 = 16 * 1024;
/// Bytes of an answer that wait for a connection that takes nothing, beyond what the stream
/// itself may hold. By default they would be 400 KiB.
pub const SEND_BUFFER_BYTES_MAX: usize = 16 * 1024;
/// How long a connection is silent before it is pinged, give or take a fifth.
pub const KEEPALIVE: Duration = Duration::from_mins(1);
/// How long the answer to a ping may take.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Connections of a listener that the kernel holds until they are taken; it may have a bound
/// of its own, `net.core.somaxconn`.
pub const CONNECTIONS_WAITING_MAX: u32 = 4096;
/// How long a listener waits after it could not take a connection, for want of file
/// descriptors as a rule.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// When calls that are still under way are ended, after the drain began.
pub const DRAIN_CALLS: Duration = Duration::from_secs(10);
/// When connections are cut, after the drain began.
pub const DRAIN_CONNECTIONS: Duration = Duration::from_secs(11);
/// When the store must have closed, after the drain began.
pub const DRAIN_STORE: Duration = Duration::from_secs(14);
/// How often old deletions are forgotten.
pub const TRIM_EVERY: Duration = Duration::from_mins(10);
/// How often it is looked for what has expired and nobody has come for.
pub const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// How long a sweep rests after each part.
pub const SWEEP_REST: Duration = Duration::from_millis(20);
/// How often it is looked for jobs that have something to do.
pub const JOBS_EVERY: Duration = Duration::from_millis(500);
/// How long nobody looks for them after that has failed.
pub const JOBS_PAUSE: Duration = Duration::from_secs(5);
/// How long jobs rest after each step.
pub const JOBS_REST: Duration = Duration::from_millis(5);
/// How long the store may take to say whether it is ready.
pub const READY_MAX: Duration = Duration::from_secs(2);

/// Profile ids in one message of a stream of recipients. A message may have 1 MiB.
pub const SEGMENT_CHUNK_IDS: usize = 5_000;
/// Such messages that are read from a file before the service takes them.
pub const SEGMENT_CHUNKS_AHEAD: usize = 4;
/// Bytes of a line with a profile id, with what may be around it.
pub const LINE_BYTES_MAX: u64 = 4 * 1024;
/// How often a job is looked at that is watched.
pub const JOB_LOOK_EVERY: Duration = Duration::from_millis(300);
/// Bytes of an id in a message, beside its own: a tag and a length.
const ID_OVERHEAD_BYTES: usize = 3;

const _: () = assert!(DRAIN_CALLS.as_secs() < DRAIN_CONNECTIONS.as_secs());
const _: () = assert!(DRAIN_CONNECTIONS.as_secs() < DRAIN_STORE.as_secs());
const _: () = assert!(SEGMENT_CHUNK_IDS * (ID_BYTES_MAX + ID_OVERHEAD_BYTES) < 1024 * 1024);
const _: () = assert!(LINE_BYTES_MAX > ID_BYTES_MAX as u64);
