//! `NoticeLog`: one item a notice in the revocations table, a claim that is replaced once by its outcome.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Claim, NoticeLog, NoticeRecord, PortError};

use super::item::{condition_failed, json, n, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const PUT: &str = "dynamodb:PutItem";
const CLAIMED: &str = "claimed";
const SETTLED: &str = "settled";

/// How long a claim keeps others away. Longer than the function's time limit of 20 s, so that only a dead holder loses
/// it. The notice of one that died *after* sending and before settling is sent twice: the services have no idempotency
/// key, and a person told twice of a compromise is better off than one never told.
const LEASE: Duration = Duration::from_mins(1);

/// Notices in the revocations table.
pub struct DynamoNoticeLog {
    client: Client,
    table: String,
}

impl DynamoNoticeLog {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUT];

    /// The notices in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    fn put(&self, id: &RevocationId, subject: &SubjectKey, state: &str, at: i64) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("revocation_id", s(&id.0))
            .item("step", s(format!("notice/{subject}")))
            .item("state", s(state))
            .item("recorded_at", n(at))
    }
}

#[async_trait]
impl NoticeLog for DynamoNoticeLog {
    async fn claim(&self, id: &RevocationId, subject: &SubjectKey, now: EpochMillis) -> Result<Claim, PortError> {
        let lapsed = now.0.saturating_sub(i64::try_from(LEASE.as_millis()).unwrap_or(i64::MAX));
        let put = self
            .put(id, subject, CLAIMED, now.0)
            .condition_expression("attribute_not_exists(#state) OR (#state = :claimed AND recorded_at < :lapsed)")
            // STATE is a reserved word of DynamoDB's expressions.
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":claimed", s(CLAIMED))
            .expression_attribute_values(":lapsed", n(lapsed))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = put.send().await else { return Ok(Claim::Granted(now)) };
        let Some(PutItemError::ConditionalCheckFailedException(refused)) = error.as_service_error() else {
            return Err(port_error(PUT, &error));
        };
        let settled = refused.item().and_then(|standing| text(standing, "state")) == Some(SETTLED);
        Ok(if settled { Claim::Settled } else { Claim::Busy })
    }

    async fn settle(
        &self,
        id: &RevocationId,
        subject: &SubjectKey,
        claimed: EpochMillis,
        record: &NoticeRecord,
    ) -> Result<(), PortError> {
        let put = self.put(id, subject, SETTLED, record.at.0).item("body", json(PUT, record)?);
        replace_own(put, claimed).await
    }

    async fn release(&self, id: &RevocationId, subject: &SubjectKey, claimed: EpochMillis) -> Result<(), PortError> {
        // A claim of the year 1970 has lapsed.
        replace_own(self.put(id, subject, CLAIMED, 0), claimed).await
    }
}

/// Replaces the claim made at `claimed`. Whoever was so slow that another took over changes nothing any more.
async fn replace_own(put: PutItemFluentBuilder, claimed: EpochMillis) -> Result<(), PortError> {
    let put = put
        .condition_expression("#state = :own AND recorded_at = :claimed")
        .expression_attribute_names("#state", "state")
        .expression_attribute_values(":own", s(CLAIMED))
        .expression_attribute_values(":claimed", n(claimed.0));
    match put.send().await {
        Ok(_) => Ok(()),
        Err(error) if condition_failed(&error) => Ok(()),
        Err(error) => Err(port_error(PUT, &error)),
    }
}
