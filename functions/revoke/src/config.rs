//! Configuration of `revoke`.

use std::collections::BTreeMap;
use std::time::Duration;

use revocation_core::domain::policy::PolicyOverrides;
use revocation_core::domain::tombstone::{DEFAULT_CLOCK_SKEW, MOST_CLOCK_SKEW};
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Everything `revoke` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `TOMBSTONES_TABLE`
    pub tombstones_table: String,
    /// `TOMBSTONE_FEED_TABLE`
    pub tombstone_feed_table: String,
    /// `SESSIONS_TABLE`: the session ledger; default none.
    pub sessions_table: Option<String>,
    /// `REVOCATIONS_TABLE`
    pub revocations_table: String,
    /// `EVENT_BUS_NAME`
    pub event_bus_name: String,
    /// `USER_POOL_IDS`: comma-separated.
    pub user_pool_ids: Vec<String>,
    /// `ISSUER_PROVIDERS`: JSON from upstream issuer to the provider's name in Cognito; default none.
    pub issuer_providers: BTreeMap<String, String>,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
    /// `CLOCK_SKEW_SECONDS`: how far Cognito's clock and ours may differ; default 2, at most 60.
    pub clock_skew: Duration,
    /// `POLICY_OVERRIDES`: JSON by reason; default none.
    pub policy_overrides: PolicyOverrides,
    /// `PROTECTED_GROUPS`: comma-separated; operators' actions spare their members. Default none.
    pub protected_groups: Vec<String>,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let skew = env.at_most("CLOCK_SKEW_SECONDS", DEFAULT_CLOCK_SKEW.as_secs(), MOST_CLOCK_SKEW.as_secs());
        let config = Self {
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            tombstone_feed_table: env.required("TOMBSTONE_FEED_TABLE"),
            sessions_table: env.optional("SESSIONS_TABLE"),
            revocations_table: env.required("REVOCATIONS_TABLE"),
            event_bus_name: env.required("EVENT_BUS_NAME"),
            user_pool_ids: env.list("USER_POOL_IDS"),
            issuer_providers: env.json("ISSUER_PROVIDERS", BTreeMap::new()),
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
            clock_skew: Duration::from_secs(skew),
            policy_overrides: env.json("POLICY_OVERRIDES", PolicyOverrides::default()),
            protected_groups: env
                .optional("PROTECTED_GROUPS")
                .map(|_| env.list("PROTECTED_GROUPS"))
                .unwrap_or_default(),
        };
        env.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_start_names_every_variable() {
        let variables = [("CLOCK_SKEW_SECONDS", "600"), ("POLICY_OVERRIDES", "{\"x\":1}")];
        let BadEnvironment(mistakes) = Config::read(&variables).unwrap_err();
        assert_eq!(mistakes.len(), 9, "{mistakes:?}");
    }
}
