use proptest::prelude::*;

use super::*;

const PLAIN: &str = r#"{"version":"1","source":{"name":"okta/acme","event_id":"ab62"},
  "sub_id":{"format":"email","email":"jane@example.com"},"reason":"offboarding",
  "initiator":{"kind":"admin","id":"00u1"}}"#;

fn with(member: &str) -> Result<RevocationRequest, BadRequest> {
    RevocationRequest::parse(&PLAIN.replacen('{', &format!("{{{member},"), 1))
}

fn shape_of(result: Result<RevocationRequest, BadRequest>) -> (String, &'static str) {
    match result {
        Err(BadRequest::Shape { path, what }) => (path, what),
        other => panic!("expected a shape error, got {other:?}"),
    }
}

#[test]
fn reads_the_smallest_request() {
    let request = RevocationRequest::parse(PLAIN).unwrap();
    assert_eq!(request.effect, Effect::SignOut);
    assert!(!request.lockout);
    assert_eq!(request.id(), RevocationId::derive("okta/acme", "ab62"));
}

#[test]
fn digest_sees_content_and_not_layout() {
    let plain = RevocationRequest::parse(PLAIN).unwrap();
    let spaced = RevocationRequest::parse(&PLAIN.replace(',', " ,\n ")).unwrap();
    assert_eq!(plain.digest(), spaced.digest());
    assert_ne!(plain.digest(), with(r#""lockout":true"#).unwrap().digest());
}

#[test]
fn errors_name_the_member_and_never_the_value() {
    assert_eq!(shape_of(RevocationRequest::parse("{")).1, "the JSON ends too early");
    assert_eq!(shape_of(RevocationRequest::parse("nonsense")).1, "not JSON");
    assert_eq!(shape_of(RevocationRequest::parse(&format!("{PLAIN}{PLAIN}"))).1, "more than one JSON value");
    assert_eq!(shape_of(with(r#""lockout":"jane@example.com""#)), ("lockout".into(), "a value of the wrong type"));
    assert_eq!(shape_of(with(r#""jane@example.com":true"#)), ("?".into(), "an unknown member"));
    let text = r#""reason_user":{"jane@example.com":5}"#;
    assert_eq!(shape_of(with(text)), ("reason_user.?".into(), "a value of the wrong type"));
    assert_eq!(shape_of(with(r#""reason":"anomaly""#)).1, "a member stands twice");
    assert_eq!(
        shape_of(RevocationRequest::parse(&PLAIN.replace("offboarding", "jane"))),
        ("reason".into(), "a value outside the closed list")
    );
    assert_eq!(shape_of(RevocationRequest::parse(&PLAIN.replace("\"kind\":\"admin\",", ""))).1, "a member is missing");
}

#[test]
fn an_unknown_version_is_told_before_what_follows_from_it() {
    assert_eq!(RevocationRequest::parse(r#"{"version":"2","subjects":[]}"#), Err(BadRequest::Version));
}

#[test]
fn bounds_hold() {
    let details = format!(r#""reason_admin":{{"en":"{}"}}"#, "x".repeat(1_000_000));
    assert_eq!(with(&details), Err(BadRequest::TooLarge));
    let long = format!(r#""reason_user":{{"en":"{}"}}"#, "x".repeat(1_001));
    assert_eq!(with(&long), Err(BadRequest::Text("reason_user", BadText::TooLong(1_000))));
    assert!(matches!(RevocationRequest::parse(&PLAIN.replace("okta/acme", "Okta Acme")), Err(BadRequest::Source(..))));
    assert!(matches!(RevocationRequest::parse(&PLAIN.replace("ab62", "")), Err(BadRequest::Source(..))));
    let deep = "[".repeat(10_000);
    assert_eq!(shape_of(with(&format!(r#""txn":{deep}"#))).1, "a value of the wrong type");
}

#[test]
fn i11_pools_bind_where_there_are_some() {
    let (mine, other) = (SubjectKey::new("eu-central-1_A", "sub"), SubjectKey::new("eu-central-1_B", "sub"));
    assert!(RevocationRequest::parse(PLAIN).unwrap().is_within_its_pools(&other));
    let bound = with(r#""pools":["eu-central-1_A"]"#).unwrap();
    assert!(bound.is_within_its_pools(&mine) && !bound.is_within_its_pools(&other));
}

#[test]
fn a_session_is_read_and_no_session_is_not_null() {
    let parse = |session: &str| {
        let role = PLAIN.replace("offboarding", "user_request");
        RevocationRequest::parse(&role.replacen('{', &format!(r#"{{"session":{session},"#), 1))
    };
    let only = parse(r#"{"only":"origin-1"}"#).unwrap();
    assert_eq!(only.session, Some(SessionScope::Only("origin-1".into())));
    assert_eq!(shape_of(parse("null")).0, "session");
}

#[test]
fn what_is_not_said_is_not_written() {
    let written = serde_json::to_value(RevocationRequest::parse(PLAIN).unwrap()).unwrap();
    assert_eq!(written.get("effect"), None);
    let role = PLAIN.replace("offboarding", "role_change").replacen('{', r#"{"effect":"refresh","#, 1);
    assert_eq!(serde_json::to_value(RevocationRequest::parse(&role).unwrap()).unwrap()["effect"], "refresh");
}

#[test]
fn dates_are_read_clamped_and_never_guessed() {
    let now = EpochMillis(1_800_000_000_000);
    let at = |text: &str| with(&format!(r#""occurred_at":"{text}""#)).map(|r| r.occurred_or(now));
    assert_eq!(at("2026-01-01T00:00:00Z"), Ok(EpochMillis(1_767_225_600_000)));
    assert_eq!(at("9999-01-01T00:00:00Z"), Ok(now), "a future time is clamped");
    assert_eq!(at("0001-01-01T00:00:00Z").map(|t| t < now), Ok(true));
    assert_eq!(at("2026-02-30T00:00:00Z"), Err(BadRequest::OccurredAt(NotATimestamp)));
    assert_eq!(RevocationRequest::parse(PLAIN).unwrap().occurred_or(now), now);
}

#[test]
fn claims_only_is_for_role_changes() {
    assert_eq!(with(r#""effect":"refresh""#), Err(BadRequest::EffectWithoutRoleChange));
    let role = PLAIN.replace("offboarding", "role_change").replacen('{', r#"{"effect":"refresh","#, 1);
    assert_eq!(RevocationRequest::parse(&role).unwrap().effect, Effect::Refresh);
}

#[test]
fn an_approver_is_for_many_people_and_somebody_else() {
    let many =
        PLAIN.replace(r#"{"format":"email","email":"jane@example.com"}"#, r#"{"format":"group","group":"crew"}"#);
    let named = |who: &str| {
        RevocationRequest::parse(&many.replacen('{', &format!(r#"{{"approve_by":"{who}","#), 1))
            .map(|read| read.approve_by)
    };
    assert_eq!(named("00u2"), Ok(Some("00u2".into())));
    assert!(matches!(named("00u1"), Err(BadRequest::ApproveBy(_))), "whoever asks");
    assert!(matches!(named(""), Err(BadRequest::Text("approve_by", _))));
    assert!(matches!(with(r#""approve_by":"00u2""#), Err(BadRequest::ApproveBy(_))), "one person");
    assert_eq!(shape_of(with(r#""approve_by":7"#)).0, "approve_by");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,300}") {
        let _ = RevocationRequest::parse(&text);
    }

    #[test]
    fn what_is_accepted_is_read_back_unchanged(id in "[^\\p{C}\\p{Z}]{1,60}", event in "[!-~]{1,60}") {
        let mut request = RevocationRequest::parse(PLAIN).unwrap();
        request.sub_id = SubjectIdentifier::Opaque { id };
        request.source.event_id = event;
        let text = serde_json::to_string(&request).unwrap();
        if request.check().is_ok() {
            prop_assert_eq!(RevocationRequest::parse(&text), Ok(request));
        }
    }
}
