//! The outer form of a token: a compact JWS (RFC 7515), read strictly. Nothing here is trusted yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::deny::DenyReason;
use crate::strict_json::{Presence, object};

/// The longest token looked at. API Gateway lets no header block beyond 10,240 bytes through; elsewhere this is the limit.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// The longest `kid`. Cognito's have 44 characters.
const MAX_KEY_ID_BYTES: usize = 128;

/// A token taken apart; the numbers below are those of [`Verifier`](crate::Verifier). Not `Debug`, as are the claims: they
/// must not get into a log (I10).
pub(crate) struct Jws<'a> {
    /// What is signed: header and payload as they came, so that no re-encoding can change them.
    pub(crate) signing_input: &'a str,
    /// Names a key. An attacker writes it: it is looked up among known names, and is never part of a path or a query.
    pub(crate) key_id: String,
    /// The claims, unread.
    pub(crate) payload: Vec<u8>,
    /// The signature, unverified.
    pub(crate) signature: Vec<u8>,
}

/// All members that are used or refused; a duplicate of a member named here is an error, all others are ignored.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    alg: String,
    #[serde(default)]
    kid: String,
    #[serde(default)]
    crit: Presence,
    #[serde(default)]
    jku: Presence,
    #[serde(default)]
    jwk: Presence,
    #[serde(default)]
    x5u: Presence,
    #[serde(default)]
    x5c: Presence,
}

// === impl Jws ===

impl<'a> Jws<'a> {
    /// Takes a token apart that is not too long.
    pub(crate) fn parse(token: &'a str) -> Result<Self, DenyReason> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(DenyReason::NotACompactJws)?;
        let (header, payload) = signing_input.split_once('.').ok_or(DenyReason::NotACompactJws)?;
        // A fourth part leaves a dot in the payload, which is not base64url.
        let header = decode(header)?;
        let payload = decode(payload)?;
        let signature = decode(signature)?;

        let header: Header = object(&header).map_err(|_| DenyReason::BadHeader)?;
        // (2) Compared as written: `rs256` and `RS256 ` are not it.
        if header.alg != "RS256" {
            return Err(DenyReason::AlgorithmRefused);
        }
        // (3)
        if [header.jku, header.jwk, header.x5u, header.x5c].contains(&Presence(true)) {
            return Err(DenyReason::KeyInHeader);
        }
        // (4)
        if header.crit.0 {
            return Err(DenyReason::CriticalHeader);
        }
        // (5)
        if header.kid.is_empty() || header.kid.len() > MAX_KEY_ID_BYTES {
            return Err(DenyReason::BadKeyId);
        }
        Ok(Self { signing_input, key_id: header.kid, payload, signature })
    }
}

/// Base64url without padding; non-zero bits after the last byte are refused, or one token would have several texts.
fn decode(part: &str) -> Result<Vec<u8>, DenyReason> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| DenyReason::NotACompactJws)
}
