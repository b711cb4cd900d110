//! Lambda `canary`: proves every few minutes that a revocation ends sessions, by doing what an attacker would do with
//! the tokens. docs/CANARY.md says what of.
//!
//! Whatever is on its queue is a tick. A run that fails is a result, never a message that is tried again: what it found
//! is told by metrics, the log and the table of runs.

pub mod api;
pub mod config;
pub mod intake;
pub mod run;
pub mod subject;
pub mod wiring;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use revocation_core::domain::canary::{CanaryOutcome, CanaryPath, CanaryRun, CanaryTimes};
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::ports::{CanaryRuns, Clock};
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};
use serde::Deserialize;

use crate::intake::Intake;
use crate::run::Canary;
pub use crate::wiring::IAM_ACTIONS;

/// How often the schedule of the template ticks.
pub const INTERVAL: Duration = Duration::from_mins(5);
/// A tick that has waited longer is left out: its successor is about to come, and two runs at once would disturb each
/// other.
const STALE: Duration = Duration::from_mins(4);

/// Runs the canary at every tick.
pub struct CanaryHandler {
    /// What runs.
    pub canary: Canary,
    /// The ways that are configured, of which each run takes the next; never empty.
    pub intakes: Vec<Arc<dyn Intake>>,
    /// The record of runs.
    pub runs: Arc<dyn CanaryRuns>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// What a tick may say: the schedule's says nothing, an operator's which way to take.
#[derive(Debug, Default, Deserialize)]
struct Tick {
    path: Option<CanaryPath>,
}

/// A tick that asks for what is not there.
#[derive(Debug, thiserror::Error)]
#[error("the tick names no path that is configured")]
struct NoSuchPath;

impl Disposed for NoSuchPath {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

// === impl CanaryHandler ===

#[async_trait]
impl EventHandler for CanaryHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        let tick: Tick = serde_json::from_str(delivery.envelope.detail.get()).map_err(|_| NoSuchPath)?;
        let began_at = self.clock.now();
        let intake = self.intake(tick.path, began_at.0).ok_or(NoSuchPath)?;
        if began_at.since(delivery.received_at) > STALE {
            tracing::warn!("a tick came too late and was left out");
            return Ok(());
        }
        let at = delivery.envelope.time.clone().unwrap_or_else(|| began_at.rfc3339());
        let mut run = CanaryRun {
            tick: format!("{at}#{}", delivery.envelope.id),
            began_at,
            path: intake.path(),
            outcome: None,
            detail: None,
            times: CanaryTimes::default(),
        };
        match self.runs.begin(&run).await {
            Ok(true) => {}
            Ok(false) => return Ok(()),
            // What it would be run for may be what is broken.
            Err(error) => tracing::error!(%error, "the run is not recorded"),
        }
        let ended = self.canary.run(intake, &format!("canary-{}", began_at.0)).await;
        run = CanaryRun { outcome: Some(ended.outcome), detail: ended.detail, times: ended.times, ..run };
        self.tell(&run, ended.outcome);
        if let Err(error) = self.runs.end(&run).await {
            tracing::error!(%error, "how the run ended is not recorded");
        }
        Ok(())
    }
}

impl CanaryHandler {
    /// The way that was asked for, or the one whose turn it is.
    fn intake(&self, wanted: Option<CanaryPath>, now_ms: i64) -> Option<&dyn Intake> {
        let found = if let Some(path) = wanted {
            self.intakes.iter().find(|intake| intake.path() == path)
        } else {
            let turn = u128::from(now_ms.unsigned_abs()) / INTERVAL.as_millis();
            let turn = usize::try_from(turn).unwrap_or_default().checked_rem(self.intakes.len());
            self.intakes.get(turn.unwrap_or_default())
        };
        found.map(AsRef::as_ref)
    }

    fn tell(&self, run: &CanaryRun, outcome: CanaryOutcome) {
        let (path, outcome_text) = (run.path.as_str(), outcome.as_str());
        let CanaryTimes { access_ms, id_ms, refresh_ms, all_ms } = run.times;
        metrics::count("CanaryRan", "path", path);
        let hard_limit = u64::try_from(self.canary.hard_limit.as_millis()).unwrap_or(u64::MAX);
        let took = match outcome {
            CanaryOutcome::Enforced => all_ms,
            // It took longer; the percentiles must not look better for it.
            CanaryOutcome::NotRefused | CanaryOutcome::RefreshWorks => Some(hard_limit),
            _ => None,
        };
        if let Some(took) = took {
            metrics::milliseconds("TimeToEnforcement", took, "path", path);
        }
        if outcome == CanaryOutcome::Enforced {
            tracing::info!(path, outcome = outcome_text, access_ms, id_ms, refresh_ms, all_ms, "the canary ran");
            return;
        }
        let detail = run.detail.as_deref();
        tracing::error!(path, outcome = outcome_text, detail, access_ms, id_ms, refresh_ms, "the canary failed");
        metrics::count("CanaryFailed", "outcome", outcome_text);
        if outcome == CanaryOutcome::ControlRefused {
            metrics::count("CanaryControlRefused", "path", path);
        }
    }
}

#[cfg(test)]
mod tests;
