//! `status`: whether the pipeline keeps up, and what needs a hand.

mod draw;
mod look;

use revocation_aws::dynamodb::Survey;
use revocation_core::domain::canary::CanaryRun;
use revocation_core::domain::time::EpochMillis;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::record::Record;

/// Show queues, unsealed tombstones, the incident window, the canary, and of the sources their limits and silence.
///
/// Exits with 5 when something needs a hand.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl status
  revokectl status --output json | jq .findings")]
pub(crate) struct Args {
    /// Read at least so many tombstones before giving up on reading them all.
    #[arg(long, value_name = "NUMBER", default_value_t = 50_000)]
    most_tombstones: u64,
}

/// What was found. A part that could not be read is `None`, and among the findings.
#[derive(Debug, Serialize)]
struct Status {
    at: EpochMillis,
    queues: Vec<QueueState>,
    tombstones: Option<SurveyState>,
    incidents: Option<IncidentState>,
    canary: Option<CanaryState>,
    sources: Option<Vec<SourceState>>,
    /// What needs a hand, in words.
    findings: Vec<String>,
}

/// A queue and what it could not get rid of.
#[derive(Debug, Serialize)]
struct QueueState {
    name: String,
    waiting: u64,
    in_flight: u64,
    delayed: u64,
    /// Messages in its dead-letter queue; `None` for the parked requests, which have none.
    dead_letters: Option<u64>,
}

#[derive(Debug, Serialize)]
struct SurveyState {
    read: u64,
    whole: bool,
    unsealed: u64,
    oldest_unsealed_seconds: Option<i64>,
    subjects: Vec<String>,
}

#[derive(Debug, Serialize)]
struct IncidentState {
    window_minutes: u64,
    threshold: usize,
    accounts: usize,
    open: Option<String>,
}

#[derive(Debug, Serialize)]
struct CanaryState {
    /// The latest runs, the last first; `None` where the canary is not deployed.
    runs: Option<Vec<CanaryRun>>,
    /// Where it is not: the last revocation with the reason `canary` within two days, an operator's drill.
    last: Option<Record>,
    read: usize,
}

#[derive(Debug, Serialize)]
struct SourceState {
    name: String,
    subjects_this_hour: u32,
    limit: u32,
    /// When it was heard of last, where the document says how long it may be quiet. The intakes note no other's.
    heard_at: Option<EpochMillis>,
    silent_after_hours: Option<u64>,
    /// Whether it has been quiet for longer than that.
    silent: bool,
}

/// Looks and tells.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let status = Box::pin(look::around(context, args.most_tombstones)).await?;
    context.screen.result(&status, |screen| draw::status(screen, &status))?;
    Ok(if status.findings.is_empty() { Exit::Done } else { Exit::Partial })
}

// === impl SurveyState ===

impl SurveyState {
    fn of(survey: Survey, now: EpochMillis) -> Self {
        let Survey { read, whole, unsealed, oldest, subjects } = survey;
        let oldest_unsealed_seconds = oldest.map(|at| now.seconds().0.saturating_sub(at.0).max(0));
        Self { read, whole, unsealed, oldest_unsealed_seconds, subjects }
    }
}
