//! `canary run`: a tick out of turn.

use std::time::Duration;

use revocation_aws::dynamodb::DynamoCanaryRuns;
use revocation_aws::sqs::SqsInspector;
use revocation_core::domain::canary::{CanaryOutcome, CanaryPath, CanaryRun};
use revocation_core::ports::PortError;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::deployed;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::moment::span;
use crate::random::event_id;
use crate::screen::Tone;

/// Between two looks for the run's end.
const PAUSE: Duration = Duration::from_millis(500);
/// Runs that are looked through: those that began after ours are few.
const LOOK: u16 = 10;

/// Have the canary run now, and wait for what comes of it.
///
/// Exits with 5 unless the revocation was enforced.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  revokectl canary run
  revokectl canary run --path scim --output json | jq .times.all_ms")]
pub(crate) struct Args {
    /// By which way it asks for the revocation [default: the one whose turn it is].
    #[arg(long, value_name = "PATH", value_parser = ["bus", "siem", "scim"])]
    path: Option<String>,
}

#[derive(Serialize)]
struct Requested {
    id: String,
}

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let canary = deployed(context).await?;
    let queue = context.operations().await?.queues.get("canary");
    let queue = queue.ok_or_else(|| Failure::other("the stack names no queue of the canary"))?;
    let (aws, id) = (context.aws().await?, event_id()?);
    let detail = args.path.as_ref().map_or_else(|| json!({}), |path| json!({ "path": path }));
    let tick = json!({
        "version": "0", "id": id, "source": "revokectl", "detail-type": "Canary Tick",
        "time": context.now().rfc3339(), "detail": detail,
    });
    let explain = |error: PortError| context.explain(error.into());
    SqsInspector::new(aws).send(&queue.url, &tick.to_string()).await.map_err(explain)?;
    if context.globals.no_wait {
        context
            .screen
            .result(&Requested { id }, |_| "requested; revokectl status shows what comes of it".to_owned())?;
        return Ok(Exit::Done);
    }
    context.pending(Some("the canary runs without you; revokectl status shows what comes of it".to_owned()));
    let (runs, start) = (DynamoCanaryRuns::new(aws, &canary.runs_table), Instant::now());
    loop {
        let latest = runs.latest(LOOK).await.map_err(explain)?;
        let ours = latest.into_iter().find(|run| run.tick.ends_with(&id));
        if let Some((run, outcome)) = ours.and_then(|run| run.outcome.map(|outcome| (run, outcome))) {
            context.screen.result(&run, |screen| {
                let tone = if outcome == CanaryOutcome::Enforced { Tone::Good } else { Tone::Bad };
                format!("{} {}", screen.paint(tone, outcome.as_str()), summary(&run))
            })?;
            return Ok(if outcome == CanaryOutcome::Enforced { Exit::Done } else { Exit::Partial });
        }
        if start.elapsed() > context.globals.timeout {
            let what = format!("no run ended within {}", span(context.globals.timeout));
            let next = match args.path.as_deref().filter(|path| *path != CanaryPath::Bus.as_str()) {
                Some(path) => format!("is the path {path} configured (docs/CANARY.md)? revokectl dlq show canary"),
                None => "the log of canary; revokectl dlq show canary".to_owned(),
            };
            return Err(Failure::new(Exit::TimedOut, what).next(next));
        }
        sleep(PAUSE).await;
    }
}

/// Path and times of a run in words, and why it failed.
pub(crate) fn summary(run: &CanaryRun) -> String {
    let mut text = format!("by {}", run.path.as_str());
    let times = [
        ("access token", run.times.access_ms),
        ("ID token", run.times.id_ms),
        ("refresh", run.times.refresh_ms),
        ("everything", run.times.all_ms),
    ];
    let refused = times.into_iter().filter_map(|(what, ms)| Some((what, ms?)));
    let refused: Vec<_> = refused.map(|(what, ms)| format!("{what} {ms} ms")).collect();
    if !refused.is_empty() {
        text.push_str("; refused after: ");
        text.push_str(&refused.join(", "));
    }
    if let Some(detail) = &run.detail {
        text.push_str("; ");
        text.push_str(&crate::text::short(detail, 128));
    }
    text
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::canary::CanaryTimes;
    use revocation_core::domain::time::EpochMillis;

    use super::*;

    #[test]
    fn a_run_is_told_with_its_times_and_its_failure() {
        let times = CanaryTimes { access_ms: Some(740), refresh_ms: Some(1_200), ..CanaryTimes::default() };
        let run = CanaryRun {
            tick: "t#1".into(),
            began_at: EpochMillis(0),
            path: CanaryPath::Scim,
            outcome: Some(CanaryOutcome::NotRefused),
            detail: Some("id_token: served".into()),
            times,
        };
        assert_eq!(summary(&run), "by scim; refused after: access token 740 ms, refresh 1200 ms; id_token: served");
    }
}
