//! What was found out about a token's signature, by the SHA-256 digest of its whole text.
//!
//! A signature does not change, so checking it again is work for nothing: 27 µs with *ring*, most of our own time. What
//! does change is looked at every time by [`Verifier`](crate::Verifier): dates, the pool's keys, and by
//! [`Checker`](crate::Checker) the tombstone. No *permit* is ever remembered.

use std::sync::Arc;

use quick_cache::sync::Cache;
use ring::digest::{SHA256, digest};

use crate::jwks::PublicKey;
use crate::token::VerifiedToken;
use crate::verifier::Pool;

/// How many tokens are remembered unless configured otherwise. At the most, with headers as long as API Gateway lets
/// through, some 10 MB; with a few claims, estimated, 1 MB.
pub(crate) const DEFAULT_ENTRIES: usize = 1_000;

/// Nobody finds two texts of one digest, so it stands for the text; the token itself is not kept.
pub(crate) type Digest = [u8; 32];

/// What is remembered. The two kinds have rooms of their own: whoever makes up tokens never pushes a good one out.
pub(crate) struct SignatureCache {
    /// Tokens with a good signature and acceptable claims.
    signed: Cache<Digest, Signed>,
    /// Tokens with a bad one.
    forged: Cache<Digest, Signer>,
}

/// A token that was signed by its pool.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) token: Arc<VerifiedToken>,
    pub(crate) signer: Signer,
    /// What the deployment's own check said.
    pub(crate) refused: Option<&'static str>,
}

/// By whose key a signature was checked.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) pool: Arc<Pool>,
    pub(crate) key: Arc<PublicKey>,
}

/// What is remembered of a token.
pub(crate) enum Remembered {
    Signed(Signed),
    Forged,
}

// === impl SignatureCache ===

impl SignatureCache {
    /// Room for this many of each kind; none is no cache at all.
    pub(crate) fn new(entries: usize) -> Option<Self> {
        (entries > 0).then(|| Self { signed: Cache::new(entries), forged: Cache::new(entries) })
    }

    /// What a token is remembered by.
    pub(crate) fn digest_of(token: &str) -> Option<Digest> {
        digest(&SHA256, token.as_bytes()).as_ref().try_into().ok()
    }

    /// What is known of a token, as long as the pool still has the key it was checked with: one that was withdrawn must
    /// not live on in here, and a new one of its name may have signed what seemed forged.
    pub(crate) fn recall(&self, digest: &Digest) -> Option<Remembered> {
        if let Some(signed) = self.signed.get(digest) {
            if signed.signer.stands() {
                return Some(Remembered::Signed(signed));
            }
            self.forget(digest);
            return None;
        }
        let signer = self.forged.get(digest)?;
        if signer.stands() {
            return Some(Remembered::Forged);
        }
        self.forged.remove(digest);
        None
    }

    pub(crate) fn remember_signed(&self, digest: Digest, signed: Signed) {
        self.signed.insert(digest, signed);
    }

    pub(crate) fn remember_forged(&self, digest: Digest, signer: Signer) {
        self.forged.insert(digest, signer);
    }

    /// Drops a token that is over.
    pub(crate) fn forget(&self, digest: &Digest) {
        self.signed.remove(digest);
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> (usize, usize) {
        (self.signed.len(), self.forged.len())
    }
}

// === impl Signer ===

impl Signer {
    fn stands(&self) -> bool {
        self.pool.keys.has(&self.key)
    }
}

#[cfg(test)]
mod tests;
