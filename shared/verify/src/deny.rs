//! Why a token was denied, as a value: for the client, the log and the metric.

use std::fmt;

use revocation_core::domain::tombstone::Refusal;

/// Why a token was denied. Carries nothing of the token: it may be logged (I10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// Longer than [`MAX_TOKEN_BYTES`](crate::MAX_TOKEN_BYTES).
    TooLong,
    /// Not three parts of base64url without padding.
    NotACompactJws,
    /// The header is not a JSON object, a member of interest has the wrong type or stands twice.
    BadHeader,
    /// Another algorithm than RS256, or none.
    AlgorithmRefused,
    /// The header brings a key or the address of one.
    KeyInHeader,
    /// The header demands an extension to be understood.
    CriticalHeader,
    /// The header names no key, or by an absurd name.
    BadKeyId,
    /// The payload is not a JSON object, a claim of interest is missing, has the wrong type or stands twice.
    BadClaims,
    /// Not an issuer of a configured pool.
    UnknownIssuer,
    /// The pool has no such key.
    UnknownKey,
    /// Not signed by the key it names.
    BadSignature,
    /// Past its `exp`.
    Expired,
    /// Before its `nbf`.
    NotYetValid,
    /// Dated in the future.
    FromTheFuture,
    /// An access token where only ID tokens are accepted, or the other way round, or neither.
    TokenUseRefused,
    /// Issued to an app client that is not on the allow-list.
    ClientRefused,
    /// Its owner's work has ended, by the end date it carries.
    ContractEnded,
    /// It carries an end date that cannot be read.
    ContractDateUnreadable,
    /// The deployment's own [`ClaimCheck`](crate::ClaimCheck) refuses it, and says why.
    ClaimRefused(&'static str),
    /// A tombstone refuses it.
    Revoked(Refusal),
    /// The pool's keys cannot be fetched.
    KeysUnavailable,
    /// The tombstone could not be read; the cause may pass.
    StoreUnavailable,
    /// There is a tombstone that cannot be understood, or the store will not let us read at all.
    StoreUnreadable,
}

/// Whose fault a denial is, and hence what the client should be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenyClass {
    /// The token is no good: the client should refresh, then sign in.
    InvalidToken,
    /// It could not be checked: the client should try again with the same token.
    Unavailable,
}

// === impl DenyReason ===

impl DenyReason {
    /// Stable and machine-readable: a log field, a metric's dimension, `reason` in the authorizer's context.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotACompactJws => "not_a_compact_jws",
            Self::BadHeader => "bad_header",
            Self::AlgorithmRefused => "algorithm_refused",
            Self::KeyInHeader => "key_in_header",
            Self::CriticalHeader => "critical_header",
            Self::BadKeyId => "bad_key_id",
            Self::BadClaims => "bad_claims",
            Self::UnknownIssuer => "unknown_issuer",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::FromTheFuture => "from_the_future",
            Self::TokenUseRefused => "token_use_refused",
            Self::ClientRefused => "client_refused",
            Self::ContractEnded => "contract_ended",
            Self::ContractDateUnreadable => "contract_date_unreadable",
            // What the check says is its own affair: a metric's dimension must stay a short list.
            Self::ClaimRefused(_) => "claim_refused",
            Self::Revoked(Refusal::Cutoff) => "revoked",
            Self::Revoked(Refusal::ClaimsCutoff) => "claims_changed",
            Self::Revoked(Refusal::Session) => "session_revoked",
            Self::Revoked(Refusal::Hold) => "on_hold",
            Self::Revoked(Refusal::Undated) => "undated",
            Self::KeysUnavailable => "keys_unavailable",
            Self::StoreUnavailable => "store_unavailable",
            Self::StoreUnreadable => "store_unreadable",
        }
    }

    /// Whose fault it is.
    #[must_use]
    pub fn class(self) -> DenyClass {
        match self {
            Self::KeysUnavailable | Self::StoreUnavailable | Self::StoreUnreadable => DenyClass::Unavailable,
            _ => DenyClass::InvalidToken,
        }
    }
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for DenyReason {}
