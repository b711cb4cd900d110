use serde_json::{Value, json};

use super::super::tests::{irrelevant, requests, settings, translated_with, with};
use super::*;

fn deactivation() -> Value {
    json!({
        "uuid": "ab62", "published": "2026-01-01T09:30:00.000Z", "eventType": "user.lifecycle.deactivate",
        "version": "0", "severity": "INFO", "displayMessage": "Deactivate Okta user",
        "actor": {"id": "00uadmin", "type": "User", "alternateId": "admin@example.com", "displayName": "Admin"},
        "outcome": {"result": "SUCCESS", "reason": null},
        "target": [{"id": "00ujane", "type": "User", "alternateId": "jane@example.com", "displayName": "Jane"}],
        "client": {"ipAddress": "192.0.2.1"}, "debugContext": {"debugData": {"requestId": "r"}},
    })
}

fn translated(detail: &Value) -> Result<Verdict, MalformedEvent> {
    translated_with(&settings(), "aws.partner/okta.com/Acme/prod", "SystemLog", detail)
}

/// The one request that is expected of `deactivation()`, with other members.
fn request(members: &[(&str, Value)]) -> Value {
    let mut request = json!({
        "version": "1",
        "source": {"name": "okta/acme", "event_id": "ab62"},
        "sub_id": {"format": "email", "email": "jane@example.com"},
        "reason": "offboarding",
        "initiator": {"kind": "admin", "id": "00uadmin"},
        "reason_admin": {"en": "Okta user.lifecycle.deactivate: Deactivate Okta user"},
        "occurred_at": "2026-01-01T09:30:00.000Z",
    });
    for (pointer, value) in members {
        request = with(&request, pointer, value.clone());
    }
    request
}

#[test]
fn a_deactivation_is_an_offboarding_of_the_target() {
    assert_eq!(translated(&deactivation()), requests(&json!([request(&[])])));
}

#[test]
fn every_event_type_has_its_reason_and_initiator() {
    let admin = json!({"kind": "admin", "id": "00uadmin"});
    for (event_type, reason, initiator) in [
        ("user.lifecycle.suspend", "offboarding", admin.clone()),
        ("user.lifecycle.delete.initiated", "offboarding", admin.clone()),
        ("user.risk.detect", "anomaly", json!({"kind": "policy", "id": "user.risk.detect"})),
        (
            "security.breached_credential.detected",
            "compromise",
            json!({"kind": "policy", "id": "security.breached_credential.detected"}),
        ),
        ("user.account.report_suspicious_activity_by_enduser", "anomaly", admin.clone()),
        ("user.account.privilege.revoke", "role_change", admin.clone()),
        ("group.user_membership.remove", "role_change", admin),
    ] {
        let detail = with(&deactivation(), "/eventType", json!(event_type));
        let text = json!(format!("Okta {event_type}: Deactivate Okta user"));
        let members = [("/reason", json!(reason)), ("/initiator", initiator), ("/reason_admin/en", text)];
        assert_eq!(translated(&detail), requests(&json!([request(&members)])), "{event_type}");
    }
    for event_type in [json!("user.session.start"), json!("user.lifecycle.activate"), json!(""), json!(null)] {
        assert_eq!(translated(&with(&deactivation(), "/eventType", event_type)), irrelevant("event_type"));
    }
}

#[test]
fn only_success_counts() {
    for outcome in [json!({"result": "FAILURE"}), json!({"result": "success"}), json!({"result": null}), json!(null)] {
        assert_eq!(translated(&with(&deactivation(), "/outcome", outcome)), irrelevant("not_successful"));
    }
}

#[test]
fn low_risks_are_below_the_floor_and_unnamed_ones_are_not() {
    let detail = with(&deactivation(), "/eventType", json!("user.risk.detect"));
    let at = |risk: Value| translated(&with(&detail, "/debugContext/debugData", json!({ "risk": risk })));
    for risk in
        [json!("{level=LOW, reasons=x}"), json!(" { previousLevel=HIGH, level=medium }"), json!({"level": "LOW"})]
    {
        assert_eq!(at(risk.clone()), irrelevant("risk_below_floor"), "{risk}");
    }
    for risk in [json!("{previousLevel=LOW, level=HIGH}"), json!("level=LOWER"), json!(null), json!(7), json!("{}")] {
        assert!(matches!(at(risk.clone()), Ok(Verdict::Requests(_))), "{risk}");
    }
    // A risk told beside another event is not its subject.
    let breach = with(&detail, "/eventType", json!("security.breached_credential.detected"));
    let breach = with(&breach, "/debugContext/debugData", json!({"risk": "{level=LOW}"}));
    assert!(matches!(translated(&breach), Ok(Verdict::Requests(_))));
}

#[test]
fn the_actor_is_never_the_subject() {
    for target in
        [json!(null), json!([]), json!([null]), json!([{"id": "00g1", "type": "UserGroup", "alternateId": "x"}])]
    {
        assert_eq!(translated(&with(&deactivation(), "/target", target)), Err(MalformedEvent::NoUser));
    }
    let nameless = json!([{"id": "00ujane", "type": "User", "alternateId": null}]);
    assert_eq!(translated(&with(&deactivation(), "/target", nameless)), Err(MalformedEvent::NoUser));
}

#[test]
fn several_users_are_several_revocations_and_duplicates_are_one() {
    let user = |id: &str| json!({"id": id, "type": "User", "alternateId": format!("{id}@example.com")});
    let group = json!({"id": "00g1", "type": "UserGroup", "alternateId": "unknown"});
    let detail = with(&deactivation(), "/target", json!([user("a"), group, user("b"), user("a")]));
    let expected = |id: &str| {
        let email = json!(format!("{id}@example.com"));
        request(&[("/source/event_id", json!(format!("ab62/{id}"))), ("/sub_id/email", email)])
    };
    assert_eq!(translated(&detail), requests(&json!([expected("a"), expected("b")])));
    let twice = with(&deactivation(), "/target", json!([user("jane"), user("jane")]));
    assert_eq!(translated(&twice), requests(&json!([request(&[])])), "one user: the event's own id");
    let unnamed = json!({"id": null, "type": "User", "alternateId": "c@example.com"});
    let detail = with(&deactivation(), "/target", json!([user("a"), unnamed]));
    assert_eq!(translated(&detail), Err(MalformedEvent::NoId));
}

#[test]
fn a_configured_provider_adds_the_federated_user_name() {
    let settings = Settings { okta_provider: Some("Okta".into()), ..settings() };
    let translated = |detail: &Value| translated_with(&settings, "aws.partner/okta.com/acme", "SystemLog", detail);
    let federated = json!({"format": "username", "username": "Okta_00ujane"});
    let aliases = json!({"format": "aliases", "identifiers": [
        {"format": "email", "email": "jane@example.com"}, federated,
    ]});
    assert_eq!(translated(&deactivation()), requests(&json!([request(&[("/sub_id", aliases)])])));
    let detail = with(&deactivation(), "/target/0/alternateId", json!(null));
    assert_eq!(translated(&detail), requests(&json!([request(&[("/sub_id", federated)])])));
}

#[test]
fn a_login_that_is_no_address_is_a_user_name() {
    let detail = with(&deactivation(), "/target/0/alternateId", json!("jane.doe"));
    let name = json!({"format": "username", "username": "jane.doe"});
    assert_eq!(translated(&detail), requests(&json!([request(&[("/sub_id", name)])])));
}

#[test]
fn strange_addresses_arrive_unchanged_and_deceptive_ones_do_not() {
    for email in [r#"o"brien\"@example.com"#, r#""a b"@example.com"#, "jürgen@exämple.de", "李@example.com"] {
        let detail = with(&deactivation(), "/target/0/alternateId", json!(email));
        assert_eq!(translated(&detail), requests(&json!([request(&[("/sub_id/email", json!(email))])])));
    }
    for email in ["a\u{0}b@example.com".to_owned(), "a\u{202e}b@c".to_owned(), format!("{}@c", "a".repeat(1_000_000))] {
        let detail = with(&deactivation(), "/target/0/alternateId", json!(email));
        assert!(matches!(translated(&detail), Err(MalformedEvent::Request(_))));
    }
}

#[test]
fn who_acted_is_said_by_id_and_never_by_address() {
    for (actor, expected) in [
        (json!({"id": "00ujane", "type": "User"}), json!({"kind": "user", "id": "00ujane"})),
        (json!({"id": "sys", "type": "SystemPrincipal"}), json!({"kind": "system", "id": "sys"})),
        (json!({"id": "0oa1", "type": "PublicClientApp"}), json!({"kind": "system", "id": "0oa1"})),
        (json!({"type": "User", "alternateId": "a@example.com"}), json!({"kind": "system", "id": "okta/acme"})),
        (json!(null), json!({"kind": "system", "id": "okta/acme"})),
    ] {
        let detail = with(&deactivation(), "/actor", actor);
        assert_eq!(translated(&detail), requests(&json!([request(&[("/initiator", expected)])])));
    }
}

#[test]
fn huge_and_hostile_texts_are_cut_and_absurd_dates_are_left_out() {
    let detail = with(&deactivation(), "/displayMessage", json!("line\r\n\u{202e}".repeat(200_000)));
    let Ok(Verdict::Requests(all)) = translated(&detail) else { panic!("it must be translated") };
    assert_eq!(all[0].reason_admin.english_or_first().map(|text| text.chars().count()), Some(1_000));
    for date in [json!("0000-00-00"), json!("99999-01-01T00:00:00Z"), json!("-009999-01-01T00:00:00Z"), json!(null)] {
        let detail = with(&deactivation(), "/published", date.clone());
        let Ok(Verdict::Requests(all)) = translated(&detail) else { panic!("it must be translated") };
        assert_eq!(all[0].occurred_at, None, "{date}");
    }
}

#[test]
fn i08_an_event_without_an_id_is_malformed() {
    assert_eq!(translated(&with(&deactivation(), "/uuid", json!(null))), Err(MalformedEvent::NoId));
    assert_eq!(translated(&with(&deactivation(), "/uuid", json!(" "))), Err(MalformedEvent::NoId));
    let huge = with(&deactivation(), "/uuid", json!("x".repeat(257)));
    assert!(matches!(translated(&huge), Err(MalformedEvent::Request(_))));
}
