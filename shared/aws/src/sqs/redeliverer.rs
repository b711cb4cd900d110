//! `Redeliverer` on SQS: messages in the form in which EventBridge puts events on a queue, sent to that queue itself.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;
use revocation_core::domain::event::{ACCOUNT_ACTION_REQUESTED, QUEUED_SOURCE, REVOCATION_REQUESTED};
use revocation_core::domain::sweep::OpenTrail;
use revocation_core::ports::{PortError, Redeliverer};
use serde_json::json;

use super::inspection::{ATTRIBUTES, depth};
use super::{Depth, SEND, trace_attribute};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// What the message says of why it is there, to whoever finds it among the dead letters.
const NOTE: &str = "redelivered by the sweeper: begun and not finished";

/// The queue of revoke, and the dead-letter queue beside it.
pub struct SqsRedeliverer {
    client: Client,
    url: String,
    dead_letter_url: String,
}

// === impl SqsRedeliverer ===

impl SqsRedeliverer {
    /// The actions it needs: to send to the queue, and to be told the depth of its dead-letter queue.
    pub const IAM_ACTIONS: &[&str] = &[SEND, ATTRIBUTES];

    /// The queues by their URLs.
    #[must_use]
    pub fn new(aws: &AwsConfig, url: impl Into<String>, dead_letter_url: impl Into<String>) -> Self {
        Self { client: aws.sqs(), url: url.into(), dead_letter_url: dead_letter_url.into() }
    }
}

#[async_trait]
impl Redeliverer for SqsRedeliverer {
    async fn redeliver(&self, trail: &OpenTrail) -> Result<(), PortError> {
        let (detail_type, detail) = match trail {
            OpenTrail::Revocation(trail) => (REVOCATION_REQUESTED, json!(trail.started.request)),
            OpenTrail::Action(trail) => (ACCOUNT_ACTION_REQUESTED, json!(trail.started.request)),
        };
        let body = json!({
            "version": "0",
            "id": trail.id(),
            "source": QUEUED_SOURCE,
            "detail-type": detail_type,
            "detail": detail,
        });
        let note = MessageAttributeValue::builder().data_type("String").string_value(NOTE).build();
        self.client
            .send_message()
            .queue_url(&self.url)
            .message_body(body.to_string())
            .set_message_system_attributes(trace_attribute())
            .message_attributes("note", note.map_err(|_| PortError::reject(SEND, "request_not_built"))?)
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(SEND, &error))
    }

    async fn parked(&self) -> Result<u64, PortError> {
        let Depth { waiting, in_flight, delayed, .. } = depth(&self.client, &self.dead_letter_url).await?;
        Ok(waiting + in_flight + delayed)
    }
}
