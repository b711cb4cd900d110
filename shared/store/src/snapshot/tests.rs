//! Over HTTP, against tables that page, fail and leave keys for later.

use std::collections::BTreeMap;

use revocation_core::domain::feed::FeedKey;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::*;
use crate::testing::{Asked, RealClock, Reply, Server, answer, error, ok};

const WITHIN: Duration = Duration::from_secs(20);

/// Both tables, behind a server.
#[derive(Clone, Default)]
struct Tables {
    items: Arc<Mutex<BTreeMap<String, Value>>>,
    feed: Arc<Mutex<BTreeMap<String, Value>>>,
    /// Operations that fail.
    failing: Arc<Mutex<Vec<&'static str>>>,
    /// Keys of a batch that are processed.
    processed: Arc<Mutex<Option<usize>>>,
    date: Arc<Mutex<Option<String>>>,
}

impl Tables {
    fn put(&self, sub: &str, item: Value) {
        let mut item = item;
        item["subject"] = json!({"S": format!("pool#{sub}")});
        self.items.lock().unwrap().insert(format!("pool#{sub}"), item);
    }

    /// A tombstone and its entry in the feed, as a writer does it.
    fn revoke(&self, sub: &str, cutoff: i64, nonce: Option<&str>) {
        self.put(sub, json!({"not_before": {"N": cutoff.to_string()}, "sealed": {"BOOL": true}}));
        let key = FeedKey::new(RealClock.now(), &subject(sub));
        let mut entry = json!({"bucket": {"S": key.bucket}, "entry": {"S": key.entry}, "expires_at": {"N": "1"}});
        if let Some(nonce) = nonce {
            entry["nonce"] = json!({"S": nonce});
        }
        self.feed.lock().unwrap().insert(key.entry, entry);
    }

    fn fail(&self, operations: &[&'static str]) {
        *self.failing.lock().unwrap() = operations.to_vec();
    }

    fn reply(&self, asked: &Asked) -> Reply {
        let (operation, ask) = (asked.operation(), asked.json());
        if self.failing.lock().unwrap().contains(&operation) {
            return Reply::Send(error("400 Bad Request", "AccessDeniedException"));
        }
        let body = match operation {
            "GetItem" => {
                let key = ask["Key"]["subject"]["S"].as_str().unwrap();
                self.items.lock().unwrap().get(key).map_or(json!({}), |item| json!({"Item": item}))
            }
            "Scan" => {
                assert_eq!((&ask["TableName"], &ask["ConsistentRead"]), (&json!("tombstones"), &json!(true)));
                let items = self.items.lock().unwrap();
                paged(items.iter().collect(), ask["ExclusiveStartKey"]["subject"]["S"].as_str(), "subject")
            }
            "Query" => {
                assert_eq!((&ask["TableName"], &ask["ConsistentRead"]), (&json!("feed"), &json!(true)));
                assert_eq!(ask["KeyConditionExpression"], "#bucket = :bucket AND #entry >= :from");
                let values = &ask["ExpressionAttributeValues"];
                let from = values[":from"]["S"].as_str().unwrap();
                let feed = self.feed.lock().unwrap();
                let of = |entry: &Value| entry["bucket"] == values[":bucket"];
                let entries = feed.iter().filter(|(key, entry)| key.as_str() >= from && of(entry)).collect();
                paged(entries, ask["ExclusiveStartKey"]["entry"]["S"].as_str(), "entry")
            }
            "BatchGetItem" => {
                let (items, ask) = (self.items.lock().unwrap(), &ask["RequestItems"]["tombstones"]);
                assert_eq!(ask["ConsistentRead"], true);
                let keys = ask["Keys"].as_array().unwrap();
                let (now, later) = keys.split_at(self.processed.lock().unwrap().unwrap_or(keys.len()).min(keys.len()));
                let found: Vec<_> =
                    now.iter().filter_map(|key| items.get(key["subject"]["S"].as_str().unwrap())).collect();
                let left = if later.is_empty() { json!({}) } else { json!({"tombstones": {"Keys": later}}) };
                json!({"Responses": {"tombstones": found}, "UnprocessedKeys": left})
            }
            other => panic!("{other}"),
        };
        match &*self.date.lock().unwrap() {
            Some(date) => Reply::Send(answer("200 OK", &format!("date: {date}\r\n"), &body.to_string())),
            None => Reply::Send(ok(&body.to_string())),
        }
    }

    async fn serve(&self) -> Server {
        let this = self.clone();
        Server::start(move |asked| this.reply(asked)).await
    }
}

/// Two a page.
fn paged(all: Vec<(&String, &Value)>, after: Option<&str>, key: &str) -> Value {
    let rest: Vec<_> = all.into_iter().filter(|(key, _)| after.is_none_or(|after| key.as_str() > after)).collect();
    let page: Vec<_> = rest.iter().take(2).map(|(_, item)| *item).collect();
    let mut body = json!({"Items": page, "Count": page.len(), "ScannedCount": page.len()});
    if rest.len() > 2 {
        body["LastEvaluatedKey"] = json!({key: {"S": rest[1].0}});
    }
    body
}

fn subject(sub: &str) -> SubjectKey {
    SubjectKey::new("pool", sub)
}

struct Shifted(Mutex<i64>);

impl Clock for Shifted {
    fn now(&self) -> EpochMillis {
        EpochMillis(RealClock.now().0 + *self.0.lock().unwrap())
    }
}

async fn reader(tables: &Tables, within: Duration) -> (Server, Arc<Shifted>, SnapshotReader) {
    let (server, clock) = (tables.serve().await, Arc::new(Shifted(Mutex::new(0))));
    let client = StoreClient::new(server.config(), clock.clone());
    let reader = SnapshotReader::new(&client, "tombstones", "feed", within);
    (server, clock, reader)
}

async fn cutoff(reader: &SnapshotReader, sub: &str) -> Option<i64> {
    reader.read(&subject(sub)).await.unwrap().map(|tombstone| tombstone.not_before.unwrap_or(EpochSeconds(0)).0)
}

/// Waits for something that happens in the background.
async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} did not happen");
}

fn count(server: &Server, operation: &str) -> usize {
    server.asked().iter().filter(|asked| asked.operation() == operation).count()
}

#[tokio::test]
async fn a_warm_reader_answers_from_memory_without_asking_anybody() {
    let tables = Tables::default();
    for number in 0..7 {
        tables.put(&format!("s{number}"), json!({"not_before": {"N": number.to_string()}}));
    }
    let (server, _, reader) = reader(&tables, WITHIN).await;
    reader.warm().await.unwrap();
    assert_eq!(count(&server, "Scan"), 4, "two a page");
    for _ in 0..100 {
        assert_eq!((cutoff(&reader, "s3").await, cutoff(&reader, "nobody").await), (Some(3), None));
    }
    let stats = reader.stats();
    assert_eq!((stats.hits, stats.strict_reads, stats.entries, server.asked().len()), (200, 0, 7, 4));
    assert!(stats.age.unwrap() < WITHIN && !stats.given_up);
}

#[tokio::test]
async fn a_pools_tombstone_is_from_memory_where_that_is_never_older_than_a_second() {
    for (within, strict) in [(Duration::from_millis(900), 0), (WITHIN, 1)] {
        let tables = Tables::default();
        tables.put("*", json!({"not_before": {"N": "7"}}));
        let (server, _, reader) = reader(&tables, within).await;
        reader.warm().await.unwrap();
        for _ in 0..50 {
            let pool = reader.read_pool(&subject("s").user_pool_id).await.unwrap().unwrap();
            assert_eq!(pool.not_before, Some(EpochSeconds(7)));
        }
        assert_eq!(count(&server, "GetItem"), strict, "{within:?}");
    }
}

#[tokio::test]
async fn a_cold_reader_is_strict_until_its_snapshot_is_complete() {
    let tables = Tables::default();
    tables.put("s", json!({"not_before": {"N": "7"}}));
    let (server, _, reader) = reader(&tables, WITHIN).await;
    assert_eq!(cutoff(&reader, "s").await, Some(7));
    assert_eq!((reader.stats().strict_reads, count(&server, "GetItem")), (1, 1));
    eventually("a first load", async || reader.stats().refreshes == 1).await;
    assert_eq!((cutoff(&reader, "s").await, count(&server, "GetItem")), (Some(7), 1));
}

#[tokio::test]
async fn what_the_feed_names_is_read_once_with_a_nonce_and_each_time_without() {
    let tables = Tables::default();
    let (server, _, reader) = reader(&tables, WITHIN).await;
    reader.warm().await.unwrap();
    for number in 0..5 {
        tables.revoke(&format!("s{number}"), number, Some("n"));
    }
    assert_eq!(cutoff(&reader, "s4").await, None, "may be as old as that");
    reader.warm().await.unwrap();
    assert_eq!((cutoff(&reader, "s4").await, count(&server, "BatchGetItem")), (Some(4), 1));
    reader.warm().await.unwrap();
    assert_eq!(count(&server, "BatchGetItem"), 1);
    tables.revoke("s9", 9, None);
    for reads in 2..4 {
        reader.warm().await.unwrap();
        assert_eq!((cutoff(&reader, "s9").await, count(&server, "BatchGetItem")), (Some(9), reads));
    }
    // Gone from the table, by a release or its TTL.
    tables.items.lock().unwrap().remove("pool#s9");
    reader.warm().await.unwrap();
    assert_eq!((cutoff(&reader, "s9").await, count(&server, "Scan")), (None, 1));
}

#[tokio::test]
async fn keys_left_for_later_are_asked_for_again_and_without_them_nothing_is_complete() {
    let tables = Tables::default();
    let (server, _, reader) = reader(&tables, WITHIN).await;
    reader.warm().await.unwrap();
    let before = reader.stats().age.unwrap();
    *tables.processed.lock().unwrap() = Some(2);
    for number in 0..5 {
        tables.revoke(&format!("s{number}"), number, Some("n"));
    }
    reader.warm().await.unwrap();
    assert_eq!((cutoff(&reader, "s0").await, cutoff(&reader, "s4").await), (Some(0), Some(4)));
    assert_eq!(count(&server, "BatchGetItem"), 3);
    *tables.processed.lock().unwrap() = Some(0);
    tables.revoke("s9", 9, Some("n"));
    assert_eq!(reader.warm().await.unwrap_err().code, "throttled");
    assert!(reader.stats().age.unwrap() > before);
    *tables.processed.lock().unwrap() = None;
    reader.warm().await.unwrap();
    assert_eq!(cutoff(&reader, "s9").await, Some(9));
}

#[tokio::test]
async fn i06_an_item_that_cannot_be_read_refuses_with_every_request() {
    let tables = Tables::default();
    tables.put("bad", json!({"not_before": {"S": "7"}}));
    tables.put("good", json!({"not_before": {"N": "7"}}));
    let (_, _, reader) = reader(&tables, WITHIN).await;
    reader.warm().await.unwrap();
    for _ in 0..3 {
        assert_eq!(reader.read(&subject("bad")).await.unwrap_err().code, "unreadable_item");
        assert_eq!(cutoff(&reader, "good").await, Some(7));
    }
    // Set right, and told by the feed.
    tables.revoke("bad", 8, Some("n"));
    reader.warm().await.unwrap();
    assert_eq!(cutoff(&reader, "bad").await, Some(8));
}

#[tokio::test]
async fn a_failed_refresh_leaves_the_snapshot_until_it_is_too_old_and_is_not_repeated_at_once() {
    let tables = Tables::default();
    tables.put("s", json!({"not_before": {"N": "7"}}));
    let (server, _, reader) = reader(&tables, Duration::from_millis(600)).await;
    reader.warm().await.unwrap();
    tables.fail(&["Query"]);
    sleep(Duration::from_millis(350)).await;
    assert_eq!((cutoff(&reader, "s").await, reader.stats().hits), (Some(7), 1));
    sleep(Duration::from_millis(400)).await;
    let before = count(&server, "Query");
    for _ in 0..200 {
        assert_eq!(cutoff(&reader, "s").await, Some(7));
    }
    assert_eq!((reader.stats().hits, reader.stats().strict_reads), (1, 200));
    assert!(count(&server, "Query") - before <= 8, "{}", count(&server, "Query") - before);
    tables.fail(&[]);
    eventually("recovery", async || cutoff(&reader, "s").await == Some(7) && reader.stats().hits > 1).await;
    assert_eq!(count(&server, "Scan"), 1);
}

#[tokio::test]
async fn a_half_old_snapshot_is_refreshed_in_the_background_once() {
    let tables = Tables::default();
    let (server, _, reader) = reader(&tables, Duration::from_secs(2)).await;
    reader.warm().await.unwrap();
    tables.revoke("s", 7, Some("n"));
    sleep(Duration::from_millis(1_100)).await;
    for _ in 0..50 {
        reader.read(&subject("s")).await.unwrap();
    }
    eventually("the refresh", async || reader.stats().refreshes == 2).await;
    assert_eq!((cutoff(&reader, "s").await, reader.stats().strict_reads), (Some(7), 0));
    assert!(count(&server, "Query") <= 6, "{}", count(&server, "Query"));
}

#[tokio::test]
async fn a_frozen_instance_and_a_clock_set_back_are_strict() {
    let tables = Tables::default();
    let (server, clock, reader) = reader(&tables, WITHIN).await;
    reader.warm().await.unwrap();
    tables.fail(&["Query", "Scan"]);
    tables.put("s", json!({"not_before": {"N": "7"}}));
    assert_eq!(cutoff(&reader, "s").await, None);
    for shift in [21_000, -2_000] {
        *clock.0.lock().unwrap() = shift;
        assert_eq!(cutoff(&reader, "s").await, Some(7), "{shift}");
    }
    assert_eq!((reader.stats().age, count(&server, "GetItem")), (None, 2));
}

#[tokio::test]
async fn after_half_an_hour_the_snapshot_starts_over() {
    let tables = Tables::default();
    let (server, clock, reader) = reader(&tables, WITHIN).await;
    reader.warm().await.unwrap();
    // Not in the feed any more: only a scan finds it.
    tables.put("s", json!({"not_before": {"N": "7"}}));
    for (shift, scans) in [(29 * 60_000, 1), (29 * 60_000 + 31 * 60_000, 2), (0, 3)] {
        *clock.0.lock().unwrap() = shift;
        reader.warm().await.unwrap();
        assert_eq!(count(&server, "Scan"), scans, "{shift}");
    }
    assert_eq!(cutoff(&reader, "s").await, Some(7));
}

#[tokio::test]
async fn a_clock_that_disagrees_with_the_stores_makes_no_snapshot() {
    let tables = Tables::default();
    let (_, clock, reader) = reader(&tables, WITHIN).await;
    for (shift, agrees) in [(0, true), (5_000, true), (-5_000, true), (15_000, false), (-15_000, false)] {
        let stamp = jiff::Timestamp::from_millisecond(RealClock.now().0).unwrap();
        let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&stamp).unwrap();
        *tables.date.lock().unwrap() = Some(date);
        *clock.0.lock().unwrap() = shift;
        let result = reader.warm().await.map_err(|error| error.code);
        assert_eq!(result, if agrees { Ok(()) } else { Err("clock_is_off".to_owned()) }, "{shift}");
    }
}

#[tokio::test]
async fn too_many_tombstones_make_every_read_strict_for_good() {
    let tables = Tables::default();
    for number in 0..4 {
        tables.put(&format!("s{number}"), json!({"not_before": {"N": "7"}}));
    }
    for (entries, bytes) in [(3, usize::MAX), (usize::MAX, 1_000)] {
        let server = tables.serve().await;
        let reader = SnapshotReader::with_limits(&server.client(), "tombstones", "feed", WITHIN, entries, bytes);
        reader.warm().await.unwrap();
        assert!(reader.stats().given_up);
        let asked = server.asked().len();
        for _ in 0..5 {
            assert_eq!(cutoff(&reader, "s1").await, Some(7));
        }
        assert_eq!((reader.stats().hits, reader.stats().entries, server.asked().len()), (0, 0, asked + 5));
    }
    // By an increment, too.
    let (server, room) = (tables.serve().await, 4);
    let reader = SnapshotReader::with_limits(&server.client(), "tombstones", "feed", WITHIN, room, usize::MAX);
    reader.warm().await.unwrap();
    assert_eq!((cutoff(&reader, "s1").await, reader.stats().given_up), (Some(7), false));
    tables.revoke("s5", 7, Some("n"));
    reader.warm().await.unwrap();
    assert!(reader.stats().given_up);
    assert_eq!(cutoff(&reader, "s5").await, Some(7));
}

#[tokio::test]
async fn i06_garbled_pages_complete_nothing() {
    for body in [
        "{}",
        "[]",
        r#"{"Items":null}"#,
        r#"{"Items":[[]]}"#,
        r#"{"Items":[{}]}"#,
        r#"{"Items":[],"LastEvaluatedKey":null}"#,
        r#"{"Items":[],"LastEvaluatedKey":"x"}"#,
        r#"{"Responses":{}}"#,
    ] {
        let server = Server::scripted(vec![Reply::Send(answer("200 OK", "", body))]).await;
        let reader = SnapshotReader::new(&server.client(), "tombstones", "feed", WITHIN);
        assert_eq!(reader.warm().await.unwrap_err().code, "bad_response", "{body}");
        assert_eq!(reader.stats().age, None);
    }
}

#[tokio::test]
async fn i06_garbled_batches_and_entries_complete_nothing() {
    for (operation, body, code) in [
        ("BatchGetItem", r#"{"Responses":{}}"#, "bad_response"),
        ("BatchGetItem", "{}", "bad_response"),
        ("BatchGetItem", r#"{"Responses":{"tombstones":[{"subject":{"S":"pool#other"}}]}}"#, "bad_response"),
        ("BatchGetItem", r#"{"Responses":{"tombstones":[{"not_before":{"N":"1"}}]}}"#, "bad_response"),
        ("Query", r#"{"Items":[{"entry":{"S":"nobody"}}]}"#, "unreadable_item"),
        ("Query", r#"{"Items":[{"entry":{"N":"1"}}]}"#, "bad_response"),
        ("Query", r#"{"Items":[{"entry":{"S":"1#p#s"},"nonce":{"N":"1"}}]}"#, "bad_response"),
    ] {
        let tables = Tables::default();
        let this = tables.clone();
        let server = Server::start(move |asked| {
            if asked.operation() == operation { Reply::Send(answer("200 OK", "", body)) } else { this.reply(asked) }
        })
        .await;
        let reader = SnapshotReader::new(&server.client(), "tombstones", "feed", WITHIN);
        reader.warm().await.unwrap();
        tables.revoke("s", 7, Some("n"));
        assert_eq!(reader.warm().await.unwrap_err().code, code, "{body}");
        assert_eq!((reader.stats().refreshes, reader.stats().failures), (1, 1));
    }
}
