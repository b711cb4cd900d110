//! A request as the intakes see it, bounded before anything reads its content.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use revocation_sources::json::MAX_BODY_BYTES;

use crate::event::HttpEvent;

/// API Gateway itself refuses more than 10,240 bytes of headers.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 10_240;
const MAX_PATH_BYTES: usize = 2_048;
const MAX_PATH_SEGMENTS: usize = 8;
const MAX_QUERY_BYTES: usize = 8_192;
const MAX_QUERY_PARAMETERS: usize = 32;

/// A request within the limits. Not `Debug`: it holds secrets and personal data (I10).
pub struct Request {
    /// `GET`, `POST` …, in capitals.
    pub method: String,
    /// The decoded segments of the path, without the stage: `/a/b%20c/` is `["a", "b c"]`.
    pub path: Vec<String>,
    /// The decoded parameters of the query, in order.
    pub query: Vec<(String, String)>,
    /// The body's bytes, as signed by the sender.
    pub body: Vec<u8>,
    /// API Gateway's id of the request.
    pub request_id: String,
    headers: BTreeMap<String, String>,
}

/// A request beyond the limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Status 413.
    #[error("the body is larger than 262144 bytes")]
    BodyTooLarge,
    /// Status 400.
    #[error("the body is not the base64 it is said to be")]
    BodyNotBase64,
    /// Status 431.
    #[error("more than 64 headers, or more than 10240 bytes of them")]
    TooManyHeaders,
    /// Status 414.
    #[error("the path or the query is too long")]
    TooLongUri,
}

// === impl Refusal ===

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::BodyTooLarge => 413,
            Self::BodyNotBase64 => 400,
            Self::TooManyHeaders => 431,
            Self::TooLongUri => 414,
        }
    }

    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body_too_large",
            Self::BodyNotBase64 => "body_not_base64",
            Self::TooManyHeaders => "too_many_headers",
            Self::TooLongUri => "uri_too_long",
        }
    }
}

// === impl Request ===

impl Request {
    /// Reads an event, if it is within the limits.
    pub(crate) fn read(mut event: HttpEvent, opaque_below: Option<&str>) -> Result<Self, Refusal> {
        let stage = &event.request_context.stage;
        if let Some(first) = opaque_below
            && first_segment(&event.raw_path, stage) == Some(first)
        {
            event.raw_path = format!("/{first}");
            event.raw_query_string.clear();
        }
        let header_bytes: usize = event.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
        if event.headers.len() > MAX_HEADERS || header_bytes > MAX_HEADER_BYTES {
            return Err(Refusal::TooManyHeaders);
        }
        if event.raw_path.len() > MAX_PATH_BYTES || event.raw_query_string.len() > MAX_QUERY_BYTES {
            return Err(Refusal::TooLongUri);
        }
        let path = segments(&event.raw_path, &event.request_context.stage)?;
        let query = parameters(&event.raw_query_string)?;
        let body = body(event.body.unwrap_or_default(), event.is_base64_encoded)?;
        Ok(Self {
            method: event.request_context.http.method.to_ascii_uppercase(),
            path,
            query,
            body,
            request_id: event.request_context.request_id,
            headers: event.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect(),
        })
    }

    /// A request from its parts, for tests and benches.
    #[must_use]
    pub fn new(method: &str, uri: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        Self {
            method: method.to_owned(),
            path: segments(path, "").unwrap_or_default(),
            query: parameters(query).unwrap_or_default(),
            body: body.into(),
            request_id: "request".to_owned(),
            headers: headers.iter().map(|(n, v)| (n.to_ascii_lowercase(), (*v).to_owned())).collect(),
        }
    }

    /// A header's value, by its name in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name).or_else(|| self.headers.get(&name.to_ascii_lowercase()));
        value.map(String::as_str)
    }

    /// The path's segments as text, to match on.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

/// The first segment after the stage, as it came.
fn first_segment<'a>(path: &'a str, stage: &str) -> Option<&'a str> {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    if !stage.is_empty() {
        parts.next_if(|first| *first == stage);
    }
    parts.next()
}

/// A stage other than `$default` is the path's first segment.
fn segments(path: &str, stage: &str) -> Result<Vec<String>, Refusal> {
    let mut parts = path.split('/').filter(|part| !part.is_empty()).map(decoded).peekable();
    if !stage.is_empty() {
        parts.next_if(|first| first == stage);
    }
    let parts: Vec<String> = parts.take(MAX_PATH_SEGMENTS + 1).collect();
    if parts.len() > MAX_PATH_SEGMENTS { Err(Refusal::TooLongUri) } else { Ok(parts) }
}

fn parameters(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(MAX_QUERY_PARAMETERS + 1);
    let pairs: Vec<_> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
        })
        .collect();
    if pairs.len() > MAX_QUERY_PARAMETERS { Err(Refusal::TooLongUri) } else { Ok(pairs) }
}

/// What is not UTF-8 becomes U+FFFD, and then names nothing.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn body(text: String, is_base64: bool) -> Result<Vec<u8>, Refusal> {
    // Base64 makes four bytes of three.
    let most = if is_base64 { MAX_BODY_BYTES.div_ceil(3) * 4 } else { MAX_BODY_BYTES };
    if text.len() > most {
        return Err(Refusal::BodyTooLarge);
    }
    let body = if is_base64 { STANDARD.decode(text).map_err(|_| Refusal::BodyNotBase64)? } else { text.into_bytes() };
    if body.len() > MAX_BODY_BYTES { Err(Refusal::BodyTooLarge) } else { Ok(body) }
}
