//! `RecordIndex` and `RecordReader`: the records of the audit trail as an auditor sees them, by day and by key.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use revocation_core::domain::audit_chain::{Attribute, Listed, RecordKey, StoredRecord};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, RecordIndex, RecordReader};

use super::item::{Item, n, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const QUERY: &str = "dynamodb:Query";
const BATCH_GET: &str = "dynamodb:BatchGetItem";
/// DynamoDB API, `BatchGetItem`: up to 100 items.
const MOST_IN_A_BATCH: usize = 100;
/// How often what a batch left over is asked for again.
const TRIES: usize = 8;

/// The revocations table, for reading.
pub struct DynamoRecords {
    client: Client,
    table: String,
}

impl DynamoRecords {
    /// The actions it needs: a query of the index `by_day`, and reading the table.
    pub const IAM_ACTIONS: &[&str] = &[QUERY, BATCH_GET];

    /// The records in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    async fn batch(&self, keys: &[&RecordKey]) -> Result<Vec<Item>, PortError> {
        let mut asked = KeysAndAttributes::builder().consistent_read(true).set_keys(Some(Vec::new()));
        for RecordKey { revocation_id, step } in keys {
            asked =
                asked.keys(Item::from([("revocation_id".to_owned(), s(revocation_id)), ("step".to_owned(), s(step))]));
        }
        let mut asked = asked.build().map_err(|_| PortError::reject(BATCH_GET, "request_not_built"))?;
        let mut items = Vec::new();
        for _ in 0..TRIES {
            let get = self.client.batch_get_item().request_items(&self.table, asked);
            let answer = get.send().await.map_err(|error| port_error(BATCH_GET, &error))?;
            items.extend(answer.responses.unwrap_or_default().into_values().flatten());
            match answer.unprocessed_keys.unwrap_or_default().into_values().next() {
                Some(left) if !left.keys().is_empty() => asked = left,
                _ => return Ok(items),
            }
        }
        Err(PortError::retry(BATCH_GET, "throttled"))
    }
}

#[async_trait]
impl RecordIndex for DynamoRecords {
    async fn listed(&self, day: &str, since: EpochMillis) -> Result<Vec<Listed>, PortError> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by_day")
            .key_condition_expression("#day = :day AND recorded_at >= :since")
            .projection_expression("revocation_id, #step, recorded_at")
            .expression_attribute_names("#day", "day")
            .expression_attribute_names("#step", "step")
            .expression_attribute_values(":day", s(day))
            .expression_attribute_values(":since", n(since.0))
            .into_paginator()
            .send();
        let mut listed = Vec::new();
        while let Some(page) = pages.next().await {
            for item in page.map_err(|error| port_error(QUERY, &error))?.items() {
                // The index has no entry without its keys.
                let (Some(key), Some(at)) = (key(item), number(item, "recorded_at")) else { continue };
                listed.push(Listed { recorded_at: EpochMillis(at), key });
            }
        }
        listed.sort();
        Ok(listed)
    }
}

#[async_trait]
impl RecordReader for DynamoRecords {
    async fn stored(&self, keys: &[RecordKey]) -> Result<Vec<StoredRecord>, PortError> {
        // A batch with a key twice, or with an empty one, is refused as a whole. Links that were tampered with may name both.
        let once: BTreeSet<&RecordKey> = keys.iter().collect();
        let keys: Vec<&RecordKey> =
            once.into_iter().filter(|key| !key.revocation_id.is_empty() && !key.step.is_empty()).collect();
        let mut records = Vec::with_capacity(keys.len());
        for batch in keys.chunks(MOST_IN_A_BATCH) {
            records.extend(self.batch(batch).await?.iter().filter_map(stored));
        }
        Ok(records)
    }
}

fn key(item: &Item) -> Option<RecordKey> {
    Some(RecordKey { revocation_id: text(item, "revocation_id")?.to_owned(), step: text(item, "step")?.to_owned() })
}

/// An item with every attribute it has.
pub(super) fn stored(item: &Item) -> Option<StoredRecord> {
    let attributes = item.iter().map(|(name, value)| {
        let value = match value {
            AttributeValue::S(text) => Attribute::Text(text.clone()),
            AttributeValue::N(number) => Attribute::Number(number.clone()),
            other => Attribute::Other(canonical(other)),
        };
        (name.clone(), value)
    });
    Some(StoredRecord { key: key(item)?, attributes: attributes.collect() })
}

/// A value as text, the same for the same value: the members of a map have no order of their own.
fn canonical(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(members) => {
            let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, canonical(value))).collect();
            format!("M{members:?}")
        }
        AttributeValue::L(entries) => format!("L{:?}", entries.iter().map(canonical).collect::<Vec<_>>()),
        other => format!("{other:?}"),
    }
}
