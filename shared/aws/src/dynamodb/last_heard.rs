//! `LastHeardWriter` and `LastHeardReader`: when each HTTPS source was heard of last, one item a source in the intake table.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{LastHeardReader, LastHeardWriter, PortError};

use super::item::{Item, n, number, s};
use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "dynamodb:GetItem";
const UPDATE: &str = "dynamodb:UpdateItem";
/// How long it is remembered: twice the longest silence that can be allowed, so that what is forgotten is silent.
const LIFE: Duration = Duration::from_hours(60 * 24);

/// Notes in the intake table who was heard of.
pub struct DynamoLastHeardWriter {
    client: Client,
    table: String,
}

/// Reads it there.
pub struct DynamoLastHeardReader {
    client: Client,
    table: String,
}

// === impl DynamoLastHeardWriter ===

impl DynamoLastHeardWriter {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[UPDATE];

    /// Notes in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }
}

#[async_trait]
impl LastHeardWriter for DynamoLastHeardWriter {
    async fn heard(&self, source: &str, at: EpochMillis) -> Result<(), PortError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("key", s(key(source)))
            .update_expression("SET heard_at = :at, expires_at = :expires_at")
            .condition_expression("attribute_not_exists(heard_at) OR heard_at < :at")
            .expression_attribute_values(":at", n(at.0))
            .expression_attribute_values(":expires_at", n(at.seconds().plus(LIFE).0));
        match update.send().await {
            Ok(_) => Ok(()),
            // Another instance has noted a later time.
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(port_error(UPDATE, &error)),
        }
    }
}

// === impl DynamoLastHeardReader ===

impl DynamoLastHeardReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET];

    /// Reads `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }
}

#[async_trait]
impl LastHeardReader for DynamoLastHeardReader {
    async fn last_heard(&self, source: &str) -> Result<Option<EpochMillis>, PortError> {
        let get = self.client.get_item().table_name(&self.table).key("key", s(key(source)));
        let got = get.consistent_read(true).send().await.map_err(|error| port_error(GET, &error))?;
        got.item.as_ref().map(heard_at).transpose()
    }
}

fn heard_at(item: &Item) -> Result<EpochMillis, PortError> {
    number(item, "heard_at").map(EpochMillis).ok_or(PortError::reject(GET, "unreadable_item"))
}

/// The sweeper's role is allowed keys that begin like this, and no others (`infra/template.yaml`, `WhoWasHeardOf`).
fn key(source: &str) -> String {
    format!("heard#{source}")
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::silence::LONGEST_SILENCE;

    use super::*;

    #[test]
    fn what_is_forgotten_is_silent_by_any_measure() {
        assert!(LIFE > LONGEST_SILENCE);
    }

    #[test]
    fn an_item_without_a_time_is_not_read_as_never_heard_of() {
        assert_eq!(heard_at(&Item::from([("heard_at".to_owned(), n(5))])), Ok(EpochMillis(5)));
        assert!(heard_at(&Item::from([("heard_at".to_owned(), s("soon"))])).is_err());
    }
}
