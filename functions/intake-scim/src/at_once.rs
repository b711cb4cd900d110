//! Several calls at once, few enough to leave the directory's quotas to others (I13).

use std::future::Future;

use tokio::task::{JoinError, JoinSet};

/// Calls under way at a time. Cognito allows 25 to 50 such calls a second, for everybody together; more at a time would
/// only be throttled.
const AT_ONCE: usize = 4;

/// Does `work` on every item; the results are in the items' order. Dropped, it leaves nothing running.
pub(crate) async fn at_once<T, R, F>(items: Vec<T>, work: impl Fn(T) -> F) -> Vec<R>
where
    F: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let mut running = JoinSet::new();
    let mut results = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        if running.len() >= AT_ONCE
            && let Some(joined) = running.join_next().await
        {
            results.push(outcome(joined));
        }
        let doing = work(item);
        running.spawn(async move { (index, doing.await) });
    }
    while let Some(joined) = running.join_next().await {
        results.push(outcome(joined));
    }
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// The result. A panic goes on in whoever waits: a result that is merely missing would pass for a success.
fn outcome<R>(joined: Result<R, JoinError>) -> R {
    joined.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_are_in_the_order_of_the_items() {
        let late_first = |n: u64| async move {
            for _ in 0..(20 - n) {
                tokio::task::yield_now().await;
            }
            n
        };
        assert_eq!(at_once((0..20).collect(), late_first).await, (0..20).collect::<Vec<u64>>());
    }
}
