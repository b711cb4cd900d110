//! Standard Webhooks (standardwebhooks.com, specification of 2023): signatures over id, time and body.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use revocation_core::domain::time::EpochSeconds;
use ring::{hmac, signature};

use super::{Authentic, BadSecrets, Presented, Secret, SecretList, Unauthenticated, first, header, same};

/// How far a message's time may be from ours, both ways, in seconds (the specification's reference implementations).
pub const TOLERANCE_SECONDS: i64 = 5 * 60;
/// Most signatures in one header. A rotation needs two of each kind.
pub const MAX_SIGNATURES: usize = 16;
/// Most `v1a` signatures looked at: each is a pass over the body with every public key.
const MAX_PUBLIC_KEY_SIGNATURES: usize = 4;
/// Short enough to be the first part of a request's event id.
const MAX_ID_BYTES: usize = 200;
/// Digits of the largest `i64`.
const MAX_TIMESTAMP_DIGITS: usize = 19;

/// Senders differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// One signature of the header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// `v1`: HMAC-SHA256.
    V1([u8; 32]),
    /// `v1a`: Ed25519.
    V1a([u8; 64]),
}

enum Key {
    Shared(hmac::Key),
    Public([u8; 32]),
}

/// Id, time and signatures: the headers of a message.
struct Headers<'a> {
    id: &'a str,
    timestamp: &'a str,
    sent_at: EpochSeconds,
    signatures: Vec<Signature>,
}

/// Reads the signature header, `v1,<base64> v1a,<base64> …`. Versions that are not known and signatures that are
/// garbage are left out, as the specification wants it; one must be left.
pub fn signatures(value: &str) -> Result<Vec<Signature>, Unauthenticated> {
    const MALFORMED: Unauthenticated = Unauthenticated::Malformed("webhook-signature");
    let parts: Vec<&str> = value.split(' ').filter(|part| !part.is_empty()).take(MAX_SIGNATURES + 1).collect();
    if value.len() > super::MAX_HEADER_BYTES || parts.len() > MAX_SIGNATURES {
        return Err(MALFORMED);
    }
    let read: Vec<Signature> = parts.iter().filter_map(|part| signature(part)).collect();
    if read.is_empty() { Err(MALFORMED) } else { Ok(read) }
}

/// Checks that every secret is a key.
pub(super) fn check(secrets: &SecretList) -> Result<(), BadSecrets> {
    let bad = secrets.iter().position(|secret| key(secret).is_none());
    bad.map_or(Ok(()), |before| Err(BadSecrets::NotAWebhookKey(before + 1)))
}

pub(super) fn verify(
    presented: &Presented<'_>,
    secrets: &SecretList,
    now: EpochSeconds,
) -> Result<Authentic, Unauthenticated> {
    let headers = Headers::read(presented)?;
    let age = now.0.saturating_sub(headers.sent_at.0);
    if age > TOLERANCE_SECONDS {
        return Err(Unauthenticated::Stale);
    }
    if age < -TOLERANCE_SECONDS {
        return Err(Unauthenticated::Future);
    }
    let fits = |secret: &Secret| key(secret).is_some_and(|key| headers.signed_with(&key, presented.body));
    let secret = first(secrets, fits).ok_or(Unauthenticated::NoMatch)?;
    Ok(Authentic {
        secret_name: secret.name.clone(),
        event_id: Some(headers.id.to_owned()),
        sent_at: Some(headers.sent_at),
    })
}

// === impl Headers ===

impl<'a> Headers<'a> {
    /// The headers, all three by the specification's names or all three by Svix's older ones.
    fn read(presented: &Presented<'a>) -> Result<Self, Unauthenticated> {
        let is_svix =
            (presented.headers)("webhook-signature").is_none() && (presented.headers)("svix-signature").is_some();
        let names = if is_svix {
            ["svix-id", "svix-timestamp", "svix-signature"]
        } else {
            ["webhook-id", "webhook-timestamp", "webhook-signature"]
        };
        let [id, timestamp, signature] = names;
        let id = header(presented, id, "webhook-id")?;
        if !(1..=MAX_ID_BYTES).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Unauthenticated::Malformed("webhook-id"));
        }
        let timestamp = header(presented, timestamp, "webhook-timestamp")?;
        let digits = timestamp.len() <= MAX_TIMESTAMP_DIGITS && timestamp.bytes().all(|b| b.is_ascii_digit());
        let seconds = digits.then(|| timestamp.parse().ok()).flatten();
        let sent_at = EpochSeconds(seconds.ok_or(Unauthenticated::Malformed("webhook-timestamp"))?);
        let signatures = signatures(header(presented, signature, "webhook-signature")?)?;
        Ok(Self { id, timestamp, sent_at, signatures })
    }

    fn signed_with(&self, key: &Key, body: &[u8]) -> bool {
        match key {
            Key::Shared(key) => self.has_mac(key, body),
            Key::Public(key) => self.has_public_key_signature(*key, body),
        }
    }

    /// The body is hashed once a key, however many signatures there are; these are compared in constant time.
    fn has_mac(&self, key: &hmac::Key, body: &[u8]) -> bool {
        let mut context = hmac::Context::with_key(key);
        for part in [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body] {
            context.update(part);
        }
        let expected = context.sign();
        let is_it = |one: &Signature| matches!(one, Signature::V1(mac) if same(mac, expected.as_ref()));
        self.signatures.iter().filter(|one| is_it(one)).count() > 0
    }

    /// Nothing here is secret, so it may end at the first that fits.
    fn has_public_key_signature(&self, key: [u8; 32], body: &[u8]) -> bool {
        let mut given = self.signatures.iter().filter_map(|one| match one {
            Signature::V1a(bytes) => Some(bytes),
            Signature::V1(_) => None,
        });
        let first = given.by_ref().take(MAX_PUBLIC_KEY_SIGNATURES).collect::<Vec<_>>();
        if first.is_empty() {
            return false;
        }
        let signed = [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", body].concat();
        let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
        first.iter().any(|bytes| key.verify(&signed, *bytes).is_ok())
    }
}

fn signature(part: &str) -> Option<Signature> {
    let (version, encoded) = part.split_once(',')?;
    let bytes = BASE64.decode(encoded).ok()?;
    match version {
        "v1" => bytes.try_into().ok().map(Signature::V1),
        "v1a" => bytes.try_into().ok().map(Signature::V1a),
        _ => None,
    }
}

/// The key a secret stands for. A private key (`whsk_`) is none: nothing here signs.
fn key(secret: &Secret) -> Option<Key> {
    if let Some(encoded) = secret.value().strip_prefix("whsec_") {
        let bytes = BASE64.decode(encoded).ok().filter(|bytes| (24..=64).contains(&bytes.len()))?;
        return Some(Key::Shared(hmac::Key::new(hmac::HMAC_SHA256, &bytes)));
    }
    let bytes = BASE64.decode(secret.value().strip_prefix("whpk_")?).ok()?;
    bytes.try_into().ok().map(Key::Public)
}
