//! The answer to a gateway that asks before it lets a request through. The token is the credential; whoever has one may
//! learn here what is in it.
//!
//! Envoy, "External Authorization", HTTP service: the original method and path with a prefix, and the headers allowed; 200
//! lets the request through. NGINX, `ngx_http_auth_request_module`: a subrequest; 2xx lets through, 401 and 403 do not.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use revocation_edge::{Problem, Request, Response};
use revocation_lambda::metrics;
use revocation_verify::Permit;

/// The first segment of the path.
pub(crate) const PREFIX: &str = "ext_authz";

/// Longest list in a header, in bytes. NGINX reads an answer's headers into 4 KiB by default.
const MAX_LIST_BYTES: usize = 2_048;
/// Nothing that could end a header's value, begin another or make two of one entry; `%` itself, so that it can be undone.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%').add(b' ').add(b',').add(b'"');

/// The token of the forwarded request's `Authorization`; `None` in the error if there is no such header at all. Several
/// headers arrive as one with a comma in it, which is in no token.
pub(crate) fn bearer(request: &Request) -> Result<&str, Option<&'static str>> {
    let value = request.header("authorization").map(|value| value.trim_matches(' ')).filter(|value| !value.is_empty());
    let refused = |code: &'static str| {
        metrics::count("Denied", "reason", code);
        code
    };
    let Some(value) = value else {
        refused("no_token");
        return Err(None);
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ')),
        _ => Err(Some(refused("not_bearer"))),
    }
}

/// 200. Every header is there, if need be empty: one that were missing might be the client's own.
pub(crate) fn permitted(permit: &Permit) -> Response {
    let scopes = permit.scope.as_deref().unwrap_or_default().split(' ');
    Response::empty(200)
        .with("x-auth-sub", safe(&permit.subject.sub.0))
        .with("x-auth-client-id", safe(&permit.client_id))
        .with("x-auth-username", safe(permit.username.as_deref().unwrap_or_default()))
        .with("x-auth-scope", list(scopes))
        .with("x-auth-groups", list(permit.groups.iter().map(String::as_str)))
}

/// 401, as RFC 6750, section 3, has it: without an error code for a request that had no token.
pub(crate) fn unauthorized(reason: Option<&'static str>) -> Response {
    let challenge = if reason.is_some() { "Bearer error=\"invalid_token\"" } else { "Bearer" };
    let problem =
        Problem::new(401, reason.unwrap_or("no_token"), "the request needs a token that is good and not revoked");
    problem.response().with("www-authenticate", challenge)
}

fn safe(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

/// Entries parted by spaces. What does not fit is left out whole: too few scopes or groups let too little through.
fn list<'a>(entries: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for entry in entries.filter(|entry| !entry.is_empty()).map(safe) {
        if list.len() + 1 + entry.len() > MAX_LIST_BYTES {
            tracing::warn!("an answer's list of scopes or groups was cut short");
            break;
        }
        if !list.is_empty() {
            list.push(' ');
        }
        list.push_str(&entry);
    }
    list
}
