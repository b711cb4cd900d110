use serde_json::json;

use super::*;
use crate::domain::audit::{Started, StepOutcome, StepRecord};

const QUIET: Duration = Duration::from_mins(45);

fn trail(source: &str, event_id: &str, txn: &str) -> Trail {
    let request: RevocationRequest = serde_json::from_value(json!({
        "version": "1", "source": {"name": source, "event_id": event_id}, "txn": txn,
        "sub_id": {"format": "opaque", "id": "sub"}, "reason": "offboarding",
        "initiator": {"kind": "system", "id": "test"},
    }))
    .unwrap();
    let (revocation_id, digest) = (request.id(), request.digest());
    let at = EpochMillis(1_000_000);
    Trail::new(Started { revocation_id, digest, not_before: at.seconds(), received_at: at, request })
}

fn open(trail: Trail) -> OpenRequest {
    OpenRequest { trail: OpenTrail::Revocation(Box::new(trail)), redeliveries: Vec::new(), given_up: false }
}

fn key() -> SubjectKey {
    SubjectKey::new("eu-central-1_TEST", "sub")
}

#[test]
fn each_redelivery_waits_until_the_one_before_must_have_ended_and_twice_as_long_each_time() {
    assert!(QUIET > LONGEST_DELIVERY);
    let mut open = open(trail("test", "1", "t"));
    let (mut now, mut waits) = (EpochMillis(0).plus(QUIET), Vec::new());
    for number in 1..=MOST_REDELIVERIES {
        let mut waited = 0;
        while open.remedy(now, QUIET) == Remedy::Wait {
            now = now.plus(Duration::from_mins(1));
            waited += 1;
        }
        assert_eq!(open.remedy(now, QUIET), Remedy::Redeliver(number));
        open.redeliveries.push(now);
        waits.push(waited);
    }
    assert_eq!(waits, [0, 45, 90, 180, 360]);
    assert_eq!(open.remedy(now.plus(QUIET * 16), QUIET), Remedy::GiveUp);
    open.given_up = true;
    assert_eq!(open.remedy(now.plus(QUIET * 99), QUIET), Remedy::Wait);
}

#[test]
fn what_waited_on_the_queue_for_hours_is_heard_of_when_it_is_begun_and_with_each_step() {
    let mut trail = trail("test", "1", "t");
    trail.started.received_at = EpochMillis(5);
    assert_eq!(OpenTrail::Revocation(Box::new(trail.clone())).last_heard_of(), EpochMillis(1_000_000));
    let step = StepRecord { step: Step::Tombstone, outcome: StepOutcome::Done, at: EpochMillis(1_500_000) };
    trail.steps.entry(key()).or_default().insert(Step::Tombstone, step);
    let open = OpenTrail::Revocation(Box::new(trail));
    assert_eq!(open.last_heard_of(), EpochMillis(1_500_000));
    assert_eq!(open.subjects(), BTreeMap::from([(key(), EpochMillis(1_500_000))]));
}

#[test]
fn only_a_member_of_a_job_is_the_jobs_and_from_its_start_on() {
    let job = RevocationId("rv_job".into());
    let member = crate::domain::bulk::member_event_id(&job, &key());
    let job_of = |source: &str, event_id: &str, txn: &str| {
        let mut trail = trail(source, event_id, txn);
        trail.started.request.sub_id =
            SubjectIdentifier::IssSub { iss: key().user_pool_id.issuer(), sub: key().sub.0.clone() };
        trail.started.request.pools = vec![key().user_pool_id];
        OpenTrail::Revocation(Box::new(trail)).job()
    };
    assert_eq!(job_of(BULK_SOURCE, &member, "rv_job"), Some(job));
    assert_eq!(job_of(BULK_SOURCE, &member, "rv_other"), None, "its id does not follow from that job");
    assert_eq!(job_of(BULK_SOURCE, "mine", "rv_job"), None, "it only says so");
    assert_eq!(job_of("test", &member, "rv_job"), None);
}
