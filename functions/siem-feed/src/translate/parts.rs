//! Members that events of several kinds have: whom it concerns, who caused it, how it ended.

use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::request::EventSource;
use serde_json::{Map, Value, json};

/// The user, by `sub` alone. `name` repeats it: it is what Splunk's add-on takes for CIM's `user`.
pub(super) fn about(subject: &SubjectKey) -> Map<String, Value> {
    if subject.is_everyone() {
        let everyone = json!({
            "uid": subject.sub, "name": subject.sub, "domain": subject.user_pool_id, "type_id": 99, "type": "Everybody",
        });
        return Map::from_iter([("user".to_owned(), everyone)]);
    }
    let user = json!({
        "uid": subject.sub, "name": subject.sub, "domain": subject.user_pool_id, "type_id": 1, "type": "User",
    });
    // 4: user name. OCSF 1.3.0 has no type for an identifier of a user.
    let observables = json!([{"name": "user.name", "type_id": 4, "type": "User Name", "value": subject.sub}]);
    Map::from_iter([("user".to_owned(), user), ("observables".to_owned(), observables)])
}

/// Who caused it: a person, or a system by way of a source.
pub(super) fn actor(initiator: &Initiator, source: &EventSource) -> Value {
    let user = |type_id: u8, kind: &str| json!({"app_name": source.name, "user": {"uid": initiator.id, "name": initiator.id, "type_id": type_id, "type": kind}});
    match initiator.kind {
        InitiatorKind::Admin => user(2, "Admin"),
        InitiatorKind::User => user(1, "User"),
        InitiatorKind::Policy | InitiatorKind::System => {
            json!({"app_name": source.name, "app_uid": initiator.id})
        }
    }
}

pub(super) fn succeeded(members: &mut Map<String, Value>) {
    members.insert("status_id".into(), json!(1));
    members.insert("status".into(), json!("Success"));
}

pub(super) fn failed_with(members: &mut Map<String, Value>, what: &str, code: &str) {
    members.insert("status_id".into(), json!(2));
    members.insert("status".into(), json!("Failure"));
    members.insert("status_code".into(), json!(code));
    members.insert("status_detail".into(), json!(format!("{what}: {code}")));
}
