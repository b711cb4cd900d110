//! The questions: one token in a form (RFC 7662, section 2.1), or many in JSON.

use revocation_edge::{Problem, Request};
use revocation_sources::json::parse_json;
use serde::Deserialize;

/// Most tokens in a batch.
pub(crate) const MAX_TOKENS: usize = 100;
/// Most parameters looked at; the RFC knows two.
const MAX_PARAMETERS: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    tokens: Vec<String>,
}

/// The token asked about. `token_type_hint` and other parameters are ignored, as the RFC has it.
pub(crate) fn token(request: &Request) -> Result<String, Problem> {
    has_media_type(request, "application/x-www-form-urlencoded")?;
    let mut tokens = Vec::new();
    for (n, (name, value)) in form_urlencoded::parse(&request.body).enumerate() {
        if n >= MAX_PARAMETERS {
            return Err(bad("more than 16 parameters"));
        }
        if name == "token" {
            tokens.push(value.into_owned());
        }
    }
    match (tokens.pop(), tokens.is_empty()) {
        (Some(token), true) if !token.is_empty() => Ok(token),
        _ => Err(bad("the parameter token is wanted, once")),
    }
}

/// The tokens asked about, in order.
pub(crate) fn tokens(request: &Request) -> Result<Vec<String>, Problem> {
    has_media_type(request, "application/json")?;
    let body = parse_json(&request.body).map_err(|error| Problem::new(400, error.code(), error.to_string()))?;
    let Ok(Batch { tokens }) = serde_json::from_value(body) else {
        return Err(bad(r#"the body is not of the form {"tokens":["…"]}"#));
    };
    if tokens.len() > MAX_TOKENS {
        return Err(Problem::new(413, "too_many_tokens", "more than 100 tokens in one request"));
    }
    Ok(tokens)
}

fn has_media_type(request: &Request, wanted: &'static str) -> Result<(), Problem> {
    let given = request.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default();
    let is_it = given.trim().eq_ignore_ascii_case(wanted);
    let problem = || Problem::new(415, "unsupported_media_type", format!("send {wanted}"));
    is_it.then_some(()).ok_or_else(problem)
}

fn bad(detail: &'static str) -> Problem {
    Problem::new(400, "invalid_request", detail)
}
