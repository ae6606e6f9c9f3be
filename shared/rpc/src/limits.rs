//! Limits of calls, with their units.

use std::time::Duration;

/// Deadline of a call without a timeout of its own.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);
/// Maximum deadline of a call, except for streams.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);

/// Maximum deadline of a call with a streamed request, and its default.
pub const REQUEST_STREAM_MAX: Duration = Duration::from_hours(1);
/// Time for a caller to take the end of a response stream.
pub const STREAM_END_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout of the next message of a streamed request.
pub const REQUEST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for a caller to send a request, beside that at [`REQUEST_BYTES_PER_SECOND_MIN`].
pub const REQUEST_READ_TIMEOUT: Duration = Duration::from_secs(2);
/// Minimum rate at which a caller sends a request, in bytes per second.
pub const REQUEST_BYTES_PER_SECOND_MIN: u32 = 64 * 1024;

/// Maximum number of bytes of answers that a profile has not taken yet: those of a few full pages.
pub const ANSWER_BYTES_PER_PROFILE_MAX: usize = 12 * 1024 * 1024;
/// Maximum number of bytes of answers that a connection has not taken yet. A server may call for
/// many profiles on one.
pub const ANSWER_BYTES_PER_CONNECTION_MAX: usize = 48 * 1024 * 1024;
/// Part of all bytes of answers that one app may have: one of so many.
pub const ANSWER_BYTES_OF_APP_DIVISOR: usize = 2;
/// Maximum size of the pieces in which an answer is handed to the connection, in bytes. The
/// connection takes a piece when the caller's window has room for the one before.
pub const ANSWER_PIECE_BYTES: usize = 16 * 1024;
/// Maximum size of an answer that is handed over at once, in bytes. It may wait in the connection
/// when its call has ended.
pub const SMALL_ANSWER_BYTES: usize = 1024;

/// Changed entries that cost a call as much as itself.
pub const ENTRIES_PER_TOKEN: u64 = 20;
/// Rows looked at that cost a call as much as itself.
pub const ROWS_PER_TOKEN: u64 = 200;
/// Bytes of an answer that cost a call as much as itself.
pub const BYTES_PER_TOKEN: u64 = 64 * 1024;
/// Maximum time for which the work of a profile's calls refuses further ones.
pub const DEBT_MAX: Duration = Duration::from_mins(1);

/// Interval at which the quotas of a called app are reread: the maximum delay until a change on
/// another replica is in force.
pub const QUOTAS_REREAD: Duration = Duration::from_secs(5);
/// Maximum number of apps whose quotas are read at the same time.
pub const QUOTA_READERS_MAX: usize = 2;
/// Maximum number of apps whose quotas and buckets are kept in memory.
pub const LIMITED_APPS_MAX: usize = 10_000;
/// Memory of the buckets of profiles, in bytes: enough for 80,000 profiles with ids of usual
/// length.
pub const PROFILE_BUCKETS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Interval at which the token of an open stream is held against revocations again.
pub const REVOCATION_RECHECK: Duration = Duration::from_mins(1);
/// Maximum number of profiles whose revocations are kept in memory, a few hundred bytes each.
pub const REVOCATIONS_CACHED_MAX: usize = 50_000;

/// Interval in which a caller's refused calls are logged as one line, and their number at its end.
pub const LINE_SAMPLE_INTERVAL: Duration = Duration::from_secs(10);
/// Maximum number of callers whose refused calls are logged in an interval.
pub const SAMPLED_CALLERS_MAX: usize = 1_000;
/// Number of refused calls in a row after which the peer of a connection is told to leave.
pub const REFUSALS_IN_A_ROW_MAX: u32 = 100;
/// Number of refused calls in a row after which a connection is closed, although its peer was told
/// to leave: more than may have been under way then.
pub const REFUSALS_TO_CLOSE: u32 = 10 * REFUSALS_IN_A_ROW_MAX;

/// Maximum size of the field violations of one error, in encoded bytes. Base64 adds a third,
/// and clients reject trailers of more than 8 KiB in total.
pub const VIOLATIONS_BYTES_MAX: usize = 4 * 1024;
/// Maximum size of the field path of one violation, in bytes.
pub const VIOLATION_FIELD_BYTES_MAX: usize = 256;
/// Maximum size of the description of one violation, in bytes.
pub const VIOLATION_DESCRIPTION_BYTES_MAX: usize = 512;

const _: () = assert!(DEADLINE_DEFAULT.as_nanos() <= DEADLINE_MAX.as_nanos());
const _: () = assert!(auth::limits::KEYS_TIMEOUT.as_nanos() <= DEADLINE_DEFAULT.as_nanos());
const _: () =
    assert!(VIOLATION_FIELD_BYTES_MAX + VIOLATION_DESCRIPTION_BYTES_MAX < VIOLATIONS_BYTES_MAX);
