//! Following an action to its end.

use std::time::{Duration, Instant};

use revocation_aws::dynamodb::DynamoAuditReader;
use revocation_core::domain::action::{AccountAction, ActionOutcome, ActionRecord, ActionTrail};
use revocation_core::domain::hold::Bar;
use revocation_core::domain::revocation_id::RevocationId;
use serde::Serialize;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::follow::{lost_sight, too_late};
use crate::moment::span;
use crate::screen::{Screen, Tone};

/// Between two looks at the trail.
const PAUSE: Duration = Duration::from_millis(100);

/// What came of it.
#[derive(Debug, Serialize)]
struct Ending<'a> {
    action_id: &'a RevocationId,
    outcome: Exit,
    records: Vec<&'a ActionRecord>,
}

/// Waits until the action is finished, and tells how it ended.
pub(super) async fn to_the_end(context: &Context, id: &RevocationId) -> Result<Exit, Failure> {
    let operations = context.operations().await?;
    let reader = DynamoAuditReader::new(context.aws().await?, &operations.revocations_table);
    let begun = Instant::now();
    loop {
        let trail = reader.action_trail(id).await.map_err(|error| lost_sight(context, id, error.into()))?;
        if let Some(trail) = trail.as_ref().filter(|trail| trail.finished) {
            context.pending(None);
            return end(context, trail);
        }
        if begun.elapsed() >= context.globals.timeout {
            let state = if trail.is_some() { "it has begun" } else { "the pipeline has not begun with it" };
            return Err(too_late(context, id, state));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn end(context: &Context, trail: &ActionTrail) -> Result<Exit, Failure> {
    let records: Vec<&ActionRecord> = trail.completed.values().collect();
    let outcome = outcome(&records);
    let ending = Ending { action_id: &trail.started.id, outcome, records };
    context.screen.result(&ending, |screen| {
        let told = ending.records.iter().map(|record| line(screen, record));
        told.chain([format!("record: revokectl audit show {}", ending.action_id)]).collect::<Vec<_>>().join("\n")
    })?;
    Ok(outcome)
}

fn outcome(records: &[&ActionRecord]) -> Exit {
    let mut exits = records.iter().map(|record| match record.outcome {
        ActionOutcome::Done => Exit::Done,
        ActionOutcome::Superseded => Exit::Partial,
        ActionOutcome::Refused => Exit::NotPermitted,
        ActionOutcome::Failed => Exit::Failed,
        ActionOutcome::NoSuchUser => Exit::NotFound,
    });
    let first = exits.next().unwrap_or(Exit::NotFound);
    if exits.all(|exit| exit == first) { first } else { Exit::Partial }
}

fn line(screen: &Screen, record: &ActionRecord) -> String {
    let after = span(record.at.since(record.received_at));
    let code = record.code.as_deref().unwrap_or_default();
    match record.outcome {
        ActionOutcome::Done => {
            let still = still(record).map(|still| format!("\n{} {still}", screen.paint(Tone::Warning, "but")));
            let done = screen.paint(Tone::Good, "done");
            format!(
                "{done}: {}, {after} after the request was received{}",
                done_what(record.action),
                still.unwrap_or_default()
            )
        }
        ActionOutcome::Superseded => {
            screen.paint(Tone::Warning, "superseded: a later action on this account was there first, and stands")
        }
        ActionOutcome::Refused => format!(
            "{}: the account is in a protected group\nif it must be: --override-protection, which is recorded",
            screen.paint(Tone::Bad, "refused")
        ),
        ActionOutcome::Failed => format!("{} ({code}){}", screen.paint(Tone::Bad, "failed for good"), cure(code)),
        ActionOutcome::NoSuchUser => screen.paint(Tone::Bad, "Cognito knows no such user (any more)"),
    }
}

fn done_what(action: AccountAction) -> &'static str {
    match action {
        AccountAction::Disable => {
            "the account is disabled; tokens already issued are good until they expire or are revoked"
        }
        AccountAction::Enable => "the account is enabled",
        AccountAction::ResetPassword => "the password must be set anew before the next sign-in",
        AccountAction::Hold => "every API refuses their tokens, and none are made",
        AccountAction::Release => "the hold is over; what was revoked stays refused",
    }
}

/// Who was let in again may still not get in.
fn still(record: &ActionRecord) -> Option<String> {
    let Some(bars) = &record.still_barred_by else {
        let opens = matches!(record.action, AccountAction::Enable | AccountAction::Release);
        return opens
            .then(|| "it is not known whether something else still keeps them out: revokectl inspect".to_owned());
    };
    let reasons: Vec<&str> = bars
        .iter()
        .map(|bar| match bar {
            Bar::Hold => "the account is still on hold: revokectl release",
            Bar::Unsealed => "a sign-out is not confirmed yet, and nobody signs in until it is: revokectl inspect",
        })
        .collect();
    (!reasons.is_empty()).then(|| reasons.join("\nbut "))
}

/// What to do about it.
fn cure(code: &str) -> &'static str {
    match code {
        "federated" => {
            ": they sign in through an identity provider, which keeps their password\nkeep them out by: revokectl disable, or revokectl hold"
        }
        "invalid_parameter" => {
            ": they have no verified address or number to send a code to\nkeep them out by: revokectl disable"
        }
        "not_authorized" | "access_denied" => ": the pipeline's role or the pool does not allow it",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::action::{AccountActionRequest, ActionStarted};
    use revocation_core::domain::time::EpochMillis;
    use serde_json::json;

    use super::*;

    fn record(outcome: ActionOutcome) -> ActionRecord {
        let request = json!({
            "version": "1", "source": {"name": "operator", "event_id": "1"}, "action": "release",
            "sub_id": {"format": "email", "email": "a@example.com"}, "initiator": {"kind": "admin", "id": "x"},
        });
        let request = AccountActionRequest::parse(&request.to_string()).unwrap();
        let at = EpochMillis(0);
        let started = ActionStarted { id: request.id(), digest: request.digest(), received_at: at, request };
        ActionRecord::of(&started, None, (outcome, None), at)
    }

    #[test]
    fn the_exit_code_says_how_it_ended() {
        let [done, refused, nobody] =
            [ActionOutcome::Done, ActionOutcome::Refused, ActionOutcome::NoSuchUser].map(record);
        assert_eq!(outcome(&[&done]), Exit::Done);
        assert_eq!(outcome(&[&refused]), Exit::NotPermitted);
        assert_eq!(outcome(&[&done, &refused]), Exit::Partial);
        assert_eq!(outcome(&[&nobody]), Exit::NotFound);
        assert_eq!(outcome(&[]), Exit::NotFound);
    }

    #[test]
    fn who_is_let_in_again_is_told_what_still_keeps_them_out() {
        let of = |bars| still(&ActionRecord { still_barred_by: bars, ..record(ActionOutcome::Done) });
        assert_eq!(of(Some(vec![])), None);
        assert!(of(None).unwrap().contains("not known"));
        let both = of(Some(vec![Bar::Hold, Bar::Unsealed])).unwrap();
        assert!(both.contains("revokectl release") && both.contains("not confirmed"), "{both}");
    }
}
