//! Whose token it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::subject::SubjectIdentifier;
use serde::Deserialize;

/// Issuer and `sub` of a token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TokenSubject {
    /// The issuer.
    pub iss: String,
    /// The user.
    pub sub: String,
}

// === impl TokenSubject ===

impl TokenSubject {
    /// Read without a check of the signature: Cognito has just handed the token over.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    /// As requests name them.
    #[must_use]
    pub fn identifier(&self) -> SubjectIdentifier {
        SubjectIdentifier::IssSub { iss: self.iss.clone(), sub: self.sub.clone() }
    }
}
