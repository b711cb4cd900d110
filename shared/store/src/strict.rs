//! `TombstoneReader`: one strongly consistent `GetItem` an API request.

use std::sync::Arc;

use async_trait::async_trait;
use hyper::body::Bytes;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{PortError, TombstoneReader};

use crate::answer::Answer;
use crate::client::{Operation, StoreClient, UNHURRIED};
use crate::everyone::Everyone;
use crate::failure::Failure;
use crate::item::got_item;
use crate::race::Patience;

pub(crate) const GET: Operation = Operation {
    name: "dynamodb:GetItem",
    target: "DynamoDB_20120810.GetItem",
    // An item has at most 400 KB, counted without the marks of JSON and of types.
    most: 1024 * 1024,
};
/// A partition key has at most 2048 bytes.
const MAX_KEY_BYTES: usize = 2048;

/// Reads the tombstones table with every call.
#[derive(Clone)]
pub struct StrictReader {
    client: StoreClient,
    /// What every request begins with, up to the subject.
    prefix: String,
    /// What is known of whole pools.
    everyone: Arc<Everyone>,
}

impl StrictReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &["dynamodb:GetItem"];

    /// A reader of `table`.
    #[must_use]
    pub fn new(client: &StoreClient, table: &str) -> Self {
        // A strongly consistent read: any other may miss a tombstone written a moment ago, the very one that matters.
        let prefix = format!(
            r#"{{"TableName":{},"ConsistentRead":true,"Key":{{"subject":{{"S":"#,
            serde_json::Value::from(table)
        );
        Self { client: client.clone(), prefix, everyone: Arc::new(Everyone::new(client.clock().clone())) }
    }

    /// Reads the tombstone of nobody: opens a connection and derives the signing key, in a Lambda function's init phase,
    /// when the CPU is full and nobody waits. An error is for the log; the first request tries again.
    pub async fn warm(&self) -> Result<(), PortError> {
        self.read_within(&SubjectKey::new("warm-up", "nobody"), &UNHURRIED).await.map(drop)
    }

    async fn read_within(&self, subject: &SubjectKey, patience: &Patience) -> Result<Option<Tombstone>, PortError> {
        let subject = subject.to_string();
        if subject.len() > MAX_KEY_BYTES {
            return Err(PortError::reject(GET.name, "validation"));
        }
        let read = |answer: &Answer| {
            let Some(item) = got_item(&answer.body)? else { return Ok(None) };
            // Another's tombstone would be an answer to another's question.
            let ours = item.subject.as_ref().is_none_or(|of| of.as_str() == subject);
            if ours { Ok(Some(item.into_tombstone())) } else { Err(Failure::BadResponse) }
        };
        self.client.call(&GET, self.body(&subject)?, patience, read).await
    }

    fn body(&self, subject: &str) -> Result<Bytes, PortError> {
        let mut body = Vec::with_capacity(self.prefix.len() + subject.len() + 8);
        body.extend_from_slice(self.prefix.as_bytes());
        serde_json::to_writer(&mut body, subject).map_err(|_| PortError::reject(GET.name, "request_not_built"))?;
        body.extend_from_slice(b"}}}");
        Ok(body.into())
    }
}

#[async_trait]
impl TombstoneReader for StrictReader {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        self.read_within(subject, &self.client.reads()).await
    }

    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        let read = || {
            let (reader, everyone) = (self.clone(), SubjectKey::everyone(pool));
            async move { reader.read(&everyone).await }
        };
        self.everyone.answer(pool, read).await
    }
}

#[cfg(test)]
mod tests;
