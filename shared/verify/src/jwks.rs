//! A pool's public keys: a JWK set (RFC 7517), of which only keys fit for RS256 are kept.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::Deserialize;
use serde_json::Value;

use crate::strict_json::object;

/// The largest JWK set read. Cognito's has two keys in under 1 KB.
pub const MAX_JWKS_BYTES: usize = 64 * 1024;
/// The most keys in a set. Two are usual, more stand there during a rotation.
const MAX_KEYS: usize = 32;
/// RFC 7518, section 3.3: "A key of size 2048 bits or larger MUST be used".
const MIN_MODULUS_BITS: usize = 2048;
/// What *ring* verifies at most.
const MAX_MODULUS_BITS: usize = 8192;
/// Smaller exponents have a history of forged signatures; Cognito's keys use this one, as does nearly everybody.
const EXPONENT: [u8; 3] = [1, 0, 1];

/// The keys of a pool, by `kid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySet(Vec<Arc<PublicKey>>);

/// An RSA key for RS256, checked once.
#[derive(PartialEq, Eq)]
pub struct PublicKey {
    kid: String,
    modulus: Vec<u8>,
}

/// A document that is not a set of usable keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeySet {
    /// More than [`MAX_JWKS_BYTES`].
    #[error("the JWK set is too large")]
    TooLarge,
    /// Not JSON of that form.
    #[error("the document is not a JWK set")]
    NotAKeySet,
    /// More than 32 keys.
    #[error("the JWK set has too many keys")]
    TooManyKeys,
    /// None of its keys can be used.
    #[error("the JWK set has no RSA signing key of at least 2048 bits")]
    NoUsableKey,
}

#[derive(Deserialize)]
struct Document {
    /// Read one by one, since one unusable key must not cost the others (RFC 7517, section 5).
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    n: String,
    e: String,
    alg: Option<String>,
    r#use: Option<String>,
}

// === impl KeySet ===

impl KeySet {
    /// Reads a JWK set. Keys that cannot be used are left out and logged.
    pub fn parse(document: &[u8]) -> Result<Self, BadKeySet> {
        if document.len() > MAX_JWKS_BYTES {
            return Err(BadKeySet::TooLarge);
        }
        let Document { keys } = object(document.trim_ascii()).map_err(|_| BadKeySet::NotAKeySet)?;
        if keys.len() > MAX_KEYS {
            return Err(BadKeySet::TooManyKeys);
        }
        let mut set = Self(Vec::with_capacity(keys.len()));
        for key in keys {
            if let Err(why) = set.add(key) {
                tracing::warn!(why, "a key of the JWK set is not used");
            }
        }
        if set.0.is_empty() { Err(BadKeySet::NoUsableKey) } else { Ok(set) }
    }

    /// The key of that name.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<Arc<PublicKey>> {
        self.0.iter().find(|key| key.kid == kid).cloned()
    }

    /// Whether this very key is in the set, under its own name.
    pub(crate) fn has(&self, key: &Arc<PublicKey>) -> bool {
        self.0.iter().any(|known| Arc::ptr_eq(known, key) || known == key)
    }

    fn add(&mut self, key: Value) -> Result<(), &'static str> {
        let jwk: Jwk = serde_json::from_value(key).map_err(|_| "not an RSA key")?;
        if jwk.kty != "RSA" {
            return Err("not an RSA key");
        }
        if jwk.alg.is_some_and(|alg| alg != "RS256") {
            return Err("for another algorithm");
        }
        if jwk.r#use.is_some_and(|r#use| r#use != "sig") {
            return Err("not for signatures");
        }
        // The first stays: the second may have been slipped in, and which one is meant cannot be known.
        if self.get(&jwk.kid).is_some() {
            return Err("its kid stands there already");
        }
        self.0.push(Arc::new(PublicKey::new(jwk.kid, &jwk.n, &jwk.e)?));
        Ok(())
    }
}

// === impl PublicKey ===

impl PublicKey {
    fn new(kid: String, n: &str, e: &str) -> Result<Self, &'static str> {
        let n = URL_SAFE_NO_PAD.decode(n).map_err(|_| "its modulus is not base64url")?;
        let e = URL_SAFE_NO_PAD.decode(e).map_err(|_| "its exponent is not base64url")?;
        // Some encoders write a sign byte; ring refuses leading zeros.
        let n = n.iter().position(|byte| *byte != 0).and_then(|first| n.get(first..)).unwrap_or_default();
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if bits < MIN_MODULUS_BITS {
            return Err("its modulus is too short");
        }
        if bits > MAX_MODULUS_BITS {
            return Err("its modulus is too long");
        }
        if e != EXPONENT {
            return Err("its exponent is not 65537");
        }
        Ok(Self { kid, modulus: n.to_vec() })
    }

    /// Whether `signature` is an RS256 signature of `message` by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = RsaPublicKeyComponents { n: self.modulus.as_slice(), e: EXPONENT.as_slice() };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} bits)", self.modulus.len() * 8)
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod wycheproof_tests;
