//! The writes that end single sessions, as `Tombstone::end_sessions` has them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::session::SessionCutoff;
use revocation_core::domain::tombstone::MOST_SESSIONS;
use revocation_core::ports::PortError;

use super::item::{n, s};
use super::tombstone_writer::{DynamoTombstoneWriter, MOST_CHANGES_OF_HANDS, UPDATE, apply};

impl DynamoTombstoneWriter {
    /// An entry in the map of single sessions; without room for it, everything that began by now ends.
    pub(super) async fn end_one(
        &self,
        subject: &SubjectKey,
        cutoff: &SessionCutoff,
        origin_jti: &str,
    ) -> Result<(), PortError> {
        let map = self
            .update(subject)
            .update_expression("SET sessions = if_not_exists(sessions, :none)")
            .expression_attribute_values(":none", AttributeValue::M(HashMap::new()));
        apply(map).await?;
        for _ in 0..MOST_CHANGES_OF_HANDS {
            if self.end_one_in_turn(subject, cutoff, origin_jti).await? {
                return Ok(());
            }
        }
        Err(PortError::retry(UPDATE, "contended"))
    }

    /// One write for each state the item may be in. `false` if it changed hands meanwhile, so that none described it.
    async fn end_one_in_turn(
        &self,
        subject: &SubjectKey,
        cutoff: &SessionCutoff,
        origin_jti: &str,
    ) -> Result<bool, PortError> {
        let (most, end) = (i64::try_from(MOST_SESSIONS).unwrap_or(i64::MAX), n(cutoff.expires_at().0));
        let entry = self
            .update(subject)
            .update_expression("SET sessions.#id = :end")
            .condition_expression("attribute_exists(sessions.#id) OR size(sessions) < :most")
            .expression_attribute_names("#id", origin_jti)
            .expression_attribute_values(":most", n(most))
            .expression_attribute_values(":end", end.clone());
        if apply(entry).await? {
            return Ok(true);
        }
        // The list begins anew; only a full one, or what another put into its new one would be lost. A tombstone without a
        // cutoff has no sign-out outstanding: it counts as sealed.
        let anew = AttributeValue::M(HashMap::from([(origin_jti.to_owned(), end)]));
        for (update, condition) in [
            ("SET not_before = :at, sealed = :yes, sessions = :anew", "attribute_not_exists(not_before)"),
            ("SET not_before = :at, sessions = :anew", "not_before < :at"),
            ("SET sessions = :anew", "not_before >= :at"),
        ] {
            let mut all = self
                .update(subject)
                .update_expression(update)
                .condition_expression(format!("size(sessions) >= :most AND {condition}"))
                .expression_attribute_values(":most", n(most))
                .expression_attribute_values(":anew", anew.clone());
            for (name, value) in [(":at", n(cutoff.at.0)), (":yes", AttributeValue::Bool(true))] {
                // A value that is not used is refused.
                if update.contains(name) || condition.contains(name) {
                    all = all.expression_attribute_values(name, value);
                }
            }
            if apply(all).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A later one stands, or ours: found out by a last write that moves nothing, since each of those before it described
    /// the item at another moment.
    pub(super) async fn end_others(
        &self,
        subject: &SubjectKey,
        cutoff: &SessionCutoff,
        spared: &str,
    ) -> Result<(), PortError> {
        for _ in 0..MOST_CHANGES_OF_HANDS {
            if self.end_others_in_turn(subject, cutoff, spared).await? {
                return Ok(());
            }
        }
        Err(PortError::retry(UPDATE, "contended"))
    }

    /// One write for each state the item may be in. `false` if it changed hands meanwhile, so that none described it.
    async fn end_others_in_turn(
        &self,
        subject: &SubjectKey,
        cutoff: &SessionCutoff,
        spared: &str,
    ) -> Result<bool, PortError> {
        const MOVE: &str = "SET others_not_before = :at, others_spared = :spared";
        const NOTHING: &str = "SET others_not_before = others_not_before";
        // What an earlier one ended stays ended, the session spared now included: its cutoff becomes everybody's.
        const ANOTHER: &str = "others_not_before < :at AND others_spared <> :spared";
        // The same for ours, if it comes late.
        const LATE: &str = "others_not_before > :at AND others_spared <> :spared";
        for (update, condition) in [
            (MOVE.to_owned(), "attribute_not_exists(others_not_before)".to_owned()),
            (MOVE.to_owned(), "others_not_before < :at AND others_spared = :spared".to_owned()),
            (
                format!("{MOVE}, not_before = others_not_before, sealed = :yes"),
                format!("{ANOTHER} AND attribute_not_exists(not_before)"),
            ),
            (
                format!("{MOVE}, not_before = others_not_before"),
                format!("{ANOTHER} AND not_before < others_not_before"),
            ),
            (MOVE.to_owned(), format!("{ANOTHER} AND not_before >= others_not_before")),
            // Two devices said "everywhere but here" in the same second: each ended the other.
            (
                "SET others_spared = :nobody".to_owned(),
                "others_not_before = :at AND others_spared <> :spared".to_owned(),
            ),
            ("SET not_before = :at, sealed = :yes".to_owned(), format!("{LATE} AND attribute_not_exists(not_before)")),
            ("SET not_before = :at".to_owned(), format!("{LATE} AND not_before < :at")),
            (NOTHING.to_owned(), format!("{LATE} AND not_before >= :at")),
            (NOTHING.to_owned(), "others_not_before >= :at AND others_spared = :spared".to_owned()),
        ] {
            let mut write = self.update(subject).condition_expression(&condition);
            for (name, value) in [
                (":spared", s(spared)),
                (":yes", AttributeValue::Bool(true)),
                (":nobody", s("")),
                (":at", n(cutoff.at.0)),
            ] {
                // A value that is not used is refused.
                if update.contains(name) || condition.contains(name) {
                    write = write.expression_attribute_values(name, value);
                }
            }
            if apply(write.update_expression(update)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
