//! The authorizer's environment.

use revocation_enforce::{StoreSettings, TokenSettings};
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// The authorizer's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which tokens are taken.
    pub tokens: TokenSettings,
    /// Where tombstones are read, and sessions noted.
    pub store: StoreSettings,
}

// === impl Config ===

impl Config {
    /// Reads the environment; an error names every mistake in it.
    pub fn from_env(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self { tokens: TokenSettings::read(&mut env), store: StoreSettings::read(&mut env) };
        env.finish(config)
    }
}
