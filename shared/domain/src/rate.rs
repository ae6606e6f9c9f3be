//! Rates of token buckets.

/// Rate and burst of a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Sustained number in a second; 0: no limit.
    pub per_second: u32,
    /// Number at once, after a rest.
    pub burst: u32,
}

impl Rate {
    /// No limit.
    pub const NO_LIMIT: Self = Self {
        per_second: 0,
        burst: 1,
    };
}
