//! What is told of a token (RFC 7662, section 2.2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_edge::Response;
use revocation_verify::{Permit, TokenUse};
use serde::{Deserialize, Serialize};

/// One token's answer. An inactive one says nothing else: not even why, since the reason is about somebody.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Introspected {
    active: bool,
    #[serde(flatten)]
    known: Option<Known>,
}

#[derive(Debug, Serialize)]
struct Known {
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    client_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    token_type: &'static str,
    exp: i64,
    sub: String,
    token_use: &'static str,
    #[serde(rename = "cognito:groups")]
    groups: Vec<String>,
    #[serde(flatten)]
    claims: Claims,
}

/// Claims that decide nothing here and are passed on as they stand in the token.
#[derive(Debug, Default, Deserialize, Serialize)]
struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin_jti: Option<String>,
}

// === impl Introspected ===

impl Introspected {
    /// A token that may be served, and its text, which is that of the permit.
    pub(crate) fn active(permit: &Permit, token: &str) -> Self {
        let known = Known {
            scope: permit.scope.clone(),
            client_id: permit.client_id.clone(),
            username: permit.username.clone(),
            token_type: "Bearer",
            exp: permit.exp.0,
            sub: permit.subject.sub.0.clone(),
            token_use: if permit.token_use == TokenUse::Access { "access" } else { "id" },
            groups: permit.groups.clone(),
            claims: Claims::of_verified(token),
        };
        Self { active: true, known: Some(known) }
    }

    /// Any other token: revoked, expired, forged, or no token at all.
    pub(crate) fn inactive() -> Self {
        Self::default()
    }
}

// === impl Claims ===

impl Claims {
    /// From the text of a token **whose signature was verified**.
    fn of_verified(token: &str) -> Self {
        let payload = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
        payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
    }
}

/// An answer of the endpoint. `Cache-Control: no-store` goes with every answer of ours.
pub(crate) fn json<T: Serialize>(body: &T) -> Response {
    Response::json(200, "application/json", body).with("pragma", "no-cache")
}
