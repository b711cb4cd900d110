//! `TombstoneHolder`: the writes that place and release holds, as `Tombstone::change_hold` has them.

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::hold::{Bar, Hold, HoldChange, HoldChanged};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::ports::{PortError, TombstoneHolder};

use super::item::{n, s};
use super::tombstone_writer::{DynamoTombstoneWriter, apply};

/// A reserved word of DynamoDB's, as `until` is: expressions name it by `#hold`.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>
pub(super) const HOLD: &str = "hold";

/// Ours is the later request, or the one that stands already.
const NONE_LATER: &str = "attribute_not_exists(hold_at) OR hold_at < :at OR (hold_at = :at AND (attribute_not_exists(hold_by) OR hold_by <= :by))";

impl DynamoTombstoneWriter {
    async fn write_hold(&self, subject: &SubjectKey, change: &HoldChange) -> Result<bool, PortError> {
        let write = self
            .update(subject)
            .condition_expression(NONE_LATER)
            .expression_attribute_names("#hold", HOLD)
            .expression_attribute_values(":at", n(change.stamp.at.0))
            .expression_attribute_values(":by", s(&change.stamp.by.0));
        let write = match &change.hold {
            Some(hold) => write
                .update_expression("SET #hold = :hold, hold_at = :at, hold_by = :by")
                .expression_attribute_values(":hold", terms(hold)),
            None => write.update_expression("SET hold_at = :at, hold_by = :by REMOVE #hold"),
        };
        apply(write).await
    }
}

#[async_trait]
impl TombstoneHolder for DynamoTombstoneWriter {
    async fn change_hold(&self, subject: &SubjectKey, change: &HoldChange) -> Result<HoldChanged, PortError> {
        let write = async {
            if !self.write_hold(subject, change).await? {
                return Ok(HoldChanged::Superseded);
            }
            // After the hold: a seal shortens the life of an item without one, and may come between the two.
            self.keep_until(subject, change.expires_at()).await?;
            Ok(HoldChanged::Stands)
        };
        self.feed().noting(subject, write).await
    }

    /// Two writes that move nothing; they ask, atomically, what stands. The role that writes tombstones cannot read them.
    async fn bars(&self, subject: &SubjectKey, now: EpochSeconds) -> Result<Vec<Bar>, PortError> {
        let held = self
            .update(subject)
            .update_expression("SET #hold = #hold")
            .condition_expression(
                "attribute_exists(#hold) AND (attribute_not_exists(#hold.#until) OR #hold.#until >= :now)",
            )
            .expression_attribute_names("#hold", HOLD)
            .expression_attribute_names("#until", "until")
            .expression_attribute_values(":now", n(now.0));
        let unsealed = self
            .update(subject)
            .update_expression("SET not_before = not_before")
            .condition_expression("attribute_exists(not_before) AND (attribute_not_exists(sealed) OR sealed <> :yes)")
            .expression_attribute_values(":yes", AttributeValue::Bool(true));
        let mut bars = Vec::new();
        for (bar, asked) in [(Bar::Hold, held), (Bar::Unsealed, unsealed)] {
            bars.extend(apply(asked).await?.then_some(bar));
        }
        Ok(bars)
    }
}

/// A hold as its readers expect it (`revocation-store`).
fn terms(hold: &Hold) -> AttributeValue {
    let mut terms = HashMap::from([("message".to_owned(), s(&hold.message))]);
    terms.extend(hold.until.map(|until| ("until".to_owned(), n(until.0))));
    AttributeValue::M(terms)
}
