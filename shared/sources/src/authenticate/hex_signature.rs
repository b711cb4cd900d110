//! Signatures that are the HMAC-SHA256 of the body, in hexadecimal, in one header.

use ring::hmac;

use super::{Presented, Secret, SecretList, Unauthenticated, first, header};

/// A vendor's form of it.
pub(super) struct Form {
    header: &'static str,
    prefix: &'static str,
    /// Most signatures in the header, separated by commas: one of each secret during a rotation.
    most: usize,
}

/// GitHub docs, "Validating webhook deliveries".
pub(super) const GITHUB: Form = Form { header: "x-hub-signature-256", prefix: "sha256=", most: 1 };
/// PagerDuty docs, "Verifying webhook signatures".
pub(super) const PAGERDUTY: Form = Form { header: "x-pagerduty-signature", prefix: "v1=", most: 8 };

/// The secret with which the body was signed.
pub(super) fn verify<'a>(
    form: &Form,
    presented: &Presented<'_>,
    secrets: &'a SecretList,
) -> Result<&'a Secret, Unauthenticated> {
    let signatures = signatures(form, header(presented, form.header, form.header)?)?;
    let signed = |secret: &Secret| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.value().as_bytes());
        // Once a secret: the body is hashed as often as there are secrets, however many signatures are presented.
        let tag = hmac::sign(&key, presented.body);
        signatures.iter().filter(|signature| super::same(*signature, tag.as_ref())).count() > 0
    };
    first(secrets, signed).ok_or(Unauthenticated::NoMatch)
}

fn signatures(form: &Form, value: &str) -> Result<Vec<[u8; 32]>, Unauthenticated> {
    let parts: Vec<&str> = value.split(',').take(form.most + 1).collect();
    let read: Vec<[u8; 32]> =
        parts.iter().filter_map(|part| hex(part.trim().strip_prefix(form.prefix)?.as_bytes())).collect();
    let is_fine = parts.len() <= form.most && !read.is_empty();
    is_fine.then_some(read).ok_or(Unauthenticated::Malformed(form.header))
}

fn hex(text: &[u8]) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |n: usize| char::from(*pair.get(n)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}
