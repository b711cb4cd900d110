//! The authorizer's environment.

use std::collections::BTreeSet;

use revocation_aws::https::HttpsClient;
use revocation_core::domain::profile::UserPoolId;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};
use revocation_verify::{KeySet, PoolConfig, StoreOutage, TokenUse};
use serde::Deserialize;
use serde_json::Value;

/// In a `jwks_url`, stands for the pool's id.
const POOL_PLACEHOLDER: &str = "{user_pool_id}";
/// How many tokens are known again: more than one instance meets within a token's life.
const SIGNATURE_CACHE: usize = 1_000;
/// With a few claims each, estimated at 100 MB.
const LARGEST_SIGNATURE_CACHE: usize = 100_000;

/// The authorizer's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TOMBSTONES_TABLE`.
    pub tombstones_table: String,
    /// `TOKEN_POOLS`: JSON list of `{user_pool_id, client_ids, jwks_url?, jwks?, extra_issuers?, replica_regions?}`. `jwks`
    /// is a JWK set to start with; `jwks_url` may contain `{user_pool_id}`; `replica_regions` are those the pool is
    /// replicated to, if its issuer is of the original form.
    pub pools: Vec<PoolConfig>,
    /// `TOKEN_USES`: `access`, `id` or both, which is the default.
    pub token_uses: Vec<TokenUse>,
    /// `STORE_OUTAGE`: `deny` (default) or `best_effort`.
    pub store_outage: StoreOutage,
    /// `END_DATE_CLAIM`: a claim with the date on which the owner's work ends, such as `project_end_date`. Empty: none.
    pub end_date_claim: String,
    /// `SIGNATURE_CACHE`: how many tokens are known again without checking their signature. 0 checks every one.
    pub signature_cache: usize,
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
    #[serde(default)]
    replica_regions: Vec<String>,
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
            store_outage: env.parsed("STORE_OUTAGE", StoreOutage::Deny),
            end_date_claim: env.optional("END_DATE_CLAIM").unwrap_or_default(),
            signature_cache: signature_cache(&mut env),
        };
        env.finish(config)
    }
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
        // The second of them would never be asked.
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

fn signature_cache(env: &mut EnvReader<'_>) -> usize {
    let entries = env.parsed("SIGNATURE_CACHE", SIGNATURE_CACHE);
    if entries > LARGEST_SIGNATURE_CACHE {
        env.mistake(format!("SIGNATURE_CACHE is more than {LARGEST_SIGNATURE_CACHE}"));
    }
    entries
}

// === impl PoolEntry ===

impl PoolEntry {
    /// The entry as configuration; `n` is its place in the list.
    fn pool(self, n: usize, env: &mut EnvReader<'_>) -> PoolConfig {
        let mut mistake = |text: &str| env.mistake(format!("TOKEN_POOLS[{n}]{text}"));
        if !is_pool_id(&self.user_pool_id) {
            mistake(".user_pool_id is not of the form <region>_<id>");
        }
        // Without the allow-list, the tokens of every app client of the pool would pass.
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
        if !self.replica_regions.iter().all(|region| is_region(region)) {
            mistake(".replica_regions has an entry that is no Region");
        }
        pool.extra_issuers = self.extra_issuers;
        pool.replicated_to(self.replica_regions)
    }
}

/// `UserPoolIdType` of the Cognito API: `[\w-]+_[0-9a-zA-Z]+`, at most 55 characters. The first part is a Region.
fn is_pool_id(id: &str) -> bool {
    id.len() <= 55
        && id.split_once('_').is_some_and(|(region, name)| {
            is_region(region) && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

/// Such as `eu-central-1`. It becomes part of a host name.
fn is_region(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests;
