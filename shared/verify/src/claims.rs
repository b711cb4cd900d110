//! Claims beyond those every token is checked by: for a check of the deployment's own, and for the end date.

use std::cell::OnceCell;
use std::fmt;

use revocation_core::domain::end_date::EndDate;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::strict_json::{Text, object};

/// A check of the deployment's own, after all others: a claim by which it tells its tenants apart, a level of assurance …
///
/// Its verdict is remembered with the signature ([`VerifierBuilder::cache_entries`](crate::VerifierBuilder::cache_entries)),
/// so it **must depend on the claims alone**: neither on the time of day nor on anything that may change while a token lives.
pub trait ClaimCheck: Send + Sync {
    /// Whether the token may pass; the error says why not, in snake case. It is never quoted to the client.
    fn check(&self, claims: &RawClaims<'_>) -> Result<(), &'static str>;
}

/// All claims of a token whose signature **has been verified**, read when asked for.
pub struct RawClaims<'a> {
    payload: &'a [u8],
    members: OnceCell<Option<Members<'a>>>,
}

/// The claim stands twice, or is not of the type asked for. Its value is not quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the claim stands twice or is of another type")]
pub struct BadClaim;

/// The members of the payload, unread, in their order.
struct Members<'a>(Vec<(Text<'a>, &'a RawValue)>);

/// An end date as it stands in a claim: a text or a number of epoch seconds.
pub(crate) struct EndClaim(pub(crate) Option<EndDate>);

// === impl RawClaims ===

impl<'a> RawClaims<'a> {
    pub(crate) fn new(payload: &'a [u8]) -> Self {
        Self { payload, members: OnceCell::new() }
    }

    /// A claim by its name, as a type of the caller's choice: `None` if it is not there. `null` is a value, and readable
    /// by an `Option`.
    pub fn get<T: Deserialize<'a>>(&self, name: &str) -> Result<Option<T>, BadClaim> {
        let members = self.members.get_or_init(|| object(self.payload).ok());
        let Members(members) = members.as_ref().ok_or(BadClaim)?;
        let mut found = members.iter().filter(|(known, _)| **known == *name);
        match (found.next(), found.next()) {
            (None, _) => Ok(None),
            (Some((_, value)), None) => serde_json::from_str(value.get()).map(Some).map_err(|_| BadClaim),
            // Which one is meant cannot be known.
            (Some(_), Some(_)) => Err(BadClaim),
        }
    }
}

// === impl Members ===

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EveryMember)
    }
}

struct EveryMember;

impl<'de> Visitor<'de> for EveryMember {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

// === impl EndClaim ===

impl<'de> Deserialize<'de> for EndClaim {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrSeconds)
    }
}

struct TextOrSeconds;

impl Visitor<'_> for TextOrSeconds {
    type Value = EndClaim;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an end date")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<EndClaim, E> {
        EndDate::parse(text).map(EndClaim).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<EndClaim, E> {
        let seconds = i64::try_from(seconds).map_err(E::custom)?;
        EndDate::from_epoch_seconds(seconds).map(|end| EndClaim(Some(end))).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PAYLOAD: &[u8] =
        br#"{"a":"x","n":7,"list":[1,2],"o":{"k":"v"},"nil":null,"twice":1,"tw\u0069ce":2,"\u0065sc":"\u0079"}"#;

    #[test]
    fn a_claim_is_read_as_the_type_asked_for() {
        let claims = RawClaims::new(PAYLOAD);
        assert_eq!(claims.get::<&str>("a"), Ok(Some("x")));
        assert_eq!(claims.get::<u8>("n"), Ok(Some(7)));
        assert_eq!(claims.get::<Vec<i32>>("list"), Ok(Some(vec![1, 2])));
        assert_eq!(claims.get::<BTreeMap<String, String>>("o").unwrap().unwrap()["k"], "v");
        assert_eq!(claims.get::<String>("esc"), Ok(Some("y".to_owned())));
        assert_eq!(claims.get::<Option<String>>("nil"), Ok(Some(None)));
        assert_eq!(claims.get::<String>("none"), Ok(None));
        for (name, wrong) in [("a", "a text is no number"), ("nil", "null is no number"), ("twice", "stands twice")] {
            assert_eq!(claims.get::<u8>(name), Err(BadClaim), "{wrong}");
        }
    }

    #[test]
    fn an_end_date_is_a_text_or_whole_seconds() {
        let read =
            |value: &str| serde_json::from_str::<EndClaim>(value).map(|EndClaim(end)| end.map(|end| end.at().0)).ok();
        assert_eq!(read("1798761600"), Some(Some(1_798_761_600)));
        assert_eq!(read(r#""1798761600""#), Some(Some(1_798_761_600)));
        assert_eq!(read(r#""2026-12-31""#), Some(Some(1_798_761_600)));
        assert_eq!(read(r#""2026\u002d12-31""#), Some(Some(1_798_761_600)));
        assert_eq!(read(r#""""#), Some(None));
        for bad in [
            "null",
            "true",
            "[]",
            "{}",
            "-1",
            "1.5",
            "1798761600.0",
            "1e9",
            "18446744073709551615",
            "1798761600000",
            r#""soon""#,
            r#"" ""#,
            r#"["2026-12-31"]"#,
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
