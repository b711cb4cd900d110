//! The function's environment.

use std::collections::BTreeSet;

use revocation_enforce::TokenSettings;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Most clients: a bearer secret is compared with those of all.
const MAX_CLIENTS: usize = 32;

/// The function's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// `TOMBSTONES_TABLE`.
    pub tombstones_table: String,
    /// Which tokens are taken, as the authorizer's.
    pub tokens: TokenSettings,
    /// `INTROSPECTION_CLIENTS`: names of the resource servers that may ask, separated by commas. None: only gateways ask.
    pub clients: BTreeSet<String>,
    /// `CLIENT_SECRETS_PREFIX`: with a client's name behind it, the name of its secret.
    pub client_secrets_prefix: String,
}

// === impl Config ===

impl Config {
    /// Reads the environment; an error names every mistake in it.
    pub fn from_env(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            tokens: TokenSettings::read(&mut env),
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
        assert_eq!(config.tokens.pools.len(), 1);
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
