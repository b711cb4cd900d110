//! Text from outside, made harmless for a terminal. What it would do there is shown instead of done.

/// The text with everything escaped that moves the cursor, changes colours, or makes one name look like another.
pub(crate) fn plain(text: &str) -> String {
    if !text.chars().any(is_deceptive) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut plain, c| {
        if is_deceptive(c) {
            plain.extend(c.escape_unicode());
        } else {
            plain.push(c);
        }
        plain
    })
}

/// The text, plain and no longer than `most` characters.
pub(crate) fn short(text: &str, most: usize) -> String {
    let plain = plain(text);
    if plain.chars().count() <= most {
        return plain;
    }
    let mut cut: String = plain.chars().take(most.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// Control characters (C1 ones too: some terminals take U+009B for an escape), line separators, bidirectional
/// overrides, what has no width, and tags. Joiners stay: names in Persian and Hindi are spelt with them.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(plain("\u{1b}[2Jgone"), "\\u{1b}[2Jgone");
        assert_eq!(plain("a\u{9b}31m\r\nb"), "a\\u{9b}31m\\u{d}\\u{a}b");
        assert_eq!(plain("user\u{202e}nimda"), "user\\u{202e}nimda");
        assert_eq!(plain("李 小龍, jürgen, می‌خواهم"), "李 小龍, jürgen, می‌خواهم");
    }

    #[test]
    fn long_texts_are_cut_by_characters() {
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(short("äöüß", 3), "äö…");
    }
}
