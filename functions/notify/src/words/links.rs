//! Takes links out of texts. What a telephone or a mail program makes a link of counts as one: schemes, `www.`,
//! addresses, bare domains, IP addresses.

use super::sms;

/// `text` with every word that has a link in it replaced by `marker`, and without invisible characters, which would let
/// a link pass as harmless here and not there.
pub(super) fn removed(text: &str, marker: &str) -> String {
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    // Also as an SMS will show it, without the characters its alphabet lacks: `evil.✓com` must not become a link there.
    let is_link_anywhere = |word: &str| is_link(word) || is_link(&sms::simplified(word));
    let words = visible.split_whitespace().map(|word| if is_link_anywhere(word) { marker } else { word });
    let mut kept: Vec<&str> = Vec::new();
    for word in words {
        // A link in pieces is one link.
        if word != marker || kept.last() != Some(&marker) {
            kept.push(word);
        }
    }
    kept.join(" ")
}

/// `name` with its dots made spaces where a link would begin: a company may be called like its domain.
pub(super) fn broken(name: &str) -> String {
    let words = name.split_whitespace().map(|word| if is_link(word) { word.replace(is_dot, " ") } else { word.into() });
    words.collect::<Vec<String>>().join(" ")
}

fn is_link(word: &str) -> bool {
    let word = word.to_lowercase();
    let inside = ["://", "http", "www.", "mailto:", "javascript:", "@", "\u{ff20}", "\\\\"];
    // Only at the start: "hotel:" is a word.
    let at_start = ["tel:", "sms:", "www"];
    let start = word.trim_start_matches(|c: char| !c.is_alphanumeric());
    inside.iter().any(|mark| word.contains(mark))
        || at_start.iter().any(|mark| start.starts_with(mark))
        || has_domain(&word)
        || has_ip_address(&word)
}

/// A dot between a letter or digit and a name of at least two letters, as the top-level domains are.
fn has_domain(word: &str) -> bool {
    let chars: Vec<char> = word.chars().collect();
    chars.windows(4).any(|four| match four {
        [before, dot, first, second] if is_dot(*dot) => {
            let name = first.is_alphabetic() && second.is_alphabetic();
            // Japanese and Chinese sentences end with an ideographic full stop and go on without a space.
            let sentence = !matches!(dot, '.' | '\u{2024}') && !first.is_ascii();
            // `xn--` and other names that are not letters alone begin with letters, too.
            (before.is_alphanumeric() || matches!(before, '_' | '-')) && name && !sentence
        }
        _ => false,
    })
}

/// Four numbers with dots, or a bracketed IPv6 address.
fn has_ip_address(word: &str) -> bool {
    let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let numbers = word.split(|c: char| !c.is_ascii_digit() && !is_dot(c));
    numbers.into_iter().any(|run| run.split(is_dot).filter(is_number).count() >= 4)
        || word.contains("[:")
        || has_ipv6(word)
}

/// A bracket that opens an IPv6 address: hexadecimal digits and a colon.
fn has_ipv6(word: &str) -> bool {
    word.split('[').skip(1).any(|rest| {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit());
        digits.len() < rest.len() && digits.starts_with(':')
    })
}

/// The full stop, and what browsers read as one in a host name (UTS #46, section 2.3), and a look-alike.
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}')
}

/// Soft hyphen, zero-width characters, joiners, marks of direction, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_every_kind_are_removed() {
        for link in [
            "https://evil.example/login",
            "HTTPS://EVIL.EXAMPLE",
            "hxxp://evil",
            "www.evil",
            "evil.example",
            "(evil.example/x?y)",
            "login.company.com.evil.example",
            "evil.com.",
            "Login:evil.co",
            "xn--80ak6aa92e.com",
            "пример.рф",
            "例え.テスト",
            "evil\u{3002}com",
            "evil.✓com",
            "evil✓.com",
            "t•.co/abc",
            "bit\u{301}.ly/x",
            "evil.c\u{301}om/login",
            "evil·.com/x",
            "1.2.3·.4",
            "evil_.com/x",
            "javascript:alert(1)",
            "[2001:db8::1]/x",
            "evil．com",
            "ev\u{200b}il\u{2060}.c\u{ad}om",
            "mailto:a",
            "security@evil.example",
            "a＠evil.example",
            "192.0.2.7/reset",
            "http://[2001:db8::1]/",
            "tel:+49301234567",
            "\\\\evil\\share",
            "bit.ly/x",
            "t.co",
        ] {
            let text = removed(&format!("Please go to {link} at once"), "(link removed)");
            assert_eq!(text, "Please go to (link removed) at once", "{link}");
        }
        assert_eq!(removed("see evil.com evil.org now", "[]"), "see [] now");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "Your contract C-4711 ended on 31.12.2026, at 18.00.",
            "z.B. bei Dr. Müller, Raum 1.2.3",
            "version 2.10 (e.g. the U.S. office) ended... really",
            "セッションが終了しました。再度サインインしてください。",
            "call extension 4711 from the hotel: it is free",
        ] {
            assert_eq!(removed(text, "[]"), text);
        }
    }

    #[test]
    fn a_company_called_like_its_domain_keeps_its_name_without_the_dot() {
        assert_eq!(broken("Example.com"), "Example com");
        assert_eq!(broken("Müller & Söhne Ges.m.b.H."), "Müller & Söhne Ges.m.b.H.");
    }
}
