//! Times the authorizer without network, for `cargo xtask bench`: verification alone, and the whole handler from the
//! event's bytes to the answer's, with a store in memory. Prints one JSON object; times in microseconds.
//!
//! `cargo run --release -p authorizer --example bench_handler [-- <iterations>]`
//!
//! With `case` instead of a number it prints what `cargo xtask bench authorizer` plays to whole processes: an event whose
//! token is good for an hour, the keys, and the user's tombstone as DynamoDB answers it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench stops at the first surprise and prints its result"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock as _, PortError, TombstoneReader};
use revocation_enforce::{Enforcer, TokenSettings};
use revocation_lambda::clock::SystemClock;
use revocation_testkit::keys::{jwks, key_a};
use revocation_testkit::token::TokenBuilder;
use revocation_verify::{KeySet, PoolConfig, StoreOutage, TokenUse};
use serde_json::{Value, json};

const POOL: &str = "eu-central-1_Bench";
const CLIENT: &str = "1h57kf5cpq17m0eml12EXAMPLE";
const SUB: &str = "4f6b1c1e-0000-4000-8000-000000000001";
/// As many as the peers were given (performance.md).
const WARM_UPS: usize = 1_000;
const ITERATIONS: usize = 5_000;

struct InMemory(BTreeMap<SubjectKey, Tombstone>);

#[async_trait]
impl TombstoneReader for InMemory {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        Ok(self.0.get(subject).cloned())
    }

    async fn read_pool(&self, _pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        Ok(None)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    if std::env::args().nth(1).as_deref() == Some("case") {
        println!("{}", case(SystemClock.now().seconds()));
        return;
    }
    let iterations = std::env::args().nth(1).map_or(ITERATIONS, |text| text.parse().unwrap());
    let now = SystemClock.now().seconds();
    let (enforcer, token) = (enforcer(now), TokenBuilder::access(POOL, CLIENT, SUB, now).build());
    let event = event(&token);

    let mut verify = Vec::with_capacity(iterations);
    let mut handler = Vec::with_capacity(iterations);
    for n in 0..WARM_UPS + iterations {
        // Turn by turn, so that whatever else the machine does meets both alike.
        let start = Instant::now();
        enforcer.checker.verifier.verify(&token).await.unwrap();
        let verify_time = start.elapsed();
        let start = Instant::now();
        authorizer::handle_bytes(&enforcer, &event).await.unwrap();
        let handler_time = start.elapsed();
        if n >= WARM_UPS {
            verify.push(verify_time.as_secs_f64() * 1e6);
            handler.push(handler_time.as_secs_f64() * 1e6);
        }
    }
    println!("{}", json!({ "verify": summary(verify), "handler": summary(handler) }));
}

fn case(now: EpochSeconds) -> Value {
    let keys: Value = serde_json::from_slice(&jwks(&[key_a()])).unwrap();
    let event = String::from_utf8(event(&TokenBuilder::access(POOL, CLIENT, SUB, now).build())).unwrap();
    let subject = SubjectKey::new(POOL, SUB).to_string();
    let item = json!({
        "subject": { "S": subject }, "not_before": { "N": (now.0 - 60).to_string() }, "sealed": { "BOOL": true },
        "revocation_id": { "S": "018bcfe5-6800-7000-8000-000000000001" },
        "expires_at": { "N": (now.0 + 86_400).to_string() },
    });
    json!({ "pool": POOL, "client": CLIENT, "subject": subject, "jwks": keys, "event": event, "item": item })
}

fn summary(mut times: Vec<f64>) -> Value {
    times.sort_by(f64::total_cmp);
    let at = |per_cent: usize| times.get((times.len() * per_cent / 100).min(times.len() - 1)).unwrap();
    json!({ "iterations": times.len(), "p50_us": at(50), "p99_us": at(99), "min_us": at(0) })
}

fn enforcer(now: EpochSeconds) -> Enforcer {
    let pool = PoolConfig {
        bundled_keys: Some(KeySet::parse(&jwks(&[key_a()])).unwrap()),
        ..PoolConfig::new(UserPoolId(POOL.into()), vec![CLIENT.into()])
    };
    let tokens = TokenSettings {
        pools: vec![pool],
        token_uses: vec![TokenUse::Access, TokenUse::Id],
        store_outage: StoreOutage::Deny,
        end_date_claim: String::new(),
        // Every signature is checked, or the bench would time the memory of the first.
        signature_cache: 0,
    };
    // The user was revoked once and has signed in again since: the tombstone is found, read and has nothing against it.
    let tombstone = Tombstone { not_before: Some(EpochSeconds(now.0 - 60)), sealed: true, ..Tombstone::default() };
    let reader = Arc::new(InMemory(BTreeMap::from([(SubjectKey::new(POOL, SUB), tombstone)])));
    Enforcer { checker: revocation_enforce::checker(tokens, reader).unwrap(), recorder: None }
}

/// A request as API Gateway hands it to a REQUEST authorizer.
fn event(token: &str) -> Vec<u8> {
    let headers = json!({
        "Accept": "application/json", "Accept-Encoding": "gzip, br", "Authorization": format!("Bearer {token}"),
        "Host": "api.execute-api.eu-central-1.amazonaws.com", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64)",
        "X-Amzn-Trace-Id": "Root=1-65a00000-000000000000000000000000", "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https",
    });
    let members = headers.as_object().unwrap();
    let multi: serde_json::Map<_, _> = members.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
    json!({
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-central-1:111122223333:abcdef1234/v1/GET/orders/7",
        "resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "GET", "headers": headers,
        "multiValueHeaders": multi, "queryStringParameters": {}, "multiValueQueryStringParameters": {},
        "pathParameters": { "id": "7" }, "stageVariables": {},
        "requestContext": {
            "resourceId": "abc123", "resourcePath": "/orders/{id}", "httpMethod": "GET", "path": "/v1/orders/7",
            "accountId": "111122223333", "protocol": "HTTP/1.1", "stage": "v1", "apiId": "abcdef1234",
            "requestId": "00000000-0000-4000-8000-000000000000",
            "identity": { "sourceIp": "192.0.2.1", "userAgent": "Mozilla/5.0 (X11; Linux x86_64)" },
        },
    })
    .to_string()
    .into_bytes()
}
