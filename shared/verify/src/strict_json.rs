//! JSON without leniency: what two parsers could read differently is refused.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use revocation_core::domain::time::EpochSeconds;
use serde::de::{Error, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};

/// The end of the year 9999, in epoch seconds. A later time is an attack or a unit mistaken (milliseconds).
const LATEST: u64 = 253_402_300_799;

/// Not a JSON object of the type expected. Which part is not said: it would quote the token (I10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTheObject;

/// Reads one JSON object, in UTF-8, with nothing after it.
pub(crate) fn object<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, NotTheObject> {
    // Checked as a whole: serde_json does not look into strings it skips.
    let text = std::str::from_utf8(bytes).map_err(|_| NotTheObject)?;
    // A derived struct would be read from an array as well, by position.
    if !text.starts_with('{') {
        return Err(NotTheObject);
    }
    serde_json::from_str(text).map_err(|_| NotTheObject)
}

/// An optional member that is there. With `#[serde(default)]`, only absence is `None`: `null` is a wrong type.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Whether a member is there, whatever it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Presence(pub(crate) bool);

/// A time in whole seconds: a JSON integer, neither a float nor a string, not negative, not absurd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) EpochSeconds);

/// A text that is borrowed from the document where it stands there without escapes. (serde borrows a `Cow` by itself, but
/// not one within an `Option` or a `Vec`.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a>(Cow<'a, str>);

// === impl Presence ===

impl<'de> Deserialize<'de> for Presence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|IgnoredAny| Self(true))
    }
}

// === impl Seconds ===

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(WholeSeconds)
    }
}

struct WholeSeconds;

impl Visitor<'_> for WholeSeconds {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whole seconds since 1970")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Seconds, E> {
        let seconds = i64::try_from(value).ok().filter(|_| value <= LATEST);
        seconds.map(|seconds| Seconds(EpochSeconds(seconds))).ok_or(E::custom("an absurd time"))
    }
}

// === impl Text ===

impl Text<'_> {
    /// The text, copied unless it was already.
    pub(crate) fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(AnyText)
    }
}

struct AnyText;

impl<'de> Visitor<'de> for AnyText {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Sample {
        #[serde(default, deserialize_with = "present")]
        at: Option<Seconds>,
        #[serde(default)]
        jku: Presence,
    }

    #[test]
    fn a_text_is_copied_only_where_it_must_be() {
        #[derive(Deserialize)]
        struct Texts<'a> {
            #[serde(borrow)]
            plain: Vec<Text<'a>>,
            #[serde(borrow, default, deserialize_with = "present")]
            escaped: Option<Text<'a>>,
        }
        let texts: Texts<'_> = object(br#"{"plain":["a"],"escaped":"\u0062"}"#).unwrap();
        assert!(matches!(texts.plain.as_slice(), [Text(Cow::Borrowed("a"))]));
        assert_eq!(texts.escaped.unwrap().into_owned(), "b");
        assert!(object::<Texts<'_>>(br#"{"plain":[1]}"#).is_err());
    }

    fn read(text: &str) -> Result<(Option<i64>, bool), NotTheObject> {
        object::<Sample>(text.as_bytes()).map(|sample| (sample.at.map(|at| at.0.0), sample.jku.0))
    }

    #[test]
    fn reads_what_is_plain() {
        assert_eq!(read("{}"), Ok((None, false)));
        assert_eq!(read(r#"{"at":0,"jku":null,"other":[1,{}]}"#), Ok((Some(0), true)));
    }

    #[test]
    fn refuses_what_could_be_read_in_two_ways() {
        for text in [
            "",
            "null",
            "[]",
            "[5,true]",
            " {}",
            "{} x",
            "{}{}",
            "\u{feff}{}",
            r#"{"at":null}"#,
            r#"{"at":"5"}"#,
            r#"{"at":5.0}"#,
            r#"{"at":5e0}"#,
            r#"{"at":-5}"#,
            r#"{"at":05}"#,
            r#"{"at":٥}"#,
            r#"{"at":true}"#,
            r#"{"at":253402300800}"#,
            r#"{"at":18446744073709551615}"#,
            r#"{"at":99999999999999999999999}"#,
            r#"{"at":5,"at":5}"#,
            r#"{"at":5,"\u0061t":6}"#,
            r#"{"jku":1,"jku":1}"#,
        ] {
            assert_eq!(read(text), Err(NotTheObject), "{text}");
        }
        assert_eq!(object::<Sample>(b"{\"other\":\"\xff\"}").unwrap_err(), NotTheObject);
    }
}
