//! Text from outside, bounded before anything else looks at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest text for the record or for the person, in characters.
pub const MAX_TEXT_CHARS: usize = 1_000;
/// Most translations of one text.
pub const MAX_LANGUAGES: usize = 32;

/// A text by BCP 47 language tag, as CAEP's `reason_admin` and `reason_user` have it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LocalizedText(pub BTreeMap<String, String>);

/// Why a text was refused. The text itself is not quoted: it may be personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadText {
    /// Nothing in it.
    #[error("is empty")]
    Empty,
    /// More characters than allowed.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A control character, which could forge a log line or an e-mail header.
    #[error("has a control character")]
    Control,
    /// More translations than [`MAX_LANGUAGES`].
    #[error("has more than 32 languages")]
    TooManyLanguages,
    /// A language key that is not a BCP 47 tag.
    #[error("has a language key that is not a BCP 47 tag")]
    NotALanguage,
}

// === impl LocalizedText ===

impl LocalizedText {
    /// A text in English alone.
    #[must_use]
    pub fn english(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([("en".to_owned(), text.into())]))
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The English text, else the first there is.
    #[must_use]
    pub fn english_or_first(&self) -> Option<&str> {
        self.0.get("en").or_else(|| self.0.values().next()).map(String::as_str)
    }

    /// Checks number, language tags, length and characters.
    pub fn check(&self) -> Result<(), BadText> {
        if self.0.len() > MAX_LANGUAGES {
            return Err(BadText::TooManyLanguages);
        }
        for (language, text) in &self.0 {
            let is_tag =
                (2..=35).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if !is_tag {
                return Err(BadText::NotALanguage);
            }
            check(text, MAX_TEXT_CHARS)?;
        }
        Ok(())
    }
}

/// Checks that `text` has 1 to `max` characters and no control characters. Line breaks count as such.
pub fn check(text: &str, max: usize) -> Result<(), BadText> {
    if text.trim().is_empty() {
        return Err(BadText::Empty);
    }
    // The byte test first: counting the characters of a huge text is work for whoever sent it, not for us.
    if text.len() > max.saturating_mul(4) || text.chars().count() > max {
        return Err(BadText::TooLong(max));
    }
    if text.chars().any(is_unprintable) {
        return Err(BadText::Control);
    }
    Ok(())
}

/// Control characters, line separators, and the bidirectional overrides that make one name look like another.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(languages: impl IntoIterator<Item = (String, &'static str)>) -> LocalizedText {
        LocalizedText(languages.into_iter().map(|(language, text)| (language, text.to_owned())).collect())
    }

    #[test]
    fn length_is_counted_in_characters_and_huge_texts_are_not_counted() {
        for one in ["a", "ß", "李", "🚪"] {
            assert_eq!(check(&one.repeat(5), 5), Ok(()), "{one}");
            assert_eq!(check(&one.repeat(6), 5), Err(BadText::TooLong(5)), "{one}");
        }
        assert_eq!(check(&"🚪".repeat(1_000_000), 5), Err(BadText::TooLong(5)));
        for empty in ["", " ", "\t\n"] {
            assert_eq!(check(empty, 5), Err(BadText::Empty));
        }
        for bad in ["a\nb", "a\u{0}b", "a\u{2028}b", "a\u{202e}b", "a\u{2066}b"] {
            assert_eq!(check(bad, 5), Err(BadText::Control), "{bad:?}");
        }
    }

    #[test]
    fn languages_are_tags_and_not_too_many() {
        let numbered = |count| of((0..count).map(|n| (format!("x-{n:02}"), "text")));
        assert_eq!(numbered(MAX_LANGUAGES).check(), Ok(()));
        assert_eq!(numbered(MAX_LANGUAGES + 1).check(), Err(BadText::TooManyLanguages));
        for tag in ["de", "zh-Hant-TW", &"a".repeat(35)] {
            assert_eq!(of([((*tag).to_owned(), "text")]).check(), Ok(()), "{tag}");
        }
        for bad in ["", "d", "de_AT", "dé", &"a".repeat(36)] {
            assert_eq!(of([((*bad).to_owned(), "text")]).check(), Err(BadText::NotALanguage), "{bad}");
        }
    }

    #[test]
    fn english_is_preferred_and_the_first_of_others_taken() {
        let both = of([("de".to_owned(), "weg"), ("en".to_owned(), "bye")]);
        assert_eq!(both.english_or_first(), Some("bye"));
        assert_eq!(LocalizedText::english("bye").english_or_first(), Some("bye"));
        let some = |languages: &[&str]| of(languages.iter().map(|language| ((*language).to_owned(), "text")));
        assert_eq!(some(&["fr", "de"]).english_or_first(), Some("text"));
        assert_eq!(some(&[]).english_or_first(), None);
    }
}
