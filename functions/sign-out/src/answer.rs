//! Refusals in OAuth's form (RFC 6749, section 5.2; RFC 7009, section 2.2.1).

use revocation_core::ports::PortError;
use revocation_edge::Response;
use serde_json::json;

/// Why a sign-out was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The form is wrong; says how.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client is not known, or did not authenticate.
    #[error("the client is not known here, or its secret is missing or wrong")]
    InvalidClient,
    /// A token that names no session.
    #[error("{0}")]
    UnsupportedTokenType(&'static str),
    /// A session that has ended already.
    #[error("this session has ended already, and ends no others; sign in to do that")]
    SessionEnded,
    /// A refresh token Cognito refuses: whose it is, and which access tokens go with it, is not known.
    #[error("Cognito refuses this refresh token, so its session is not known; send the session's access token")]
    RefreshTokenRefused,
    /// The tombstone was not seen in time. The request is on its way all the same.
    #[error("the sign-out was accepted but is not confirmed yet; repeat the request")]
    NotYet,
    /// A service failed.
    #[error("the sign-out cannot be done at the moment; repeat the request")]
    Unavailable(#[from] PortError),
    /// The keys to verify the token with cannot be had.
    #[error("the token cannot be checked at the moment; repeat the request")]
    KeysUnavailable,
    /// Another method.
    #[error("a sign-out is sent with POST")]
    MethodNotAllowed,
    /// Another path.
    #[error("there is nothing here; the endpoint is /sign-out")]
    NotFound,
}

impl Refused {
    /// Stable name.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnsupportedTokenType(_) => "unsupported_token_type",
            Self::SessionEnded | Self::RefreshTokenRefused => "invalid_token",
            Self::NotYet => "not_yet",
            Self::Unavailable(_) | Self::KeysUnavailable => "temporarily_unavailable",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::NotFound => "not_found",
        }
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response {
        if let Self::Unavailable(error) = self {
            tracing::warn!(%error, "a sign-out could not be done");
        }
        let status = match self {
            Self::InvalidRequest(_)
            | Self::UnsupportedTokenType(_)
            | Self::SessionEnded
            | Self::RefreshTokenRefused => 400,
            Self::InvalidClient => 401,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotYet | Self::Unavailable(_) | Self::KeysUnavailable => 503,
        };
        let body = json!({ "error": self.code(), "error_description": self.to_string() });
        let response = Response::json(status, "application/json", &body).with("pragma", "no-cache");
        match status {
            401 => response.with("www-authenticate", "Basic realm=\"sign-out\""),
            // RFC 7009, section 2.2.1: the client must take the token for still good, and may try again.
            503 => response.with("retry-after", "2"),
            405 => response.with("allow", "POST"),
            _ => response,
        }
    }
}
