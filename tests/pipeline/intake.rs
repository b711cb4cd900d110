//! An intake's way from a translated event to the bus: once, within the blast radius, and never half told.

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::grant::{Grant, GrantedAction, NotGranted};
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::ports::PortError;
use revocation_core::usecase::intake::{Acceptance, IntakeError, Submission};
use revocation_testkit::intake::FakeIntake;
use serde_json::json;

use crate::world::World;

fn request(event_id: &str, email: &str) -> RevocationRequest {
    let detail = json!({
        "version": "1", "source": {"name": "siem/test", "event_id": event_id},
        "sub_id": {"format": "email", "email": email}, "reason": "anomaly",
        "initiator": {"kind": "policy", "id": "rule"},
    });
    RevocationRequest::parse(&detail.to_string()).unwrap()
}

fn submission<'a>(event_id: &'a str, emails: &[&str], limit: u32) -> Submission<'a> {
    let requests = emails.iter().map(|email| request(&format!("{event_id}/{email}"), email)).collect();
    Submission { source: "siem/test", event_id, requests, subjects_per_hour: limit }
}

async fn submit(fake: &Arc<FakeIntake>, submission: Submission<'_>) -> (usize, usize) {
    match fake.intake().submit(submission).await.unwrap() {
        Acceptance::Accepted(passed) => (passed.published.len(), passed.parked.len()),
        Acceptance::Repeated => panic!("it was not repeated"),
    }
}

#[tokio::test]
async fn i08_a_repetition_is_acknowledged_and_has_no_effect() {
    let fake = Arc::new(FakeIntake::default());
    assert_eq!(submit(&fake, submission("e1", &["a@example.com"], 10)).await, (1, 0));
    let again = fake.intake().submit(submission("e1", &["a@example.com"], 10)).await.unwrap();
    assert_eq!(again, Acceptance::Repeated);
    assert_eq!(fake.state().published.len(), 1);
}

#[tokio::test]
async fn i08_the_same_id_with_another_content_is_refused() {
    let fake = Arc::new(FakeIntake::default());
    submit(&fake, submission("e1", &["a@example.com"], 10)).await;
    let other = fake.intake().submit(submission("e1", &["b@example.com"], 10)).await;
    assert!(matches!(other, Err(IntakeError::IdConflict)), "{other:?}");
    assert_eq!(fake.state().published.len(), 1);
}

#[tokio::test]
async fn i08_the_order_of_subjects_is_not_content() {
    let fake = Arc::new(FakeIntake::default());
    submit(&fake, submission("e1", &["a@example.com", "b@example.com"], 10)).await;
    let again = fake.intake().submit(submission("e1", &["b@example.com", "a@example.com"], 10)).await.unwrap();
    assert_eq!(again, Acceptance::Repeated);
}

#[tokio::test]
async fn i07_nothing_is_acknowledged_before_it_is_durable() {
    for call in ["receive", "admit", "publish", "accept"] {
        let fake = Arc::new(FakeIntake::default());
        fake.fail(call, PortError::retry("test", "timeout"));
        let answer = fake.intake().submit(submission("e1", &["a@example.com"], 10)).await;
        assert!(matches!(answer, Err(IntakeError::Port(_))), "{call}: {answer:?}");
        // The sender repeats it, and it is carried out: the failure did not use up the id.
        assert_eq!(submit(&fake, submission("e1", &["a@example.com"], 10)).await, (1, 0), "{call}");
        let state = fake.state();
        let accepted = state.calls.iter().rposition(|call| *call == "accept").unwrap();
        let published = state.calls.iter().rposition(|call| *call == "publish").unwrap();
        assert!(published < accepted, "{call}: {:?}", state.calls);
    }
}

#[tokio::test]
async fn i07_what_cannot_be_parked_is_not_acknowledged() {
    let fake = Arc::new(FakeIntake::default());
    fake.fail("queue", PortError::retry("test", "timeout"));
    assert!(fake.intake().submit(submission("e1", &["a@example.com"], 0)).await.is_err());
    assert_eq!(submit(&fake, submission("e1", &["a@example.com"], 0)).await, (0, 1));
}

#[tokio::test]
async fn i11_subjects_beyond_the_blast_radius_are_parked_until_the_next_hour() {
    let fake = Arc::new(FakeIntake::default());
    assert_eq!(submit(&fake, submission("e1", &["a@example.com", "b@example.com", "c@example.com"], 2)).await, (2, 1));
    assert_eq!(fake.state().queued.len(), 1);
    // Whoever is counted already is not one more, in whatever case the address is written.
    assert_eq!(submit(&fake, submission("e2", &["A@EXAMPLE.com"], 2)).await, (1, 0));
    assert_eq!(submit(&fake, submission("e3", &["d@example.com"], 2)).await, (0, 1));
    fake.clock.advance(Duration::from_hours(1));
    assert_eq!(submit(&fake, submission("e4", &["d@example.com"], 2)).await, (1, 0));
}

#[tokio::test]
async fn i11_several_names_in_one_subject_are_counted_one_by_one() {
    let fake = Arc::new(FakeIntake::default());
    let names: Vec<_> = (0..3).map(|n| json!({"format": "email", "email": format!("p{n}@example.com")})).collect();
    let mut detail = serde_json::to_value(request("e1", "x@example.com")).unwrap();
    detail["sub_id"] = json!({"format": "aliases", "identifiers": names});
    let requests = vec![RevocationRequest::parse(&detail.to_string()).unwrap()];
    let submission = Submission { source: "siem/test", event_id: "e1", requests, subjects_per_hour: 2 };
    assert_eq!(submit(&fake, submission).await, (0, 1));
}

fn grant(pool: &str) -> Grant {
    Grant {
        reasons: vec![ReasonCode::Anomaly],
        pools: vec![UserPoolId(pool.into())],
        actions: vec![GrantedAction::SignOut],
        subjects_per_hour: 10,
    }
}

#[test]
fn i11_a_source_names_only_what_it_was_granted() {
    let grant = grant("eu-central-1_One");
    let asked = |change: serde_json::Value| {
        let mut detail = serde_json::to_value(request("e", "a@example.com")).unwrap();
        for (name, value) in change.as_object().unwrap() {
            detail[name] = value.clone();
        }
        grant.fence(RevocationRequest::parse(&detail.to_string()).unwrap())
    };
    let of_pool = |pool: &str| {
        let iss = format!("https://cognito-idp.eu-central-1.amazonaws.com/{pool}");
        json!({"sub_id": {"format": "iss_sub", "iss": iss, "sub": "s"}})
    };
    assert_eq!(asked(json!({})).unwrap().pools, grant.pools, "the request is bound to the granted pools");
    assert_eq!(asked(json!({"reason": "offboarding"})), Err(NotGranted::Reason(ReasonCode::Offboarding)));
    assert_eq!(asked(json!({"lockout": true})), Err(NotGranted::Action("lockout")));
    assert_eq!(asked(json!({"sub_id": {"format": "group", "group": "staff"}})), Err(NotGranted::Group));
    assert!(asked(of_pool("eu-central-1_One")).is_ok());
    assert_eq!(asked(of_pool("eu-central-1_Two")), Err(NotGranted::Pool));
    let hidden = json!({"sub_id": {"format": "aliases", "identifiers": [of_pool("eu-central-1_Two")["sub_id"]]}});
    assert_eq!(asked(hidden), Err(NotGranted::Pool));
    // A forged list of pools in the request gives way to the grant's.
    assert_eq!(asked(json!({"pools": ["eu-central-1_Two"]})).unwrap().pools, grant.pools);
}

#[tokio::test]
async fn i11_a_request_bound_to_other_pools_ends_nobodys_sessions() {
    let world = World::new();
    let key: SubjectKey = world.cloud.add_user("alice");
    let mut bound = request("e1", "alice@example.com");
    bound.pools = vec![UserPoolId("eu-central-1_Other".into())];
    world.deliver(&serde_json::to_value(&bound).unwrap()).await;
    assert_eq!(world.cloud.tombstone(&key), None);
    bound.source.event_id = "e2".into();
    bound.pools = vec![key.user_pool_id.clone()];
    world.deliver(&serde_json::to_value(&bound).unwrap()).await;
    assert!(world.cloud.tombstone(&key).is_some());
}
