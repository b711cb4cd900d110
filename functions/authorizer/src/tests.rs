use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_lambda_events::apigw::{ApiGatewayCustomAuthorizerResponse, ApiGatewayV2CustomAuthorizerSimpleResponse};
use aws_lambda_events::appsync::AppSyncLambdaAuthorizerResponse;
use aws_lambda_events::iam::IamPolicyEffect;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::session::Sighting;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, PortError, SessionRecorder, TombstoneReader};
use revocation_testkit::clock::FakeClock;
use revocation_testkit::keys::{jwks, key_a};
use revocation_testkit::token::TokenBuilder;
use revocation_verify::{Checker, JwksSource, PoolConfig, StoreOutage, Verifier};
use serde_json::{Value, json};

use super::*;

const POOL: &str = "eu-central-1_Test";
const CLIENT: &str = "client-1";
const ARN: &str = "arn:aws:execute-api:eu-central-1:111122223333:api/v1/GET/orders";

type Reading = dyn Fn() -> Result<Option<Tombstone>, PortError> + Send + Sync;

struct Store(Box<Reading>);

#[async_trait]
impl TombstoneReader for Store {
    async fn read(&self, _subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        (self.0)()
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }
}

struct Jwks(Mutex<Option<Vec<u8>>>);

#[async_trait]
impl JwksSource for Jwks {
    async fn fetch(&self, _pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        self.0.lock().unwrap().clone().ok_or(PortError::retry("jwks:fetch", "unreachable"))
    }
}

fn with(
    read: impl Fn() -> Result<Option<Tombstone>, PortError> + Send + Sync + 'static,
    keys: Option<Vec<u8>>,
    store_outage: StoreOutage,
) -> Enforcer {
    let pool = PoolConfig::new(UserPoolId(POOL.into()), vec![CLIENT.into()]);
    let (clock, source): (Arc<dyn Clock>, Arc<dyn JwksSource>) =
        (Arc::new(FakeClock::default()), Arc::new(Jwks(Mutex::new(keys))));
    let verifier = Verifier::builder(source, Arc::clone(&clock)).pool(pool).build().unwrap();
    let checker = Checker { verifier, reader: Arc::new(Store(Box::new(read))), clock, store_outage };
    Enforcer { checker, recorder: None }
}

fn reading(answer: Result<Option<Tombstone>, PortError>) -> Enforcer {
    with(move || answer.clone(), Some(jwks(&[key_a()])), StoreOutage::Deny)
}

fn token() -> String {
    TokenBuilder::access(POOL, CLIENT, "sub-1", FakeClock::default().now().seconds()).build()
}

/// The same request by every front.
fn events(token: &str) -> [(&'static str, Value); 5] {
    let bearer = format!("Bearer {token}");
    [
        ("TOKEN", json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": bearer })),
        ("REQUEST", json!({ "type": "REQUEST", "methodArn": ARN, "headers": { "Authorization": bearer } })),
        (
            "1.0",
            json!({ "version": "1.0", "type": "REQUEST", "methodArn": ARN, "headers": { "authorization": bearer } }),
        ),
        (
            "2.0",
            json!({ "version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": { "authorization": bearer } }),
        ),
        ("AppSync", json!({ "authorizationToken": token, "requestContext": { "apiId": "a" } })),
    ]
}

async fn answered(checker: &Enforcer, event: &Value) -> Result<Value, Failure> {
    let bytes = handle_bytes(checker, event.to_string().as_bytes()).await?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

/// Whether a front would let the request through; reads the answer as AWS' own types have it.
fn lets_through(front: &str, answer: &Value) -> bool {
    let text = answer.to_string();
    match front {
        "2.0" => serde_json::from_str::<ApiGatewayV2CustomAuthorizerSimpleResponse>(&text).unwrap().is_authorized,
        "AppSync" => serde_json::from_str::<AppSyncLambdaAuthorizerResponse>(&text).unwrap().is_authorized,
        _ => {
            let answer: ApiGatewayCustomAuthorizerResponse = serde_json::from_str(&text).unwrap();
            let [statement] = answer.policy_document.statement.as_slice() else { panic!("one statement") };
            assert_eq!(statement.action, ["execute-api:Invoke"]);
            assert_eq!(statement.resource, [ARN]);
            statement.effect == IamPolicyEffect::Allow
        }
    }
}

/// Every front must refuse, by a deny or by an error.
async fn refused_everywhere(checker: &Enforcer, token: &str) -> Vec<Result<Value, Failure>> {
    let mut answers = Vec::new();
    for (front, event) in events(token) {
        let answer = answered(checker, &event).await;
        assert!(answer.as_ref().is_ok_and(|answer| !lets_through(front, answer)) || answer.is_err(), "{front}");
        answers.push(answer);
    }
    answers
}

#[tokio::test]
async fn a_good_token_is_let_through_with_its_claims() {
    let checker = reading(Ok(None));
    let context = json!({
        "sub": "sub-1", "scope": "openid profile", "groups": "staff admins", "client_id": CLIENT, "username": "user-sub-1",
    });
    for (front, event) in events(&token()) {
        let answer = answered(&checker, &event).await.unwrap();
        assert!(lets_through(front, &answer), "{front}");
        let expected = match front {
            "2.0" => json!({ "isAuthorized": true, "context": context }),
            "AppSync" => {
                json!({ "isAuthorized": true, "resolverContext": context, "deniedFields": [], "ttlOverride": 0 })
            }
            _ => {
                let statement = json!([{ "Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN }]);
                let policy = json!({ "Version": "2012-10-17", "Statement": statement });
                json!({ "principalId": "sub-1", "policyDocument": policy, "context": context })
            }
        };
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn a_revoked_token_is_denied_with_the_reason() {
    let now = FakeClock::default().now().seconds();
    let checker = reading(Ok(Some(Tombstone { not_before: Some(now), ..Tombstone::default() })));
    let answers = refused_everywhere(&checker, &token()).await;
    let reason = json!({ "reason": "revoked" });
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.get("context").or(answer.get("resolverContext")), Some(&reason));
    }
}

#[tokio::test]
async fn i06_a_bad_token_is_denied() {
    let checker = reading(Ok(None));
    let token = token();
    for bad in ["x", "a.b.c", &token[1..], &"A".repeat(20_000)] {
        for answer in refused_everywhere(&checker, bad).await {
            assert!(answer.is_ok(), "the client is told that its token is no good");
        }
    }
}

#[tokio::test]
async fn i06_no_token_is_unauthorized_to_rest_and_denied_elsewhere() {
    let checker = reading(Ok(None));
    for event in [
        json!({ "type": "TOKEN", "methodArn": ARN, "authorizationToken": "" }),
        json!({ "type": "REQUEST", "methodArn": ARN, "headers": {} }),
        json!({ "version": "1.0", "type": "REQUEST", "methodArn": ARN, "headers": null }),
    ] {
        assert_eq!(answered(&checker, &event).await, Err(Failure::Unauthorized), "{event}");
    }
    let event = json!({ "version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": {} });
    let denied = json!({ "isAuthorized": false, "context": { "reason": "no_token" } });
    assert_eq!(answered(&checker, &event).await, Ok(denied));
    let event = json!({ "authorizationToken": "", "requestContext": {} });
    assert_eq!(answered(&checker, &event).await.unwrap()["isAuthorized"], false);
    // No failed invocation, which would ring an alarm, by what anybody can send.
    assert!(refused_everywhere(&checker, "").await.iter().all(Result::is_ok));
    // API Gateway compares the text.
    assert_eq!(Diagnostic::from(Failure::Unauthorized).error_message, "Unauthorized");
}

#[tokio::test]
async fn i06_an_unreachable_store_is_an_error_not_a_deny() {
    let checker = reading(Err(PortError::retry("dynamodb:GetItem", "timeout")));
    let expected = Err(Failure::Unavailable(DenyReason::StoreUnavailable));
    assert_eq!(refused_everywhere(&checker, &token()).await, vec![expected; 5]);
}

#[tokio::test]
async fn i06_an_unreadable_item_refuses_even_in_best_effort() {
    let unreadable = || Err(PortError::reject("dynamodb:GetItem", "unreadable_item"));
    let checker = with(unreadable, Some(jwks(&[key_a()])), StoreOutage::BestEffort);
    let expected = Err(Failure::Unavailable(DenyReason::StoreUnreadable));
    assert_eq!(refused_everywhere(&checker, &token()).await, vec![expected; 5]);
}

#[tokio::test]
async fn i06_best_effort_lets_good_tokens_through_an_outage_and_no_others() {
    let down = || Err(PortError::retry("dynamodb:GetItem", "timeout"));
    let checker = with(down, Some(jwks(&[key_a()])), StoreOutage::BestEffort);
    for (front, event) in events(&token()) {
        assert!(lets_through(front, &answered(&checker, &event).await.unwrap()));
    }
    refused_everywhere(&checker, "a.b.c").await;
}

#[tokio::test]
async fn i06_unreachable_keys_are_an_error_not_a_deny() {
    for keys in [None, Some(b"<html>".to_vec())] {
        let checker = with(|| Ok(None), keys, StoreOutage::BestEffort);
        let expected = Err(Failure::Unavailable(DenyReason::KeysUnavailable));
        assert_eq!(refused_everywhere(&checker, &token()).await, vec![expected; 5]);
    }
}

#[tokio::test]
async fn i06_a_malformed_event_is_an_error() {
    let checker = reading(Ok(None));
    for event in [&b""[..], b"{}", b"null", b"\xff\xfe", b"{\"type\":\"REQUEST\"}", &b"[".repeat(1 << 20)] {
        assert_eq!(handle_bytes(&checker, event).await, Err(Failure::UnknownEvent));
    }
}

#[tokio::test]
async fn i06_a_panic_never_becomes_an_answer() {
    // In release it aborts the process, which the front takes for an error; here it ends the task.
    let checker = with(|| panic!("a defect"), Some(jwks(&[key_a()])), StoreOutage::BestEffort);
    let (_, event) = events(&token())[0].clone();
    let task = tokio::spawn(async move { answered(&checker, &event).await });
    assert!(task.await.unwrap_err().is_panic());
}

#[tokio::test]
async fn i10_no_error_quotes_the_token() {
    let checker = reading(Err(PortError::retry("dynamodb:GetItem", "timeout")));
    let token = token();
    for (_, event) in events(&token) {
        let failure = answered(&checker, &event).await.unwrap_err();
        assert!(!Diagnostic::from(failure).error_message.contains(&token[..20]));
    }
    let misplaced = json!({ "type": "TOKEN", "methodArn": { "Bearer": token }, "authorizationToken": token });
    let failure = answered(&checker, &misplaced).await.unwrap_err();
    assert!(!Diagnostic::from(failure).error_message.contains(&token[..20]));
}

#[tokio::test]
async fn warming_ends_in_time_whatever_happens() {
    struct Hanging;
    #[async_trait]
    impl TombstoneReader for Hanging {
        async fn read(&self, _subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
            std::future::pending().await
        }

        async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
            Ok(None)
        }
    }
    let enforcer = with(|| Ok(None), Some(jwks(&[key_a()])), StoreOutage::Deny);
    let checker = Checker { reader: Arc::new(Hanging), ..enforcer.checker };
    let enforcer = Enforcer { checker, recorder: None };
    tokio::time::timeout(Duration::from_secs(3), enforcer.warm()).await.unwrap();
}

/// What was seen: session, address, user agent; and which sessions were refused.
#[derive(Default)]
struct Seen(Mutex<Vec<[Option<String>; 3]>>, Mutex<Vec<String>>);

impl SessionRecorder for Seen {
    fn saw(&self, sighting: &Sighting<'_>) {
        let seen = [Some(sighting.origin_jti), sighting.ip, sighting.user_agent];
        self.0.lock().unwrap().push(seen.map(|text| text.map(str::to_owned)));
    }

    fn refused(&self, sighting: &Sighting<'_>) {
        self.1.lock().unwrap().push(sighting.origin_jti.to_owned());
    }
}

/// A refusal proves that a session was ended only if that is what it was refused for.
#[tokio::test]
async fn sessions_that_were_ended_are_noted_when_they_are_refused() {
    let now = FakeClock::default().now().seconds();
    let cutoff = Tombstone { not_before: Some(now), ..Tombstone::default() };
    let session = Tombstone { sessions: [("origin-1".to_owned(), now.plus(DAY))].into(), ..Tombstone::default() };
    let claims = Tombstone { claims_not_before: Some(now), ..Tombstone::default() };
    let unreadable = PortError::reject("dynamodb:GetItem", "unreadable_item");
    for (read, refused) in
        [(Ok(None), 0), (Ok(Some(cutoff)), 1), (Ok(Some(session)), 1), (Ok(Some(claims)), 0), (Err(unreadable), 0)]
    {
        let seen = Arc::new(Seen::default());
        let enforcer = Enforcer { recorder: Some(seen.clone()), ..reading(read.clone()) };
        let _ = answered(&enforcer, &events(&token())[1].1).await;
        assert_eq!(*seen.1.lock().unwrap(), vec!["origin-1"; refused], "{read:?}");
    }
}

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn only_sessions_that_are_served_are_noted() {
    let seen = Arc::new(Seen::default());
    let noting = |enforcer: Enforcer| Enforcer { recorder: Some(seen.clone()), ..enforcer };
    let now = FakeClock::default().now().seconds();
    let mut event = events(&token())[1].1.clone();
    event["requestContext"] = json!({ "identity": { "sourceIp": "192.0.2.7", "userAgent": "curl" } });
    let revoked = noting(reading(Ok(Some(Tombstone { not_before: Some(now), ..Tombstone::default() }))));
    answered(&revoked, &event).await.unwrap();
    assert!(seen.0.lock().unwrap().is_empty());
    answered(&noting(reading(Ok(None))), &event).await.unwrap();
    let expected = ["origin-1", "192.0.2.7", "curl"].map(|text| Some(text.to_owned()));
    assert_eq!(*seen.0.lock().unwrap(), [expected]);
}

#[test]
fn i14_the_function_reads_tombstones_and_notes_sessions() {
    let mut actions = IAM_ACTIONS.concat();
    actions.sort_unstable();
    actions.dedup();
    let reads = ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"];
    assert_eq!(actions, [&reads[..], &["dynamodb:UpdateItem"]].concat());
}
