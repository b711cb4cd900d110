//! What fits into an SMS. The texts here are written in the characters of GSM 03.38, so that two segments hold 306 of
//! them; one character beyond, and they hold 134 (3GPP TS 23.038, sections 6.1.2 and 6.2.1).

/// Two segments of a concatenated SMS: 2 × 153 septets.
pub(super) const MAX_SEPTETS: usize = 306;
/// Less than this of a reason says nothing.
const LEAST_ROOM: usize = 24;
const CUT: &str = "...";
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
/// Behind an escape: two septets each.
const EXTENDED: &str = "^{}\\[~]|€";

/// The length in septets; `None` if a character is not in the alphabet.
pub(super) fn septets(text: &str) -> Option<usize> {
    text.chars().map(cost).sum()
}

fn cost(c: char) -> Option<usize> {
    if BASIC.contains(c) {
        Some(1)
    } else if EXTENDED.contains(c) {
        Some(2)
    } else {
        None
    }
}

/// The message `compose` makes of the reason, cut so that the message fits. `None` if the reason has letters that are
/// not in the alphabet, or if there is no room for it: the message then says the standard sentence.
pub(super) fn fit(reason: &str, compose: impl Fn(&str) -> Option<String>) -> Option<String> {
    let reason = simplified(reason);
    let room = MAX_SEPTETS.checked_sub(septets(&compose("")?)?)?;
    if septets(&reason)? <= room {
        return compose(&reason);
    }
    (room >= LEAST_ROOM).then(|| compose(&cut(&reason, room)))?
}

/// As much of `text` as fits into `room`, dots included, up to the end of a word if there is one.
fn cut(text: &str, room: usize) -> String {
    let mut left = room.saturating_sub(CUT.len());
    let fits = |c: &char| {
        let cost = cost(*c).unwrap_or(usize::MAX);
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    };
    let start: String = text.chars().take_while(fits).collect();
    let words = start.rsplit_once(' ').map_or(start.as_str(), |(words, _)| words);
    format!("{}{CUT}", words.trim_end_matches([' ', ',', '.', ';', ':']))
}

/// `text` closer to the alphabet: letters of Latin script without the accents it lacks, typographic marks as typed ones,
/// and without symbols it lacks. Letters of other scripts stay.
pub(super) fn simplified(text: &str) -> String {
    let mut simple = String::with_capacity(text.len());
    for c in text.chars() {
        match similar(c) {
            Some(similar) => simple.push_str(similar),
            None if cost(c).is_some() || c.is_alphanumeric() => simple.push(c),
            None if c.is_whitespace() => simple.push(' '),
            None => {}
        }
    }
    simple.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn similar(c: char) -> Option<&'static str> {
    Some(match c {
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "a",
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' => "c",
        'Ć' | 'Č' => "C",
        'ď' | 'đ' => "d",
        'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'ğ' => "g",
        'í' | 'î' | 'ï' | 'ı' => "i",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'İ' => "I",
        'ł' => "l",
        'Ł' => "L",
        'ń' | 'ň' => "n",
        'ó' | 'ô' | 'õ' | 'ő' => "o",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ő' => "O",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ţ' | 'ț' => "t",
        'ú' | 'û' | 'ů' | 'ű' => "u",
        'Ù' | 'Ú' | 'Û' | 'Ů' | 'Ű' => "U",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        'œ' => "oe",
        'Œ' => "OE",
        '\u{2018}' | '\u{2019}' | '\u{201a}' | '`' | '´' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '«' | '»' => "\"",
        '\u{2010}'..='\u{2015}' => "-",
        '…' => "...",
        '\n' | '\r' => " ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn septets_are_those_of_gsm_03_38() {
        assert_eq!(BASIC.chars().count(), 127, "128 positions, one of them the escape");
        assert_eq!(septets("Fermé à 14:31 ; ñ Ü ß"), Some(21));
        assert_eq!(septets("[€]"), Some(6));
        for other in ["ç", "ó", "’", "Я", "🙂", "\u{a0}", "\u{2068}"] {
            assert_eq!(septets(other), None, "{other:?}");
        }
    }

    #[test]
    fn text_comes_as_close_to_the_alphabet_as_it_can() {
        assert_eq!(simplified("Su sesión «terminó»…  Ça va\u{a0}? 🙂"), "Su sesion \"termino\"... Ça va ?");
        assert_eq!(simplified("Сессия"), "Сессия");
    }

    #[test]
    fn a_long_reason_is_cut_at_a_word() {
        let compose = |reason: &str| Some(format!("{}: {reason}!", "x".repeat(260)));
        let text = fit("The contract C-4711 has ended, and with it everything.", compose).unwrap();
        assert!(text.ends_with(": The contract C-4711 has ended, and with...!"), "{text}");
        assert!(septets(&text).unwrap() <= MAX_SEPTETS);
        let unbroken = fit(&"[".repeat(500), compose).unwrap();
        assert!(septets(&unbroken).unwrap() <= MAX_SEPTETS);
    }

    #[test]
    fn without_room_or_in_another_script_there_is_no_special_reason() {
        assert_eq!(fit("a reason of a few words that is long", |r| Some("x".repeat(290) + r)), None);
        assert_eq!(fit("a reason", |r| Some("x".repeat(400) + r)), None);
        assert_eq!(fit("理由", |reason| Some(reason.to_owned())), None);
    }
}
