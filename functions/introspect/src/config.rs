//! The function's environment. Pools and token uses are written as the authorizer's.

use std::collections::BTreeSet;

use revocation_aws::https::HttpsClient;
use revocation_core::domain::profile::UserPoolId;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};
use revocation_verify::{KeySet, PoolConfig, TokenUse};
use serde::Deserialize;
use serde_json::Value;

/// In a `jwks_url`, stands for the pool's id.
const POOL_PLACEHOLDER: &str = "{user_pool_id}";
/// Most clients: a bearer secret is compared with those of all.
const MAX_CLIENTS: usize = 32;

/// The function's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TOMBSTONES_TABLE`.
    pub tombstones_table: String,
    /// `TOKEN_POOLS`: JSON list of `{user_pool_id, client_ids, jwks_url?, jwks?, extra_issuers?}`.
    pub pools: Vec<PoolConfig>,
    /// `TOKEN_USES`: `access`, `id` or both, which is the default.
    pub token_uses: Vec<TokenUse>,
    /// `INTROSPECTION_CLIENTS`: names of the resource servers that may ask, separated by commas. None: only gateways ask.
    pub clients: BTreeSet<String>,
    /// `CLIENT_SECRETS_PREFIX`: with a client's name behind it, the name of its secret.
    pub client_secrets_prefix: String,
}

/// An entry of `TOKEN_POOLS`. A member that is not known is a mistake: it may be a restriction misspelt.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PoolEntry {
    user_pool_id: String,
    client_ids: Vec<String>,
    jwks_url: Option<String>,
    jwks: Option<Value>,
    #[serde(default)]
    extra_issuers: Vec<String>,
}

// === impl Config ===

impl Config {
    /// Reads the environment; an error names every mistake in it.
    pub fn from_env(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            pools: pools(&mut env),
            token_uses: token_uses(&mut env),
            clients: clients(&mut env),
            client_secrets_prefix: env.required("CLIENT_SECRETS_PREFIX"),
        };
        env.finish(config)
    }
}

fn clients(env: &mut EnvReader<'_>) -> BTreeSet<String> {
    let text = env.optional("INTROSPECTION_CLIENTS").unwrap_or_default();
    let names: BTreeSet<String> = text.split(',').map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect();
    let is_name = |name: &String| {
        name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    };
    if names.len() > MAX_CLIENTS || !names.iter().all(is_name) {
        env.mistake(
            "INTROSPECTION_CLIENTS has more than 32 names, or one that is not 1 to 64 of letters, digits and . _ -",
        );
    }
    names
}

fn pools(env: &mut EnvReader<'_>) -> Vec<PoolConfig> {
    let text = env.required("TOKEN_POOLS");
    if text.is_empty() {
        return Vec::new();
    }
    let entries: Vec<PoolEntry> = match serde_json::from_str(&text) {
        Ok(entries) => entries,
        Err(error) => {
            env.mistake(format!("TOKEN_POOLS is not the JSON expected: {error}"));
            return Vec::new();
        }
    };
    if entries.is_empty() {
        env.mistake("TOKEN_POOLS names no pool");
    }
    let pools: Vec<_> = entries.into_iter().enumerate().map(|(n, entry)| entry.pool(n, env)).collect();
    let mut seen = BTreeSet::new();
    for issuer in pools.iter().flat_map(PoolConfig::issuers) {
        if !seen.insert(issuer.clone()) {
            env.mistake(format!("TOKEN_POOLS has the issuer {issuer} twice"));
        }
    }
    pools
}

fn token_uses(env: &mut EnvReader<'_>) -> Vec<TokenUse> {
    let text = env.optional("TOKEN_USES").unwrap_or_else(|| "access,id".to_owned());
    let uses: Option<Vec<_>> = text.split(',').map(|entry| TokenUse::parse(entry.trim())).collect();
    uses.unwrap_or_else(|| {
        env.mistake("TOKEN_USES is not access, id or access,id");
        Vec::new()
    })
}

// === impl PoolEntry ===

impl PoolEntry {
    /// The entry as configuration; `n` is its place in the list.
    fn pool(self, n: usize, env: &mut EnvReader<'_>) -> PoolConfig {
        let mut mistake = |text: &str| env.mistake(format!("TOKEN_POOLS[{n}]{text}"));
        if !self.user_pool_id.contains('_') || self.user_pool_id.len() > 55 {
            mistake(".user_pool_id is not of the form <region>_<id>");
        }
        // Without the allow-list, the tokens of every app client of the pool would be active.
        if self.client_ids.is_empty() || self.client_ids.iter().any(|id| id.trim().is_empty()) {
            mistake(".client_ids is empty or has an empty entry");
        }
        let mut pool = PoolConfig::new(UserPoolId(self.user_pool_id), self.client_ids);
        if let Some(url) = self.jwks_url.filter(|url| !url.is_empty()) {
            pool.jwks_url = url.replace(POOL_PLACEHOLDER, &pool.user_pool_id.0);
        }
        if let Err(error) = HttpsClient::check(&pool.jwks_url) {
            mistake(&format!(".jwks_url: {error}"));
        }
        match self.jwks.map(|jwks| KeySet::parse(jwks.to_string().as_bytes())).transpose() {
            Ok(keys) => pool.bundled_keys = keys,
            Err(error) => mistake(&format!(".jwks: {error}")),
        }
        pool.extra_issuers = self.extra_issuers;
        pool
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POOLS: &str = r#"[{"user_pool_id":"eu-central-1_AbC","client_ids":["c1","c2"]}]"#;

    #[test]
    fn clients_are_named() {
        let variables = |clients| {
            Config::from_env(&[
                ("TOMBSTONES_TABLE", "t"),
                ("TOKEN_POOLS", POOLS),
                ("CLIENT_SECRETS_PREFIX", "revocation/introspection/"),
                ("INTROSPECTION_CLIENTS", clients),
            ])
        };
        let config = variables("orders, billing,,").unwrap();
        assert_eq!(config.clients, BTreeSet::from(["billing".to_owned(), "orders".to_owned()]));
        assert_eq!(config.pools.len(), 1);
        assert!(variables("").unwrap().clients.is_empty());
        variables("a/../../other").unwrap_err();
        variables("a:b").unwrap_err();
        variables(&(0..33).map(|n| format!("c{n}")).collect::<Vec<_>>().join(",")).unwrap_err();
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let variables = [("TOKEN_POOLS", "[{}]"), ("TOKEN_USES", "refresh"), ("INTROSPECTION_CLIENTS", "ö")];
        let BadEnvironment(mistakes) = Config::from_env(&variables).unwrap_err();
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
        let pools = r#"[{"user_pool_id":"nonsense","client_ids":[],"jwks_url":"http://example.com/"}]"#;
        let BadEnvironment(mistakes) = Config::from_env(&[("TOKEN_POOLS", pools)]).unwrap_err();
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    }
}
