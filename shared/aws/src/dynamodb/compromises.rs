//! `CompromiseLedger` and `IncidentStore` in the compromises table.
//!
//! Signs lie in buckets of an hour, so that a window is read from two or three partitions, each by one strongly
//! consistent query. The incident log is one item under optimistic concurrency control.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use revocation_core::domain::incident::{INCIDENTS_KEPT, IncidentLog, Sign};
use revocation_core::domain::revocation_id::{PayloadDigest, RevocationId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::ports::{CompromiseLedger, Conflict, IncidentStore, PortError, Recorded};

use super::item::{from_json, json, n, number, s, text};
use super::mark;
use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "dynamodb:GetItem";
const PUT: &str = "dynamodb:PutItem";
const QUERY: &str = "dynamodb:Query";

const BUCKET_SECONDS: i64 = 3_600;
const INCIDENTS: &str = "incidents";
const LOG: &str = "log";
const FIRST: &str = "first";

/// The compromises table.
pub struct DynamoCompromises {
    client: Client,
    table: String,
}

impl DynamoCompromises {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET, PUT, QUERY];

    /// Signs and incidents in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    /// The first sign of a request. Kept for good, as the revocation itself is: a replay may come after years.
    async fn first_of(&self, id: &RevocationId, digest: &PayloadDigest, sign: &Sign) -> Result<Recorded, PortError> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("bucket", s(format!("request#{id}")))
            .item("sign", s(FIRST))
            .item("digest", s(&digest.0))
            .item("body", json(PUT, sign)?)
            .condition_expression("attribute_not_exists(digest)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Recorded::As(sign.clone())) };
        let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(port_error(PUT, &error));
        };
        let standing = refused.item().ok_or(PortError::retry(PUT, "no_standing_item"))?;
        if text(standing, "digest") == Some(&digest.0) {
            return from_json(PUT, standing, "body").map(Recorded::As);
        }
        Ok(Recorded::Conflict)
    }

    async fn bucket(&self, bucket: i64, first: EpochSeconds, last: EpochSeconds) -> Result<Vec<Sign>, PortError> {
        let mut signs = Vec::new();
        let mut from = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(&self.table)
                // BUCKET is a reserved word of DynamoDB's expressions.
                .key_condition_expression("#bucket = :bucket")
                .expression_attribute_names("#bucket", "bucket")
                .expression_attribute_values(":bucket", s(format!("hour#{bucket}")))
                .consistent_read(true)
                .set_exclusive_start_key(from)
                .send()
                .await
                .map_err(|error| port_error(QUERY, &error))?;
            for item in page.items() {
                let at = number(item, "at").map(EpochSeconds);
                let account = text(item, "account").map(str::to_owned);
                let (Some(at), Some(account)) = (at, account) else {
                    return Err(PortError::reject(QUERY, "unreadable_item"));
                };
                signs.push(Sign { at, account });
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                signs.retain(|sign| first <= sign.at && sign.at <= last);
                return Ok(signs);
            }
        }
    }
}

#[async_trait]
impl CompromiseLedger for DynamoCompromises {
    async fn record(&self, id: &RevocationId, digest: &PayloadDigest, sign: &Sign) -> Result<Recorded, PortError> {
        let standing = match self.first_of(id, digest, sign).await? {
            Recorded::As(standing) => standing,
            Recorded::Conflict => return Ok(Recorded::Conflict),
        };
        // Written again by a redelivery, in case the first delivery died in between: the same item.
        self.client
            .put_item()
            .table_name(&self.table)
            .item("bucket", s(format!("hour#{}", standing.at.0.div_euclid(BUCKET_SECONDS))))
            .item("sign", s(format!("{}@{}", standing.account, standing.at)))
            .item("account", s(&standing.account))
            .item("at", n(standing.at.0))
            .item("expires_at", n(standing.at.plus(INCIDENTS_KEPT + Duration::from_hours(24)).0))
            .send()
            .await
            .map_err(|error| port_error(PUT, &error))?;
        Ok(Recorded::As(standing))
    }

    async fn between(&self, first: EpochSeconds, last: EpochSeconds) -> Result<Vec<Sign>, PortError> {
        let mut signs = Vec::new();
        for bucket in first.0.div_euclid(BUCKET_SECONDS)..=last.0.div_euclid(BUCKET_SECONDS) {
            signs.extend(self.bucket(bucket, first, last).await?);
        }
        Ok(signs)
    }
}

#[async_trait]
impl IncidentStore for DynamoCompromises {
    async fn load(&self) -> Result<IncidentLog, PortError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("bucket", s(INCIDENTS))
            .key("sign", s(LOG))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(GET, &error))?;
        answer.item.map_or(Ok(IncidentLog::default()), |item| from_json(GET, &item, "body"))
    }

    async fn save(&self, log: &IncidentLog) -> Result<Result<(), Conflict>, PortError> {
        let next = IncidentLog { version: log.version + 1, ..log.clone() };
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("bucket", s(INCIDENTS))
            .item("sign", s(LOG))
            .item("version", n(i64::try_from(next.version).unwrap_or(i64::MAX)))
            .item("body", json(PUT, &next)?)
            .condition_expression("attribute_not_exists(#version) OR #version = :loaded")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":loaded", n(i64::try_from(log.version).unwrap_or(i64::MAX)));
        // Taken for another's, a lease of our own would keep the page waiting until it has lapsed.
        mark::replace(put).await
    }
}
