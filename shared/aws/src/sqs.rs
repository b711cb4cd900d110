//! `DeadLetterQueue` and `RedeliveryTimer` on SQS; `RequestQueue` in `sqs/request_queue.rs`.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use revocation_core::ports::{DeadLetterQueue, PortError, RedeliveryTimer};
use revocation_core::trace;

use crate::clients::AwsConfig;
use crate::error::port_error;

mod inspection;
mod job_queue;
mod redeliverer;
mod request_queue;

pub use inspection::{Depth, Moved, Parked, SqsInspector};
pub use job_queue::SqsJobQueue;
pub use redeliverer::SqsRedeliverer;
pub use request_queue::SqsRequestQueue;

const SEND: &str = "sqs:SendMessage";
const CHANGE_VISIBILITY: &str = "sqs:ChangeMessageVisibility";

/// The queue a function is fed from, and the dead-letter queue beside it.
pub struct SqsQueue {
    client: Client,
    url: String,
    dead_letter_url: String,
}

impl SqsQueue {
    /// The actions it needs: to send to the dead-letter queue, and to change visibility in its own.
    pub const IAM_ACTIONS: &[&str] = &[SEND, CHANGE_VISIBILITY];

    /// The queues by their URLs.
    #[must_use]
    pub fn new(aws: &AwsConfig, url: impl Into<String>, dead_letter_url: impl Into<String>) -> Self {
        Self { client: aws.sqs(), url: url.into(), dead_letter_url: dead_letter_url.into() }
    }
}

#[async_trait]
impl DeadLetterQueue for SqsQueue {
    async fn park(&self, message_id: &str, body: &str, reason: &str) -> Result<(), PortError> {
        let text = |value: &str| {
            MessageAttributeValue::builder()
                .data_type("String")
                // SQS refuses an empty value.
                .string_value(if value.is_empty() { "-" } else { value })
                .build()
                .map_err(|_| PortError::reject(SEND, "request_not_built"))
        };
        self.client
            .send_message()
            .queue_url(&self.dead_letter_url)
            .message_body(body)
            .message_attributes("reason", text(reason)?)
            .message_attributes("message_id", text(message_id)?)
            .set_message_system_attributes(trace_attribute())
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(SEND, &error))
    }
}

/// The trace that is running, as SQS takes it along: it goes on with whoever receives the message.
fn trace_attribute() -> Option<HashMap<MessageSystemAttributeNameForSends, MessageSystemAttributeValue>> {
    let header = trace::current()?;
    let value = MessageSystemAttributeValue::builder().data_type("String").string_value(header.as_str());
    Some(HashMap::from([(MessageSystemAttributeNameForSends::AwsTraceHeader, value.build().ok()?)]))
}

#[async_trait]
impl RedeliveryTimer for SqsQueue {
    async fn redeliver_in(&self, receipt_handle: &str, delay: Duration) -> Result<(), PortError> {
        self.client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(receipt_handle)
            .visibility_timeout(whole_seconds(delay))
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(CHANGE_VISIBILITY, &error))
    }
}

/// Rounded up: what is cut off a wait brings the message back before its time, a first wait of less than a second at once.
fn whole_seconds(delay: Duration) -> i32 {
    i32::try_from(delay.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_never_cut_short() {
        for (millis, seconds) in [(0, 0), (1, 1), (999, 1), (1000, 1), (1001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds, "{millis}");
        }
        assert_eq!(whole_seconds(Duration::MAX), i32::MAX);
    }
}
