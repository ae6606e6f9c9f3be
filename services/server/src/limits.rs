//! Bounds of the binary, with their units. Configurable bounds have their defaults and caps beside
//! their keys, in `config`.

use std::time::Duration;

use domain::limits::PROFILE_ID_BYTES_MAX;

/// Bytes of a MiB.
pub const MEBIBYTE: u32 = 1024 * 1024;

/// Time for a connection without an open call to complete its TLS handshake, its preface, a frame
/// or a header block. Then it is closed.
pub const INCOMPLETE_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval between checks of [`INCOMPLETE_TIMEOUT`].
pub const INCOMPLETE_CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Maximum size of a call's headers, in bytes.
pub const HEADER_LIST_BYTES_MAX: u32 = 32 * 1024;
/// Maximum number of response bytes that wait for a connection, beyond the stream's own window.
/// hyper's default is 400 KiB.
pub const SEND_BUFFER_BYTES_MAX: usize = 16 * 1024;
/// Time for a caller to take a piece of a response. Then its stream is reset.
pub const ANSWER_STALL_TIMEOUT: Duration = Duration::from_secs(30);
/// Silence after which a connection is pinged, ±20 %.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_mins(1);
/// Time to answer a ping. Then the connection is closed.
pub const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(20);
/// Time for a new connection to begin its first call. Then its peer is told to leave.
pub const FIRST_CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Time without an open call after which the peer of a connection is told to leave.
pub const IDLE_TIMEOUT: Duration = Duration::from_mins(5);
/// Minimum age at which the peer of a connection is told to leave, so that connections spread over
/// new replicas.
pub const CONNECTION_AGE_MIN: Duration = Duration::from_mins(30);
/// Maximum age at which the peer of a connection is told to leave.
pub const CONNECTION_AGE_MAX: Duration = Duration::from_hours(1);
/// Control frames per second that a peer may send beyond those that its calls justify. More end the
/// connection.
pub const CONTROL_FRAMES_PER_SECOND: u32 = 1_000;
/// Control frames that a peer may send at once beyond those that its calls justify.
pub const CONTROL_FRAMES_BURST: u32 = 2_000;
/// Control frames that a frame of a call justifies, in either direction.
pub const CONTROL_FRAMES_PER_FRAME: u32 = 4;
/// Maximum number of control frames that are justified at the same time.
pub const CONTROL_FRAMES_EARNED_MAX: u32 = 20_000;
/// Calls of a connection that are read before they are handed over, but for the rest of what was
/// read at once.
pub const CALLS_PER_TURN: u32 = 64;
/// Maximum number of calls of a connection that are reset before they are handed over. More end the
/// connection.
pub const RESETS_PENDING_MAX: usize = 1_000;
/// Excess of calls that a peer resets over those that it lets finish at which it is told to leave.
/// Callers that share a connection may give up all its calls a few times.
pub const RESETS_MAX: u32 = 1_000;
/// Such an excess at which the connection is closed, although its peer was told to leave.
pub const RESETS_TO_CLOSE: u32 = 10 * RESETS_MAX;
/// Decrease of the excess per second.
pub const RESETS_FORGOTTEN_PER_SECOND: u64 = 100;
/// Interval between attempts to make room for another connection.
pub const ROOM_INTERVAL: Duration = Duration::from_secs(1);
/// Connections that the kernel holds until they are accepted. `net.core.somaxconn` may lower it.
pub const LISTEN_BACKLOG: u32 = 4096;
/// Delay after a failed accept, which is mostly due to a lack of file descriptors.
pub const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Maximum number of open streams of `Watch` per connection: a client of a connection needs one.
pub const WATCHES_PER_CONNECTION_MAX: usize = 1;
/// Maximum number of open streams of `Watch` per listener.
pub const WATCHES_MAX: usize = 1_000;
/// Age at which a stream of `Watch` ends.
pub const WATCH_AGE_MAX: Duration = Duration::from_hours(1);
/// Maximum size of a request to the health service, in bytes.
pub const HEALTH_REQUEST_BYTES_MAX: usize = 1024;
/// Maximum number of open reflection streams per connection.
pub const REFLECTIONS_PER_CONNECTION_MAX: usize = 4;
/// Maximum number of open reflection streams per listener.
pub const REFLECTIONS_MAX: usize = 100;
/// Age at which a reflection stream ends.
pub const REFLECTION_AGE_MAX: Duration = Duration::from_mins(5);
/// Maximum size of all requests of a reflection stream, in bytes: a few hundred requests.
pub const REFLECTION_REQUEST_BYTES_MAX: usize = 16 * 1024;

/// Interval between checks whether the files of TLS have changed.
pub const TLS_CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Time from the end of the calls of a drain to the end of connections.
pub const DRAIN_CONNECTIONS: Duration = Duration::from_secs(1);
/// Time from the end of the calls of a drain to the end of the wait for the store.
pub const DRAIN_STORE: Duration = Duration::from_secs(4);
/// Pause after the first failed attempt to open the store at the start. It doubles with each.
pub const OPEN_PAUSE: Duration = Duration::from_millis(500);
/// Longest pause between attempts to open the store.
pub const OPEN_PAUSE_MAX: Duration = Duration::from_secs(10);
/// Interval between trims of old tombstones.
pub const TRIM_INTERVAL: Duration = Duration::from_mins(10);
/// Interval between sweeps of idle mailboxes.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(30);
/// Pause after each part of a sweep.
pub const SWEEP_PAUSE: Duration = Duration::from_millis(20);
/// Interval between searches for due jobs. A job created on the replica starts at once.
pub const JOB_INTERVAL: Duration = Duration::from_millis(500);
/// Pause after a failed search for due jobs or a failed step.
pub const JOB_FAILURE_PAUSE: Duration = Duration::from_secs(5);
/// Pause after each step of a job.
pub const JOB_STEP_PAUSE: Duration = Duration::from_millis(5);
/// Maximum age of an answer to a readiness probe.
pub const READY_AGE_MAX: Duration = Duration::from_millis(500);
/// Time for the store to answer a readiness probe.
pub const READY_TIMEOUT: Duration = Duration::from_secs(2);

/// Profile ids in one message of a recipient stream. A message may have 1 MiB.
pub const SEGMENT_CHUNK_IDS: usize = 4_000;
/// Messages of a recipient stream that are read from a file ahead of the call.
pub const SEGMENT_CHUNKS_AHEAD: usize = 4;
/// Maximum length of a line with a profile id and surrounding whitespace, in bytes.
pub const LINE_BYTES_MAX: u64 = 4 * 1024;
/// Interval between requests for the state of a watched job.
pub const JOB_WATCH_INTERVAL: Duration = Duration::from_millis(300);
/// Bytes of an id in a message beside its own: tag and length.
const ID_OVERHEAD_BYTES: usize = 3;

const _: () = assert!(HEADER_LIST_BYTES_MAX as usize >= 2 * auth::limits::TOKEN_BYTES_MAX);
const _: () = assert!(DRAIN_CONNECTIONS.as_secs() < DRAIN_STORE.as_secs());
const _: () = assert!(SEGMENT_CHUNK_IDS * (PROFILE_ID_BYTES_MAX + ID_OVERHEAD_BYTES) < 1024 * 1024);
const _: () = assert!(LINE_BYTES_MAX > PROFILE_ID_BYTES_MAX as u64);
