//! The feed of tombstones (`revocation_core::domain::feed`): a note of every change, durable before the change is
//! acknowledged, so that readers which keep a snapshot learn of it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use revocation_core::domain::feed::{FeedKey, KEPT, MOST_WRITE_TIME};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, PortError};

use super::item::{n, s};
use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT: &str = "dynamodb:PutItem";
/// How often a note that took too long is written anew before the queue tries again.
const MOST_NOTES: usize = 3;

/// Writes the feed.
pub(super) struct TombstoneFeed {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    notes: AtomicU64,
}

impl TombstoneFeed {
    pub(super) const IAM_ACTIONS: &[&str] = &[PUT];

    pub(super) fn new(aws: &AwsConfig, table: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { client: aws.dynamodb(), table: table.into(), clock, notes: AtomicU64::new(0) }
    }

    /// Makes a change and notes it. Returns when both are durable, and the note's date is no older than a reader's
    /// window allows.
    pub(super) async fn noting<T>(
        &self,
        subject: &SubjectKey,
        change: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        // By this process's own stopwatch: a clock set back meanwhile must not make the note look younger.
        let (mut dated, mut began) = (self.clock.now(), Instant::now());
        let done = change.await?;
        for _ in 0..MOST_NOTES {
            self.note(dated, subject).await?;
            if began.elapsed() <= MOST_WRITE_TIME {
                return Ok(done);
            }
            (dated, began) = (self.clock.now(), Instant::now());
        }
        Err(PortError::retry(PUT, "too_slow"))
    }

    async fn note(&self, dated: EpochMillis, subject: &SubjectKey) -> Result<(), PortError> {
        let FeedKey { bucket, entry } = FeedKey::new(dated, subject);
        let put = self.client.put_item().table_name(&self.table).item("bucket", s(bucket)).item("entry", s(entry));
        let nonce = RandomState::new().hash_one(self.notes.fetch_add(1, Ordering::Relaxed));
        let put = put.item("nonce", s(format!("{nonce:016x}"))).item("expires_at", n(dated.plus(KEPT).seconds().0));
        put.send().await.map(drop).map_err(|error| port_error(PUT, &error))
    }
}
