//! Limits of tokens and of issuers' keys, with their units.

use std::time::Duration;

/// Maximum size of a token, in bytes.
pub const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// Maximum time from the issue of a token to its expiry, in hours, unless the issuer has another.
pub const TOKEN_LIFE_HOURS: i64 = 24;
/// Maximum difference between the clocks of an issuer and of this server, in milliseconds.
pub const LEEWAY_MS: i64 = 30 * 1000;
/// Maximum age of a cached verification, in milliseconds.
pub const VERIFIED_MAX_MS: i64 = 5 * 60 * 1000;
/// Memory of the cache of verified tokens, in bytes.
pub const VERIFIED_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Number of failed checks of tokens from an address in [`FAILED_CHECKS_WINDOW`] after which no more
/// are made in it. With 0.1 ms each, a stranger takes a thousandth of a processor.
pub const FAILED_CHECKS_MAX: u32 = 100;
/// Interval in which failed checks are counted.
pub const FAILED_CHECKS_WINDOW: Duration = Duration::from_secs(10);
/// Maximum number of addresses whose failed checks are counted.
pub const FAILED_CHECKS_ADDRESSES_MAX: usize = 10_000;

/// Interval between two loads of an issuer's keys, after one that succeeded.
pub const KEYS_REFRESH: Duration = Duration::from_mins(10);
/// Minimum interval between two loads that a token with an unknown key causes.
pub const KEYS_REFRESH_UNKNOWN: Duration = Duration::from_secs(30);
/// Interval until the next load after one that failed, doubled after each further one.
pub const KEYS_RETRY_MIN: Duration = Duration::from_secs(1);
/// Maximum interval between two loads that fail.
pub const KEYS_RETRY_MAX: Duration = Duration::from_secs(30);
/// Maximum age of keys whose reload fails, in hours, unless the issuer has another.
pub const KEYS_STALE_HOURS: i64 = 24;
/// Maximum size of an issuer's key set, in bytes.
pub const KEYS_BYTES_MAX: usize = 1024 * 1024;
/// Maximum number of unusable keys of a set that the log lists.
pub const PASSED_OVER_LISTED_MAX: usize = 10;
/// Timeout of one load of a key set from a URL. Calls with an unknown key wait for it.
pub const KEYS_TIMEOUT: Duration = Duration::from_secs(5);
