//! From an event on the bus to the first refused request, on the local cloud.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use revocation_probe::{NewUser, Probe, until};
use serde::Serialize;
use serde_json::json;

use crate::demo::cast::okta;
use crate::say;

const LIMIT: Duration = Duration::from_secs(30);

/// Spreads, in milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Times {
    pub(super) refused: Spread,
    pub(super) sealed: Spread,
}

/// How a figure spreads over the runs; milliseconds.
#[derive(Debug, Serialize)]
pub(super) struct Spread {
    pub(super) runs: usize,
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) p99: f64,
}

/// One revocation after the other, each of a user of its own. The first one, of cold functions, is not counted.
pub(super) async fn measure(probe: &Probe, runs: u16) -> Result<Times> {
    let bar = say::progress("revocations", u64::from(runs));
    let (mut refused, mut sealed) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let (to_refusal, to_seal) = one(probe, run).await?;
        if run > 0 {
            refused.push(to_refusal);
            sealed.push(to_seal);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    through_every_function(probe).await?;
    Ok(Times { refused: spread(refused)?, sealed: spread(sealed)? })
}

/// A partner's event with a reason that counts, so that every function has been used when its memory is looked at.
async fn through_every_function(probe: &Probe) -> Result<()> {
    let user = probe.add_user(&NewUser { name: "bench-okta", ..NewUser::default() }).await?;
    okta("bench-okta", "security.breached_credential.detected", "bench", &user).put(probe).await?;
    let look = async || Ok(probe.records_of(&user.key).await?.into_iter().next());
    until("the record", LIMIT, look).await?;
    probe.settled(LIMIT).await
}

async fn one(probe: &Probe, run: u16) -> Result<(Duration, Duration)> {
    let name = format!("bench-{run}");
    let user = probe.add_user(&NewUser { name: &name, ..NewUser::default() }).await?;
    let session = probe.sign_in(&user).await?.map_err(|code| anyhow::anyhow!("cannot sign in: {code}"))?;
    ensure!(probe.call(&session.access)?.status == 200, "not served before the revocation");
    let detail = json!({
        "version": "1", "source": {"name": "bench", "event_id": name}, "reason": "offboarding",
        "sub_id": {"format": "email", "email": user.email}, "initiator": {"kind": "system", "id": "bench"},
    });
    let start = Instant::now();
    probe.put_event("bench", "Revocation Requested", &detail).await?;
    // Without a pause between requests: the time of one bounds the error.
    while probe.call(&session.access)?.status == 200 {
        ensure!(start.elapsed() < LIMIT, "still served after {} s", LIMIT.as_secs());
        tokio::task::yield_now().await;
    }
    let refused = start.elapsed();
    let look = async || Ok(probe.records_of(&user.key).await?.into_iter().next());
    let (record, _) = until("the record", LIMIT, look).await?;
    ensure!(record.sealed_at.is_some(), "recorded, but not sealed");
    Ok((refused, start.elapsed()))
}

fn spread(mut times: Vec<Duration>) -> Result<Spread> {
    times.sort();
    let at = |per_cent: usize| {
        let index = (times.len() * per_cent).div_ceil(100).saturating_sub(1);
        times.get(index).map(|time| time.as_secs_f64() * 1_000.0).context("nothing was measured")
    };
    Ok(Spread { runs: times.len(), min: at(0)?, median: at(50)?, p99: at(99)? })
}
