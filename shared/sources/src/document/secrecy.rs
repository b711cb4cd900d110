//! No secret may stand in the document: it lies in Parameter Store and in repositories.

use serde_json::Value;

use super::place::Place;

/// How secrets of known kinds begin.
const PREFIXES: [&str; 12] = [
    "whsec_",
    "whsk_",
    "whpk_",
    "Bearer ",
    "Basic ",
    "-----BEGIN",
    "ghp_",
    "github_pat_",
    "xoxb-",
    "sk_live_",
    "AKIA",
    "eyJ",
];
/// From this length on, letters and digits without any separator are no name that somebody gave.
const RANDOM_CHARS: usize = 32;

/// Refuses every text that looks like a secret.
pub(super) fn check(place: &Place<'_>) {
    match place.value {
        Some(Value::String(text)) if looks_secret(text) => {
            place.mistake("looks like a secret: keep it in Secrets Manager, and write its name here");
        }
        Some(Value::Object(_)) => place.members().iter().for_each(|(_, member)| check(member)),
        Some(Value::Array(_)) => place.items().iter().for_each(check),
        _ => {}
    }
}

/// Whether a text looks like a secret: by a prefix, or because it is long and looks random.
pub(super) fn looks_secret(text: &str) -> bool {
    let text = text.trim();
    let random = text.len() >= RANDOM_CHARS
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'='))
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic());
    random || PREFIXES.iter().any(|prefix| text.starts_with(prefix))
}
