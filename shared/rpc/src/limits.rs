//! The bounds of calls, with their units.

use std::time::Duration;

/// How long a call may take if it does not say.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);
/// How long a call may take, whatever it says; streams are excepted.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);

/// How long a call may take whose request is a stream, if it does not say less.
pub const STREAM_TAKEN_MAX: Duration = Duration::from_hours(1);
/// How long the next part of such a request may take to come.
pub const PIECE_MAX: Duration = Duration::from_secs(30);

/// How often the quotas of an app are read again, if it is called: so long after a change
/// elsewhere the old ones may be in force.
pub const QUOTAS_REREAD: Duration = Duration::from_secs(5);
/// Apps whose quotas are read at once.
pub const QUOTA_READERS_MAX: usize = 2;
/// Apps whose quotas, and buckets of sends, are kept in memory.
pub const LIMITED_APPS_MAX: usize = 10_000;
/// Bytes that the buckets of profiles may take in memory: enough for 80,000 profiles that
/// call at once, with ids of usual length.
pub const PROFILE_BUCKETS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Bytes of the field violations of one error, encoded. Base64 adds a third, and all
/// trailers together must stay under 8 KiB, or clients refuse the answer.
pub const VIOLATIONS_BYTES_MAX: usize = 4 * 1024;
/// Bytes of the field path of one violation.
pub const VIOLATION_FIELD_BYTES_MAX: usize = 256;
/// Bytes of the description of one violation.
pub const VIOLATION_DESCRIPTION_BYTES_MAX: usize = 512;

const _: () = assert!(DEADLINE_DEFAULT.as_nanos() <= DEADLINE_MAX.as_nanos());
const _: () = assert!(auth::limits::KEYS_TIMEOUT.as_nanos() <= DEADLINE_DEFAULT.as_nanos());
const _: () =
    assert!(VIOLATION_FIELD_BYTES_MAX + VIOLATION_DESCRIPTION_BYTES_MAX < VIOLATIONS_BYTES_MAX);
