//! Two RSA keys for tests, always the same. Their private halves are public by being here: worthless on purpose.
//!
//! Made with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 | openssl pkcs8 -topk8 -nocrypt -outform DER`,
//! since *ring* does not generate RSA keys.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_SHA256, RsaEncoding};
use serde_json::{Value, json};

static A: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::read("test-key-a", include_bytes!("../keys/test_only_a.pkcs8.der")));
static B: LazyLock<TestKey> =
    LazyLock::new(|| TestKey::read("test-key-b", include_bytes!("../keys/test_only_b.pkcs8.der")));

/// A signing key of a pool that does not exist.
pub struct TestKey {
    /// Its `kid`.
    pub kid: &'static str,
    pair: KeyPair,
}

/// The key the pool signs with.
#[must_use]
pub fn key_a() -> &'static TestKey {
    &A
}

/// Another: what the pool rotates to, or an attacker's own.
#[must_use]
pub fn key_b() -> &'static TestKey {
    &B
}

/// A JWK set of these keys, as Cognito serves it.
#[must_use]
pub fn jwks(keys: &[&TestKey]) -> Vec<u8> {
    json!({ "keys": keys.iter().map(|key| key.jwk()).collect::<Vec<_>>() }).to_string().into_bytes()
}

// === impl TestKey ===

impl TestKey {
    fn read(kid: &'static str, pkcs8: &[u8]) -> Self {
        Self { kid, pair: KeyPair::from_pkcs8(pkcs8).unwrap() }
    }

    /// The public half as a JWK.
    #[must_use]
    pub fn jwk(&self) -> Value {
        let PublicKeyComponents { n, e } = self.components();
        let (n, e) = (URL_SAFE_NO_PAD.encode(n), URL_SAFE_NO_PAD.encode(e));
        json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": n, "e": e })
    }

    /// Modulus and exponent.
    #[must_use]
    pub fn components(&self) -> PublicKeyComponents<Vec<u8>> {
        PublicKeyComponents::from(self.pair.public())
    }

    /// An RS256 signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.sign_by(&RSA_PKCS1_SHA256, message)
    }

    /// A signature by another algorithm.
    #[must_use]
    pub fn sign_by(&self, encoding: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair.sign(encoding, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }
}
