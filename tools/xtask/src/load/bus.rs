//! Revocations put on the bus: all at once, or so many a second.

use std::collections::HashMap;
use std::time::Duration;

use anyhow::Result;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::Probe;
use serde_json::{Value, json};

/// The name of the source of all of them.
pub(super) const SOURCE: &str = "load";
/// The most entries one `PutEvents` takes.
const BATCH: usize = 10;
/// Calls of `PutEvents` at the same time.
const AT_ONCE: usize = 4;

/// When each event was put on the bus, by its id: before the call, so that the call is part of what is measured.
pub(super) type Sent = HashMap<String, EpochMillis>;

/// All of them at once.
pub(super) async fn burst(probe: &Probe, reason: &str, batch: &str, subjects: &[SubjectKey]) -> Result<Sent> {
    let events: Vec<(String, Value)> =
        subjects.iter().enumerate().map(|(n, key)| event(batch, reason, n, key)).collect();
    let sent: Vec<Sent> = stream::iter(events.chunks(BATCH))
        .map(|chunk| put(probe, chunk))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(sent.into_iter().flatten().collect())
}

/// `rate` a second for `seconds`, in ten portions a second. What is late is sent at once: the rate is kept over all.
pub(super) async fn steadily(
    probe: &Probe,
    batch: &str,
    subjects: &[SubjectKey],
    rate: u32,
    seconds: u32,
) -> Result<Sent> {
    let every = Duration::from_secs(1) / rate;
    let mut due = tokio::time::interval(every);
    let mut sent = Sent::new();
    let mut portion = Vec::new();
    for (n, key) in subjects.iter().cycle().take(rate as usize * seconds as usize).enumerate() {
        due.tick().await;
        portion.push(event(batch, "anomaly", n, key));
        if portion.len() >= BATCH.min((rate / 10).max(1) as usize) {
            sent.extend(put(probe, &portion).await?);
            portion.clear();
        }
    }
    if !portion.is_empty() {
        sent.extend(put(probe, &portion).await?);
    }
    Ok(sent)
}

/// By issuer and `sub`, as a source names people that knows them: the tombstone does not wait for Cognito.
fn event(batch: &str, reason: &str, n: usize, key: &SubjectKey) -> (String, Value) {
    let id = format!("{batch}-{n}");
    let detail = json!({
        "version": "1", "source": {"name": SOURCE, "event_id": id}, "reason": reason,
        "sub_id": {"format": "iss_sub", "iss": key.user_pool_id.issuer(), "sub": key.sub.0},
        "initiator": {"kind": "system", "id": SOURCE},
    });
    (id, detail)
}

async fn put(probe: &Probe, events: &[(String, Value)]) -> Result<Sent> {
    let at = SystemClock.now();
    let details: Vec<Value> = events.iter().map(|(_, detail)| detail.clone()).collect();
    probe.put_events(SOURCE, "Revocation Requested", &details).await?;
    Ok(events.iter().map(|(id, _)| (id.clone(), at)).collect())
}
