//! Who sent this? In constant time, over the raw bytes, before anything is parsed (I11).

use std::fmt;

use revocation_core::domain::time::EpochSeconds;
use ring::hmac;

mod hex_signature;
mod okta;
mod secret;
pub mod standard_webhooks;

pub use okta::okta_verification;
pub use secret::{BadSecrets, MAX_SECRETS, MIN_SECRET_CHARS, Secret, SecretList};

/// Longest header looked at, in bytes. Sixteen signatures of the longest kind fit in.
pub const MAX_HEADER_BYTES: usize = 4 * 1024;

/// How a source proves who it is. Every variant names the secret in Secrets Manager; none has a secret in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authentication {
    /// Standard Webhooks: `v1` (HMAC-SHA256) and `v1a` (Ed25519) over id, time and body. The only one that by itself tells
    /// a replay from a new message.
    StandardWebhooks {
        /// Name or ARN of the secret.
        secret: String,
    },
    /// `X-Hub-Signature-256: sha256=<hex>`, HMAC-SHA256 of the body. GitHub's delivery id is not signed, so it is not used.
    GithubSignature {
        /// Name or ARN of the secret.
        secret: String,
    },
    /// `X-PagerDuty-Signature: v1=<hex>[,v1=<hex>]`, HMAC-SHA256 of the body.
    PagerdutySignature {
        /// Name or ARN of the secret.
        secret: String,
    },
    /// A header whose value is the secret (Datadog, Elastic, Logic Apps).
    Header {
        /// Name of the header, in lower case.
        header: String,
        /// Name or ARN of the secret.
        secret: String,
    },
    /// `Authorization: Bearer <secret>`.
    Bearer {
        /// Name or ARN of the secret.
        secret: String,
    },
    /// The secret is the last part of the path, for senders that can neither sign nor send headers (Splunk). Paths get
    /// into the logs of senders and proxies, so the grant is narrower by default.
    Path {
        /// Name or ARN of the secret.
        secret: String,
    },
    /// Okta's event hooks: the `Authorization` header has the secret as it stands; see [`okta_verification`].
    OktaEventHook {
        /// Name or ARN of the secret.
        secret: String,
    },
}

/// What a sender presents.
#[derive(Clone, Copy)]
pub struct Presented<'a> {
    /// Looks a header up by its name in lower case.
    pub headers: &'a dyn Fn(&str) -> Option<&'a str>,
    /// The body as it came.
    pub body: &'a [u8],
    /// The part of the path after the source's name.
    pub path_secret: Option<&'a str>,
}

/// The sender is who it claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentic {
    /// The name of the secret that matched: during a rotation it tells whether the old one is still in use.
    pub secret_name: String,
    /// An id of the message that the signature covers: Standard Webhooks' `webhook-id`.
    pub event_id: Option<String>,
    /// When the message was signed.
    pub sent_at: Option<EpochSeconds>,
}

/// Why a sender was turned away. No variant quotes anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// A header, or the secret in the path, is not there.
    #[error("the request lacks the `{0}` its source authenticates with")]
    Missing(&'static str),
    /// It is there, but not of the form.
    #[error("the request's `{0}` is not of the form that is expected")]
    Malformed(&'static str),
    /// Signed more than five minutes ago: perhaps a replay.
    #[error("the request was signed too long ago")]
    Stale,
    /// Signed more than five minutes in the future: the sender's clock is wrong.
    #[error("the request was signed in the future")]
    Future,
    /// No secret of the source fits.
    #[error("the request's signature or secret is not one of its source")]
    NoMatch,
}

/// Authenticates a request against the secrets of its source.
///
/// Every secret is tried, whichever one fits: how long it takes does not tell which did.
pub fn authenticate(
    authentication: &Authentication,
    presented: &Presented<'_>,
    secrets: &SecretList,
    now: EpochSeconds,
) -> Result<Authentic, Unauthenticated> {
    let secret = match authentication {
        Authentication::StandardWebhooks { .. } => return standard_webhooks::verify(presented, secrets, now),
        Authentication::GithubSignature { .. } => hex_signature::verify(&hex_signature::GITHUB, presented, secrets),
        Authentication::PagerdutySignature { .. } => {
            hex_signature::verify(&hex_signature::PAGERDUTY, presented, secrets)
        }
        Authentication::Header { header, .. } => match_header(presented, header, "header", secrets),
        Authentication::OktaEventHook { .. } => match_header(presented, "authorization", "authorization", secrets),
        Authentication::Bearer { .. } => {
            let value = header(presented, "authorization", "authorization")?;
            match_bearer(secrets, value).ok_or(Unauthenticated::NoMatch)
        }
        Authentication::Path { .. } => {
            let value = presented.path_secret.ok_or(Unauthenticated::Missing("secret in the path"))?;
            match_plain(secrets, value).ok_or(Unauthenticated::NoMatch)
        }
    }?;
    Ok(Authentic { secret_name: secret.name.clone(), event_id: None, sent_at: None })
}

/// The secret that is the token of an `Authorization: Bearer <token>` header.
#[must_use]
pub fn match_bearer<'a>(secrets: &'a SecretList, authorization: &str) -> Option<&'a Secret> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| match_plain(secrets, token.trim_matches(' '))).flatten()
}

// === impl Authentication ===

impl Authentication {
    /// The name in configuration, answers and metrics.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Self::StandardWebhooks { .. } => "standard_webhooks",
            Self::GithubSignature { .. } => "github_signature",
            Self::PagerdutySignature { .. } => "pagerduty_signature",
            Self::Header { .. } => "header",
            Self::Bearer { .. } => "bearer",
            Self::Path { .. } => "path",
            Self::OktaEventHook { .. } => "okta_event_hook",
        }
    }

    /// Name or ARN of the secret in Secrets Manager.
    #[must_use]
    pub fn secret(&self) -> &str {
        match self {
            Self::StandardWebhooks { secret }
            | Self::GithubSignature { secret }
            | Self::PagerdutySignature { secret }
            | Self::Header { secret, .. }
            | Self::Bearer { secret }
            | Self::Path { secret }
            | Self::OktaEventHook { secret } => secret,
        }
    }

    /// Reads the text of the secret and checks that every secret in it is of the form this method needs: a mistake
    /// there should show when the secret is loaded, not as a sender's failure.
    pub fn secrets(&self, text: &str) -> Result<SecretList, BadSecrets> {
        let secrets = SecretList::parse(text)?;
        if matches!(self, Self::StandardWebhooks { .. }) {
            standard_webhooks::check(&secrets)?;
        }
        Ok(secrets)
    }
}

// === impl Presented ===

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers, body and path have secrets and personal data.
        f.debug_struct("Presented").field("body_bytes", &self.body.len()).finish_non_exhaustive()
    }
}

// === impl Unauthenticated ===

impl Unauthenticated {
    /// Stable name for metrics and answers.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Missing(_) => "credentials_missing",
            Self::Malformed(_) => "credentials_malformed",
            Self::Stale => "timestamp_stale",
            Self::Future => "timestamp_in_the_future",
            Self::NoMatch => "credentials_unknown",
        }
    }
}

/// A header, bounded. `shown` is its name in errors.
fn header<'a>(presented: &Presented<'a>, name: &str, shown: &'static str) -> Result<&'a str, Unauthenticated> {
    let value = (presented.headers)(name).ok_or(Unauthenticated::Missing(shown))?;
    (value.len() <= MAX_HEADER_BYTES).then_some(value).ok_or(Unauthenticated::Malformed(shown))
}

fn match_header<'a>(
    presented: &Presented<'_>,
    name: &str,
    shown: &'static str,
    secrets: &'a SecretList,
) -> Result<&'a Secret, Unauthenticated> {
    match_plain(secrets, header(presented, name, shown)?).ok_or(Unauthenticated::NoMatch)
}

/// The secret that `presented` is.
fn match_plain<'a>(secrets: &'a SecretList, presented: &str) -> Option<&'a Secret> {
    let presented = Some(presented.as_bytes()).filter(|bytes| bytes.len() <= MAX_HEADER_BYTES)?;
    first(secrets, |secret| same(presented, secret.value().as_bytes()))
}

/// The first secret that fits; all are asked.
fn first(secrets: &SecretList, fits: impl Fn(&Secret) -> bool) -> Option<&Secret> {
    let mut found = None;
    for secret in secrets {
        if fits(secret) && found.is_none() {
            found = Some(secret);
        }
    }
    found
}

/// Whether both are the same bytes, in a time that depends on their lengths only: their MACs are compared, by `ring`.
fn same(presented: &[u8], expected: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"session-revocation: compare");
    hmac::verify(&key, expected, hmac::sign(&key, presented).as_ref()).is_ok()
}

#[cfg(test)]
mod tests;
