//! Numbers within bounds.

use serde::Deserialize;

/// A whole number from `MIN` to `MAX`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct Bounded<const MIN: u32, const MAX: u32>(u32);

/// Error for a number outside its bounds.
#[derive(Debug, thiserror::Error)]
#[error("{value} is not between {min} and {max}")]
pub struct OutOfBounds {
    value: i64,
    min: u32,
    max: u32,
}

impl<const MIN: u32, const MAX: u32> Bounded<MIN, MAX> {
    /// Number that the compiler checks.
    pub const fn new<const VALUE: u32>() -> Self {
        const { assert!(MIN <= VALUE && VALUE <= MAX) };
        Self(VALUE)
    }

    pub const fn get(self) -> u32 {
        self.0
    }

    pub const fn size(self) -> usize {
        self.0 as usize
    }
}

impl<const MIN: u32, const MAX: u32> TryFrom<i64> for Bounded<MIN, MAX> {
    type Error = OutOfBounds;

    fn try_from(value: i64) -> Result<Self, OutOfBounds> {
        match u32::try_from(value) {
            Ok(number) if (MIN..=MAX).contains(&number) => Ok(Self(number)),
            _ => Err(OutOfBounds {
                value,
                min: MIN,
                max: MAX,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_number_includes_both_bounds() {
        for (value, accepted) in [(1, false), (2, true), (5, true), (6, false)] {
            assert_eq!(
                Bounded::<2, 5>::try_from(value).is_ok(),
                accepted,
                "{value}"
            );
        }
    }
}
