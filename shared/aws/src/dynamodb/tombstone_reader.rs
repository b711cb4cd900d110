//! `TombstoneReader` on the SDK, for operators. Functions that enforce use `revocation-store`, which starts faster.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::domain::hold::{ActionStamp, Hold};
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{OthersCutoff, Tombstone};
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
        let got = get.consistent_read(true).send().await.map_err(|error| port_error(GET, &error))?;
        // What cannot be understood refuses everything (I6); whoever looks must not be told that there is nothing.
        let read = got.item.as_ref().map(|item| tombstone(item).ok_or(PortError::reject(GET, "unreadable_item")));
        read.transpose()
    }

    /// An operator looks once: nothing is kept.
    async fn read_pool(&self, pool: &UserPoolId) -> Result<Option<Tombstone>, PortError> {
        self.read(&SubjectKey::everyone(pool)).await
    }
}

/// The item, read as strictly as `revocation-store` reads it; `None` if an attribute is of another type.
fn tombstone(item: &Item) -> Option<Tombstone> {
    let hold = given(item, "hold", |value| {
        let hold = value.as_m().ok()?;
        let message = given(hold, "message", text)?.unwrap_or_default();
        Some(Hold { until: given(hold, "until", seconds)?, message })
    })?;
    let sessions = given(item, "sessions", |value| {
        let entries = value.as_m().ok()?.iter();
        entries.map(|(id, at)| Some((id.clone(), seconds(at)?))).collect::<Option<BTreeMap<_, _>>>()
    })?;
    let others = match (given(item, "others_not_before", seconds)?, given(item, "others_spared", text)?) {
        (Some(not_before), Some(spared)) => Some(OthersCutoff { not_before, spared }),
        (None, None) => None,
        _ => return None,
    };
    let changed = given(item, "hold_at", number)?.zip(given(item, "hold_by", text)?);
    Some(Tombstone {
        not_before: given(item, "not_before", seconds)?,
        claims_not_before: given(item, "claims_not_before", seconds)?,
        sealed: given(item, "sealed", |value| value.as_bool().ok().copied())?.unwrap_or_default(),
        sessions: sessions.unwrap_or_default(),
        others,
        hold,
        hold_changed: changed.map(|(at, by)| ActionStamp { at: EpochMillis(at), by: RevocationId(by) }),
        revocation_id: given(item, "revocation_id", text)?.map(RevocationId),
        expires_at: given(item, "expires_at", seconds)?,
    })
}

/// An attribute that may be missing: the outer `None` says that it is there and not of its type.
fn given<T>(item: &Item, name: &str, read: impl FnOnce(&AttributeValue) -> Option<T>) -> Option<Option<T>> {
    match item.get(name) {
        None => Some(None),
        Some(value) => read(value).map(Some),
    }
}

fn text(value: &AttributeValue) -> Option<String> {
    value.as_s().ok().cloned()
}

fn number(value: &AttributeValue) -> Option<i64> {
    value.as_n().ok()?.parse().ok()
}

fn seconds(value: &AttributeValue) -> Option<EpochSeconds> {
    number(value).map(EpochSeconds)
}

#[cfg(test)]
mod tests {
    use super::super::item::n;
    use super::*;

    #[test]
    fn i06_what_is_not_of_its_type_is_not_read_as_nothing() {
        let item = |name: &str, value: AttributeValue| Item::from([(name.to_owned(), value)]);
        assert_eq!(tombstone(&Item::new()), Some(Tombstone::default()));
        let held = tombstone(&item("hold", AttributeValue::M(Item::new()))).unwrap();
        assert_eq!(held.hold, Some(Hold { until: None, message: String::new() }));
        for bad in [
            item("not_before", s("soon")),
            item("sealed", n(1)),
            item("hold", AttributeValue::Bool(false)),
            item("hold", AttributeValue::M(item("until", s("tomorrow")))),
            item("sessions", AttributeValue::M(item("o", s("x")))),
            item("others_not_before", n(7)),
        ] {
            assert_eq!(tombstone(&bad), None, "{bad:?}");
        }
    }
}
