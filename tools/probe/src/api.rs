//! The protected API.

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::Probe;

/// What the API answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `WWW-Authenticate`.
    pub www_authenticate: Option<String>,
    /// The body, if it is JSON.
    pub body: Value,
}

impl Probe {
    /// Calls the REST API with a token.
    pub fn call(&self, token: &str) -> Result<Answer> {
        self.call_at(&self.facts.api_url, Some(token))
    }

    /// Calls any address, with a bearer token or without.
    pub fn call_at(&self, url: &str, token: Option<&str>) -> Result<Answer> {
        let mut request = self.http.get(url);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().with_context(|| format!("no answer from {url}"))?;
        let header = response.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
        let www_authenticate = header.map(str::to_owned);
        let text = response.body_mut().read_to_string().context("the answer is no text")?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer { status: response.status().as_u16(), www_authenticate, body })
    }
}
