//! Items in `DynamoDB`'s JSON, read once, strictly and without copies: an attribute that is not of its type is an error,
//! never read as harmless (I6).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use revocation_core::domain::hold::ActionStamp;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Hold, OthersCutoff, Tombstone};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::failure::Failure;

/// A JSON object. What serde derives for a struct also reads an array, of which an empty one would be a tombstone that
/// refuses nobody.
pub(crate) struct Object<T>(pub(crate) T);

/// `{"N": "7"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Number {
    #[serde(rename = "N", deserialize_with = "digits")]
    pub(crate) value: i64,
}

/// `{"S": "text"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Text<'a> {
    #[serde(rename = "S", borrow)]
    pub(crate) value: Cow<'a, str>,
}

/// `{"BOOL": true}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bool {
    #[serde(rename = "BOOL")]
    value: bool,
}

/// `{"M": {…}}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields, bound(deserialize = "T: Deserialize<'de>"))]
struct Nested<T> {
    #[serde(rename = "M")]
    value: T,
}

/// A map of ids to seconds.
type Sessions = Object<Nested<BTreeMap<String, Object<Number>>>>;

/// An item of the tombstones table. Attributes not named here are no business of this reader's.
#[derive(Deserialize)]
pub(crate) struct TombstoneItem<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    pub(crate) subject: Option<Object<Text<'a>>>,
    #[serde(default, deserialize_with = "present")]
    not_before: Option<Object<Number>>,
    #[serde(default, deserialize_with = "present")]
    claims_not_before: Option<Object<Number>>,
    #[serde(default, deserialize_with = "present")]
    sealed: Option<Object<Bool>>,
    #[serde(default, deserialize_with = "present")]
    sessions: Option<Sessions>,
    #[serde(default, deserialize_with = "present")]
    others_not_before: Option<Object<Number>>,
    #[serde(default, borrow, deserialize_with = "present")]
    others_spared: Option<Object<Text<'a>>>,
    #[serde(default, borrow, deserialize_with = "present")]
    hold: Option<Object<Nested<Object<HoldItem<'a>>>>>,
    #[serde(default, deserialize_with = "present")]
    hold_at: Option<Object<Number>>,
    #[serde(default, borrow, deserialize_with = "present")]
    hold_by: Option<Object<Text<'a>>>,
    #[serde(default, borrow, deserialize_with = "present")]
    revocation_id: Option<Object<Text<'a>>>,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Object<Number>>,
}

#[derive(Deserialize)]
struct HoldItem<'a> {
    #[serde(default, deserialize_with = "present")]
    until: Option<Object<Number>>,
    #[serde(default, borrow, deserialize_with = "present")]
    message: Option<Object<Text<'a>>>,
}

/// The item of a `GetItem`, if there is one. Only an object without it says that there is none.
pub(crate) fn got_item(body: &[u8]) -> Result<Option<TombstoneItem<'_>>, Failure> {
    // With nothing else in it but what was never asked for: an error in the body of a 200 is no answer either.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Got<'a> {
        #[serde(rename = "Item", default, borrow, deserialize_with = "present")]
        item: Option<Object<TombstoneItem<'a>>>,
        #[serde(rename = "ConsumedCapacity", default)]
        _capacity: IgnoredAny,
    }
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(rename = "Item", borrow)]
        _item: &'a RawValue,
    }
    match serde_json::from_slice::<Object<Got<'_>>>(body) {
        Ok(Object(Got { item: None, .. })) => Ok(None),
        Ok(Object(Got { item: Some(Object(item)), .. })) if item.is_whole() => Ok(Some(item)),
        // Well-formed and with an item: it is the item that cannot be read, and asking again will not change it.
        _ if serde_json::from_slice::<Object<Raw<'_>>>(body).is_ok() => Err(Failure::UnreadableItem),
        _ => Err(Failure::BadResponse),
    }
}

// === impl TombstoneItem ===

impl TombstoneItem<'_> {
    /// Whether attributes that belong together are all there.
    pub(crate) fn is_whole(&self) -> bool {
        self.others_not_before.is_some() == self.others_spared.is_some()
    }

    /// What the item says, once it [is whole](Self::is_whole).
    pub(crate) fn into_tombstone(self) -> Tombstone {
        let seconds = |number: Option<Object<Number>>| number.map(|number| EpochSeconds(number.0.value));
        let owned = |text: Object<Text<'_>>| text.0.value.into_owned();
        let others = self.others_not_before.zip(self.others_spared);
        let sessions = self.sessions.map(|sessions| sessions.0.value).unwrap_or_default();
        Tombstone {
            not_before: seconds(self.not_before),
            claims_not_before: seconds(self.claims_not_before),
            sealed: self.sealed.is_some_and(|sealed| sealed.0.value),
            sessions: sessions.into_iter().map(|(id, at)| (id, EpochSeconds(at.0.value))).collect(),
            others: others
                .map(|(at, spared)| OthersCutoff { not_before: EpochSeconds(at.0.value), spared: owned(spared) }),
            hold: self.hold.map(|hold| {
                let Object(hold) = hold.0.value;
                Hold { until: seconds(hold.until), message: hold.message.map(owned).unwrap_or_default() }
            }),
            // Both or none, unless somebody wrote by hand; nothing is refused or permitted by it.
            hold_changed: self
                .hold_at
                .zip(self.hold_by)
                .map(|(at, by)| ActionStamp { at: EpochMillis(at.0.value), by: RevocationId(owned(by)) }),
            revocation_id: self.revocation_id.map(|id| RevocationId(owned(id))),
            expires_at: seconds(self.expires_at),
        }
    }
}

impl Object<Text<'_>> {
    pub(crate) fn as_str(&self) -> &str {
        &self.0.value
    }
}

// === impl Object ===

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// For an optional member: left out it is `None`, but `null` is an error.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A whole number written in a string.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Digits;

    impl Visitor<'_> for Digits {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number in a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<i64, E> {
            text.parse().map_err(|_| E::custom("not a whole number"))
        }
    }

    deserializer.deserialize_str(Digits)
}

#[cfg(test)]
mod tests;
