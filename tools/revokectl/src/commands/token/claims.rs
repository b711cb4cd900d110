//! The claims of a token as they stand there, believed by nobody: to be shown, and to find the pool whose keys are asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::TokenStamp;
use serde::Serialize;
use serde_json::Value;

use crate::text::short;

/// The longest claim that is shown, in characters. A token's parts are never shown, and the signature not at all.
const LONGEST: usize = 128;

/// What is shown of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Claims {
    pub(super) kid: Option<String>,
    pub(super) iss: Option<String>,
    pub(super) sub: Option<String>,
    pub(super) token_use: Option<String>,
    /// `client_id` of an access token, `aud` of an ID token.
    pub(super) client_id: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) groups: usize,
    pub(super) exp: Option<i64>,
    pub(super) nbf: Option<i64>,
    pub(super) iat: Option<i64>,
    pub(super) auth_time: Option<i64>,
    pub(super) origin_jti: Option<String>,
    pub(super) jti: Option<String>,
}

impl Claims {
    /// Reads as much as can be read.
    pub(super) fn read(token: &str) -> Self {
        let mut parts = token.split('.').map(object);
        let (header, payload) = (parts.next().flatten(), parts.next().flatten());
        let member = |object: &Option<Value>, name: &str| object.as_ref().map(|object| object[name].clone());
        let text = |name: &str| match member(&payload, name) {
            Some(Value::String(text)) => Some(short(&text, LONGEST)),
            _ => None,
        };
        let number = |name: &str| member(&payload, name).and_then(|value| value.as_i64());
        Self {
            kid: member(&header, "kid").and_then(|kid| kid.as_str().map(|kid| short(kid, LONGEST))),
            iss: text("iss"),
            sub: text("sub"),
            token_use: text("token_use"),
            client_id: text("client_id").or_else(|| text("aud")),
            scope: text("scope"),
            groups: member(&payload, "cognito:groups").and_then(|all| all.as_array().map(Vec::len)).unwrap_or(0),
            exp: number("exp"),
            nbf: number("nbf"),
            iat: number("iat"),
            auth_time: number("auth_time"),
            origin_jti: text("origin_jti"),
            jti: text("jti"),
        }
    }

    /// The pool its issuer names: the last part of the address.
    pub(super) fn pool(&self) -> Option<UserPoolId> {
        let pool = UserPoolId(self.iss.as_deref()?.rsplit('/').next()?.to_owned());
        pool.issuers().iter().any(|issuer| Some(issuer.as_str()) == self.iss.as_deref()).then_some(pool)
    }

    /// Where its tombstone would be.
    pub(super) fn key(&self) -> Option<SubjectKey> {
        Some(SubjectKey::new(self.pool()?.0, self.sub.clone()?))
    }

    /// What a tombstone is compared with.
    pub(super) fn stamp(&self) -> TokenStamp<'_> {
        TokenStamp {
            auth_time: self.auth_time.map(EpochSeconds),
            iat: self.iat.map(EpochSeconds),
            origin_jti: self.origin_jti.as_deref(),
            jti: self.jti.as_deref(),
        }
    }
}

fn object(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_has_no_claims_and_harms_nobody() {
        for text in ["", ".", "a.b.c", "eyJ.eyJ.", "..", &"é".repeat(1_000)] {
            assert_eq!(Claims::read(text), Claims::default(), "{text}");
        }
    }

    #[test]
    fn a_pool_is_named_by_its_own_issuer_only() {
        let of = |iss: &str| Claims { iss: Some(iss.to_owned()), ..Claims::default() }.pool();
        assert!(of("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_A").is_some());
        assert_eq!(of("https://evil.example.com/eu-west-1_A"), None);
    }
}
