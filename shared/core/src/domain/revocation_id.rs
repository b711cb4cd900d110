//! Identity of a revocation: what makes the second delivery of an event the same revocation (I8).

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Idempotency key, derived from source and source event id: `rv_` and 32 hexadecimal digits.
///
/// It is never taken from the wire, so that no sender can claim another source's revocation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RevocationId(pub String);

/// SHA-256 of a request's content, hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PayloadDigest(pub String);

// === impl RevocationId ===

impl RevocationId {
    /// Derives the id. The source's length goes in first, so that ("a", "bc") and ("ab", "c") differ.
    #[must_use]
    pub fn derive(source: &str, event_id: &str) -> Self {
        Self::with_prefix("rv", source, event_id)
    }

    /// The id of an action on an account: `ac_` and the same digits. Actions share the audit trail with revocations.
    #[must_use]
    pub fn of_action(source: &str, event_id: &str) -> Self {
        Self::with_prefix("ac", source, event_id)
    }

    fn with_prefix(prefix: &str, source: &str, event_id: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update((source.len() as u64).to_be_bytes());
        hash.update(source.as_bytes());
        hash.update(event_id.as_bytes());
        // 128 bits: a collision among 2^40 revocations has odds of 2^-48.
        Self(format!("{prefix}_{}", hex(hash.finalize().iter().take(16))))
    }
}

impl fmt::Display for RevocationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl PayloadDigest ===

impl PayloadDigest {
    /// Digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(hex(Sha256::digest(bytes).iter()))
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_depends_on_both_parts_and_on_nothing_else() {
        let id = RevocationId::derive("okta/acme", "ab62");
        assert_eq!(id, RevocationId::derive("okta/acme", "ab62"));
        assert_ne!(id, RevocationId::derive("okta/acm", "eab62"));
        assert_eq!(id.0.len(), 35);
    }
}
