//! `JobQueue` on SQS: the function's own queue, to which it writes what it will go on with.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use revocation_core::domain::event::{BULK_WORK_DUE, QUEUED_SOURCE};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::{JobQueue, PortError};
use serde_json::json;

use super::request_queue::LONGEST_DELAY_S;
use super::{SEND, trace_attribute};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// A queue of jobs that have work due.
pub struct SqsJobQueue {
    client: Client,
    url: String,
}

// === impl SqsJobQueue ===

impl SqsJobQueue {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SEND];

    /// The queue by its URL.
    #[must_use]
    pub fn new(aws: &AwsConfig, url: impl Into<String>) -> Self {
        Self { client: aws.sqs(), url: url.into() }
    }
}

#[async_trait]
impl JobQueue for SqsJobQueue {
    async fn proceed(&self, job: &RevocationId, delay: Duration) -> Result<(), PortError> {
        // Every message has an id of its own, by which its redelivery takes its lease up again.
        let [one, other] = [RandomState::new().hash_one(&job.0), RandomState::new().hash_one(delay)];
        let id = format!("{one:016x}{other:016x}");
        let body = json!({
            "version": "0",
            "id": id,
            "source": QUEUED_SOURCE,
            "detail-type": BULK_WORK_DUE,
            "detail": { "job_id": job },
        });
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body.to_string())
            .set_message_system_attributes(trace_attribute())
            .delay_seconds(i32::try_from(delay.as_secs().min(LONGEST_DELAY_S)).unwrap_or_default())
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(SEND, &error))
    }
}
