//! `RefusalReader`: when the sessions of the ledger were refused.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{PortError, RefusalReader, SessionKey};

use super::item::{Item, number, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const BATCH_GET: &str = "dynamodb:BatchGetItem";
/// DynamoDB API, `BatchGetItem`: up to 100 items.
const MOST_IN_A_BATCH: usize = 100;
/// How often what a batch left over is asked for again.
const TRIES: usize = 8;

/// The sessions table.
pub struct DynamoSessionRefusals {
    client: Client,
    table: String,
}

impl DynamoSessionRefusals {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[BATCH_GET];

    /// Refusals in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }
}

#[async_trait]
impl RefusalReader for DynamoSessionRefusals {
    async fn refused_at(&self, sessions: &[SessionKey]) -> Result<BTreeMap<SessionKey, EpochMillis>, PortError> {
        let mut refused = BTreeMap::new();
        // A batch with a key twice is refused as a whole.
        let by_key: BTreeMap<(String, &str), &SessionKey> =
            sessions.iter().map(|session| ((session.0.to_string(), session.1.as_str()), session)).collect();
        for batch in by_key.keys().collect::<Vec<_>>().chunks(MOST_IN_A_BATCH) {
            for item in self.batch(batch).await? {
                let key = text(&item, "subject").zip(text(&item, "origin_jti"));
                let session = key.and_then(|(subject, jti)| by_key.get(&(subject.to_owned(), jti)));
                if let (Some(session), Some(at)) = (session, number(&item, "refused_at")) {
                    refused.insert((*session).clone(), EpochMillis(at));
                }
            }
        }
        Ok(refused)
    }
}

impl DynamoSessionRefusals {
    async fn batch(&self, keys: &[&(String, &str)]) -> Result<Vec<Item>, PortError> {
        let mut asked = KeysAndAttributes::builder()
            .set_keys(Some(Vec::new()))
            .projection_expression("subject, origin_jti, refused_at");
        for (subject, origin_jti) in keys {
            let key = [("subject".to_owned(), s(subject)), ("origin_jti".to_owned(), s(*origin_jti))];
            asked = asked.keys(Item::from(key));
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
