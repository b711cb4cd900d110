//! What is said of bulk revocations, against its schemas.

use revocation_core::domain::bulk::{BulkJob, BulkRevocationCompleted, Control, ControlRequest, Stage};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::EpochMillis;
use serde_json::{Value, json};

use crate::files::{self, assert_valid};

fn job() -> BulkJob {
    let request = json!({
        "version": "1", "source": {"name": "operator", "event_id": "e1"}, "reason": "project_end",
        "sub_id": {"format": "group", "group": "contractors"}, "initiator": {"kind": "admin", "id": "arn:aws:iam::1:user/a"},
    });
    let request = RevocationRequest::parse(&request.to_string()).unwrap();
    BulkJob { stage: Stage::Completed, ..BulkJob::new(request, EpochMillis(1_768_469_400_000), false) }
}

#[test]
fn what_is_told_of_a_job_that_is_over_is_valid_and_wholly_described() {
    let validator = files::validator(files::BULK_REVOCATION_COMPLETED);
    for approved_by in [None, Some("bob".to_owned())] {
        let control = Control { approved_by, ..Control::default() };
        let told = serde_json::to_value(BulkRevocationCompleted::of(&job(), &control)).unwrap();
        assert_valid(&validator, &told, "completed");
        let described = &files::schema(files::BULK_REVOCATION_COMPLETED)["properties"];
        for (name, value) in told.as_object().unwrap() {
            assert!(!described[name].is_null(), "{name} is not described");
            if name == "tally" {
                assert!(
                    value.as_object().unwrap().keys().all(|name| !described["tally"]["properties"][name].is_null())
                );
            }
        }
    }
}

#[test]
fn a_control_request_is_read_exactly_where_the_schema_says_valid() {
    let validator = files::validator(files::BULK_CONTROL_REQUESTED);
    let good = |action: &str| {
        json!({
            "version": "1", "source": {"name": "operator", "event_id": "e2"}, "job_id": job().id, "action": action,
            "initiator": {"kind": "admin", "id": "bob"},
        })
    };
    for action in ["pause", "resume", "cancel", "approve"] {
        assert_valid(&validator, &good(action), action);
        assert!(ControlRequest::parse(&good(action).to_string()).is_ok(), "{action}");
    }
    for (place, value) in [
        ("/version", json!("2")),
        ("/action", json!("stop")),
        ("/job_id", json!("")),
        ("/initiator/kind", json!("root")),
        ("/initiator/id", json!("")),
        ("/source/event_id", json!("x".repeat(513))),
        ("/extra", json!(1)),
    ] {
        let mut bad = good("pause");
        let (parent, name) = place.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).map(|parent| parent[name] = value).unwrap();
        assert!(!validator.is_valid(&bad), "{place}");
        assert!(ControlRequest::parse(&bad.to_string()).is_err(), "{place}");
    }
    assert!(ControlRequest::parse(&Value::Null.to_string()).is_err());
}
