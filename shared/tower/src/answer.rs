//! A refusal, as HTTP says it (RFC 6750, section 3; RFC 9110, section 15.6.4).

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use revocation_verify::{DenyClass, DenyReason};

/// Seconds after which a client may try again. What keeps a token from being checked has mostly passed by then.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("1");

/// Why a request was not let through. Carries nothing of the request: it may be logged (I10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Denial {
    /// No `Authorization`, or nothing in it.
    NoToken,
    /// Several `Authorization` headers.
    SeveralTokens,
    /// An `Authorization` of another scheme.
    NotBearer,
    /// The token is no good, was revoked, or cannot be checked.
    Token(DenyReason),
    /// The token is good, and lacks a scope or a group.
    Insufficient,
    /// The check panicked.
    Panicked,
}

// === impl Denial ===

impl Denial {
    /// Stable and machine-readable: a log field, a metric's dimension, `reason` in the answer's body.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::SeveralTokens => "several_tokens",
            Self::NotBearer => "not_bearer",
            Self::Token(reason) => reason.code(),
            Self::Insufficient => "insufficient_scope",
            Self::Panicked => "internal",
        }
    }

    /// 401: get another token. 403: another token of this kind will not help. 503: try again with the same.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Insufficient => StatusCode::FORBIDDEN,
            Self::Token(reason) if reason.class() == DenyClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Panicked => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoToken | Self::SeveralTokens | Self::NotBearer | Self::Token(_) => StatusCode::UNAUTHORIZED,
        }
    }

    /// The error code of RFC 6750, section 3.1. None where there was no token of this scheme: "the resource server SHOULD
    /// NOT include an error code".
    fn error(self) -> Option<&'static str> {
        match self {
            Self::NoToken | Self::NotBearer => None,
            Self::SeveralTokens => Some("invalid_request"),
            Self::Insufficient => Some("insufficient_scope"),
            Self::Token(_) | Self::Panicked => Some("invalid_token"),
        }
    }

    pub(crate) fn response<B: From<String>>(self) -> Response<B> {
        let status = self.status();
        let unavailable = status == StatusCode::SERVICE_UNAVAILABLE;
        let error = if unavailable { "temporarily_unavailable" } else { self.error().unwrap_or("unauthorized") };
        // All of them are codes: nothing to escape.
        let body = format!(r#"{{"error":"{error}","reason":"{}"}}"#, self.code());
        let mut response = Response::new(body.into());
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if unavailable {
            headers.insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        } else {
            let challenge = match self.error() {
                None => HeaderValue::from_static("Bearer"),
                Some("invalid_request") => HeaderValue::from_static(r#"Bearer error="invalid_request""#),
                Some("insufficient_scope") => HeaderValue::from_static(r#"Bearer error="insufficient_scope""#),
                Some(_) => HeaderValue::from_static(r#"Bearer error="invalid_token""#),
            };
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

impl std::fmt::Display for Denial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}
