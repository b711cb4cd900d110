//! The gate over every kind of event and every state of a tombstone.

use std::collections::BTreeMap;

use async_trait::async_trait;
use lambda_runtime::Diagnostic;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::tombstone::{Hold, OthersCutoff};
use revocation_testkit::clock::FakeClock;
use serde_json::json;

use super::*;
use crate::config::EndDateCopy;

const POOL: &str = "eu-central-1_Test";
/// Every trigger source there is for a person.
const SOURCES: [&str; 5] = [
    "TokenGeneration_HostedAuth",
    "TokenGeneration_Authentication",
    "TokenGeneration_NewPasswordChallenge",
    "TokenGeneration_AuthenticateDevice",
    "TokenGeneration_RefreshTokens",
];

/// Answers about one subject; about others it has nothing.
struct Store(Result<Option<Tombstone>, PortError>);

#[async_trait]
impl TombstoneReader for Store {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        if subject.to_string() == "eu-central-1_Test#sub-1" { self.0.clone() } else { Ok(None) }
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }
}

/// Never answers.
struct Hangs;

#[async_trait]
impl TombstoneReader for Hangs {
    async fn read(&self, _subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        std::future::pending().await
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }
}

fn gate(reader: impl TombstoneReader + 'static) -> TokenGate {
    let end_date = EndDateCopy { attribute: "custom:end".into(), claim: "project_end_date".into() };
    let config =
        Config { tombstones_table: "t".into(), on_store_outage: OnStoreOutage::Mint, end_date: Some(end_date) };
    TokenGate { reader: Arc::new(reader), clock: Arc::new(FakeClock::default()), config }
}

fn holding(tombstone: Tombstone) -> TokenGate {
    gate(Store(Ok(Some(tombstone))))
}

fn failing(error: PortError, on_store_outage: OnStoreOutage) -> TokenGate {
    let mut gate = gate(Store(Err(error)));
    gate.config.on_store_outage = on_store_outage;
    gate
}

/// An event of a version; with members nobody here knows.
fn event(version: &str, source: &str) -> Value {
    let mut event = json!({
        "version": version, "triggerSource": source, "region": "eu-central-1", "userPoolId": POOL, "userName": "someone",
        "callerContext": {"awsSdkVersion": "x", "clientId": "c1", "new": {"deep": [1, null]}},
        "request": {
            "userAttributes": {"sub": "sub-1", "email": "someone@example.com", "cognito:user_status": "CONFIRMED"},
            "groupConfiguration": {"groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": null},
        },
        "response": {"claimsOverrideDetails": null}, "later": true,
    });
    if version != "1" {
        event["request"]["scopes"] = json!(["openid"]);
        event["response"] = json!({"claimsAndScopeOverrideDetails": null});
    }
    event
}

fn until(version: &str, date: &str) -> Value {
    let mut event = event(version, "TokenGeneration_Authentication");
    event["request"]["userAttributes"]["custom:end"] = json!(date);
    event
}

async fn pass(gate: &TokenGate, event: &Value) -> Result<Value, Refused> {
    gate.pass(&event.to_string()).await
}

fn now() -> EpochSeconds {
    FakeClock::default().now().seconds()
}

#[tokio::test]
async fn without_a_tombstone_the_event_comes_back_as_it_came() {
    for version in ["1", "2", "3"] {
        for source in SOURCES {
            let event = event(version, source);
            assert_eq!(pass(&gate(Store(Ok(None))), &event).await, Ok(event), "{version} {source}");
        }
    }
}

/// Everybody's tombstone says what ended before; whoever signs in now must be let in, or a revoked pool is a closed one.
struct NotAskedOfEverybody;

#[async_trait]
impl TombstoneReader for NotAskedOfEverybody {
    async fn read(&self, _subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }

    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        panic!("{pool}: a cutoff that is not sealed, or cannot be read, would keep everybody out")
    }
}

#[tokio::test]
async fn a_revoked_pool_is_open_to_new_sign_ins() {
    for source in SOURCES {
        let event = event("2", source);
        assert_eq!(pass(&gate(NotAskedOfEverybody), &event).await, Ok(event), "{source}");
    }
}

#[tokio::test]
async fn i03_while_a_sign_out_is_under_way_nothing_mints() {
    let gate = holding(Tombstone { not_before: Some(EpochSeconds(1)), ..Tombstone::default() });
    for version in ["1", "2", "3"] {
        for source in SOURCES {
            assert_eq!(pass(&gate, &event(version, source)).await, Err(Refused::Unsealed), "{version} {source}");
        }
    }
}

#[tokio::test]
async fn what_ends_older_tokens_only_does_not_keep_anybody_from_new_ones() {
    let at = Some(now());
    for tombstone in [
        Tombstone { not_before: at, sealed: true, ..Tombstone::default() },
        Tombstone { claims_not_before: at, ..Tombstone::default() },
        Tombstone { sessions: BTreeMap::from([("origin".into(), now())]), ..Tombstone::default() },
        Tombstone { others: Some(OthersCutoff { not_before: now(), spared: "here".into() }), ..Tombstone::default() },
        Tombstone {
            hold: Some(Hold { until: Some(EpochSeconds(now().0 - 1)), message: "m".into() }),
            ..Tombstone::default()
        },
        Tombstone::default(),
    ] {
        let event = event("1", "TokenGeneration_RefreshTokens");
        assert_eq!(pass(&holding(tombstone.clone()), &event).await, Ok(event), "{tombstone:?}");
    }
}

#[tokio::test]
async fn a_hold_tells_the_person_its_message_and_the_log_nothing() {
    let hold = |until, message: &str| Tombstone {
        not_before: Some(now()),
        sealed: true,
        hold: Some(Hold { until, message: message.into() }),
        ..Tombstone::default()
    };
    for until in [None, Some(now())] {
        let gate = holding(hold(until, "Call\r\n the \u{202e}service desk"));
        let refused = pass(&gate, &event("1", "TokenGeneration_Authentication")).await.unwrap_err();
        assert!(!format!("{refused:?}").contains("desk"), "the runtime logs it");
        let told = Diagnostic::from(refused);
        assert_eq!((told.error_type.as_str(), told.error_message.as_str()), ("on_hold", "Call the service desk"));
    }
    let refused = |message: &str| Refused::hold(message).to_string();
    assert_eq!(refused(" \u{7}"), "Sign-in is not possible at the moment.");
    assert_eq!(refused(&"ü".repeat(5_000)).chars().count(), 300);
}

#[tokio::test]
async fn an_outage_of_the_store_locks_nobody_out_unless_configured() {
    let event = event("2", "TokenGeneration_Authentication");
    for error in [
        PortError::retry("dynamodb:GetItem", "throttled"),
        PortError::reject("dynamodb:GetItem", "not_authorized"),
        PortError::reject("dynamodb:GetItem", "resource_not_found"),
    ] {
        let gate = failing(error.clone(), OnStoreOutage::Mint);
        assert_eq!(pass(&gate, &event).await, Ok(event.clone()), "{error}");
        let gate = failing(error, OnStoreOutage::Refuse);
        assert_eq!(pass(&gate, &event).await, Err(Refused::StoreUnavailable));
    }
}

#[tokio::test]
async fn i06_a_tombstone_that_cannot_be_understood_always_refuses() {
    for outage in [OnStoreOutage::Mint, OnStoreOutage::Refuse] {
        let gate = failing(PortError::reject("dynamodb:GetItem", "unreadable_item"), outage);
        let refused = pass(&gate, &event("1", "TokenGeneration_RefreshTokens")).await;
        assert_eq!(refused, Err(Refused::TombstoneUnreadable));
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_waited_for_two_seconds() {
    let event = event("1", "TokenGeneration_Authentication");
    let began = tokio::time::Instant::now();
    assert_eq!(pass(&gate(Hangs), &event).await, Ok(event));
    assert_eq!(began.elapsed().as_secs(), 2);
}

#[tokio::test]
async fn a_client_without_a_user_is_let_through_unread() {
    let mut event = event("3", "TokenGeneration_ClientCredentials");
    event["userName"] = json!("ClientCredentials");
    for attributes in [json!({}), json!(null)] {
        event["request"]["userAttributes"] = attributes;
        let gate = failing(PortError::retry("dynamodb:GetItem", "timeout"), OnStoreOutage::Refuse);
        assert_eq!(pass(&gate, &event).await, Ok(event.clone()));
    }
}

#[tokio::test]
async fn i06_whoever_has_no_sub_gets_nothing_and_no_error_quotes_the_event() {
    let gate = gate(Store(Ok(None)));
    let mut nobody = event("1", "TokenGeneration_Authentication");
    nobody["request"]["userAttributes"] = json!({"email": "secret@example.com"});
    let mut long = event("1", "TokenGeneration_Authentication");
    long["request"]["userAttributes"]["sub"] = json!("s".repeat(600));
    let mut huge = event("1", "TokenGeneration_Authentication");
    huge["x"] = json!("x".repeat(513 * 1024));
    for text in [nobody.to_string(), long.to_string(), huge.to_string(), "{\"secret@".into(), "[]".into(), "{}".into()]
    {
        let refused = gate.pass(&text).await.unwrap_err();
        assert_eq!(refused, Refused::UnknownEvent);
        assert!(!format!("{refused} {refused:?}").contains("secret"));
    }
}

#[tokio::test]
async fn the_end_date_becomes_a_claim_of_every_token_the_version_can_change() {
    let gate = gate(Store(Ok(None)));
    let answer = pass(&gate, &until("1", "2026-12-31")).await.unwrap();
    let groups = json!({"groupsToOverride": ["staff"], "iamRolesToOverride": [], "preferredRole": null});
    let claims = json!({"claimsToAddOrOverride": {"project_end_date": "2026-12-31"}});
    let mut details = claims.clone();
    details["groupOverrideDetails"] = groups.clone();
    assert_eq!(answer["response"], json!({ "claimsOverrideDetails": details }));
    assert_eq!((&answer["later"], &answer["callerContext"]["new"]), (&json!(true), &json!({"deep": [1, null]})));
    for version in ["2", "3"] {
        let answer = pass(&gate, &until(version, "2026-12-31")).await.unwrap();
        let details =
            json!({"idTokenGeneration": claims, "accessTokenGeneration": claims, "groupOverrideDetails": groups});
        assert_eq!(answer["response"], json!({ "claimsAndScopeOverrideDetails": details }));
        // A response that comes empty is filled in by the version.
        let mut empty = until(version, "2026-12-31");
        empty["response"] = json!({});
        assert_eq!(pass(&gate, &empty).await.unwrap(), answer);
    }
}

#[tokio::test]
async fn what_stands_in_the_response_stays() {
    let gate = gate(Store(Ok(None)));
    let mut event = until("1", "2026-12-31");
    event["response"]["claimsOverrideDetails"] = json!({
        "claimsToAddOrOverride": {"a": "b"}, "claimsToSuppress": ["email"], "groupOverrideDetails": {"groupsToOverride": []},
    });
    let mut expected = event["response"].clone();
    expected["claimsOverrideDetails"]["claimsToAddOrOverride"]["project_end_date"] = json!("2026-12-31");
    assert_eq!(pass(&gate, &event).await.unwrap()["response"], expected);
}

#[tokio::test]
async fn after_the_end_date_nothing_mints_and_an_unreadable_one_counts_as_passed() {
    // The clock stands at 2026-01-01T00:00:00Z.
    let gate = gate(Store(Ok(None)));
    let seconds = now().0;
    for (date, expected) in [
        ("2025-12-31".to_owned(), Some(Refused::Ended)),
        ("2026-01-01T00:00:00Z".to_owned(), Some(Refused::Ended)),
        (seconds.to_string(), Some(Refused::Ended)),
        ("next summer".to_owned(), Some(Refused::EndDateUnreadable)),
        ("2026-01-01".to_owned(), None),
        ("2026-01-01T00:00:01Z".to_owned(), None),
        ((seconds + 1).to_string(), None),
        (String::new(), None),
    ] {
        let answer = pass(&gate, &until("2", &date)).await;
        assert_eq!(answer.as_ref().err(), expected.as_ref(), "{date}");
        if date.is_empty() {
            assert_eq!(answer.unwrap(), until("2", ""), "no end date, no claim");
        }
    }
}

#[tokio::test]
async fn without_the_option_an_attribute_of_that_name_means_nothing() {
    let mut gate = gate(Store(Ok(None)));
    gate.config.end_date = None;
    let event = until("2", "2001-01-01");
    assert_eq!(pass(&gate, &event).await, Ok(event));
}
