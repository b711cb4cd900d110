//! The claims of a Cognito token: before and after their signature was verified, as different types.

use std::sync::Arc;

use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::TokenStamp;
use serde::Deserialize;

use crate::deny::DenyReason;
use crate::strict_json::{Seconds, Text, object, present};

/// What a token is for (`token_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// An access token.
    Access,
    /// An ID token.
    Id,
}

/// Claims anybody may have written. **They decide nothing**, except which configured pool's keys are tried.
pub(crate) struct UnverifiedClaims<'a>(Claims<'a>);

/// All claims that are used: a duplicate of one named here is an error, all others are ignored.
#[derive(Deserialize)]
pub(crate) struct Claims<'a> {
    #[serde(borrow)]
    pub(crate) sub: Text<'a>,
    #[serde(borrow)]
    pub(crate) iss: Text<'a>,
    pub(crate) exp: Seconds,
    #[serde(borrow)]
    pub(crate) token_use: Text<'a>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) nbf: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) iat: Option<Seconds>,
    #[serde(default, deserialize_with = "present")]
    pub(crate) auth_time: Option<Seconds>,
    /// The app client, in an access token.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) client_id: Option<Text<'a>>,
    /// The app client, in an ID token. Cognito writes one string; a list would leave open which entry is meant.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) aud: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) scope: Option<Text<'a>>,
    #[serde(borrow, default, rename = "cognito:groups")]
    pub(crate) groups: Vec<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) username: Option<Text<'a>>,
    #[serde(borrow, default, rename = "cognito:username", deserialize_with = "present")]
    pub(crate) cognito_username: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) origin_jti: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    pub(crate) jti: Option<Text<'a>>,
}

/// The dates within which a token is good, and by which it is compared with cutoffs.
#[derive(Clone, Copy)]
pub(crate) struct Dates {
    pub(crate) exp: EpochSeconds,
    pub(crate) nbf: Option<EpochSeconds>,
    pub(crate) iat: Option<EpochSeconds>,
    pub(crate) auth_time: Option<EpochSeconds>,
}

/// A token of a configured pool, signed by it, in date, for an allowed client. It may still have been revoked.
/// Only [`Verifier`](crate::Verifier) makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifiedToken {
    /// Pool and `sub`: the key of the tombstone.
    pub subject: SubjectKey,
    /// `iss` as it stands in the token, which is one of the pool's. Shared with the configuration.
    pub issuer: Arc<str>,
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
    /// When it ends: nothing may be remembered of it beyond.
    pub exp: EpochSeconds,
    /// When it begins.
    pub nbf: Option<EpochSeconds>,
    /// When the person authenticated.
    pub auth_time: Option<EpochSeconds>,
    /// When it was issued.
    pub iat: Option<EpochSeconds>,
    /// The session.
    pub origin_jti: Option<String>,
    /// The token.
    pub jti: Option<String>,
    /// From when on it is refused because its owner's work has ended, by the claim that was configured
    /// ([`VerifierBuilder::end_date_claim`](crate::VerifierBuilder::end_date_claim)).
    pub ends_at: Option<EpochSeconds>,
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

impl<'a> UnverifiedClaims<'a> {
    /// Reads the payload of a token.
    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, DenyReason> {
        object(payload).map(Self).map_err(|_| DenyReason::BadClaims)
    }

    /// Who it is said to be from.
    pub(crate) fn claimed_issuer(&self) -> &str {
        &self.0.iss
    }

    /// The claims as what they are once the signature over them **has been verified**.
    pub(crate) fn signed(self) -> Claims<'a> {
        self.0
    }
}

// === impl Claims ===

impl Claims<'_> {
    pub(crate) fn dates(&self) -> Dates {
        let seconds = |claim: Option<Seconds>| claim.map(|Seconds(at)| at);
        Dates { exp: self.exp.0, nbf: seconds(self.nbf), iat: seconds(self.iat), auth_time: seconds(self.auth_time) }
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

    pub(crate) fn dates(&self) -> Dates {
        Dates { exp: self.exp, nbf: self.nbf, iat: self.iat, auth_time: self.auth_time }
    }
}
