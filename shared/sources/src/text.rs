//! Text for a request from text of any length and content.

use revocation_core::domain::text::{self, LocalizedText, MAX_TEXT_CHARS};

/// `text` cut to `max` characters, white space and what must not get into a log made spaces. `None` if nothing is left.
pub(crate) fn clean(text: &str, max: usize) -> Option<String> {
    let harmless = |c: char| match c {
        c if c.is_whitespace() => ' ',
        // The core says which characters are harmless.
        c if text::check(c.encode_utf8(&mut [0; 4]), 1).is_err() => ' ',
        c => c,
    };
    let text: String = text.chars().map(harmless).take(max).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// English text for the record.
pub(crate) fn english(text: Option<&str>) -> LocalizedText {
    text.and_then(|text| clean(text, MAX_TEXT_CHARS)).map_or_else(LocalizedText::default, LocalizedText::english)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_cleaned() {
        assert_eq!(clean("a\r\nb\u{202e}\u{0}c ", 100).as_deref(), Some("a  b  c"));
        assert_eq!(clean(" \u{0}\n", 100), None);
        let huge = english(Some(&"ü".repeat(1_000_000)));
        assert_eq!(huge.check(), Ok(()));
        assert_eq!(huge.english_or_first().map(|text| text.chars().count()), Some(MAX_TEXT_CHARS));
    }
}
