use serde_json::{Value, json};

use super::*;

fn request(action: &str) -> Value {
    json!({
        "version": "1", "source": {"name": "operator", "event_id": "e1"},
        "sub_id": {"format": "email", "email": "jane@example.com"}, "action": action,
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
    })
}

fn parse(request: &Value) -> Result<AccountActionRequest, BadAction> {
    AccountActionRequest::parse(&request.to_string())
}

#[test]
fn what_is_written_is_read_back() {
    let mut full = request("hold");
    full["hold"] = json!({"until": "2026-02-01T09:00:00Z", "message": "Call the service desk."});
    full["override_protection"] = json!(true);
    full["reason_admin"] = json!({"en": "Case 7"});
    full["occurred_at"] = json!("2026-01-31T09:00:00Z");
    full["pools"] = json!(["eu-central-1_Sample001"]);
    for one in ["disable", "enable", "reset_password", "hold", "release"].map(request).into_iter().chain([full]) {
        let read = parse(&one).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), one);
        assert_eq!(read.action.as_str(), one["action"].as_str().unwrap());
    }
}

#[test]
fn an_action_and_a_revocation_of_one_name_are_two_things() {
    let read = parse(&request("disable")).unwrap();
    assert!(read.id().0.starts_with("ac_"));
    assert_ne!(read.id(), RevocationId::derive("operator", "e1"));
    assert_ne!(read.digest(), parse(&request("enable")).unwrap().digest());
}

#[test]
fn bad_requests_are_told_without_a_word_of_theirs() {
    let with = |pointer: &str, value: Value| {
        let mut bad = request("hold");
        bad["hold"] = json!({});
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        bad.pointer_mut(parent).unwrap()[name] = value;
        parse(&bad).unwrap_err().to_string()
    };
    for (pointer, value, told) in [
        ("/version", json!("2"), "unknown version; this build reads version 1"),
        (
            "/action",
            json!("erase jane"),
            "not an Account Action Requested of version 1: at `action`, a value outside the closed list",
        ),
        ("/hold/until", json!("tomorrow"), "`hold.until` is not an RFC 3339 timestamp, such as 2026-01-31T18:00:00Z"),
        ("/hold/message", json!("x".repeat(301)), "`hold.message` is longer than 300 characters"),
        ("/hold/message", json!("a\u{202e}b"), "`hold.message` has a control character"),
        ("/hold/jane", json!(1), "not an Account Action Requested of version 1: at `hold.?`, an unknown member"),
        ("/source/name", json!("Operator"), "`source.name` is not 1 to 128 of a-z, 0-9, . - _ /"),
        ("/sub_id/email", json!("jane"), "sub_id: `email` is not an address"),
        ("/pools", json!(["x".repeat(56)]), "`pools` has more than 64 entries, or one that is no user pool's id"),
        ("/initiator/id", json!(""), "`initiator.id` is empty"),
    ] {
        let chain = with(pointer, value);
        assert!(told.starts_with(&chain) && !chain.contains("jane"), "{chain}");
    }
    let mut terms = request("disable");
    terms["hold"] = json!({"message": "no"});
    assert_eq!(parse(&terms), Err(BadAction::TermsWithoutHold));
    let huge = format!("{}{}", request("hold"), " ".repeat(request::MAX_DETAIL_BYTES));
    assert_eq!(AccountActionRequest::parse(&huge), Err(BadAction::TooLarge));
    assert!(matches!(AccountActionRequest::parse(r#"{"version":"1"} {}"#), Err(BadAction::Shape { .. })));
}

#[test]
fn a_hold_says_when_it_ends() {
    let terms = HoldTerms { until: Some("2026-01-31T18:00:00+01:00".into()), message: None };
    assert_eq!(
        terms.hold(),
        Hold { until: Some(crate::domain::time::EpochSeconds(1_769_878_800)), message: String::new() }
    );
    assert_eq!(HoldTerms::default().hold().until, None);
}

#[test]
fn only_opposites_compete_and_only_locks_are_guarded() {
    use AccountAction::{Disable, Enable, Hold, Release, ResetPassword};
    assert!(Disable.competes_with(Enable) && Enable.competes_with(Disable) && Enable.competes_with(Enable));
    assert!(!Disable.competes_with(ResetPassword) && !Hold.competes_with(Release) && !Enable.competes_with(Hold));
    assert_eq!(
        [Disable, Enable, ResetPassword, Hold, Release].map(AccountAction::locks),
        [true, false, true, true, false]
    );
}

#[test]
fn i11_pools_bind_where_there_are_some() {
    let (mine, other) =
        (SubjectKey::new("eu-central-1_Sample001", "sub"), SubjectKey::new("eu-central-1_Sample002", "sub"));
    let mut one = request("disable");
    assert!(parse(&one).unwrap().is_within_its_pools(&other));
    one["pools"] = json!([mine.user_pool_id.0]);
    let bound = parse(&one).unwrap();
    assert!(bound.is_within_its_pools(&mine) && !bound.is_within_its_pools(&other));
}
