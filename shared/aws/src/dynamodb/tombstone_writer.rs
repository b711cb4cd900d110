//! `TombstoneWriter`: conditional writes that do what `Tombstone::raise` and `Tombstone::seal` say, under any number of
//! concurrent writers.

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::result::SdkError;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::tombstone::{Cutoff, CutoffKind, Raised, Seal, Sealed};
use revocation_core::ports::{PortError, TombstoneWriter};

use super::item::{n, s};
use crate::clients::AwsConfig;
use crate::error::port_error;

const UPDATE: &str = "dynamodb:UpdateItem";
/// How often the item may change hands between our writes before the queue tries again.
const MOST_CHANGES_OF_HANDS: usize = 4;

/// Writes the tombstones table.
pub struct DynamoTombstoneWriter {
    client: Client,
    table: String,
}

impl DynamoTombstoneWriter {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[UPDATE];

    /// A writer of `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }

    fn update(&self, subject: &SubjectKey) -> UpdateItemFluentBuilder {
        self.client.update_item().table_name(&self.table).key("subject", s(subject.to_string()))
    }

    /// A cutoff for sessions: the longest expiry there is, so nothing that stands can be shortened by it.
    async fn raise_sessions(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        let update = self
            .update(subject)
            .update_expression("SET not_before = :at, sealed = :no, revocation_id = :id, expires_at = :end")
            .condition_expression("attribute_not_exists(not_before) OR not_before < :at")
            .expression_attribute_values(":at", n(cutoff.at.0))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":id", s(&cutoff.revocation_id.0))
            .expression_attribute_values(":end", n(cutoff.expires_at().0));
        if apply(update).await? {
            return Ok(Raised::Moved);
        }
        // A later cutoff stands. If it is sealed it is opened again: our own sign-out is outstanding.
        let open = self
            .update(subject)
            .update_expression("SET sealed = :no, revocation_id = :id, expires_at = :end")
            .condition_expression("sealed = :yes")
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":id", s(&cutoff.revocation_id.0))
            .expression_attribute_values(":end", n(cutoff.expires_at().0));
        apply(open).await?;
        Ok(Raised::AlreadyLater)
    }

    /// A cutoff for claims. An update expression knows no maximum, so the expiry is raised by a second write if it is
    /// the later one; in between the item lives as long as it did, which covers every cutoff it had.
    async fn raise_claims(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        let end = n(cutoff.expires_at().0);
        let longer = self
            .update(subject)
            .update_expression("SET expires_at = :end")
            .condition_expression("attribute_not_exists(expires_at) OR expires_at < :end")
            .expression_attribute_values(":end", end);
        apply(longer).await?;
        let raise = self
            .update(subject)
            .update_expression("SET claims_not_before = :at")
            .condition_expression("attribute_not_exists(claims_not_before) OR claims_not_before < :at")
            .expression_attribute_values(":at", n(cutoff.at.0));
        Ok(if apply(raise).await? { Raised::Moved } else { Raised::AlreadyLater })
    }

    /// The usual case in one write: nobody else has touched the item since our own tombstone.
    async fn seal_own(&self, subject: &SubjectKey, seal: &Seal) -> Result<bool, PortError> {
        let update = self
            .update(subject)
            .update_expression("SET not_before = :at, sealed = :yes, expires_at = :end")
            .condition_expression("revocation_id = :id AND not_before <= :at")
            .expression_attribute_values(":at", n(seal.at.0))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":end", n(seal.expires_at.0))
            .expression_attribute_values(":id", s(&seal.revocation_id.0));
        apply(update).await
    }

    /// The cutoff was moved past our confirmation already; it stays, and ours is the sign-out it waits for.
    async fn seal_in_place(&self, subject: &SubjectKey, seal: &Seal) -> Result<bool, PortError> {
        let update = self
            .update(subject)
            .update_expression("SET sealed = :yes, expires_at = :end")
            .condition_expression("revocation_id = :id")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":end", n(seal.expires_at.0))
            .expression_attribute_values(":id", s(&seal.revocation_id.0));
        apply(update).await
    }

    /// The tombstone belongs to a later revocation: it is moved forward, and keeps its ten years while that one's
    /// sign-out is outstanding. `None` if the item changed hands meanwhile, so that none of this describes it.
    async fn raise_anothers(&self, subject: &SubjectKey, seal: &Seal) -> Result<Option<Sealed>, PortError> {
        // The last two move nothing; they ask, atomically, which state it is that stands. The role that writes
        // tombstones cannot read them.
        for (update, condition, found) in [
            ("SET not_before = :at, expires_at = :end", "sealed = :yes AND not_before <= :at", Sealed::Sealed),
            ("SET not_before = :at", "sealed <> :yes AND not_before <= :at", Sealed::LeftToAnother),
            ("SET not_before = not_before", "sealed = :yes AND not_before > :at", Sealed::Sealed),
            ("SET not_before = not_before", "sealed <> :yes AND not_before > :at", Sealed::LeftToAnother),
        ] {
            let lifetime = update.contains(":end").then(|| n(seal.expires_at.0));
            let mut write = self
                .update(subject)
                .update_expression(update)
                .condition_expression(condition)
                .expression_attribute_values(":at", n(seal.at.0))
                .expression_attribute_values(":yes", AttributeValue::Bool(true));
            if let Some(end) = lifetime {
                write = write.expression_attribute_values(":end", end);
            }
            if apply(write).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl TombstoneWriter for DynamoTombstoneWriter {
    async fn raise(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        match cutoff.kind {
            CutoffKind::Sessions => self.raise_sessions(subject, cutoff).await,
            CutoffKind::Claims => self.raise_claims(subject, cutoff).await,
        }
    }

    async fn seal(&self, subject: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError> {
        for _ in 0..MOST_CHANGES_OF_HANDS {
            if self.seal_own(subject, seal).await? || self.seal_in_place(subject, seal).await? {
                return Ok(Sealed::Sealed);
            }
            if let Some(sealed) = self.raise_anothers(subject, seal).await? {
                return Ok(sealed);
            }
        }
        Err(PortError::retry(UPDATE, "contended"))
    }
}

/// Whether the condition held.
async fn apply(update: UpdateItemFluentBuilder) -> Result<bool, PortError> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) if condition_failed(&error) => Ok(false),
        Err(error) => Err(port_error(UPDATE, &error)),
    }
}

fn condition_failed<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}
