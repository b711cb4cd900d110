//! `BegunReader`: which revocations have a start in the audit trail.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::{BegunReader, PortError};

use super::audit_log::STARTED;
use super::item::{Item, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const BATCH_GET: &str = "dynamodb:BatchGetItem";
/// The most keys of one call (API reference, `BatchGetItem`).
const MOST_KEYS: usize = 100;
/// How often keys that were left unread are asked for again.
const MOST_ROUNDS: usize = 10;

/// The revocations table, asked for starts.
pub struct DynamoBegunReader {
    client: Client,
    table: String,
}

// === impl DynamoBegunReader ===

impl DynamoBegunReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[BATCH_GET];

    /// Starts in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// Of these, those that have this step written down.
    pub(super) async fn having(&self, step: &str, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError> {
        // DynamoDB refuses a call that names a key twice.
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        let keys: Vec<Item> = distinct
            .into_iter()
            .map(|id| HashMap::from([("revocation_id".to_owned(), s(&id.0)), ("step".to_owned(), s(step))]))
            .collect();
        let mut found = Vec::new();
        for keys in keys.chunks(MOST_KEYS) {
            found.extend(self.read(keys.to_vec()).await?);
        }
        Ok(found)
    }

    async fn read(&self, mut keys: Vec<Item>) -> Result<Vec<RevocationId>, PortError> {
        let mut found = Vec::new();
        for _ in 0..MOST_ROUNDS {
            let wanted = KeysAndAttributes::builder()
                .set_keys(Some(keys))
                .consistent_read(true)
                .projection_expression("revocation_id")
                .build()
                .map_err(|_| PortError::reject(BATCH_GET, "request_not_built"))?;
            let answer = self.client.batch_get_item().request_items(&self.table, wanted).send().await;
            let mut answer = answer.map_err(|error| port_error(BATCH_GET, &error))?;
            let items = answer.responses.as_mut().and_then(|tables| tables.remove(&self.table)).unwrap_or_default();
            found.extend(items.iter().filter_map(|item| text(item, "revocation_id")).map(|id| RevocationId(id.into())));
            let left = answer.unprocessed_keys.as_mut().and_then(|tables| tables.remove(&self.table));
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(found);
            }
        }
        Err(PortError::retry(BATCH_GET, "throttled"))
    }
}

#[async_trait]
impl BegunReader for DynamoBegunReader {
    async fn begun(&self, ids: &[RevocationId]) -> Result<Vec<RevocationId>, PortError> {
        self.having(STARTED, ids).await
    }
}
