//! Errors as RFC 9457 has them: `application/problem+json`.

use serde::Serialize;

use crate::request::Refusal;
use crate::response::Response;

/// What went wrong, said so that it helps whoever reads the sender's log, and without a value of the request (I10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    /// Stable name, snake case.
    code: &'static str,
}

// === impl Problem ===

impl Problem {
    /// A problem with a stable code; `detail` says what to do.
    #[must_use]
    pub fn new(status: u16, code: &'static str, detail: impl Into<String>) -> Self {
        let kind = format!("urn:session-revocation:problem:{code}");
        Self { kind, title: title(status), status, detail: detail.into(), code }
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> Response {
        let response = Response::json(self.status, "application/problem+json", self);
        match self.status {
            // RFC 9110 section 11.6.1: a 401 names a way to authenticate.
            401 => response.with("www-authenticate", "Bearer realm=\"session-revocation\""),
            503 => response.with("retry-after", "5"),
            _ => response,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.status(), refusal.code(), refusal.to_string())
    }
}

/// The reason phrase (RFC 9110 section 15).
fn title(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Error",
    }
}
