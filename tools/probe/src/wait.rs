//! Waiting for something to become true.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks until there is something to see; returns it with how long that took. Fails after `limit`.
pub async fn until<T, F: Future<Output = Result<Option<T>>>>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> F,
) -> Result<(T, Duration)> {
    let start = Instant::now();
    loop {
        if let Some(seen) = look().await? {
            return Ok((seen, start.elapsed()));
        }
        if start.elapsed() > limit {
            bail!("waited {} s in vain for: {what}", limit.as_secs());
        }
        tokio::time::sleep(PAUSE).await;
    }
}
