//! Okta's one-time verification of an event hook.

use serde_json::json;

use super::Unauthenticated;

/// Longer than any challenge of Okta's.
const MAX_CHALLENGE_CHARS: usize = 256;

/// The answer to the GET request with which Okta verifies an event hook: the value of its
/// `x-okta-verification-challenge` header as `{"verification": …}`. Authenticate the request first.
pub fn okta_verification(challenge: &str) -> Result<String, Unauthenticated> {
    let is_fine =
        (1..=MAX_CHALLENGE_CHARS).contains(&challenge.len()) && challenge.bytes().all(|b| b.is_ascii_graphic());
    if !is_fine {
        return Err(Unauthenticated::Malformed("x-okta-verification-challenge"));
    }
    Ok(json!({ "verification": challenge }).to_string())
}
