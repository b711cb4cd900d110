//! What a `revoke` that crashed and whose message is lost leaves behind is swept up by the deployed functions. Alone, because
//! the sweeper holds back while anything lies among revoke's dead letters, and other tests put things there.

use std::sync::Arc;
use std::time::Duration;

use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::{DynamoAuditLog, DynamoOpenRequests, DynamoTombstoneWriter};
use revocation_core::domain::audit::{Outcome, Started, Step, StepOutcome, StepRecord};
use revocation_core::domain::profile::Profile;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::domain::tombstone::{Cutoff, CutoffKind};
use revocation_core::ports::{AuditLog as _, Begun, Clock as _, RequestIndex as _, TombstoneWriter as _};
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Probe, until};

use crate::world::{ALONE, LIMIT, fresh, probe, record, request, served_again, user, variable};

/// A tick of the schedule, which comes by itself every five minutes.
const TICK: &str = r#"{"id":"1","source":"tests","detail-type":"Tick","detail":{}}"#;
/// Longer than `SweepAfterMinutes`.
const AGO: Duration = Duration::from_hours(1);

async fn empty(probe: &Probe, queue: &str) {
    while !probe.take(queue).await.unwrap().is_empty() {}
}

/// Runs of the sweeper that the log tells of: how many requests each held back.
fn runs(probe: &Probe) -> Vec<u64> {
    let log = std::fs::read_to_string(&probe.facts.log).unwrap();
    let lines = log.lines().filter(|line| line.starts_with('{') && line.contains("\"message\":\"swept\""));
    let runs = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    runs.filter_map(|line| line["held_back"].as_u64()).collect()
}

/// Has the sweeper run: how many requests it held back.
pub(crate) async fn swept(probe: &Probe) -> u64 {
    let before = runs(probe).len();
    probe.send(&probe.facts.sweeper_queue_url, TICK).await.unwrap();
    let ran = async || Ok(runs(probe).get(before).copied());
    until("a run of the sweeper", LIMIT, ran).await.unwrap().0
}

#[tokio::test]
async fn i07_a_revocation_whose_message_is_lost_after_the_tombstone_is_sealed_by_the_sweeper() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let aws = AwsConfig::from_env(&|name| variable(&probe.facts, name)).unwrap();
    let log = DynamoAuditLog::new(&aws, &probe.facts.revocations_table);
    let (person, _) = user(&probe, "lost").await;
    // Not one that disables, which would keep the person from signing in once it is sealed.
    let asked = request(&fresh("lost"), &person.email, "role_change");
    let request = RevocationRequest::parse(&asked.to_string()).unwrap();
    let at = EpochMillis(SystemClock.now().0 - i64::try_from(AGO.as_millis()).unwrap());
    let id = request.id();
    let started = Started {
        revocation_id: id.clone(),
        digest: request.digest(),
        not_before: at.seconds(),
        received_at: at,
        request,
    };
    assert_eq!(log.begin(&started).await.unwrap(), Begun::New);
    let profile = Profile { key: person.key.clone(), username: person.name.clone(), federated: false };
    log.resolved(&id, &[profile], at).await.unwrap();
    let (table, feed) = (&probe.facts.tombstones_table, &probe.facts.tombstone_feed_table);
    let tombstones = DynamoTombstoneWriter::new(&aws, table, feed, Arc::new(SystemClock));
    let cutoff = Cutoff { revocation_id: id.clone(), at: at.seconds(), kind: CutoffKind::Sessions };
    tombstones.raise(&person.key, &cutoff).await.unwrap();
    let step = StepRecord { step: Step::Tombstone, outcome: StepOutcome::Done, at };
    log.step(&id, &person.key, &step).await.unwrap();
    assert!(probe.sign_in(&person).await.unwrap().is_err(), "while it is not sealed nobody signs in");

    // Somebody has parked something: it is left alone.
    empty(&probe, &probe.facts.revoke_dlq_url).await;
    probe.send(&probe.facts.revoke_dlq_url, "parked by hand").await.unwrap();
    assert!(swept(&probe).await >= 1, "held back");
    let open = DynamoOpenRequests::new(&aws, &probe.facts.revocations_table);
    let read = open.open(&id).await.unwrap().unwrap();
    assert!(read.redeliveries.is_empty() && !read.trail.is_finished());

    empty(&probe, &probe.facts.revoke_dlq_url).await;
    swept(&probe).await;
    let record = record(&probe, &person.key).await;
    assert_eq!(
        (record.revocation_id, record.outcome, record.not_before),
        (id.clone(), Outcome::Complete, at.seconds())
    );
    let item = probe.tombstone_item(&person.key).await.unwrap().unwrap();
    assert_eq!(item["sealed"].as_bool(), Ok(&true));
    served_again(&probe, &person).await;

    // Once is enough.
    let finished = async || Ok(open.open(&id).await?.filter(|read| read.trail.is_finished()));
    let (read, _) = until("the end of the request", LIMIT, finished).await.unwrap();
    assert_eq!(read.redeliveries.len(), 1);
    swept(&probe).await;
    assert_eq!(open.open(&id).await.unwrap().unwrap().redeliveries.len(), 1);
    assert_eq!(probe.records_of(&person.key).await.unwrap().len(), 1);
}
