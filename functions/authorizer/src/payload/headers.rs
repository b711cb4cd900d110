//! The one header that matters, out of up to 10 KB of them.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// All values of headers named `Authorization`, in whatever case; the others are skipped without being copied.
#[derive(Default)]
pub(super) struct AuthorizationHeaders(pub(super) Vec<String>);

struct HeadersVisitor;

/// Whether a name is that of the header.
struct IsAuthorization(bool);

struct NameVisitor;

/// A value in `headers`, or the list of them in `multiValueHeaders`.
struct Values(Vec<String>);

struct ValuesVisitor;

impl<'de> Deserialize<'de> for AuthorizationHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = AuthorizationHeaders;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers")
    }

    /// API Gateway writes `null` where a request has none.
    fn visit_unit<E: Error>(self) -> Result<AuthorizationHeaders, E> {
        Ok(AuthorizationHeaders::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<AuthorizationHeaders, A::Error> {
        let mut found = Vec::new();
        while let Some(IsAuthorization(is_it)) = map.next_key()? {
            if is_it {
                let Values(values) = map.next_value()?;
                found.extend(values);
            } else {
                let IgnoredAny = map.next_value()?;
            }
        }
        Ok(AuthorizationHeaders(found))
    }
}

impl<'de> Deserialize<'de> for IsAuthorization {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

impl Visitor<'_> for NameVisitor {
    type Value = IsAuthorization;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<IsAuthorization, E> {
        Ok(IsAuthorization(name.eq_ignore_ascii_case("authorization")))
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValuesVisitor)
    }
}

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's value or values")
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Values, E> {
        Ok(Values(vec![value.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Values, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Values(values))
    }
}
