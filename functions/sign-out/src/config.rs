//! The environment of `sign-out`.

use revocation_enforce::TokenSettings;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Everything it is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whose users may sign out here, and by which app clients.
    pub tokens: TokenSettings,
    /// `TOMBSTONES_TABLE`: where it looks whether the sign-out stands.
    pub tombstones_table: String,
    /// `EVENT_BUS_NAME`: the way to `revoke`.
    pub event_bus_name: String,
}

impl Config {
    /// Reads the environment; an error names every mistake in it.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            tokens: TokenSettings::read(&mut env),
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            event_bus_name: env.required("EVENT_BUS_NAME"),
        };
        env.finish(config)
    }
}
