//! Following a revocation to its end: each step as the audit trail confirms it, and how long it took.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use revocation_aws::dynamodb::DynamoAuditReader;
use revocation_core::domain::audit::{AuditRecord, Outcome, Step, StepOutcome, StepRecord, Trail};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::revocation_id::RevocationId;
use serde::Serialize;

use super::plan::meaning;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::follow::{lost_sight, too_late};
use crate::moment::span;
use crate::screen::{Screen, Tone};

/// Between two looks at the trail: short enough to measure by, and a fraction of a cent an hour.
const PAUSE: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Debug, Serialize)]
struct Ending<'a> {
    revocation_id: &'a RevocationId,
    outcome: Exit,
    /// From the request being put on the bus to the tombstone being seen here, milliseconds.
    seen_after_ms: Option<u128>,
    records: Vec<&'a AuditRecord>,
}

/// What was told already.
#[derive(Default)]
struct Told {
    steps: BTreeSet<(SubjectKey, Step)>,
    enforced: Option<Duration>,
}

/// Waits until the revocation is finished, telling each step.
pub(super) async fn to_the_end(context: &Context, request: &RevocationRequest, sent: Instant) -> Result<Exit, Failure> {
    let (operations, id) = (context.operations().await?, request.id());
    let reader = DynamoAuditReader::new(context.aws().await?, &operations.revocations_table);
    let mut told = Told::default();
    loop {
        let trail = reader.trail(&id).await.map_err(|error| lost_sight(context, &id, error.into()))?;
        if let Some(trail) = &trail {
            tell(context, trail, sent.elapsed(), &mut told);
            if trail.finished {
                return end(context, trail, &told);
            }
        }
        if sent.elapsed() >= context.globals.timeout {
            return Err(too_late(context, &id, &state(trail.as_ref())));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Tells the steps that were confirmed since the last look.
fn tell(context: &Context, trail: &Trail, elapsed: Duration, told: &mut Told) {
    for (subject, steps) in &trail.steps {
        // In the order in which they ended; that of the map is the order of the enum.
        let mut ended: Vec<&StepRecord> = steps.values().collect();
        ended.sort_by_key(|record| record.at);
        for record in ended {
            if record.step == Step::Tombstone && told.enforced.is_none() {
                told.enforced = Some(elapsed);
            }
            if told.steps.insert((subject.clone(), record.step)) && !context.screen.is_json() {
                context.screen.line(line(&context.screen, trail, record));
            }
        }
    }
}

fn line(screen: &Screen, trail: &Trail, record: &StepRecord) -> String {
    let after = span(record.at.since(trail.started.received_at));
    let what = meaning(record.step);
    match &record.outcome {
        StepOutcome::Done => format!("{} {after:>9}  {what}", screen.paint(Tone::Good, "✓")),
        StepOutcome::NotNeeded { code } => {
            format!("{} {after:>9}  not needed ({code}): {what}", screen.paint(Tone::Faint, "–"))
        }
        StepOutcome::Failed { code } => {
            format!("{} {after:>9}  FAILED ({code}): {what}", screen.paint(Tone::Bad, "✗"))
        }
    }
}

fn end(context: &Context, trail: &Trail, told: &Told) -> Result<Exit, Failure> {
    let records: Vec<&AuditRecord> = trail.completed.values().collect();
    let outcome = outcome(&records);
    let ending = Ending {
        revocation_id: &trail.started.revocation_id,
        outcome,
        seen_after_ms: told.enforced.map(|elapsed| elapsed.as_millis()),
        records,
    };
    context.screen.result(&ending, |screen| {
        ending.records.iter().map(|record| summary(screen, record, told)).collect::<Vec<_>>().join("\n")
    })?;
    context.pending(None);
    Ok(outcome)
}

fn outcome(records: &[&AuditRecord]) -> Exit {
    let all = |outcome: Outcome| records.iter().all(|record| record.outcome == outcome);
    if records.is_empty() || all(Outcome::NoSuchUser) {
        return Exit::NotFound;
    }
    if records.iter().any(|record| record.outcome == Outcome::Partial) { Exit::Partial } else { Exit::Done }
}

fn summary(screen: &Screen, record: &AuditRecord, told: &Told) -> String {
    let id = &record.revocation_id;
    let milliseconds = |ms: Option<u64>| ms.map(|ms| span(Duration::from_millis(ms)));
    let enforced = match (milliseconds(record.elapsed_to_tombstone_ms), told.enforced) {
        (Some(after), Some(seen)) => {
            format!(
                "enforced {after} after the request was received ({} after it was sent, seen from here)",
                span(seen)
            )
        }
        (Some(after), None) => format!("enforced {after} after the request was received"),
        (None, _) => "not enforced".to_owned(),
    };
    let sealed = milliseconds(record.elapsed_to_seal_ms).map(|after| format!(", sealed after {after}"));
    let sessions = match record.sessions_ended {
        Some(1) => "; 1 known session ended".to_owned(),
        Some(count) => format!("; {count} known sessions ended"),
        None => String::new(),
    };
    let verdict = match record.outcome {
        Outcome::Complete => screen.paint(Tone::Good, "done"),
        Outcome::Partial => screen.paint(Tone::Bad, "done in part: a step failed for good; the tombstone stands"),
        Outcome::NoSuchUser if record.tombstoned_at.is_some() => {
            screen.paint(Tone::Warning, "Cognito knows no such user (any more); the tombstone stands")
        }
        Outcome::NoSuchUser => screen.paint(Tone::Bad, "nobody was found"),
        Outcome::Cancelled => screen.paint(Tone::Warning, "cancelled"),
    };
    format!("{verdict}: {enforced}{}{sessions}\nrecord: revokectl audit show {id}", sealed.unwrap_or_default())
}

/// How far it is.
fn state(trail: Option<&Trail>) -> String {
    match trail {
        None => "the pipeline has not begun with it".to_owned(),
        Some(trail) if trail.steps.is_empty() => "nobody is locked out yet".to_owned(),
        Some(trail) => {
            let done = trail.steps.values().flat_map(|steps| steps.values());
            let done: Vec<&str> = done.map(|record| record.step.as_str()).collect();
            format!("confirmed so far: {}", done.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::audit::Started;
    use revocation_core::domain::time::{EpochMillis, EpochSeconds};
    use serde_json::json;

    use super::*;

    fn record(outcome: Outcome) -> AuditRecord {
        let request = json!({
            "version": "1", "source": {"name": "operator", "event_id": "1"}, "reason": "canary",
            "sub_id": {"format": "email", "email": "a@example.com"}, "initiator": {"kind": "admin", "id": "x"},
        });
        let request = RevocationRequest::parse(&request.to_string()).unwrap();
        let started = Started {
            revocation_id: request.id(),
            digest: request.digest(),
            not_before: EpochSeconds(0),
            received_at: EpochMillis(0),
            request,
        };
        AuditRecord { outcome, ..AuditRecord::sum_up(&started, None, &std::collections::BTreeMap::new()) }
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let [complete, partial, nobody] = [Outcome::Complete, Outcome::Partial, Outcome::NoSuchUser].map(record);
        assert_eq!(outcome(&[&complete]), Exit::Done);
        assert_eq!(outcome(&[&complete, &partial]), Exit::Partial);
        assert_eq!(outcome(&[&nobody]), Exit::NotFound);
        assert_eq!(outcome(&[&nobody, &complete]), Exit::Done);
        assert_eq!(outcome(&[]), Exit::NotFound);
    }
}
