//! Trying again, when somebody else was in the way.

use std::time::{Duration, Instant};

use storage::Error;

/// How often something is tried again.
const RETRIES_MAX: u32 = 3;
/// The longest wait before the first time; each further one may be three times as long.
const WAIT_MAX: Duration = Duration::from_millis(5);

/// Runs something until it is not [`Error::Busy`], a few times at the most, and not beyond
/// the deadline.
pub async fn busy<T, F>(deadline: Instant, mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let mut wait_max = WAIT_MAX;
    for _ in 0..RETRIES_MAX {
        match attempt().await {
            Err(Error::Busy(_)) if Instant::now() + wait_max < deadline => {}
            other => return other,
        }
        tokio::time::sleep(wait_max.mul_f64(rand::random())).await;
        wait_max *= 3;
    }
    attempt().await
}
