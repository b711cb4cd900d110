//! `TombstoneReader`: one strongly consistent `GetItem` an API request.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::{Hold, OthersCutoff, Tombstone};
use revocation_core::ports::{PortError, TombstoneReader};

use super::item::{Item, s, text};
use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "dynamodb:GetItem";

/// Reads the tombstones table.
pub struct DynamoTombstoneReader {
    client: Client,
    table: String,
}

impl DynamoTombstoneReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET];

    /// A reader of `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb_for_reads(), table: table.into() }
    }
}

#[async_trait]
impl TombstoneReader for DynamoTombstoneReader {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("subject", s(subject.to_string()))
            // An eventually consistent read may miss a tombstone written a moment ago: the very one that matters.
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| port_error(GET, &error))?;
        // An item that cannot be read denies (I6): somebody wrote it to refuse something.
        let read = |item| tombstone(&item).map_err(|Unreadable| PortError::reject(GET, "unreadable_item"));
        answer.item.map(read).transpose()
    }
}

/// An attribute is not of its type.
#[derive(Debug, PartialEq)]
struct Unreadable;

fn tombstone(item: &Item) -> Result<Tombstone, Unreadable> {
    Ok(Tombstone {
        not_before: seconds(item, "not_before")?,
        claims_not_before: seconds(item, "claims_not_before")?,
        sealed: item.get("sealed").map_or(Ok(false), |value| value.as_bool().copied().map_err(|_| Unreadable))?,
        sessions: sessions(item)?,
        others: others(item)?,
        hold: item.get("hold").map(hold).transpose()?,
        revocation_id: text(item, "revocation_id").map(|id| RevocationId(id.to_owned())),
        expires_at: seconds(item, "expires_at")?,
    })
}

fn seconds(item: &Item, name: &str) -> Result<Option<EpochSeconds>, Unreadable> {
    item.get(name).map(as_seconds).transpose()
}

fn as_seconds(value: &AttributeValue) -> Result<EpochSeconds, Unreadable> {
    let digits = value.as_n().map_err(|_| Unreadable)?;
    digits.parse().map(EpochSeconds).map_err(|_| Unreadable)
}

fn sessions(item: &Item) -> Result<BTreeMap<String, EpochSeconds>, Unreadable> {
    let Some(value) = item.get("sessions") else { return Ok(BTreeMap::new()) };
    let entries = value.as_m().map_err(|_| Unreadable)?;
    entries.iter().map(|(id, at)| Ok((id.clone(), as_seconds(at)?))).collect()
}

fn others(item: &Item) -> Result<Option<OthersCutoff>, Unreadable> {
    let spared = item.get("others_spared").map(|value| value.as_s().map_err(|_| Unreadable)).transpose()?;
    match (seconds(item, "others_not_before")?, spared) {
        (None, None) => Ok(None),
        (Some(not_before), Some(spared)) => Ok(Some(OthersCutoff { not_before, spared: spared.clone() })),
        _ => Err(Unreadable),
    }
}

fn hold(value: &AttributeValue) -> Result<Hold, Unreadable> {
    let hold = value.as_m().map_err(|_| Unreadable)?;
    Ok(Hold { until: seconds(hold, "until")?, message: text(hold, "message").unwrap_or_default().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::item::n;
    use super::*;

    fn item(entries: &[(&str, AttributeValue)]) -> Item {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn reads_every_attribute() {
        let map = |entries: &[(&str, AttributeValue)]| AttributeValue::M(item(entries));
        let read = tombstone(&item(&[
            ("subject", s("p#s")),
            ("not_before", n(7)),
            ("claims_not_before", n(8)),
            ("sealed", AttributeValue::Bool(true)),
            ("sessions", map(&[("o", n(9))])),
            ("others_not_before", n(6)),
            ("others_spared", s("here")),
            ("hold", map(&[("until", n(10)), ("message", s("wait"))])),
            ("revocation_id", s("rv_1")),
            ("expires_at", n(11)),
        ]));
        let expected = Tombstone {
            not_before: Some(EpochSeconds(7)),
            claims_not_before: Some(EpochSeconds(8)),
            sealed: true,
            sessions: BTreeMap::from([("o".into(), EpochSeconds(9))]),
            others: Some(OthersCutoff { not_before: EpochSeconds(6), spared: "here".into() }),
            hold: Some(Hold { until: Some(EpochSeconds(10)), message: "wait".into() }),
            revocation_id: Some(RevocationId("rv_1".into())),
            expires_at: Some(EpochSeconds(11)),
        };
        assert_eq!(read, Ok(expected));
        assert_eq!(tombstone(&item(&[("subject", s("p#s"))])), Ok(Tombstone::default()));
    }

    #[test]
    fn i06_an_item_of_another_shape_is_not_read_as_harmless() {
        for (name, value) in [
            ("not_before", s("7")),
            ("not_before", AttributeValue::N("soon".into())),
            ("sealed", s("true")),
            ("sessions", s("o")),
            ("hold", n(1)),
            ("others_not_before", n(1)),
            ("others_spared", s("here")),
        ] {
            assert_eq!(tombstone(&item(&[(name, value.clone())])), Err(Unreadable), "{name} {value:?}");
        }
    }
}
