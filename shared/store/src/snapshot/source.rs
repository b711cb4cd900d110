//! What a snapshot is made of: pages of both tables, by strongly consistent reads.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_trait::async_trait;
use hyper::body::Bytes;
use revocation_core::domain::feed::FeedKey;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::PortError;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::memory::Entry;
use crate::answer::Answer;
use crate::client::{Operation, StoreClient, UNHURRIED};
use crate::failure::Failure;
use crate::item::{Object, Text, TombstoneItem, present};
use crate::race::Patience;

/// A page of a scan or a query has at most 1 MB, before JSON and the marks of types; a batch of items at most 16 MB, but
/// tombstones of that size are not kept in memory anyway.
const MAX_PAGE_BYTES: usize = 8 * 1024 * 1024;
/// Items of one page of the first load: half a megabyte of usual ones.
const SCAN_LIMIT: usize = 2_000;
/// Keys of one `BatchGetItem` (its quota).
pub(super) const MOST_KEYS: usize = 100;
/// A refresh is small, and a Lambda function's connection may have died while it was frozen.
const REFRESH: Patience =
    Patience { attempt: Duration::from_secs(1), hedge_after: None, total: Duration::from_secs(4), sends: 3 };

pub(super) const SCAN: Operation =
    Operation { name: "dynamodb:Scan", target: "DynamoDB_20120810.Scan", most: MAX_PAGE_BYTES };
pub(super) const QUERY: Operation =
    Operation { name: "dynamodb:Query", target: "DynamoDB_20120810.Query", most: MAX_PAGE_BYTES };
pub(super) const BATCH: Operation =
    Operation { name: "dynamodb:BatchGetItem", target: "DynamoDB_20120810.BatchGetItem", most: MAX_PAGE_BYTES };

/// A page and where the next one begins.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    /// `LastEvaluatedKey`, as it came; `None` at the end.
    pub(super) next: Option<String>,
    /// The store's time, whole seconds, where it told.
    pub(super) date: Option<EpochMillis>,
}

/// An entry of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FeedEntry {
    /// Its sort key.
    pub(super) entry: String,
    /// What tells two writings of one key apart, where the writer notes it.
    pub(super) nonce: Option<String>,
    /// Whom it names.
    pub(super) subject: SubjectKey,
}

/// Some of the subjects asked for: those found, and those to be asked for again. All others have no tombstone.
pub(super) struct Batch {
    pub(super) found: Vec<(SubjectKey, Entry)>,
    pub(super) unprocessed: Vec<SubjectKey>,
}

/// Reads both tables, each page strongly consistent.
#[async_trait]
pub(super) trait Source: Send + Sync {
    /// All tombstones, from a position on.
    async fn scan(&self, after: Option<&str>) -> Result<Page<(SubjectKey, Entry)>, PortError>;

    /// The entries of a partition of the feed whose sort key is not below `from`.
    async fn entries(&self, bucket: &str, from: &str, after: Option<&str>) -> Result<Page<FeedEntry>, PortError>;

    /// At most [`MOST_KEYS`] subjects.
    async fn subjects(&self, keys: &[SubjectKey]) -> Result<Batch, PortError>;
}

/// The tables in `DynamoDB`.
pub(super) struct Tables {
    pub(super) client: StoreClient,
    pub(super) tombstones: String,
    pub(super) feed: String,
}

#[derive(Deserialize)]
struct Items<'a> {
    #[serde(rename = "Items", borrow)]
    items: Vec<&'a RawValue>,
    #[serde(rename = "LastEvaluatedKey", default, borrow, deserialize_with = "present")]
    next: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entries<'a> {
    #[serde(borrow)]
    entry: Object<Text<'a>>,
    #[serde(default, borrow, deserialize_with = "present")]
    nonce: Option<Object<Text<'a>>>,
}

#[derive(Deserialize)]
struct Key<'a> {
    #[serde(borrow)]
    subject: Object<Text<'a>>,
}

#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(rename = "Keys", borrow)]
    keys: Vec<Object<Key<'a>>>,
}

#[derive(Deserialize)]
struct Gotten<'a> {
    #[serde(rename = "Responses", borrow)]
    responses: BTreeMap<Cow<'a, str>, Vec<&'a RawValue>>,
    #[serde(rename = "UnprocessedKeys", default, borrow)]
    unprocessed: BTreeMap<Cow<'a, str>, Object<Keys<'a>>>,
}

#[async_trait]
impl Source for Tables {
    async fn scan(&self, after: Option<&str>) -> Result<Page<(SubjectKey, Entry)>, PortError> {
        let ask = json!({"TableName": self.tombstones, "ConsistentRead": true, "Limit": SCAN_LIMIT});
        let read = |answer: &Answer| {
            let page = page(answer)?;
            let items = page.items.into_iter().map(tombstone).collect::<Result<Vec<_>, _>>()?;
            // A key without a pool is nobody's; no request will ask for it.
            Ok(Page { items: items.into_iter().flatten().collect(), next: page.next, date: page.date })
        };
        self.client.call(&SCAN, body(ask, after), &UNHURRIED, read).await
    }

    async fn entries(&self, bucket: &str, from: &str, after: Option<&str>) -> Result<Page<FeedEntry>, PortError> {
        let ask = json!({
            "TableName": self.feed,
            "ConsistentRead": true,
            "KeyConditionExpression": "#bucket = :bucket AND #entry >= :from",
            // `bucket` is a reserved word.
            "ExpressionAttributeNames": {"#bucket": "bucket", "#entry": "entry"},
            "ExpressionAttributeValues": {":bucket": {"S": bucket}, ":from": {"S": from}},
        });
        let read = |answer: &Answer| {
            let page = page(answer)?;
            let items = page.items.into_iter().map(entry).collect::<Result<_, _>>()?;
            Ok(Page { items, next: page.next, date: page.date })
        };
        self.client.call(&QUERY, body(ask, after), &REFRESH, read).await
    }

    async fn subjects(&self, keys: &[SubjectKey]) -> Result<Batch, PortError> {
        let listed: Vec<Value> = keys.iter().map(|key| json!({"subject": {"S": key.to_string()}})).collect();
        let mut tables = serde_json::Map::new();
        tables.insert(self.tombstones.clone(), json!({"Keys": listed, "ConsistentRead": true}));
        let read = |answer: &Answer| self.batch(&answer.body, keys);
        self.client.call(&BATCH, body(json!({"RequestItems": tables}), None), &REFRESH, read).await
    }
}

impl Tables {
    fn batch(&self, body: &[u8], asked: &[SubjectKey]) -> Result<Batch, Failure> {
        let Object(gotten): Object<Gotten<'_>> = parsed(body)?;
        let table = self.tombstones.as_str();
        let left = gotten.unprocessed.get(table).map(|left| left.0.keys.as_slice()).unwrap_or_default();
        let unprocessed: Option<Vec<_>> = left.iter().map(|key| subject(key.0.subject.as_str())).collect();
        let unprocessed = unprocessed.ok_or(Failure::BadResponse)?;
        let items = match gotten.responses.get(table) {
            Some(items) => items.as_slice(),
            // Nothing was looked up, so nothing was found.
            None if unprocessed.len() == asked.len() => &[],
            None => return Err(Failure::BadResponse),
        };
        let found = items.iter().map(|item| tombstone(item)).collect::<Result<Option<Vec<_>>, _>>()?;
        let found = found.ok_or(Failure::BadResponse)?;
        // An answer to another question is none.
        let asked: HashSet<_> = asked.iter().collect();
        let ours = found.iter().map(|(key, _)| key).chain(&unprocessed).all(|key| asked.contains(key));
        if ours { Ok(Batch { found, unprocessed }) } else { Err(Failure::BadResponse) }
    }
}

fn body(mut ask: Value, after: Option<&str>) -> Bytes {
    if let (Some(after), Some(ask)) = (after.and_then(|after| serde_json::from_str(after).ok()), ask.as_object_mut()) {
        ask.insert("ExclusiveStartKey".to_owned(), after);
    }
    ask.to_string().into()
}

fn page(answer: &Answer) -> Result<Page<&RawValue>, Failure> {
    let Object(Items { items, next }): Object<Items<'_>> = parsed(&answer.body)?;
    // Anything but a key would end the reading early.
    let next = next.map(|next| next.get().to_owned());
    if next.as_ref().is_some_and(|next| !next.starts_with('{')) {
        return Err(Failure::BadResponse);
    }
    Ok(Page { items, next, date: answer.date() })
}

/// A subject and its tombstone; `None` if the key is nobody's.
fn tombstone(item: &RawValue) -> Result<Option<(SubjectKey, Entry)>, Failure> {
    let Object(Key { subject: key }) = parsed(item.get().as_bytes())?;
    let entry = match serde_json::from_str::<Object<TombstoneItem<'_>>>(item.get()) {
        Ok(Object(item)) if item.is_whole() => Entry::Known(Box::new(item.into_tombstone())),
        _ => Entry::Unreadable,
    };
    Ok(subject(key.as_str()).map(|key| (key, entry)))
}

/// An entry of another form may name somebody: without it the feed is not complete.
fn entry(item: &RawValue) -> Result<FeedEntry, Failure> {
    let Object(Entries { entry, nonce }) = parsed(item.get().as_bytes())?;
    let (entry, nonce) = (entry.as_str().to_owned(), nonce.map(|nonce| nonce.as_str().to_owned()));
    let subject = FeedKey::subject(&entry).ok_or(Failure::UnreadableItem)?;
    Ok(FeedEntry { entry, nonce, subject })
}

fn subject(text: &str) -> Option<SubjectKey> {
    text.split_once('#').map(|(pool, sub)| SubjectKey::new(pool, sub))
}

fn parsed<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|_| Failure::BadResponse)
}
