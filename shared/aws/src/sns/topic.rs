//! `TopicNotifier` on SNS.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use revocation_core::ports::{PortError, TopicNotifier};

use super::{PUBLISH, subject};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// Publishes to one topic.
pub struct SnsTopicNotifier {
    client: Client,
    topic_arn: String,
}

impl SnsTopicNotifier {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUBLISH];

    /// A notifier of the topic with this ARN.
    #[must_use]
    pub fn new(aws: &AwsConfig, topic_arn: impl Into<String>) -> Self {
        Self { client: aws.sns(), topic_arn: topic_arn.into() }
    }
}

#[async_trait]
impl TopicNotifier for SnsTopicNotifier {
    async fn send(&self, title: &str, text: &str) -> Result<(), PortError> {
        self.client
            .publish()
            .topic_arn(&self.topic_arn)
            .set_subject(subject(title))
            .message(text)
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(PUBLISH, &error))
    }
}
