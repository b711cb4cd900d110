//! The kits for other languages decide as this library does: `tests/kits/vectors.json`, read here and by each kit's own tests.
//! Items come over the wire, from a server that plays DynamoDB, so that the reader of items takes part.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use revocation_core::domain::end_date::{EndDate, NotAnEndDate};
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::{Refusal, TokenStamp, Tombstone};
use revocation_core::ports::{PortError, TombstoneReader as _};
use revocation_lambda::clock::SystemClock;
use revocation_store::{StoreClient, StoreConfig, StrictReader};
use serde_json::{Value, json};

use crate::files::read_json;

/// The end of the year 9999: the latest time a claim may name (`shared/verify`, `strict_json`).
const LATEST: u64 = 253_402_300_799;

fn cases() -> Vec<Value> {
    let vectors = read_json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("kits/vectors.json"));
    vectors["cases"].as_array().unwrap().clone()
}

#[tokio::test]
async fn i04_the_kits_decide_by_the_same_cases_as_the_library() {
    let cases = cases();
    assert!(cases.len() >= 40);
    let endpoint = play_dynamodb(cases.iter().enumerate().map(items_of).collect());
    let variable = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        _ => None,
    };
    let store = StoreClient::new(StoreConfig::from_env(&variable).unwrap(), Arc::new(SystemClock));
    let reader = StrictReader::new(&store, "tombstones");
    for (at, case) in cases.iter().enumerate() {
        let now = EpochSeconds(case["now"].as_i64().unwrap());
        let code = match (stamp(&case["claims"]), ended(case, now)) {
            (None, _) => "bad_claims",
            (_, Err(NotAnEndDate)) => "contract_date_unreadable",
            (_, Ok(true)) => "contract_ended",
            (Some(stamp), Ok(false)) => {
                let own = reader.read(&SubjectKey::new("pool", at.to_string())).await;
                let pool = reader.read_pool(&UserPoolId(format!("pool-{at}"))).await;
                let decide = |read: &Result<Option<Tombstone>, PortError>| {
                    read.as_ref().ok()?.clone().unwrap_or_default().refusal(&stamp, now)
                };
                let refusal = decide(&own).or_else(|| decide(&pool));
                let errors = [own.err(), pool.err()].into_iter().flatten();
                let unreadable =
                    errors.inspect(|error| assert_eq!(error.code, "unreadable_item", "{case}")).count() > 0;
                refusal.map_or(if unreadable { "store_unreadable" } else { "permit" }, code)
            }
        };
        assert_eq!(code, case["expect"], "{case}");
    }
}

/// The items of a case, the person's and everybody's, under the keys by which the case is asked for: another's tombstone would
/// be refused as an answer.
fn items_of((at, case): (usize, &Value)) -> [Value; 2] {
    let under = |item: &Value, key: String| {
        let mut item = item.clone();
        if let Some(attributes) = item.as_object_mut() {
            attributes.insert("subject".to_owned(), json!({ "S": key }));
        }
        item
    };
    [under(&case["item"], format!("pool#{at}")), under(&case["pool"], format!("pool-{at}#*"))]
}

/// Whether the date in the claim that the case names, if any, has passed. The claim is a text or a whole number.
fn ended(case: &Value, now: EpochSeconds) -> Result<bool, NotAnEndDate> {
    let Some(claim) = case["end_date_claim"].as_str().and_then(|name| case["claims"].get(name)) else {
        return Ok(false);
    };
    let end = match (claim.as_str(), claim.as_i64()) {
        (Some(text), _) => EndDate::parse(text)?,
        (None, Some(seconds)) => Some(EndDate::from_epoch_seconds(seconds)?),
        (None, None) => return Err(NotAnEndDate),
    };
    Ok(end.is_some_and(|end| end.passed(now)))
}

/// As `DenyReason::code` has them.
fn code(refusal: Refusal) -> &'static str {
    revocation_verify::DenyReason::Revoked(refusal).code()
}

/// `None` where a claim is of the wrong type.
fn stamp(claims: &Value) -> Option<TokenStamp<'_>> {
    let seconds = |name| match claims.get(name) {
        None => Some(None),
        Some(value) => value.as_u64().filter(|at| *at <= LATEST).map(|at| Some(EpochSeconds(at.try_into().unwrap()))),
    };
    let text = |name| match claims.get(name) {
        None => Some(None),
        Some(value) => value.as_str().map(Some),
    };
    Some(TokenStamp {
        auth_time: seconds("auth_time")?,
        iat: seconds("iat")?,
        origin_jti: text("origin_jti")?,
        jti: text("jti")?,
    })
}

/// Answers a `GetItem` for `pool#<n>` and `pool-<n>#*` with the n-th items. Ends with the process.
fn play_dynamodb(items: Vec<[Value; 2]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let items = Arc::new(items);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let items = Arc::clone(&items);
            thread::spawn(move || answer(stream.unwrap(), &items));
        }
    });
    endpoint
}

fn answer(mut stream: TcpStream, items: &[[Value; 2]]) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let asked: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(asked["ConsistentRead"], true);
        let key = asked["Key"]["subject"]["S"].as_str().unwrap();
        let (at, which) = match (key.strip_prefix("pool#"), key.strip_prefix("pool-")) {
            (Some(at), _) => (at, 0),
            (_, Some(at)) => (at.trim_end_matches("#*"), 1),
            _ => panic!("{key}"),
        };
        let item = &items[at.parse::<usize>().unwrap()][which];
        let found = if item.is_null() { json!({}) } else { json!({"Item": item}) };
        let found = found.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
            found.len()
        );
        stream.write_all((head + &found).as_bytes()).unwrap();
    }
}
