//! Limits of calls, with their units.

use std::time::Duration;

/// Deadline of a call without a timeout of its own.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);
/// Maximum deadline of a call, except for streams.
pub const DEADLINE_MAX: Duration = Duration::from_secs(30);

/// Maximum deadline of a call with a streamed request, and its default.
pub const REQUEST_STREAM_MAX: Duration = Duration::from_hours(1);
/// Timeout of the next message of a streamed request.
pub const REQUEST_MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

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
