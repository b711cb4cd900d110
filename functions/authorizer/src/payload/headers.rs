//! The headers that matter, out of up to 10 KB of them.

use std::fmt;

use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// All values of the headers that may hold a token, by names in whatever case; the others are skipped without being copied.
#[derive(Default)]
pub(super) struct TokenHeaders {
    /// `Authorization`
    pub(super) authorization: Vec<String>,
    /// `Sec-WebSocket-Protocol`
    pub(super) protocol: Vec<String>,
}

struct HeadersVisitor;

/// What a header's name says.
enum Name {
    Authorization,
    Protocol,
    Other,
}

struct NameVisitor;

/// A value in `headers`, or the list of them in `multiValueHeaders`.
struct Values(Vec<String>);

struct ValuesVisitor;

impl<'de> Deserialize<'de> for TokenHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = TokenHeaders;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("headers")
    }

    /// API Gateway writes `null` where a request has none.
    fn visit_unit<E: Error>(self) -> Result<TokenHeaders, E> {
        Ok(TokenHeaders::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TokenHeaders, A::Error> {
        let mut found = TokenHeaders::default();
        while let Some(name) = map.next_key()? {
            let values = match name {
                Name::Authorization => &mut found.authorization,
                Name::Protocol => &mut found.protocol,
                Name::Other => {
                    let IgnoredAny = map.next_value()?;
                    continue;
                }
            };
            let Values(more) = map.next_value()?;
            values.extend(more);
        }
        Ok(found)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor)
    }
}

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header's name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
        Ok(if name.eq_ignore_ascii_case("authorization") {
            Name::Authorization
        } else if name.eq_ignore_ascii_case("sec-websocket-protocol") {
            Name::Protocol
        } else {
            Name::Other
        })
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
