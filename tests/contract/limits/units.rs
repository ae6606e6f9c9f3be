//! Numbers, sizes and times as the comments of the contract write them.

use std::fmt::Debug;
use std::fs;
use std::time::Duration;

use support::workspace;

/// `1 to N`.
pub fn up_to(max: impl TryInto<u64, Error: Debug>) -> String {
    format!("1 to {}", number(max))
}

/// `at most N bytes`.
pub fn at_most(bytes: impl TryInto<u64, Error: Debug>) -> String {
    at_most_text(&size(bytes))
}

pub fn at_most_text(max: &str) -> String {
    format!("at most {max}")
}

/// `0 means N, more than M is cut to M`.
pub fn cut(default: u32, max: u32) -> String {
    format!("0 means {default}, more than {max} is cut to {max}")
}

/// `N by default`.
pub fn default_of(default: u32) -> String {
    format!(" {} by default", number(default))
}

/// A number of bytes in its largest unit.
pub fn size(bytes: impl TryInto<u64, Error: Debug>) -> String {
    let bytes = bytes.try_into().expect("a number that is not negative");
    match bytes {
        bytes if bytes % (1024 * 1024) == 0 => format!("{} MiB", bytes / 1024 / 1024),
        bytes if bytes % 1024 == 0 => format!("{} KiB", bytes / 1024),
        bytes => format!("{} bytes", number(bytes)),
    }
}

/// A number with its thousands apart.
pub fn number(number: impl TryInto<u64, Error: Debug>) -> String {
    let digits = number.try_into().expect("a number that is not negative");
    let digits = digits.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    let groups = groups.map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join(",")
}

/// Seconds, or an hour.
pub fn time(duration: Duration) -> String {
    if duration == Duration::from_hours(1) {
        return "an hour".to_owned();
    }
    format!("{} seconds", duration.as_secs())
}

pub const fn minutes(duration: Duration) -> u64 {
    duration.as_secs() / 60
}

/// The largest request of a listener, by default.
pub fn request_size(listener: &str) -> String {
    size(configured(&format!("{listener}_request_bytes")))
}

/// The default of a key: `postroom.toml` documents it, and a test of the program parses it.
pub fn configured(key: &str) -> u64 {
    let path = workspace::root().join("services/server/postroom.toml");
    let config = fs::read_to_string(path).expect("the configuration");
    let assigned = format!("{key} = ");
    let mut values = config
        .lines()
        .filter_map(|line| line.strip_prefix(&assigned));
    let value = values.next().and_then(|value| value.parse().ok());
    value.unwrap_or_else(|| panic!("{key} has no number"))
}
