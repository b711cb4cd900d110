//! Why an attempt failed, and what follows: another attempt now, a retry by the caller, or none at all.

use std::time::Duration;

use revocation_core::domain::disposition::Disposition;
use revocation_core::ports::PortError;
use serde::Deserialize;

/// The largest description of an error read.
const MAX_CODE_BYTES: usize = 64;

/// Errors that say "later". <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>
const THROTTLED: [&str; 6] = [
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
];
/// Errors that the same call will meet again. Everything not listed may pass, as in `revocation-aws`.
const FOR_GOOD: [&str; 5] = [
    "AccessDeniedException",
    "ResourceNotFoundException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
];
/// Errors by which a clock that is off shows itself; with some it may also be the secret that is wrong, see [`NOT_OURS`].
const SKEWED: [&str; 6] = [
    "RequestTimeTooSkewed",
    "RequestExpired",
    "RequestInTheFuture",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
];
/// Errors of credentials that ran out.
const EXPIRED: [&str; 3] = ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException"];
/// Of the two before, those that say that the credentials are wrong, once the clock is right and they are new: no outage, but
/// a mistake that stays until somebody mends it, as a missing permission does.
const NOT_OURS: [&str; 4] =
    ["InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure", "UnrecognizedClientException"];

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No answer in time.
    Timeout,
    /// No connection.
    Unreachable,
    /// The connection ended before the answer did.
    Lost,
    /// An answer that makes no sense.
    BadResponse,
    /// The item is there and cannot be understood.
    UnreadableItem,
    /// The credentials' provider gave none.
    NoCredentials,
    /// The store said no. Its code in snake case.
    Refused { code: String, again: Again },
}

/// What helps against a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// The same, a moment later.
    Later,
    /// The same, now: what was wrong has been set right.
    Now,
    /// Perhaps the same after a long while.
    ByCaller,
    /// Nothing.
    Never,
}

/// What an error code of the store means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// One of [`SKEWED`].
    ClockMayBeOff,
    /// One of [`EXPIRED`].
    CredentialsExpired,
    /// Anything else.
    Other(Again),
}

// === impl Failure ===

impl Failure {
    /// After which pause another attempt is worth it; `None` if it is not.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Timeout | Self::Lost | Self::BadResponse | Self::Refused { again: Again::Now, .. } => {
                Some(Duration::ZERO)
            }
            Self::Unreachable => Some(Duration::from_millis(15)),
            Self::Refused { again: Again::Later, .. } => Some(Duration::from_millis(30)),
            Self::UnreadableItem | Self::NoCredentials | Self::Refused { .. } => None,
        }
    }

    /// As the error of a port's `operation`.
    pub(crate) fn port_error(self, operation: &'static str) -> PortError {
        match self {
            Self::Timeout => PortError::retry(operation, "timeout"),
            Self::Unreachable | Self::Lost => PortError::retry(operation, "unreachable"),
            Self::BadResponse => PortError::retry(operation, "bad_response"),
            Self::NoCredentials => PortError::retry(operation, "no_credentials"),
            Self::UnreadableItem => PortError::reject(operation, "unreadable_item"),
            Self::Refused { code, again } => {
                let disposition = if again == Again::Never { Disposition::Reject } else { Disposition::Retry };
                PortError { operation, code, disposition }
            }
        }
    }
}

// === impl Meaning ===

impl Meaning {
    /// Of an answer that is not a 200.
    pub(crate) fn of(status: u16, code: Option<&str>) -> Self {
        let is = |list: &[&str]| code.is_some_and(|code| list.contains(&code));
        match status {
            _ if status == 429 || status >= 500 || is(&THROTTLED) => Self::Other(Again::Later),
            _ if is(&SKEWED) => Self::ClockMayBeOff,
            _ if is(&EXPIRED) => Self::CredentialsExpired,
            _ if is(&FOR_GOOD) => Self::Other(Again::Never),
            _ => Self::Other(Again::ByCaller),
        }
    }

    /// What helps against an error of this code, when neither another clock nor other credentials do.
    pub(crate) fn unhelped(self, code: Option<&str>) -> Again {
        match self {
            Self::Other(again) => again,
            _ if code.is_some_and(|code| NOT_OURS.contains(&code)) => Again::Never,
            Self::ClockMayBeOff | Self::CredentialsExpired => Again::ByCaller,
        }
    }
}

/// The code of an error, `…#ResourceNotFoundException` → `ResourceNotFoundException`.
pub(crate) fn error_code(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Description {
        #[serde(rename = "__type")]
        kind: String,
    }
    let kind = serde_json::from_slice::<Description>(body).ok()?.kind;
    let code = kind.rsplit('#').next()?.split(':').next()?;
    (!code.is_empty() && code.len() <= MAX_CODE_BYTES).then(|| code.to_owned())
}

/// The stable word for an error: `ProvisionedThroughputExceededException` → `throttled`, `ValidationException` →
/// `validation`, a 500 → `server_error`.
pub(crate) fn stable(status: u16, code: Option<&str>) -> String {
    match code {
        Some(code) if THROTTLED.contains(&code) => "throttled".to_owned(),
        Some(code) if status < 500 => snake_case(code),
        None if status == 429 => "throttled".to_owned(),
        _ if status >= 500 => "server_error".to_owned(),
        _ => "bad_response".to_owned(),
    }
}

fn snake_case(code: &str) -> String {
    let mut text = String::new();
    for c in code.trim_end_matches("Exception").chars().filter(char::is_ascii_alphanumeric) {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_stable_words_and_meanings() {
        let later = Meaning::Other(Again::Later);
        for (status, code, word, meaning) in [
            (400, Some("ProvisionedThroughputExceededException"), "throttled", later),
            (400, Some("ThrottlingException"), "throttled", later),
            (400, Some("ResourceNotFoundException"), "resource_not_found", Meaning::Other(Again::Never)),
            (400, Some("AccessDeniedException"), "access_denied", Meaning::Other(Again::Never)),
            (400, Some("ValidationException"), "validation", Meaning::Other(Again::Never)),
            (400, Some("InvalidSignatureException"), "invalid_signature", Meaning::ClockMayBeOff),
            (400, Some("ExpiredTokenException"), "expired_token", Meaning::CredentialsExpired),
            (400, Some("NewException"), "new", Meaning::Other(Again::ByCaller)),
            (403, None, "bad_response", Meaning::Other(Again::ByCaller)),
            (302, None, "bad_response", Meaning::Other(Again::ByCaller)),
            (429, None, "throttled", later),
            (500, Some("InternalServerError"), "server_error", later),
            (503, None, "server_error", later),
        ] {
            assert_eq!((stable(status, code), Meaning::of(status, code)), (word.to_owned(), meaning), "{code:?}");
        }
    }

    #[test]
    fn a_code_is_read_with_and_without_its_namespace() {
        for (body, code) in [
            (
                r#"{"__type":"com.amazonaws.dynamodb.v20120810#ValidationException","message":"x"}"#,
                Some("ValidationException"),
            ),
            (r#"{"__type":"ValidationException:http://x"}"#, Some("ValidationException")),
            (r#"{"message":"x"}"#, None),
            (r#"{"__type":""}"#, None),
            ("<html>", None),
        ] {
            assert_eq!(error_code(body.as_bytes()).as_deref(), code, "{body}");
        }
    }
}
