//! An answer.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::event::HttpAnswer;

/// A status, a body, and what goes with them. Every answer says `Cache-Control: no-store`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Further headers.
    pub headers: BTreeMap<&'static str, String>,
    /// The body, text.
    pub body: String,
}

// === impl Response ===

impl Response {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: String::new() }
    }

    /// An answer with JSON of this media type.
    #[must_use]
    pub fn json<T: Serialize>(status: u16, media_type: &str, body: &T) -> Self {
        // What is answered is made of strings, numbers, lists and maps with text keys: it cannot fail.
        let body = serde_json::to_string(body).unwrap_or_default();
        Self { body, ..Self::empty(status) }.with("content-type", media_type)
    }

    /// The answer with one more header.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.insert(name, value.into());
        self
    }

    pub(crate) fn into_answer(self, request_id: &str) -> HttpAnswer {
        let answer = self.with("cache-control", "no-store").with("x-request-id", request_id);
        HttpAnswer { status_code: answer.status, headers: answer.headers, body: answer.body, is_base64_encoded: false }
    }
}
