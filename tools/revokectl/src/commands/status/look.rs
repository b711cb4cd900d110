//! Looking around: each part by itself, so that one that cannot be read hides no other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use revocation_aws::dynamodb::{
    DynamoCanaryRuns, DynamoCompromises, DynamoIntakeLedger, DynamoLastHeardReader, DynamoTombstoneSurvey, Listing,
};
use revocation_aws::sqs::SqsInspector;
use revocation_aws::ssm::SsmParameterReader;
use revocation_core::domain::canary::{CanaryOutcome, CanaryRun};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::silence::Expected;
use revocation_core::domain::sweep::LONGEST_DELIVERY;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{
    CompromiseLedger as _, IncidentStore as _, LastHeardReader as _, PortError, TextReader as _,
};
use revocation_sources::Sources;

use super::{CanaryState, IncidentState, QueueState, SourceState, Status, SurveyState};
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::{before, span};
use crate::record::{Pages, Record, days};

/// A sign-out takes seconds, and up to this while Cognito is down. What is open longer was given up.
const LONG_UNSEALED: Duration = LONGEST_DELIVERY;
/// Runs that are shown together: an hour's.
const CANARY_RUNS: u16 = 12;
/// Three runs of the schedule (`infra/template.yaml`): then its alarm has rung.
const CANARY_SILENT: Duration = Duration::from_mins(15);
/// No run takes longer: the function's time limit is 120 s.
const CANARY_NEVER_ENDED: Duration = Duration::from_secs(150);
/// How far back the last canary is looked for.
const CANARY_SPAN: Duration = Duration::from_hours(48);
/// Pages of records that are read for it, of 1 MB each.
const CANARY_PAGES: usize = 20;

/// Everything there is to see.
pub(super) async fn around(context: &Context, most_tombstones: u64) -> Result<Status, Failure> {
    // First, so that wrong names and credentials are told once and not five times.
    context.operations().await?;
    let now = context.now();
    let (queues, tombstones, incidents, canary, sources) = tokio::join!(
        queues(context),
        tombstones(context, most_tombstones, now),
        incidents(context, now),
        canary(context, now),
        sources(context, now),
    );
    let mut findings = Vec::new();
    let queues = readable("the queues", queues, &mut findings).unwrap_or_default();
    let tombstones = readable("the tombstones", tombstones, &mut findings);
    let incidents = readable("the incident window", incidents, &mut findings);
    let canary = readable("the canary's records", canary, &mut findings);
    let sources = readable("the sources", sources, &mut findings).flatten();
    let mut status = Status { at: now, queues, tombstones, incidents, canary, sources, findings };
    let found = judge(&status);
    status.findings.extend(found);
    Ok(status)
}

fn readable<T>(what: &str, part: Result<T, Failure>, findings: &mut Vec<String>) -> Option<T> {
    part.inspect_err(|failure| findings.push(format!("{what} cannot be read: {failure}"))).ok()
}

/// What needs a hand.
fn judge(status: &Status) -> Vec<String> {
    let mut findings = Vec::new();
    for queue in &status.queues {
        let name = &queue.name;
        match queue.dead_letters {
            Some(0) => {}
            Some(dead) => findings.push(format!("{dead} dead letters of {name}: revokectl dlq show {name}")),
            None if queue.waiting > 0 => {
                findings.push(format!("{} requests are parked: revokectl dlq show {name}", queue.waiting));
            }
            None => {}
        }
    }
    if let Some(survey) = &status.tombstones {
        let oldest = survey.oldest_unsealed_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0);
        if oldest > LONG_UNSEALED.as_secs() {
            let age = span(Duration::from_secs(oldest));
            findings.push(format!("a sign-out has been outstanding for {age} (of {} unsealed)", survey.unsealed));
        }
    }
    if let Some(id) = status.incidents.as_ref().and_then(|incidents| incidents.open.as_ref()) {
        findings.push(format!("an incident is open: {id}"));
    }
    if let Some(record) = status.canary.as_ref().and_then(|canary| canary.last.as_ref()).filter(|last| !last.is_good())
    {
        findings.push(format!("the last canary ended {}: revokectl audit show {}", record.outcome(), record.id()));
    }
    if let Some(runs) = status.canary.as_ref().and_then(|canary| canary.runs.as_deref()) {
        findings.extend(of_canary(runs, status.at));
    }
    for source in status.sources.iter().flatten().filter(|source| source.subjects_this_hour >= source.limit) {
        findings.push(format!("{} has used up its hour ({} subjects); more is parked", source.name, source.limit));
    }
    for source in status.sources.iter().flatten().filter(|source| source.silent) {
        let heard = source.heard_at.map(|at| format!("has been silent for {}", span(status.at.since(at))));
        let heard = heard.unwrap_or("was never heard of".to_owned());
        findings.push(format!("{} {heard}: runbook, SilentSourcesAlarm", source.name));
    }
    findings
}

/// What is to be said of the canary's runs, the last of which comes first.
fn of_canary(runs: &[CanaryRun], now: EpochMillis) -> Option<String> {
    let Some(last) = runs.first() else {
        return Some("the canary has never run: revokectl canary set-up, then revokectl canary run".to_owned());
    };
    let ago = now.since(last.began_at);
    match last.outcome {
        None if ago > CANARY_NEVER_ENDED => {
            Some(format!("the canary's last run, by {}, began {} ago and never ended", last.path.as_str(), span(ago)))
        }
        _ if ago > CANARY_SILENT => Some(format!("the canary has been silent for {}", span(ago))),
        Some(outcome) if outcome != CanaryOutcome::Enforced => {
            let detail = last.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            Some(format!("the canary failed by {}: {}{detail}; docs/CANARY.md", last.path.as_str(), outcome.as_str()))
        }
        _ => None,
    }
}

async fn queues(context: &Context) -> Result<Vec<QueueState>, Failure> {
    let (operations, inspector) = (context.operations().await?, SqsInspector::new(context.aws().await?));
    let depth = async |url: &str| inspector.depth(url).await.map_err(|error| context.explain(error.into()));
    let mut states = Vec::new();
    for (name, queue) in &operations.queues {
        let (own, dead) = (depth(&queue.url).await?, depth(&queue.dead_letters_url).await?);
        states.push(QueueState {
            name: name.clone(),
            waiting: own.waiting,
            in_flight: own.in_flight,
            delayed: own.delayed,
            dead_letters: Some(dead.waiting + dead.in_flight + dead.delayed),
        });
    }
    if let Some(url) = &operations.parked_queue_url {
        let parked = depth(url).await?;
        let name = super::super::dlq::PARKED.to_owned();
        states.push(QueueState {
            name,
            waiting: parked.waiting,
            in_flight: parked.in_flight,
            delayed: parked.delayed,
            dead_letters: None,
        });
    }
    Ok(states)
}

async fn tombstones(context: &Context, most: u64, now: EpochMillis) -> Result<SurveyState, Failure> {
    let table = &context.operations().await?.tombstones_table;
    let survey = DynamoTombstoneSurvey::new(context.aws().await?, table).unsealed(most).await;
    survey.map(|survey| SurveyState::of(survey, now)).map_err(|error| context.explain(error.into()))
}

async fn incidents(context: &Context, now: EpochMillis) -> Result<IncidentState, Failure> {
    let operations = context.operations().await?;
    let compromises = DynamoCompromises::new(context.aws().await?, &operations.compromises_table);
    let window_minutes = operations.compromise_window_minutes;
    let window = Duration::from_secs(window_minutes.saturating_mul(60));
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let signs = compromises.between(before(now, window).seconds(), now.seconds()).await.map_err(explain)?;
    let accounts = signs.iter().map(|sign| &sign.account).collect::<BTreeSet<_>>().len();
    let log = compromises.load().await.map_err(explain)?;
    let open = log.incidents.into_iter().rev().find(|incident| incident.resolved_at.is_none());
    Ok(IncidentState {
        window_minutes,
        threshold: operations.compromise_threshold,
        accounts,
        open: open.map(|incident| incident.id),
    })
}

async fn canary(context: &Context, now: EpochMillis) -> Result<CanaryState, Failure> {
    if let Some(canary) = &context.operations().await?.canary {
        let runs = DynamoCanaryRuns::new(context.aws().await?, &canary.runs_table).latest(CANARY_RUNS).await;
        let runs = runs.map_err(|error| context.explain(error.into()))?;
        return Ok(CanaryState { runs: Some(runs), last: None, read: 0 });
    }
    let span = (before(now, CANARY_SPAN), now);
    let listings = days(span).into_iter().map(Listing::Day).collect();
    let (mut pages, mut read) = (Pages::of(context, listings, span).await?, 0);
    for _ in 0..CANARY_PAGES {
        let Some(entries) = pages.next(context).await? else { break };
        read += entries.len();
        let canary = ReasonCode::Canary.as_str();
        if let Some(last) = entries.iter().filter_map(Record::of).find(|record| record.what() == canary) {
            return Ok(CanaryState { runs: None, last: Some(last), read });
        }
    }
    Ok(CanaryState { runs: None, last: None, read })
}

async fn sources(context: &Context, now: EpochMillis) -> Result<Option<Vec<SourceState>>, Failure> {
    let operations = context.operations().await?;
    let (Some(parameter), Some(table)) = (&operations.sources_parameter, &operations.intake_table) else {
        return Ok(None);
    };
    let aws = context.aws().await?;
    let document = SsmParameterReader::new(aws).read(parameter).await;
    let document = document.map_err(|error| context.explain(error.into()))?;
    let sources = Sources::parse(&document)
        .map_err(|_| Failure::other(format!("{parameter} has mistakes; cargo xtask check-sources names them")))?;
    let siem = sources.siem.values().map(|source| (&source.name, &source.grant));
    let roles = sources.role_change.values().map(|source| (&source.name, &source.grant));
    let scim = sources.scim.values().map(|source| (&source.name, &source.grant));
    let expected: BTreeMap<String, Expected> =
        sources.expected().into_iter().map(|one| (one.source.clone(), one)).collect();
    let (ledger, last_heard) = (DynamoIntakeLedger::new(aws, table), DynamoLastHeardReader::new(aws, table));
    let explain = |error: PortError| context.explain(error.into());
    let mut states = Vec::new();
    for (name, grant) in siem.chain(roles).chain(scim) {
        let expected = expected.get(name);
        let heard_at = match expected {
            Some(_) => last_heard.last_heard(name).await.map_err(explain)?,
            None => None,
        };
        states.push(SourceState {
            name: name.clone(),
            subjects_this_hour: ledger.subjects_this_hour(name, now).await.map_err(explain)?,
            limit: grant.subjects_per_hour,
            heard_at,
            silent_after_hours: expected.map(|one| one.silent_after.as_secs() / 3_600),
            silent: expected.is_some_and(|one| one.silent(heard_at, now).is_some()),
        });
    }
    Ok(Some(states))
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::canary::{CanaryPath, CanaryTimes};

    use super::*;

    fn quiet() -> Status {
        Status {
            at: EpochMillis(0),
            queues: Vec::new(),
            tombstones: None,
            incidents: None,
            canary: None,
            sources: None,
            findings: Vec::new(),
        }
    }

    #[test]
    fn what_needs_a_hand_is_found_and_what_does_not_is_not() {
        let queue = |name: &str, waiting, dead_letters| QueueState {
            name: name.into(),
            waiting,
            in_flight: 0,
            delayed: 0,
            dead_letters,
        };
        let mut status = quiet();
        status.queues = vec![queue("revoke", 900, Some(0)), queue("notify", 0, Some(2)), queue("parked", 1, None)];
        status.tombstones = Some(SurveyState {
            read: 9,
            whole: true,
            unsealed: 1,
            oldest_unsealed_seconds: Some(60),
            subjects: Vec::new(),
        });
        let found = judge(&status);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("notify") && found[1].contains("parked"));
        status.tombstones =
            status.tombstones.map(|survey| SurveyState { oldest_unsealed_seconds: Some(2_500), ..survey });
        assert_eq!(judge(&status).len(), 3);
        assert!(judge(&quiet()).is_empty());
    }

    #[test]
    fn a_source_that_is_silent_needs_a_hand() {
        let source = |silent, heard_at| SourceState {
            name: "siem/soc".into(),
            subjects_this_hour: 0,
            limit: 50,
            heard_at,
            silent_after_hours: Some(24),
            silent,
        };
        let found = |source| judge(&Status { sources: Some(vec![source]), ..quiet() });
        assert!(found(source(false, Some(EpochMillis(0)))).is_empty());
        assert!(
            found(source(true, Some(EpochMillis(-30 * 3_600_000))))[0].starts_with("siem/soc has been silent for ")
        );
        assert!(found(source(true, None))[0].contains("was never heard of"));
    }

    #[test]
    fn a_canary_that_failed_stopped_or_never_ran_needs_a_hand() {
        let run = |minutes_ago: i64, outcome: Option<CanaryOutcome>| CanaryRun {
            tick: "t#1".into(),
            began_at: EpochMillis(-minutes_ago * 60_000),
            path: CanaryPath::Siem,
            outcome,
            detail: Some("access_token: served".into()),
            times: CanaryTimes::default(),
        };
        let found = |run: CanaryRun| of_canary(&[run], EpochMillis(0)).unwrap_or_default();
        assert_eq!(found(run(4, Some(CanaryOutcome::Enforced))), "");
        assert_eq!(found(run(1, None)), "", "it is at it");
        assert!(found(run(5, None)).contains("never ended"));
        assert!(found(run(20, Some(CanaryOutcome::Enforced))).contains("silent"));
        assert!(found(run(4, Some(CanaryOutcome::NotRefused))).contains("siem: not_refused (access_token: served)"));
        assert!(of_canary(&[], EpochMillis(0)).unwrap().contains("set-up"));
        let with = Status { canary: Some(CanaryState { runs: Some(Vec::new()), last: None, read: 0 }), ..quiet() };
        assert_eq!(judge(&with).len(), 1);
    }
}
