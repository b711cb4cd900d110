//! Signature Version 4 of one kind of request: `POST /` with a JSON body
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
//!
//! Key and signature are `aws-sigv4`'s. What is signed is written here, since its form is always the same: that takes a
//! third of the time of the general way, with which a test compares it.

use aws_sigv4::sign::v4::calculate_signature;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use jiff::tz::Offset;
use revocation_core::domain::time::EpochMillis;
use ring::digest::{SHA256, digest};

use crate::credentials::Identity;
use crate::failure::Failure;

/// The media type of a request.
pub(crate) const CONTENT_TYPE: &str = "application/x-amz-json-1.0";

/// Signs for one endpoint.
pub(crate) struct Signer {
    region: String,
    host: String,
}

/// What the signature adds to the headers.
pub(crate) struct Signed {
    /// `X-Amz-Date`
    pub(crate) date: HeaderValue,
    /// `Authorization`
    pub(crate) authorization: HeaderValue,
}

impl Signer {
    pub(crate) fn new(region: String, host: String) -> Self {
        Self { region, host }
    }

    /// Signs a request for `target` at `at`.
    pub(crate) fn sign(
        &self,
        identity: &Identity,
        target: &str,
        body: &[u8],
        at: EpochMillis,
    ) -> Result<Signed, Failure> {
        let date = basic_format(at);
        let day = date.get(..8).unwrap_or_default();
        let token = identity.token.as_ref().map(|token| token.to_str().map_err(|_| Failure::NoCredentials));
        let token = token.transpose()?;
        let mut canonical = String::with_capacity(384 + token.map_or(0, str::len));
        for part in ["POST\n/\n\ncontent-type:", CONTENT_TYPE, "\nhost:", &self.host, "\nx-amz-date:", &date, "\n"] {
            canonical.push_str(part);
        }
        if let Some(token) = token {
            // Leading and trailing spaces and runs of them would be folded; a token has none.
            for part in ["x-amz-security-token:", token, "\n"] {
                canonical.push_str(part);
            }
        }
        let names = if token.is_some() {
            "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
        } else {
            "content-type;host;x-amz-date;x-amz-target"
        };
        for part in ["x-amz-target:", target, "\n\n", names, "\n"] {
            canonical.push_str(part);
        }
        push_hex(&mut canonical, digest(&SHA256, body).as_ref());

        let scope = [day, "/", &self.region, "/dynamodb/aws4_request"].concat();
        let mut to_sign = String::with_capacity(160);
        for part in ["AWS4-HMAC-SHA256\n", &date, "\n", &scope, "\n"] {
            to_sign.push_str(part);
        }
        push_hex(&mut to_sign, digest(&SHA256, canonical.as_bytes()).as_ref());
        let signature = calculate_signature(identity.signing_key(at, &self.region), to_sign.as_bytes());
        let authorization = [
            "AWS4-HMAC-SHA256 Credential=",
            &identity.access_key_id,
            "/",
            &scope,
            ", SignedHeaders=",
            names,
            ", Signature=",
            &signature,
        ]
        .concat();
        let header = |text: String| HeaderValue::try_from(text).map_err(|_| Failure::NoCredentials);
        let (date, mut authorization) = (header(date)?, header(authorization)?);
        authorization.set_sensitive(true);
        Ok(Signed { date, authorization })
    }
}

/// `20260131T180000Z`
fn basic_format(at: EpochMillis) -> String {
    let stamp = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = Offset::UTC.to_datetime(stamp);
    let (year, month, day) = (at.year(), at.month(), at.day());
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", at.hour(), at.minute(), at.second())
}

/// Appends bytes in lower-case hexadecimal.
pub(crate) fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or_default()));
        }
    }
}

#[cfg(test)]
mod tests;
