//! JSON from outside, without leniency: bounded in size and depth, no member twice, nothing after the value.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Largest body read, in bytes; the HTTPS edge refuses larger ones before.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// Deepest nesting read. Alerts nest to 8 or so; `JMESPath` and the dropping of a tree recurse to this depth.
pub const MAX_DEPTH: usize = 32;

/// Why a body was refused. The body is not quoted: it has personal data (I10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// More than [`MAX_BODY_BYTES`].
    #[error("the body is larger than 262144 bytes")]
    TooLarge,
    /// Bytes that are no UTF-8.
    #[error("the body is not UTF-8")]
    NotUtf8,
    /// No JSON, or something after it.
    #[error("the body is not one JSON value")]
    NotJson,
    /// Deeper than [`MAX_DEPTH`].
    #[error("the body is nested more than 32 levels deep")]
    TooDeep,
    /// Two parsers would read it differently.
    #[error("a member stands twice in an object of the body")]
    Duplicate,
}

/// Reads one JSON value.
pub fn parse_json(bytes: &[u8]) -> Result<Value, BadJson> {
    if bytes.len() > MAX_BODY_BYTES {
        return Err(BadJson::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| BadJson::NotUtf8)?;
    let why = Cell::new(BadJson::NotJson);
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: 0, why: &why }.deserialize(&mut json).map_err(|_| why.get())?;
    json.end().map_err(|_| BadJson::NotJson)?;
    Ok(value)
}

/// Builds a [`Value`], and says in `why` what it refused: serde's own errors quote.
#[derive(Clone, Copy)]
struct Strict<'a> {
    depth: usize,
    why: &'a Cell<BadJson>,
}

// === impl BadJson ===

impl BadJson {
    /// Stable name for metrics and answers.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::TooDeep => "too_deep",
            Self::Duplicate => "duplicate_member",
        }
    }
}

// === impl Strict ===

impl Strict<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.refuse(BadJson::TooDeep));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn refuse<E: Error>(self, why: BadJson) -> E {
        self.why.set(why);
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut all = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(inner)?;
            if all.insert(name, value).is_some() {
                return Err(self.refuse(BadJson::Duplicate));
            }
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_what_is_plain() {
        let text = r#" {"a":[1,-2,0.5,true,null,"\u00fc"],"b":{}} "#;
        assert_eq!(parse_json(text.as_bytes()), Ok(json!({"a": [1, -2, 0.5, true, null, "ü"], "b": {}})));
        assert_eq!(parse_json(b"null"), Ok(Value::Null));
    }

    #[test]
    fn refuses_what_is_ambiguous_or_too_much_and_says_why() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_json(nested(MAX_DEPTH).as_bytes()).is_ok());
        let cases: [(&[u8], BadJson); 10] = [
            (b"", BadJson::NotJson),
            (b"{", BadJson::NotJson),
            (b"{} {}", BadJson::NotJson),
            (b"\xef\xbb\xbf{}", BadJson::NotJson),
            (b"{\"a\":1,}", BadJson::NotJson),
            (b"\"\xff\"", BadJson::NotUtf8),
            (br#"{"a":1,"a":1}"#, BadJson::Duplicate),
            (br#"[{"a":1,"b":{"c":1,"\u0063":2}}]"#, BadJson::Duplicate),
            (nested(MAX_DEPTH + 1).leak().as_bytes(), BadJson::TooDeep),
            (nested(100_000).leak().as_bytes(), BadJson::TooDeep),
        ];
        for (bytes, why) in cases {
            assert_eq!(parse_json(bytes), Err(why), "{:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(50)]));
        }
        assert_eq!(parse_json(&vec![b' '; MAX_BODY_BYTES + 1]), Err(BadJson::TooLarge));
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads_or_refuses(text in r#"[\[\]{}",:a1.\\ ntu-]{0,40}"#) {
            if let Ok(value) = parse_json(text.as_bytes()) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
            }
        }
    }
}
