//! `TombstoneReader` for operators: an item read whole, and as strictly as the enforcing readers do it
//! (`revocation-store`, which has a client of its own for the path of every request).

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::hold::ActionStamp;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Hold, OthersCutoff, Tombstone};
use revocation_core::ports::{PortError, TombstoneReader};

use super::item::{Item, s};
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

    /// The tombstones in `table`.
    #[must_use]
    pub fn new(aws: &AwsConfig, table: impl Into<String>) -> Self {
        Self { client: aws.dynamodb(), table: table.into() }
    }
}

#[async_trait]
impl TombstoneReader for DynamoTombstoneReader {
    async fn read(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        let get = self.client.get_item().table_name(&self.table).key("subject", s(subject.to_string()));
        let answer = get.consistent_read(true).send().await.map_err(|error| port_error(GET, &error))?;
        // What cannot be read is not taken for harmless (I6).
        let read = answer.item.map(|item| tombstone(&item).ok_or(PortError::reject(GET, "unreadable_item")));
        read.transpose()
    }
}

fn tombstone(item: &Item) -> Option<Tombstone> {
    let others = match (item.get("others_not_before"), item.get("others_spared")) {
        (Some(at), spared) => {
            let spared = spared.map_or(Some(String::new()), |text| text.as_s().ok().cloned())?;
            Some(OthersCutoff { not_before: seconds(at)?, spared })
        }
        (None, _) => None,
    };
    let hold = match item.get("hold") {
        Some(hold) => {
            let hold = hold.as_m().ok()?;
            let message = hold.get("message").map_or(Some(String::new()), |text| text.as_s().ok().cloned())?;
            Some(Hold { until: given(hold.get("until"))?, message })
        }
        None => None,
    };
    let sessions = match item.get("sessions") {
        Some(map) => {
            let entries = map.as_m().ok()?.iter().map(|(id, until)| Some((id.clone(), seconds(until)?)));
            entries.collect::<Option<BTreeMap<_, _>>>()?
        }
        None => BTreeMap::new(),
    };
    Some(Tombstone {
        not_before: given(item.get("not_before"))?,
        claims_not_before: given(item.get("claims_not_before"))?,
        sealed: item.get("sealed").map_or(Some(false), |sealed| sealed.as_bool().ok().copied())?,
        sessions,
        others,
        hold,
        hold_changed: match (item.get("hold_at"), item.get("hold_by")) {
            (Some(at), Some(by)) => {
                let at = EpochMillis(at.as_n().ok()?.parse().ok()?);
                Some(ActionStamp { at, by: RevocationId(by.as_s().ok()?.clone()) })
            }
            _ => None,
        },
        revocation_id: match item.get("revocation_id") {
            Some(id) => Some(RevocationId(id.as_s().ok()?.clone())),
            None => None,
        },
        expires_at: given(item.get("expires_at"))?,
    })
}

/// A time that may be missing, but not be of another type.
fn given(value: Option<&AttributeValue>) -> Option<Option<EpochSeconds>> {
    value.map_or(Some(None), |value| seconds(value).map(Some))
}

fn seconds(value: &AttributeValue) -> Option<EpochSeconds> {
    value.as_n().ok()?.parse().ok().map(EpochSeconds)
}

#[cfg(test)]
mod tests {
    use super::super::item::n;
    use super::*;

    fn item(entries: &[(&str, AttributeValue)]) -> Item {
        entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn reads_what_the_writers_write() {
        let hold = item(&[("message", s("ask HR")), ("until", n(9))]);
        let sessions = item(&[("o", n(8))]);
        let all = item(&[
            ("subject", s("p#s")),
            ("not_before", n(7)),
            ("sealed", AttributeValue::Bool(true)),
            ("sessions", AttributeValue::M(sessions)),
            ("others_not_before", n(5)),
            ("others_spared", s("spared")),
            ("hold", AttributeValue::M(hold)),
            ("hold_at", n(1)),
            ("revocation_id", s("rv_1")),
            ("expires_at", n(99)),
        ]);
        let read = tombstone(&all).unwrap();
        assert_eq!((read.not_before, read.sealed, read.sessions.len()), (Some(EpochSeconds(7)), true, 1));
        assert_eq!(read.hold, Some(Hold { until: Some(EpochSeconds(9)), message: "ask HR".into() }));
        assert_eq!(read.others, Some(OthersCutoff { not_before: EpochSeconds(5), spared: "spared".into() }));
    }

    #[test]
    fn i06_an_attribute_of_another_type_is_not_taken_for_a_missing_one() {
        for name in ["not_before", "sealed", "sessions", "others_not_before", "hold", "revocation_id", "expires_at"] {
            assert_eq!(tombstone(&item(&[(name, AttributeValue::Null(true))])), None, "{name}");
        }
    }
}
