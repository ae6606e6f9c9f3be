//! Conversions of numbers.

/// An integer type with its bounds.
pub trait Integer {
    /// The least value.
    const MIN: Self;
    /// The greatest value.
    const MAX: Self;
}

macro_rules! integers {
    ($($type:ty)+) => { $(
        impl Integer for $type {
            const MIN: Self = Self::MIN;
            const MAX: Self = Self::MAX;
        }
    )+ };
}

integers! { u32 u64 usize i64 }

/// Returns a number as another type, or the nearest number of that type if it does not fit.
#[must_use]
pub fn saturating<T, N>(number: N) -> T
where
    T: Integer,
    N: TryInto<T> + PartialOrd + Default,
{
    let nearest = if number < N::default() {
        T::MIN
    } else {
        T::MAX
    };
    number.try_into().unwrap_or(nearest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_saturate_at_the_nearest_bound() {
        assert_eq!(saturating::<u32, _>(7_i64), 7);
        assert_eq!(saturating::<u32, _>(-7_i64), 0);
        assert_eq!(saturating::<u32, _>(i64::MAX), u32::MAX);
        assert_eq!(saturating::<i64, _>(u128::MAX), i64::MAX);
    }
}
