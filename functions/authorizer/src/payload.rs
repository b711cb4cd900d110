//! The event, recognised by its shape, and the token in it.
//!
//! Formats: <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html>,
//! <https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html#aws-lambda-authorization>.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html>.
//! Own structs, since a request is read with every API call and two of its members are wanted.

mod headers;

use serde::Deserialize;

use crate::Failure;
use headers::TokenHeaders;

/// Who asks, and so in which form it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// A REST or WebSocket API, or an HTTP API with payload format 1.0: answered by a policy on `method_arn`.
    Rest { method_arn: String },
    /// An HTTP API with payload format 2.0: answered simply.
    Http,
    /// AppSync.
    AppSync,
}

/// An authorization request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) front: Front,
    pub(crate) token: Result<String, NoToken>,
    pub(crate) client: Client,
}

/// Who presents the token, where the front tells. Personal data (I10).
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Client {
    pub(crate) source_ip: Option<String>,
    pub(crate) user_agent: Option<String>,
}

/// Why there is no token to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoToken {
    /// No `Authorization`, or nothing in it. With `Authorization` as identity source, as in our template, API Gateway
    /// answers such requests by itself.
    Missing,
    /// Several values: which one the integration will look at cannot be known.
    Several,
    /// Not of the form `Bearer <token>`.
    NotBearer,
}

/// All members of all formats that are used.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    version: Option<String>,
    r#type: Option<String>,
    method_arn: Option<String>,
    route_arn: Option<String>,
    authorization_token: Option<String>,
    request_context: Option<Context>,
    #[serde(default)]
    headers: TokenHeaders,
    #[serde(default)]
    multi_value_headers: TokenHeaders,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    /// `CONNECT` for a WebSocket's first request; REST APIs have none.
    event_type: Option<String>,
    /// REST and WebSocket APIs.
    identity: Option<Client>,
    /// HTTP APIs.
    http: Option<Client>,
}

/// Reads an event.
pub(crate) fn read(event: &str) -> Result<Request, Failure> {
    // serde's text would quote the event, and with it the token (I10).
    let event: Event = serde_json::from_str(event).map_err(|_| Failure::UnknownEvent)?;
    let front = event.front().ok_or(Failure::UnknownEvent)?;
    let context = event.request_context.unwrap_or_default();
    let token = match (&front, event.r#type.as_deref()) {
        // These two hand over the header's value by itself, and their clients often send the token bare.
        (Front::AppSync, _) | (_, Some("TOKEN")) => {
            let value = event.authorization_token.ok_or(NoToken::Missing);
            value.and_then(|value| bearer(&value, Bare::Accepted))
        }
        // A token in the query string is not looked for: it would stand in access logs and browser histories.
        _ => in_headers(event.headers, event.multi_value_headers, &context),
    };
    let client = context.identity.or(context.http).unwrap_or_default();
    Ok(Request { front, token, client })
}

fn in_headers(headers: TokenHeaders, multi: TokenHeaders, context: &Context) -> Result<String, NoToken> {
    match only_value(headers.authorization, multi.authorization) {
        // A browser cannot send headers of its own when it opens a WebSocket; sub-protocols it can:
        // `new WebSocket(url, ["bearer", token])`.
        Err(NoToken::Missing) if context.event_type.as_deref() == Some("CONNECT") => {
            only_value(headers.protocol, multi.protocol).and_then(|value| after_bearer(&value))
        }
        value => value.and_then(|value| bearer(&value, Bare::Refused)),
    }
}

/// The sub-protocol that follows `bearer`.
fn after_bearer(protocols: &str) -> Result<String, NoToken> {
    let mut offered = protocols.split(',').map(str::trim);
    match (offered.next(), offered.next(), offered.next()) {
        (Some("bearer"), Some(token), None) if !token.is_empty() => Ok(token.to_owned()),
        _ => Err(NoToken::NotBearer),
    }
}

/// The one value of a header.
fn only_value(headers: Vec<String>, multi: Vec<String>) -> Result<String, NoToken> {
    // `headers` repeats the last of `multiValueHeaders`, where there are such.
    let differ = !multi.is_empty() && headers.iter().any(|value| !multi.contains(value));
    let mut values = if multi.is_empty() { headers } else { multi }.into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) if !differ => Ok(value),
        (None, _) => Err(NoToken::Missing),
        _ => Err(NoToken::Several),
    }
}

/// Whether a token may come without a scheme.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bare {
    Accepted,
    Refused,
}

/// The token of `Bearer <token>` (RFC 6750, section 2.1; the scheme's case does not matter, RFC 9110, section 11.1).
fn bearer(value: &str, bare: Bare) -> Result<String, NoToken> {
    let value = value.trim_matches(' ');
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ').to_owned()),
        None if value.is_empty() => Err(NoToken::Missing),
        None if bare == Bare::Accepted && !value.eq_ignore_ascii_case("bearer") => Ok(value.to_owned()),
        Some(_) | None => Err(NoToken::NotBearer),
    }
}

// === impl Event ===

impl Event {
    fn front(&self) -> Option<Front> {
        let rest = || self.method_arn.clone().map(|method_arn| Front::Rest { method_arn });
        match (self.r#type.as_deref(), self.version.as_deref()) {
            (Some("REQUEST"), Some("2.0")) => self.route_arn.as_ref().map(|_| Front::Http),
            (Some("REQUEST"), None | Some("1.0")) | (Some("TOKEN"), None) => rest(),
            (None, None) => {
                let appsync = self.authorization_token.is_some() && self.request_context.is_some();
                appsync.then_some(Front::AppSync)
            }
            _ => None,
        }
    }
}

// === impl NoToken ===

impl NoToken {
    /// Stable and machine-readable, as those of `DenyReason`.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::Missing => "no_token",
            Self::Several => "several_tokens",
            Self::NotBearer => "not_bearer",
        }
    }
}

#[cfg(test)]
mod tests;
