//! The claims of a Cognito token: before and after their signature was verified, as different types.

use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::TokenStamp;
use serde::Deserialize;

use crate::deny::DenyReason;
use crate::strict_json::{Seconds, object, present};

/// What a token is for (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// An access token.
    Access,
    /// An ID token.
    Id,
}

/// Claims anybody may have written. **They decide nothing**, except which configured pool's keys are tried.
pub(crate) struct UnverifiedClaims(Claims);

/// All claims that are used: a duplicate of one named here is an error, all others are ignored.
#[derive(Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) iss: String,
    pub(crate) exp: Seconds,
    pub(crate) token_use: String,
    #[serde(default, deserialize_with = "present")]
    pub(crate) nbf: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) iat: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) auth_time: Option<Seconds>,
    /// The app client, in an access token.
    #[serde(default, deserialize_with = "present")]
    pub(crate) client_id: Option<String>,
    /// The app client, in an ID token. Cognito writes one string; a list would leave open which entry is meant.
    #[serde(default, deserialize_with = "present")]
    pub(crate) aud: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) scope: Option<String>,
    #[serde(default, rename = "cognito:groups")]
    pub(crate) groups: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) username: Option<String>,
    #[serde(default, rename = "cognito:username", deserialize_with = "present")]
    pub(crate) cognito_username: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) origin_jti: Option<String>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) jti: Option<String>,
}

/// A token of a configured pool, signed by it, in date, for an allowed client. It may still have been revoked.
/// Only [`Verifier`](crate::Verifier) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// Pool and `sub`: the key of the tombstone.
    pub subject: SubjectKey,
    /// Access or ID token.
    pub token_use: TokenUse,
    /// The app client it was issued to.
    pub client_id: String,
    /// The user name; a client-credentials token has none.
    pub username: Option<String>,
    /// Scopes, separated by spaces; only in access tokens.
    pub scope: Option<String>,
    /// `cognito:groups`.
    pub groups: Vec<String>,
    /// When it ends.
    pub exp: EpochSeconds,
    /// When the person authenticated.
    pub auth_time: Option<EpochSeconds>,
    /// When it was issued.
    pub iat: Option<EpochSeconds>,
    /// The session.
    pub origin_jti: Option<String>,
    /// The token.
    pub jti: Option<String>,
}

// === impl TokenUse ===

impl TokenUse {
    /// Reads `access` or `id`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "access" => Some(Self::Access),
            "id" => Some(Self::Id),
            _ => None,
        }
    }
}

// === impl UnverifiedClaims ===

impl UnverifiedClaims {
    /// Reads the payload of a token.
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, DenyReason> {
        object(payload).map(Self).map_err(|_| DenyReason::BadClaims)
    }

    /// Who it is said to be from.
    pub(crate) fn claimed_issuer(&self) -> &str {
        &self.0.iss
    }

    /// The claims as what they are once the signature over them **has been verified**.
    pub(crate) fn signed(self) -> Claims {
        self.0
    }
}

// === impl VerifiedToken ===

impl VerifiedToken {
    /// The claims that decide I4.
    #[must_use]
    pub fn stamp(&self) -> TokenStamp<'_> {
        TokenStamp {
            auth_time: self.auth_time,
            iat: self.iat,
            origin_jti: self.origin_jti.as_deref(),
            jti: self.jti.as_deref(),
        }
    }
}
