//! Retries with exponential backoff and jitter.

use std::time::{Duration, Instant};

use storage::Error;

/// Maximum number of retries.
const RETRIES_MAX: u32 = 3;
/// Maximum wait before the first retry; three times as long before each further one.
const WAIT_MAX: Duration = Duration::from_millis(5);

/// Runs `attempt`, and retries it on [`Error::Busy`], up to [`RETRIES_MAX`] times and not beyond
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
