//! What the translations do alike: reading a detail, naming a subject, bounding what goes into a request.

use revocation_core::domain::event::Envelope;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::{self, LocalizedText, MAX_TEXT_CHARS};
use revocation_core::domain::time::EpochMillis;
use serde::de::DeserializeOwned;

use super::{MalformedEvent, Origin};

/// The core allows 128 characters for a source's name; the origin takes up to 26 of them, with its slash.
const MAX_SENDER_CHARS: usize = 100;

/// A request with nothing but what every request has.
pub(super) fn request(
    source: EventSource,
    sub_id: SubjectIdentifier,
    reason: ReasonCode,
    initiator: Initiator,
) -> RevocationRequest {
    RevocationRequest {
        version: VERSION.to_owned(),
        source,
        sub_id,
        reason,
        initiator,
        reason_admin: LocalizedText::default(),
        reason_user: LocalizedText::default(),
        occurred_at: None,
        effect: Effect::SignOut,
        lockout: false,
        session: None,
        approve_by: None,
        txn: None,
        pools: Vec::new(),
    }
}

/// Reads the detail. serde's messages quote values, so only the path and the kind of the mismatch are passed on.
pub(super) fn read<T: DeserializeOwned>(envelope: &Envelope<'_>) -> Result<T, MalformedEvent> {
    let mut json = serde_json::Deserializer::from_str(envelope.detail.get());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let what = match error.inner().classify() {
            serde_json::error::Category::Data if error.inner().to_string().starts_with("duplicate field") => {
                "a member stands twice"
            }
            serde_json::error::Category::Data => "a value of the wrong type",
            // The queue has read the envelope, so the detail is JSON; what is left is nesting without end.
            _ => "JSON that cannot be read",
        };
        // Members that are not read are skipped, so the path has only names that stand in our own structs.
        MalformedEvent::Shape { path: error.path().to_string(), what }
    })
}

/// A value that says something: partners write `null`, `""` and nothing at all where they have nothing to say.
pub(super) fn said(value: Option<&str>) -> Option<&str> {
    value.filter(|text| !text.trim().is_empty())
}

/// The name of a request's source: the origin, and its sender in the characters that are allowed.
pub(super) fn source_name(origin: Origin, sender: Option<&str>) -> String {
    let Some(sender) = said(sender) else { return origin.as_str().to_owned() };
    let allowed = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '-' | '_') => c,
        _ => '-',
    };
    let sender: String = sender.chars().map(allowed).take(MAX_SENDER_CHARS).collect();
    format!("{}/{sender}", origin.as_str())
}

/// The part after the partner's own name in a partner source, `aws.partner/<partner>/<sender>/…`.
pub(super) fn sender(source: &str) -> Option<&str> {
    source.split('/').nth(2)
}

/// Who acted. One without an id is not made up: then the source itself is named (`system`).
pub(super) fn initiator(kind: InitiatorKind, id: Option<&str>, source: &str) -> Initiator {
    match said(id) {
        Some(id) => Initiator { kind, id: id.to_owned() },
        None => Initiator { kind: InitiatorKind::System, id: source.to_owned() },
    }
}

/// One name is that name, several are aliases, none is an event about nobody.
pub(super) fn subject(
    names: impl IntoIterator<Item = Option<SubjectIdentifier>>,
) -> Result<SubjectIdentifier, MalformedEvent> {
    let mut names: Vec<SubjectIdentifier> = names.into_iter().flatten().collect();
    match names.len() {
        0 | 1 => names.pop().ok_or(MalformedEvent::NoUser),
        _ => Ok(SubjectIdentifier::Aliases { identifiers: names }),
    }
}

/// A login name as a subject: an e-mail address if it is one.
pub(super) fn address_or_username(login: &str) -> SubjectIdentifier {
    address(login).unwrap_or_else(|| SubjectIdentifier::Username { username: login.to_owned() })
}

/// The e-mail address, if `text` is one.
pub(super) fn address(text: &str) -> Option<SubjectIdentifier> {
    Some(SubjectIdentifier::Email { email: text.to_owned() }).filter(|email| email.check().is_ok())
}

/// The user name Cognito gives a user of an upstream identity provider: `<Provider>_<id>`.
pub(super) fn federated(provider: Option<&str>, id: Option<&str>) -> Option<SubjectIdentifier> {
    let (provider, id) = (provider?, said(id)?);
    Some(SubjectIdentifier::Username { username: format!("{provider}_{id}") })
}

/// A user of one of our pools.
pub(super) fn pool_user(pool: &UserPoolId, sub: &str) -> SubjectIdentifier {
    SubjectIdentifier::IssSub { iss: pool.issuer(), sub: sub.to_owned() }
}

/// English text for the record, from text of any length and content: cut to the length allowed, white space and
/// characters that must not get into a log made spaces or left out.
pub(super) fn english(text: &str) -> LocalizedText {
    let without_breaks = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    // The core says which characters are harmless; alone a space would count as an empty text.
    let harmless = |c: &char| *c == ' ' || text::check(c.encode_utf8(&mut [0; 4]), 1).is_ok();
    let text: String = without_breaks.filter(harmless).take(MAX_TEXT_CHARS).collect();
    if text.trim().is_empty() { LocalizedText::default() } else { LocalizedText::english(text.trim()) }
}

/// When it occurred, from the source's own words. It serves counting and the record, so that nothing readable is no
/// reason to refuse a revocation: then the time of receipt stands in.
pub(super) fn occurred_at(text: Option<&str>) -> Option<String> {
    text.and_then(|text| EpochMillis::parse_rfc3339(text).ok()).and_then(occurred_at_millis)
}

/// The same from epoch milliseconds. Times before 1970 or after the year 9999 are mistakes, and not passed on.
pub(super) fn occurred_at_millis(at: EpochMillis) -> Option<String> {
    let text = at.rfc3339();
    (at.0 >= 0 && EpochMillis::parse_rfc3339(&text) == Ok(at)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_named_in_allowed_characters() {
        assert_eq!(source_name(Origin::Okta, sender("aws.partner/okta.com/Acme Corp./prod")), "okta/acme-corp.");
        assert_eq!(source_name(Origin::Okta, sender("aws.partner/okta.com")), "okta");
        assert_eq!(source_name(Origin::Auth0, Some("mül$ler")), "auth0/m-l-ler");
        assert!(source_name(Origin::ThreatProtection, Some(&"x".repeat(1_000))).len() <= 128);
    }

    #[test]
    fn text_is_cut_and_cleaned() {
        assert_eq!(english("a\r\nb\u{202e}\u{0}c"), LocalizedText::english("a  bc"));
        assert_eq!(english(" \u{0}\n"), LocalizedText::default());
        let huge = english(&"ü".repeat(1_000_000));
        assert_eq!(huge.check(), Ok(()));
        assert_eq!(huge.english_or_first().map(|text| text.chars().count()), Some(MAX_TEXT_CHARS));
    }

    #[test]
    fn absurd_dates_are_left_out_and_others_are_written_one_way() {
        assert_eq!(occurred_at(Some("2026-01-01T01:00:00+01:00")).as_deref(), Some("2026-01-01T00:00:00.000Z"));
        for bad in [None, Some(""), Some("yesterday"), Some("-000001-01-01T00:00:00Z"), Some("1969-12-31T23:59:59Z")] {
            assert_eq!(occurred_at(bad), None, "{bad:?}");
        }
        for bad in [i64::MIN, -1, 253_402_300_800_000, i64::MAX] {
            assert_eq!(occurred_at_millis(EpochMillis(bad)), None, "{bad}");
        }
    }

    #[test]
    fn nobody_is_an_error_and_several_names_are_aliases() {
        let name = |text: &str| Some(address_or_username(text));
        assert_eq!(subject([None, None]), Err(MalformedEvent::NoUser));
        assert_eq!(subject([None, name("jane")]), Ok(SubjectIdentifier::Username { username: "jane".into() }));
        assert!(matches!(subject([name("a@b.example"), name("jane")]), Ok(SubjectIdentifier::Aliases { .. })));
    }
}
