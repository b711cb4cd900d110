//! Tokens as Cognito mints them, and as it never would: header and claims are raw JSON, in order, duplicates and all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochSeconds;
use serde_json::json;

use crate::keys::{TestKey, key_a};

/// How long the tokens made here live: Cognito's default of one hour, in seconds.
pub const LIFE: i64 = 3_600;

/// Builds a token.
#[derive(Clone)]
pub struct TokenBuilder {
    header: String,
    claims: Vec<(String, String)>,
    payload: Option<String>,
    key: &'static TestKey,
}

// === impl TokenBuilder ===

impl TokenBuilder {
    /// An access token for `sub`, authenticated and issued at `at`.
    #[must_use]
    pub fn access(pool: &str, client_id: &str, sub: &str, at: EpochSeconds) -> Self {
        Self::dated(pool, sub, at)
            .claim("token_use", r#""access""#)
            .claim("client_id", json!(client_id).to_string())
            .claim("scope", r#""openid profile""#)
            .claim("username", json!(format!("user-{sub}")).to_string())
    }

    /// An ID token for `sub`, authenticated and issued at `at`.
    #[must_use]
    pub fn id(pool: &str, client_id: &str, sub: &str, at: EpochSeconds) -> Self {
        Self::dated(pool, sub, at)
            .claim("token_use", r#""id""#)
            .claim("aud", json!(client_id).to_string())
            .claim("cognito:username", json!(format!("user-{sub}")).to_string())
            .claim("email", r#""someone@example.com""#)
            .claim("email_verified", "true")
    }

    fn dated(pool: &str, sub: &str, EpochSeconds(at): EpochSeconds) -> Self {
        let issuer = UserPoolId(pool.to_owned()).issuer();
        Self { header: header(key_a().kid), claims: Vec::new(), payload: None, key: key_a() }
            .claim("sub", json!(sub).to_string())
            .claim("cognito:groups", r#"["staff","admins"]"#)
            .claim("iss", json!(issuer).to_string())
            .claim("origin_jti", r#""origin-1""#)
            .claim("jti", r#""jti-1""#)
            .claim("event_id", r#""event-1""#)
            .claim("auth_time", at.to_string())
            .claim("iat", at.to_string())
            .claim("exp", (at + LIFE).to_string())
    }

    /// Sets a claim to raw JSON, in place of the one of that name if there is one.
    #[must_use]
    pub fn claim(self, name: &str, raw_json: impl Into<String>) -> Self {
        self.without(name).again(name, raw_json)
    }

    /// Adds a claim even if there is one of that name. `name` is raw JSON text between quotes, so it may hold escapes.
    #[must_use]
    pub fn again(mut self, name: &str, raw_json: impl Into<String>) -> Self {
        self.claims.push((name.to_owned(), raw_json.into()));
        self
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.claims.retain(|(known, _)| known != name);
        self
    }

    /// Sets the whole payload.
    #[must_use]
    pub fn payload(mut self, raw: impl Into<String>) -> Self {
        self.payload = Some(raw.into());
        self
    }

    /// Sets the whole header.
    #[must_use]
    pub fn header(mut self, raw_json: impl Into<String>) -> Self {
        self.header = raw_json.into();
        self
    }

    /// Signs with this key, and names it in the header.
    #[must_use]
    pub fn signed_by(mut self, key: &'static TestKey) -> Self {
        self.key = key;
        self.header(header(key.kid))
    }

    /// Signs with this key, but leaves the header as it is.
    #[must_use]
    pub fn forged_with(mut self, key: &'static TestKey) -> Self {
        self.key = key;
        self
    }

    /// Header and payload, encoded: what is signed.
    #[must_use]
    pub fn signing_input(&self) -> String {
        let members: Vec<_> = self.claims.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let payload = self.payload.clone().unwrap_or_else(|| format!("{{{}}}", members.join(",")));
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&self.header), URL_SAFE_NO_PAD.encode(payload))
    }

    /// The token.
    #[must_use]
    pub fn build(&self) -> String {
        let input = self.signing_input();
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

fn header(kid: &str) -> String {
    json!({ "kid": kid, "alg": "RS256" }).to_string()
}
