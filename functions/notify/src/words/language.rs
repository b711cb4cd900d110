//! The languages of the notice, and which of them a person reads.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use fluent_langneg::negotiate::filter_matches;
use fluent_langneg::{LanguageIdentifier, NegotiationStrategy};
use revocation_core::domain::text::LocalizedText;

/// Language tag and texts. English first: it is what everybody else gets.
pub(super) const NOTICES: [(&str, &str); 4] = [
    ("en", include_str!("../../locales/en/notice.ftl")),
    ("de", include_str!("../../locales/de/notice.ftl")),
    ("fr", include_str!("../../locales/fr/notice.ftl")),
    ("es", include_str!("../../locales/es/notice.ftl")),
];
const TOPIC: (&str, &str) = ("en", include_str!("../../locales/en/topic.ftl"));

/// Which form of a text is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// The message's value.
    Email,
    /// Its attribute `sms`.
    Sms,
}

/// The texts of one language.
pub(super) struct Language {
    tag: &'static str,
    id: LanguageIdentifier,
    texts: FluentBundle<FluentResource>,
}

/// A text of `reason_user` and its language.
struct Given<'a> {
    id: LanguageIdentifier,
    text: &'a str,
}

// === impl Language ===

impl Language {
    /// Reads the texts. What Fluent cannot read is left out, and so missing when it is asked for.
    pub(super) fn read(tag: &'static str, source: &str) -> Self {
        let locale = tag.parse().into_iter().collect();
        let mut texts = FluentBundle::new_concurrent(locale);
        // Isolating marks around placeables are invisible, but turn an SMS into UCS-2.
        texts.set_use_isolating(false);
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(readable, _)| readable);
        texts.add_resource_overriding(resource);
        Self { tag, id: identifier(tag).unwrap_or_default(), texts }
    }

    /// The language tag.
    pub(super) fn tag(&self) -> &'static str {
        self.tag
    }

    /// The text `id` with its placeables filled in; `None` if it, or what it refers to, is missing.
    pub(super) fn say(&self, id: &str, part: Part, values: &[(&str, &str)]) -> Option<String> {
        let message = self.texts.get_message(id)?;
        let pattern = match part {
            Part::Email => message.value()?,
            Part::Sms => message.get_attribute("sms")?.value(),
        };
        let values: FluentArgs<'_> = values.iter().copied().collect();
        let mut errors = Vec::new();
        let text = self.texts.format_pattern(pattern, Some(&values), &mut errors);
        errors.is_empty().then(|| text.into_owned())
    }
}

impl AsRef<LanguageIdentifier> for Language {
    fn as_ref(&self) -> &LanguageIdentifier {
        &self.id
    }
}

impl AsRef<LanguageIdentifier> for Given<'_> {
    fn as_ref(&self) -> &LanguageIdentifier {
        &self.id
    }
}

/// Every language of the notice.
pub(super) fn all() -> Vec<Language> {
    NOTICES.into_iter().map(|(tag, source)| Language::read(tag, source)).collect()
}

/// The language of the topic.
pub(super) fn topic() -> Language {
    Language::read(TOPIC.0, TOPIC.1)
}

/// The best of `languages` for whoever asks for `wanted`, in this order; the first one if none fits.
pub(super) fn negotiate<'a>(wanted: &[Option<&str>], languages: &'a [Language]) -> Option<&'a Language> {
    best(wanted, languages).or(languages.first())
}

/// The text in the best language for whoever asks for `wanted`; `None` if there is none in a language that fits: a
/// standard sentence in the right language tells more than a special one in a foreign language.
pub(super) fn text_for<'a>(wanted: &[Option<&str>], texts: &'a LocalizedText) -> Option<&'a str> {
    let given = |(tag, text): (&'a String, &'a String)| Some(Given { id: identifier(tag)?, text });
    let given: Vec<Given<'a>> = texts.0.iter().filter_map(given).collect();
    best(wanted, &given).map(|given| given.text)
}

fn best<'a, L: AsRef<LanguageIdentifier>>(wanted: &[Option<&str>], available: &'a [L]) -> Option<&'a L> {
    let wanted: Vec<LanguageIdentifier> = wanted.iter().flatten().filter_map(|tag| identifier(tag)).collect();
    filter_matches(&wanted, available, NegotiationStrategy::Lookup).first().copied()
}

/// Reads `de`, `de-AT`, `de_CH`, and of `de_DE.UTF-8@euro` or `de-DE-u-co-phonebk` as much as can be read.
fn identifier(tag: &str) -> Option<LanguageIdentifier> {
    let read = |text: &str| LanguageIdentifier::try_from_bytes(text.as_bytes()).ok();
    let plain = tag.trim().split(['.', '@']).next()?.replace('_', "-");
    let known = read(&plain).or_else(|| read(plain.split('-').next()?))?;
    // `und` and the empty tag are no language, and would match any.
    (!known.language.is_empty()).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_in_locale_leads_to_a_language() {
        let languages = all();
        for (locale, expected) in [
            ("de", "de"),
            ("de-AT", "de"),
            ("de_CH", "de"),
            ("DE-de", "de"),
            ("de-Latn-DE-1996", "de"),
            ("de_DE.UTF-8@euro", "de"),
            ("de-DE-u-co-phonebk", "de"),
            (" fr-CA ", "fr"),
            ("es-419", "es"),
            ("en-GB", "en"),
            ("ja", "en"),
            ("und", "en"),
            ("", "en"),
            ("German", "en"),
            ("-", "en"),
            ("'; DROP TABLE users; --", "en"),
            ("de\u{0}", "en"),
            ("ドイツ語", "en"),
        ] {
            let chosen = negotiate(&[Some(locale)], &languages).map(Language::tag);
            assert_eq!(chosen, Some(expected), "{locale:?}");
        }
        assert_eq!(negotiate(&[None], &languages).map(Language::tag), Some("en"));
    }

    #[test]
    fn a_text_is_taken_in_a_language_the_person_reads_or_not_at_all() {
        let texts = |tags: &[&str]| LocalizedText(tags.iter().map(|t| ((*t).to_owned(), (*t).to_owned())).collect());
        let pick = |wanted: &[Option<&str>], tags: &[&str]| text_for(wanted, &texts(tags)).map(str::to_owned);
        assert_eq!(pick(&[Some("de-AT")], &["en", "de"]).as_deref(), Some("de"));
        assert_eq!(pick(&[Some("de")], &["en", "de-CH"]).as_deref(), Some("de-CH"));
        assert_eq!(pick(&[Some("de"), Some("de")], &["en", "ja"]), None, "no English in a German message");
        assert_eq!(pick(&[Some("ja"), Some("en")], &["en", "ja"]).as_deref(), Some("ja"));
        assert_eq!(pick(&[Some("ja"), Some("en")], &["de", "en"]).as_deref(), Some("en"));
        assert_eq!(pick(&[None, Some("en")], &["en-US", "x1"]).as_deref(), Some("en-US"));
        assert_eq!(pick(&[Some("de")], &[]), None);
    }

    #[test]
    fn a_text_with_a_placeable_nobody_fills_is_missing() {
        let language = Language::read("en", "a = { $b }\nc = d\n    .sms = e\nf = g");
        assert_eq!(language.say("a", Part::Email, &[]), None);
        assert_eq!(language.say("a", Part::Email, &[("b", "x")]).as_deref(), Some("x"));
        assert_eq!(language.say("c", Part::Sms, &[]).as_deref(), Some("e"));
        assert_eq!(language.say("f", Part::Sms, &[]), None);
        assert_eq!(language.say("z", Part::Email, &[]), None);
    }
}
