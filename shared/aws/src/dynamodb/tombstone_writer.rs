//! `TombstoneWriter`: conditional writes that do what `Tombstone::raise` and `Tombstone::seal` say, under any number of
//! concurrent writers.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_runtime_api::client::result::SdkError;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::session::{EndedSessions, SessionCutoff};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::{Cutoff, CutoffKind, Raised, Seal, Sealed};
use revocation_core::ports::{Clock, PortError, TombstoneWriter};

use super::item::{n, s};
use super::tombstone_feed::TombstoneFeed;
use super::tombstone_holds::HOLD;
use crate::clients::AwsConfig;
use crate::error::port_error;

pub(super) const UPDATE: &str = "dynamodb:UpdateItem";
/// How often the item may change hands between our writes before the queue tries again.
pub(super) const MOST_CHANGES_OF_HANDS: usize = 4;
/// The item holds nothing that must outlive a confirmed sign-out: no session ended by itself, and no hold, past ones
/// included.
const ENDS_WITH_THE_SIGN_OUT: &str = "attribute_not_exists(sessions) AND attribute_not_exists(others_not_before) AND \
    attribute_not_exists(#hold) AND attribute_not_exists(hold_at)";

/// Writes the tombstones table, and notes every change in the feed.
pub struct DynamoTombstoneWriter {
    client: Client,
    table: String,
    feed: TombstoneFeed,
}

impl DynamoTombstoneWriter {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[UPDATE];
    /// Those on the feed's table.
    pub const FEED_IAM_ACTIONS: &[&str] = TombstoneFeed::IAM_ACTIONS;

    /// A writer of `table`, and of its feed in `feed_table`.
    #[must_use]
    pub fn new(
        aws: &AwsConfig,
        table: impl Into<String>,
        feed_table: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client: aws.dynamodb(), table: table.into(), feed: TombstoneFeed::new(aws, feed_table, clock) }
    }

    pub(super) fn feed(&self) -> &TombstoneFeed {
        &self.feed
    }

    pub(super) fn update(&self, subject: &SubjectKey) -> UpdateItemFluentBuilder {
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
        // The same cutoff stands, and is not sealed: whoever wrote it last seals. Asked first: a seal that comes between the
        // two writes is met by the second one.
        let ours = self
            .update(subject)
            .update_expression("SET revocation_id = :id")
            .condition_expression("(attribute_not_exists(sealed) OR sealed = :no) AND not_before = :at")
            .expression_attribute_values(":at", n(cutoff.at.0))
            .expression_attribute_values(":no", AttributeValue::Bool(false))
            .expression_attribute_values(":id", s(&cutoff.revocation_id.0));
        if apply(ours).await? {
            self.keep_until(subject, cutoff.expires_at()).await?;
            return Ok(Raised::AlreadyLater);
        }
        // A later cutoff stands. If it is sealed, the item is kept until our own sign-out is confirmed, too.
        let longer = self
            .update(subject)
            .update_expression("SET expires_at = :end")
            .condition_expression("sealed = :yes AND expires_at < :end")
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":end", n(cutoff.expires_at().0));
        apply(longer).await?;
        Ok(Raised::AlreadyLater)
    }

    /// A cutoff for claims. An update expression knows no maximum, so the expiry is raised by a second write if it is
    /// the later one; in between the item lives as long as it did, which covers every cutoff it had.
    async fn raise_claims(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        self.keep_until(subject, cutoff.expires_at()).await?;
        let raise = self
            .update(subject)
            .update_expression("SET claims_not_before = :at")
            .condition_expression("attribute_not_exists(claims_not_before) OR claims_not_before < :at")
            .expression_attribute_values(":at", n(cutoff.at.0));
        Ok(if apply(raise).await? { Raised::Moved } else { Raised::AlreadyLater })
    }

    async fn seal_by_turns(&self, subject: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError> {
        for _ in 0..MOST_CHANGES_OF_HANDS {
            if self.seal_own(subject, seal).await?
                || self.seal_in_place(subject, seal).await?
                || self.seal_beside_more(subject, seal).await?
            {
                return Ok(Sealed::Sealed);
            }
            if let Some(sealed) = self.raise_anothers(subject, seal).await? {
                return Ok(sealed);
            }
        }
        Err(PortError::retry(UPDATE, "contended"))
    }

    /// The usual case in one write: nobody else has touched the item since our own tombstone.
    async fn seal_own(&self, subject: &SubjectKey, seal: &Seal) -> Result<bool, PortError> {
        let update = self
            .update(subject)
            .update_expression("SET not_before = :at, sealed = :yes, expires_at = :end")
            .condition_expression(format!("revocation_id = :id AND not_before <= :at AND {ENDS_WITH_THE_SIGN_OUT}"))
            .expression_attribute_names("#hold", HOLD)
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
            .condition_expression(format!("revocation_id = :id AND not_before > :at AND {ENDS_WITH_THE_SIGN_OUT}"))
            .expression_attribute_names("#hold", HOLD)
            .expression_attribute_values(":at", n(seal.at.0))
            .expression_attribute_values(":yes", AttributeValue::Bool(true))
            .expression_attribute_values(":end", n(seal.expires_at.0))
            .expression_attribute_values(":id", s(&seal.revocation_id.0));
        apply(update).await
    }

    /// As the two before, where a session was ended by itself, or a hold placed. The session may have begun after this
    /// sign-out, so that its refresh token lives on; a hold does not end with it: the item keeps its ten years.
    async fn seal_beside_more(&self, subject: &SubjectKey, seal: &Seal) -> Result<bool, PortError> {
        for (update, condition) in [
            ("SET not_before = :at, sealed = :yes", "revocation_id = :id AND not_before <= :at"),
            ("SET sealed = :yes", "revocation_id = :id AND not_before > :at"),
        ] {
            let update = self
                .update(subject)
                .update_expression(update)
                .condition_expression(condition)
                .expression_attribute_values(":at", n(seal.at.0))
                .expression_attribute_values(":yes", AttributeValue::Bool(true))
                .expression_attribute_values(":id", s(&seal.revocation_id.0));
            if apply(update).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An update expression knows no maximum: the expiry is raised by a write of its own if it is the later one.
    pub(super) async fn keep_until(&self, subject: &SubjectKey, end: EpochSeconds) -> Result<(), PortError> {
        let longer = self
            .update(subject)
            .update_expression("SET expires_at = :end")
            .condition_expression("attribute_not_exists(expires_at) OR expires_at < :end")
            .expression_attribute_values(":end", n(end.0));
        apply(longer).await.map(drop)
    }

    /// The tombstone belongs to a later revocation: it is moved forward, and keeps its ten years while that one's
    /// sign-out is outstanding. `None` if the item changed hands meanwhile, so that none of this describes it.
    async fn raise_anothers(&self, subject: &SubjectKey, seal: &Seal) -> Result<Option<Sealed>, PortError> {
        // The last two move nothing; they ask, atomically, which state it is that stands. The role that writes
        // tombstones cannot read them.
        for (update, condition, found) in [
            (
                "SET not_before = :at, expires_at = :end",
                &*format!("sealed = :yes AND not_before <= :at AND {ENDS_WITH_THE_SIGN_OUT}"),
                Sealed::Sealed,
            ),
            ("SET not_before = :at", "sealed = :yes AND not_before <= :at", Sealed::Sealed),
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
                write = write.expression_attribute_values(":end", end).expression_attribute_names("#hold", HOLD);
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
        let raise = async {
            match cutoff.kind {
                CutoffKind::Sessions => self.raise_sessions(subject, cutoff).await,
                CutoffKind::Claims => self.raise_claims(subject, cutoff).await,
            }
        };
        self.feed.noting(subject, raise).await
    }

    async fn seal(&self, subject: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError> {
        self.feed.noting(subject, self.seal_by_turns(subject, seal)).await
    }

    async fn end_sessions(&self, subject: &SubjectKey, cutoff: &SessionCutoff) -> Result<(), PortError> {
        let end = async {
            match &cutoff.ended {
                EndedSessions::One(origin_jti) => self.end_one(subject, cutoff, origin_jti).await?,
                EndedSessions::Others { spared } => self.end_others(subject, cutoff, spared).await?,
            }
            // After the entry: a seal shortens the life of an item without one, and may come between the two.
            self.keep_until(subject, cutoff.expires_at()).await
        };
        // On the heap: of all the writes this is the longest chain.
        self.feed.noting(subject, Box::pin(end)).await
    }
}

/// Whether the condition held.
pub(super) async fn apply(update: UpdateItemFluentBuilder) -> Result<bool, PortError> {
    match update.send().await {
        Ok(_) => Ok(true),
        Err(error) if condition_failed(&error) => Ok(false),
        Err(error) => Err(port_error(UPDATE, &error)),
    }
}

fn condition_failed<R>(error: &SdkError<UpdateItemError, R>) -> bool {
    error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception)
}
