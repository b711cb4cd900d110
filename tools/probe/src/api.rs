//! Requests over HTTP: to the protected API, and to the intakes.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde_json::Value;
use ureq::http;

use crate::Probe;

/// What the API answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `WWW-Authenticate`.
    pub www_authenticate: Option<String>,
    /// Every header that is text, by its name in lower case.
    pub headers: BTreeMap<String, String>,
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
        let bearer = token.map(|token| format!("Bearer {token}"));
        let headers: Vec<_> = bearer.iter().map(|value| ("authorization", value.as_str())).collect();
        self.request("GET", url, &headers, None)
    }

    /// Posts a body.
    pub fn post(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer> {
        self.request("POST", url, headers, Some(body))
    }

    /// Posts a form.
    pub fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Answer> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.post(url, &[("content-type", "application/x-www-form-urlencoded")], form.as_bytes())
    }

    /// Sends any request.
    pub fn request(&self, method: &str, url: &str, headers: &[(&str, &str)], body: Option<&[u8]>) -> Result<Answer> {
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let built = "the method, the address or a header is none";
        // Without a body no length is sent either.
        let answer = match body {
            Some(body) => self.http.run(request.body(body).context(built)?),
            None => self.http.run(request.body(()).context(built)?),
        };
        // The address may have a secret in it.
        read(answer.with_context(|| format!("no answer to {method}"))?)
    }
}

fn read(mut answer: http::Response<ureq::Body>) -> Result<Answer> {
    let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers: BTreeMap<_, _> =
        answer.headers().iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect();
    let text = answer.body_mut().read_to_string().context("the answer is no text")?;
    Ok(Answer {
        status: answer.status().as_u16(),
        www_authenticate: headers.get("www-authenticate").cloned(),
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    })
}
