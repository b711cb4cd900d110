//! `RequestQueue` on SQS: messages in the form in which EventBridge puts events on a queue, so that `intake-partner`
//! reads them like any other.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use revocation_core::domain::event::{QUEUED_SOURCE, REVOCATION_REQUESTED};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::ports::{PortError, RequestQueue};
use serde_json::json;

use super::{SEND, trace_attribute};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// The longest `DelaySeconds` SQS knows.
pub(super) const LONGEST_DELAY_S: u64 = 900;

/// A queue of requests.
pub struct SqsRequestQueue {
    client: Client,
    url: String,
}

impl SqsRequestQueue {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SEND];

    /// The queue by its URL.
    #[must_use]
    pub fn new(aws: &AwsConfig, url: impl Into<String>) -> Self {
        Self { client: aws.sqs(), url: url.into() }
    }
}

#[async_trait]
impl RequestQueue for SqsRequestQueue {
    async fn send(&self, request: &RevocationRequest, delay: Duration, note: &str) -> Result<(), PortError> {
        let body = json!({
            "version": "0",
            "id": request.id(),
            "source": QUEUED_SOURCE,
            "detail-type": REVOCATION_REQUESTED,
            "detail": request,
        });
        let reason = MessageAttributeValue::builder().data_type("String").string_value(note).build();
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body.to_string())
            .set_message_system_attributes(trace_attribute())
            .message_attributes("reason", reason.map_err(|_| PortError::reject(SEND, "request_not_built"))?)
            .delay_seconds(i32::try_from(delay.as_secs().min(LONGEST_DELAY_S)).unwrap_or_default())
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(SEND, &error))
    }
}
