//! `Pager` on SNS.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use revocation_core::domain::incident::{Page, Stage};
use revocation_core::ports::{Pager, PortError};

use super::{PUBLISH, attribute, subject};
use crate::clients::AwsConfig;
use crate::error::port_error;

/// Publishes pages to the topic of the people on call. The message is the page as JSON, schema
/// `events/schemas/compromise-threshold-exceeded.v1.json`; `stage` and `incident_id` are message attributes as well, so
/// that a subscription can filter by them.
pub struct SnsPager {
    client: Client,
    topic_arn: String,
}

impl SnsPager {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUBLISH];

    /// A pager on the topic with this ARN.
    #[must_use]
    pub fn new(aws: &AwsConfig, topic_arn: impl Into<String>) -> Self {
        Self { client: aws.sns(), topic_arn: topic_arn.into() }
    }
}

#[async_trait]
impl Pager for SnsPager {
    fn name(&self) -> &'static str {
        "sns"
    }

    async fn page(&self, page: &Page) -> Result<(), PortError> {
        let body = serde_json::to_string(page).map_err(|_| PortError::reject(PUBLISH, "not_serializable"))?;
        self.client
            .publish()
            .topic_arn(&self.topic_arn)
            .set_subject(subject(&title(page)))
            .message(body)
            .message_attributes("stage", attribute(stage(page.stage))?)
            .message_attributes("incident_id", attribute(&page.incident_id)?)
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(PUBLISH, &error))
    }
}

/// What stands in the subject line of an e-mail subscription.
fn title(page: &Page) -> String {
    match page.stage {
        Stage::Triggered => format!(
            "{} accounts with signs of compromise within {} minutes ({})",
            page.count, page.window_minutes, page.incident_id
        ),
        Stage::Resolved => format!("Over: signs of compromise ({})", page.incident_id),
    }
}

/// As in the JSON.
fn stage(stage: Stage) -> &'static str {
    match stage {
        Stage::Triggered => "triggered",
        Stage::Resolved => "resolved",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attribute_says_what_the_json_says() {
        for one in [Stage::Triggered, Stage::Resolved] {
            assert_eq!(serde_json::json!(one), stage(one));
        }
    }
}
