//! Against a real server on this machine, which behaves and misbehaves.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use proptest::prelude::*;
use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::Clock;

use super::*;
use crate::testing::{Asked, RealClock, Reply, Server, answer, error, general_signature, ok};
use crate::{ReadLimits, StoreClient};

const TOMBSTONE: &str =
    r#"{"Item":{"subject":{"S":"pool#sub"},"not_before":{"N":"7"},"sealed":{"BOOL":true},"expires_at":{"N":"9"}}}"#;

fn subject() -> SubjectKey {
    SubjectKey::new("pool", "sub")
}

fn found() -> Tombstone {
    let (not_before, expires_at) = (Some(EpochSeconds(7)), Some(EpochSeconds(9)));
    Tombstone { not_before, expires_at, sealed: true, ..Tombstone::default() }
}

async fn read(server: &Server) -> Result<Option<Tombstone>, PortError> {
    StrictReader::new(&server.client(), "tombstones").read(&subject()).await
}

/// The first reply is as given, the next a tombstone.
async fn recovers_from(first: Reply) {
    let server = Server::scripted(vec![first.clone(), Reply::Send(ok(TOMBSTONE))]).await;
    assert_eq!(read(&server).await, Ok(Some(found())), "{first:?}");
    assert_eq!(server.asked().len(), 2, "{first:?}");
}

async fn fails_with(reply: Reply, code: &str, disposition: Disposition, sends: usize) {
    let server = Server::scripted(vec![reply.clone()]).await;
    let error = read(&server).await.unwrap_err();
    assert_eq!(
        (&*error.code, error.disposition, error.operation),
        (code, disposition, "dynamodb:GetItem"),
        "{reply:?}"
    );
    assert_eq!(server.asked().len(), sends, "{reply:?}");
}

#[tokio::test]
async fn asks_what_dynamodb_expects() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let reader = StrictReader::new(&server.client(), "tomb\"stones");
    assert_eq!(reader.read(&SubjectKey::new("po\"ol", "s\u{1}é")).await, Ok(None));
    let asked = &server.asked()[0];
    assert!(asked.head.starts_with("POST / HTTP/1.1\r\n"), "{}", asked.head);
    assert_eq!(asked.header("x-amz-target"), Some("DynamoDB_20120810.GetItem"));
    assert_eq!(asked.header("content-type"), Some("application/x-amz-json-1.0"));
    assert_eq!(asked.header("x-amz-security-token"), Some("IQoJb3JpZ2luX2VjE/+a=="));
    assert_eq!(format!("http://{}", asked.header("host").unwrap()), server.url);
    let expected = serde_json::json!({
        "TableName": "tomb\"stones", "ConsistentRead": true, "Key": {"subject": {"S": "po\"ol#s\u{1}é"}},
    });
    assert_eq!(asked.json(), expected);
}

#[tokio::test]
async fn the_signature_is_of_what_arrives() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    StrictReader::new(&server.client(), "t").read(&subject()).await.unwrap();
    let asked = &server.asked()[0];
    let (host, date) = (asked.header("host").unwrap(), asked.header("x-amz-date").unwrap());
    let (key, token) = ("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", asked.header("x-amz-security-token").unwrap());
    let credentials = Credentials::new("AKIDEXAMPLE", key, Some(token.to_owned()), None, "test");
    let expected = general_signature(&credentials, host, date, &asked.body, EpochMillis(signed_at(asked)));
    assert_eq!(asked.header("authorization"), Some(&*expected));
}

#[tokio::test]
async fn one_connection_serves_request_after_request() {
    let server = Server::scripted(vec![Reply::Send(ok(TOMBSTONE))]).await;
    let client = server.client();
    let reader = StrictReader::new(&client, "t");
    reader.warm().await.unwrap_err(); // The tombstone of another: not an answer.
    for _ in 0..50 {
        assert_eq!(reader.read(&subject()).await, Ok(Some(found())));
    }
    // Two for the answers that were none; then one for all.
    assert_eq!((server.connections().1, client.stats().sends), (3, 52));
}

/// What the authorizer asks with each request: the person's tombstone, and the pool's.
#[tokio::test]
async fn a_pools_tombstone_costs_no_read_of_its_own_with_each_request() {
    let pools = r#"{"Item":{"subject":{"S":"pool#*"},"not_before":{"N":"9"},"sealed":{"BOOL":true}}}"#;
    let server = Server::start(move |asked| {
        let everyone = asked.json()["Key"]["subject"]["S"] == "pool#*";
        Reply::Send(ok(if everyone { pools } else { TOMBSTONE }))
    })
    .await;
    let reader = StrictReader::new(&server.client(), "t");
    let (person, began) = (subject(), Instant::now());
    for _ in 0..500 {
        let (own, everyone) = tokio::join!(reader.read(&person), reader.read_pool(&person.user_pool_id));
        assert_eq!(own, Ok(Some(found())));
        assert_eq!(everyone.unwrap().unwrap().not_before, Some(EpochSeconds(9)));
    }
    let of_pool = server.asked().iter().filter(|asked| asked.json()["Key"]["subject"]["S"] == "pool#*").count();
    // On a machine with much to do a read may be hedged, which is one more; a few in 500, not one with each.
    assert!((500..=510).contains(&(server.asked().len() - of_pool)), "{}", server.asked().len());
    let most = 1 + usize::try_from(began.elapsed().as_millis() / 500).unwrap();
    assert!((1..=most).contains(&of_pool), "{of_pool} in {:?}", began.elapsed());
    assert!(most > 20 || server.asked().len() < 525, "1.0 reads a request");
}

#[tokio::test]
async fn i06_a_pools_tombstone_that_cannot_be_read_is_an_error() {
    for (reply, code) in [
        (error("400 Bad Request", "ProvisionedThroughputExceededException"), "throttled"),
        (ok(r#"{"Item":{"not_before":{"S":"7"}}}"#), "unreadable_item"),
    ] {
        let server = Server::scripted(vec![Reply::Send(reply)]).await;
        let reader = StrictReader::new(&server.client(), "t");
        assert_eq!(reader.read_pool(&subject().user_pool_id).await.unwrap_err().code, code);
    }
}

#[tokio::test]
async fn warming_opens_the_connection_that_is_then_used() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let reader = StrictReader::new(&server.client(), "t");
    reader.warm().await.unwrap();
    assert_eq!(reader.read(&subject()).await, Ok(None));
    assert_eq!(server.connections(), (1, 1));
    assert_eq!(server.asked()[0].json()["Key"]["subject"]["S"], "warm-up#nobody");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_callers_do_not_queue_behind_one_connection() {
    let server = Server::start(|_| Reply::Late(Duration::from_millis(40), ok(TOMBSTONE))).await;
    let reader = Arc::new(StrictReader::new(&server.client(), "t"));
    let began = Instant::now();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let reader = reader.clone();
            tokio::spawn(async move { reader.read(&subject()).await })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), Ok(Some(found())));
    }
    // One after another they would take 4 s.
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(server.connections().0 <= 32, "{:?} stay open", server.connections());
}

#[tokio::test]
async fn what_passes_is_tried_again_once() {
    let half = ok(TOMBSTONE)[..180].to_vec();
    for first in [
        Reply::Reset,
        Reply::Close(Vec::new()),
        Reply::Close(b"HTTP/1.1 200 O".to_vec()),
        Reply::Close(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n".to_vec()),
        Reply::Close(half),
        Reply::Close(b"garbage\r\n\r\n".to_vec()),
        Reply::Send(error("400 Bad Request", "ProvisionedThroughputExceededException")),
        Reply::Send(error("400 Bad Request", "ThrottlingException")),
        Reply::Send(error("500 Internal Server Error", "InternalServerError")),
        Reply::Send(answer("503 Service Unavailable", "", "<html>")),
        Reply::Send(answer("200 OK", "", "")),
        Reply::Send(answer("200 OK", "", "[]")),
        Reply::Send(answer("200 OK", "", r#"{"Item":{"not_before""#)),
        Reply::Send(answer("200 OK", "", r#"{"message":"try later"}"#)),
        Reply::Send(answer("200 OK", "x-amz-crc32: 1\r\n", "{}")),
        Reply::Send(answer("200 OK", "x-amz-crc32: none\r\n", "{}")),
        Reply::Send(answer("200 OK", "", r#"{"Item":{"subject":{"S":"pool#another"}}}"#)),
        Reply::Send(answer("200 OK", "", &" ".repeat(1024 * 1024 + 1))),
    ] {
        recovers_from(first).await;
    }
}

#[tokio::test]
async fn i06_what_stays_wrong_is_an_error_and_never_no_tombstone() {
    let garbage = answer("200 OK", "", r#"{"Item":{"#);
    let retry = Disposition::Retry;
    fails_with(Reply::Reset, "unreachable", retry, 3).await;
    fails_with(Reply::Close(ok(TOMBSTONE)[..180].to_vec()), "unreachable", retry, 3).await;
    fails_with(Reply::Send(garbage), "bad_response", retry, 2).await;
    fails_with(Reply::Send(answer("200 OK", "x-amz-crc32: 1\r\n", "{}")), "bad_response", retry, 2).await;
    fails_with(Reply::Send(error("400 Bad Request", "ThrottlingException")), "throttled", retry, 2).await;
    fails_with(Reply::Send(answer("500 Oops", "", "")), "server_error", retry, 2).await;
    fails_with(Reply::Send(answer("302 Found", "location: https://evil.example/\r\n", "")), "bad_response", retry, 1)
        .await;
    fails_with(Reply::Send(answer("204 No Content", "", "")), "bad_response", retry, 1).await;
}

#[tokio::test]
async fn what_will_not_pass_is_rejected_at_once() {
    for (code, word) in [
        ("ResourceNotFoundException", "resource_not_found"),
        ("AccessDeniedException", "access_denied"),
        ("ValidationException", "validation"),
    ] {
        fails_with(Reply::Send(error("400 Bad Request", code)), word, Disposition::Reject, 1).await;
    }
    let unreadable = ok(r#"{"Item":{"not_before":{"S":"7"}}}"#);
    fails_with(Reply::Send(unreadable), "unreadable_item", Disposition::Reject, 1).await;
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let reader = StrictReader::new(&server.client(), "t");
    let error = reader.read(&SubjectKey::new("pool", "x".repeat(2048))).await.unwrap_err();
    assert_eq!((&*error.code, server.asked().len()), ("validation", 0));
}

#[tokio::test]
async fn a_store_that_is_not_there_is_unreachable_within_the_budget() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let client = StoreClient::new(crate::testing::config(&url), Arc::new(RealClock));
    let began = Instant::now();
    // Connected by the system, accepted by nobody.
    let error = StrictReader::new(&client, "t").read(&subject()).await.unwrap_err();
    assert_eq!((&*error.code, error.disposition), ("timeout", Disposition::Retry));
    assert!(
        (Duration::from_millis(400)..Duration::from_millis(1_200)).contains(&began.elapsed()),
        "{:?}",
        began.elapsed()
    );
    drop(listener);
    let error = StrictReader::new(&client, "t").read(&subject()).await.unwrap_err();
    assert_eq!((&*error.code, error.disposition), ("unreachable", Disposition::Retry));
}

#[tokio::test]
async fn a_connection_that_went_stale_costs_a_new_one_and_no_error() {
    for stale in [Reply::Reset, Reply::Close(Vec::new())] {
        let server = Server::start(move |asked| match (asked.connection, asked.number) {
            (0, 0) => Reply::Send(ok(TOMBSTONE)),
            (0, _) => stale.clone(),
            _ => Reply::Send(ok(TOMBSTONE)),
        })
        .await;
        let client = server.client();
        let reader = StrictReader::new(&client, "t");
        for _ in 0..3 {
            assert_eq!(reader.read(&subject()).await, Ok(Some(found())));
        }
        assert_eq!((client.stats().hedges, client.stats().dials, client.stats().sends), (0, 2, 4));
    }
}

#[tokio::test]
async fn a_connection_closed_between_requests_is_not_used() {
    let server = Server::start(|asked| match asked.connection {
        0 => Reply::Close(ok(TOMBSTONE)),
        _ => Reply::Send(ok(TOMBSTONE)),
    })
    .await;
    let client = server.client();
    let reader = StrictReader::new(&client, "t");
    for _ in 0..3 {
        assert_eq!(reader.read(&subject()).await, Ok(Some(found())));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((client.stats().dials, server.asked().len()), (2, 3));
}

/// A connection that a NAT gateway forgot: nothing comes back, not even a reset.
#[tokio::test]
async fn a_silent_connection_is_hedged_on_another_which_wins() {
    let server = Server::start(|asked| match (asked.connection, asked.number) {
        (0, 0) => Reply::Send(ok(TOMBSTONE)),
        (0, _) => Reply::Silence,
        _ => Reply::Send(ok(TOMBSTONE)),
    })
    .await;
    let client = server.client();
    let reader = StrictReader::new(&client, "t");
    reader.read(&subject()).await.unwrap();
    let began = Instant::now();
    assert_eq!(reader.read(&subject()).await, Ok(Some(found())));
    assert!(began.elapsed() < Duration::from_millis(280), "{:?}", began.elapsed());
    assert_eq!(client.stats().hedges, 1);
    // The one left behind is closed, the other goes on.
    assert_eq!(reader.read(&subject()).await, Ok(Some(found())));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!((server.connections(), client.stats().sends), ((1, 2), 4));
}

#[tokio::test]
async fn a_store_slow_for_everybody_is_not_asked_twice_by_everybody() {
    let server = Server::start(|_| Reply::Late(Duration::from_millis(30), ok("{}"))).await;
    let limits = ReadLimits { hedge_after: Duration::from_millis(2), ..ReadLimits::default() };
    let client = StoreClient::new(server.config().limits(limits), Arc::new(RealClock));
    let reader = StrictReader::new(&client, "t");
    for _ in 0..60 {
        assert_eq!(reader.read(&subject()).await, Ok(None));
    }
    // Ten on credit, then one in ten.
    assert!((10..=20).contains(&client.stats().hedges), "{:?}", client.stats());
}

#[tokio::test]
async fn a_silent_store_costs_no_more_than_the_budget() {
    let server = Server::start(|_| Reply::Silence).await;
    let began = Instant::now();
    assert_eq!(read(&server).await.unwrap_err().code, "timeout");
    assert!(
        (Duration::from_millis(400)..Duration::from_millis(1_200)).contains(&began.elapsed()),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(server.asked().len(), 3);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(server.connections().0, 0, "connections left behind");
}

/// A clock so many milliseconds off.
struct Off(Mutex<i64>);

impl Clock for Off {
    fn now(&self) -> EpochMillis {
        EpochMillis(RealClock.now().0 + *self.0.lock().unwrap())
    }
}

fn http_date(at: EpochMillis) -> String {
    let stamp = jiff::Timestamp::from_millisecond(at.0).unwrap();
    jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&stamp).unwrap()
}

/// `X-Amz-Date`, epoch milliseconds.
fn signed_at(asked: &Asked) -> i64 {
    let sent = jiff::fmt::strtime::parse("%Y%m%dT%H%M%SZ", asked.header("x-amz-date").unwrap()).unwrap();
    sent.to_datetime().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_millisecond()
}

/// Accepts signatures dated within five minutes, as the store does.
fn dated(asked: &Asked) -> Reply {
    let now = RealClock.now();
    if (signed_at(asked) - now.0).abs() < 300_000 {
        return Reply::Send(ok("{}"));
    }
    let body = r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired"}"#;
    Reply::Send(answer("400 Bad Request", &format!("date: {}\r\n", http_date(now)), body))
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_by_the_stores() {
    for off in [-3_600_000, 86_400_000 * 400] {
        let server = Server::start(dated).await;
        let client = StoreClient::new(server.config(), Arc::new(Off(Mutex::new(off))));
        let reader = StrictReader::new(&client, "t");
        for _ in 0..3 {
            assert_eq!(reader.read(&subject()).await, Ok(None));
        }
        assert_eq!(server.asked().len(), 4, "once for all");
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_corrected_for_every_request_on_the_way() {
    let server = Server::start(|asked| match dated(asked) {
        Reply::Send(bytes) => Reply::Late(Duration::from_millis(20), bytes),
        other => other,
    })
    .await;
    let reader = StrictReader::new(&StoreClient::new(server.config(), Arc::new(Off(Mutex::new(-3_600_000)))), "t");
    let person = subject();
    let (one, other) = tokio::join!(reader.read(&person), reader.read(&person));
    assert_eq!((one, other), (Ok(None), Ok(None)));
}

#[tokio::test]
async fn a_clock_set_right_again_is_noticed() {
    let server = Server::start(dated).await;
    let clock = Arc::new(Off(Mutex::new(-3_600_000)));
    let reader = StrictReader::new(&StoreClient::new(server.config(), clock.clone()), "t");
    reader.read(&subject()).await.unwrap();
    *clock.0.lock().unwrap() = 0;
    assert_eq!(reader.read(&subject()).await, Ok(None));
}

#[tokio::test]
async fn a_wrong_secret_is_not_taken_for_a_wrong_clock() {
    let body = r#"{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"does not match"}"#;
    let date = format!("date: {}\r\n", http_date(RealClock.now()));
    fails_with(Reply::Send(answer("400 Bad Request", &date, body)), "invalid_signature", Disposition::Reject, 1).await;
    fails_with(Reply::Send(answer("400 Bad Request", "", body)), "invalid_signature", Disposition::Reject, 1).await;
}

#[tokio::test]
async fn i06_wrong_credentials_are_no_outage() {
    let unknown = || Reply::Send(error("400 Bad Request", "UnrecognizedClientException"));
    fails_with(unknown(), "unrecognized_client", Disposition::Reject, 1).await;
    // They may have been changed since they were fetched: once more, with new ones.
    let server = Server::start(move |asked| if asked.number == 0 { Reply::Send(ok("{}")) } else { unknown() }).await;
    let clock = Arc::new(Off(Mutex::new(0)));
    let reader = StrictReader::new(&StoreClient::new(server.config(), clock.clone()), "t");
    reader.read(&subject()).await.unwrap();
    *clock.0.lock().unwrap() = 60_000;
    assert_eq!(reader.read(&subject()).await.unwrap_err().disposition, Disposition::Reject);
    assert_eq!(server.asked().len(), 3);
    // What ran out is the provider's to renew, and that passes.
    let ran_out = Reply::Send(error("400 Bad Request", "ExpiredTokenException"));
    fails_with(ran_out, "expired_token", Disposition::Retry, 1).await;
}

#[tokio::test]
async fn tls_is_spoken_to_whom_a_certificate_vouches_for_and_to_nobody_else() {
    let (server, pem) = Server::start_tls(|_| Reply::Send(ok(TOMBSTONE))).await;
    assert_eq!(read(&server).await.unwrap_err().code, "unreachable", "an unknown issuer");
    let path = std::env::temp_dir().join(format!("revocation-store-ca-{}.pem", std::process::id()));
    std::fs::write(&path, pem).unwrap();
    let config = server.config().trusting(&path).unwrap();
    let elsewhere = config.clone().endpoint(&server.url.replace("localhost", "127.0.0.1")).unwrap();
    std::fs::remove_file(&path).unwrap();
    let client = StoreClient::new(config, Arc::new(RealClock));
    let reader = StrictReader::new(&client, "t");
    for _ in 0..5 {
        assert_eq!(reader.read(&subject()).await, Ok(Some(found())));
    }
    assert_eq!(client.stats().dials, 1);
    let client = StoreClient::new(elsewhere, Arc::new(RealClock));
    let error = StrictReader::new(&client, "t").read(&subject()).await.unwrap_err();
    assert_eq!(error.code, "unreachable", "another name");
}

#[tokio::test]
async fn i10_an_error_says_nothing_of_the_stores_message() {
    let server = Server::scripted(vec![Reply::Send(error("400 Bad Request", "ValidationException"))]).await;
    let error = read(&server).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret detail"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever bytes come back: an error or what they say, never "no tombstone" by mistake.
    #[test]
    fn i06_noise_is_never_no_tombstone(noise: Vec<u8>, close: bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(async {
            let reply = if close { Reply::Close(noise) } else { Reply::Close([&noise[..], b"\r\n\r\n"].concat()) };
            read(&Server::scripted(vec![reply]).await).await
        });
        prop_assert!(result.is_err());
    }
}
