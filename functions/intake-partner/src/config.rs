//! The function's configuration: read from the environment once.

use revocation_core::domain::profile::UserPoolId;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

use crate::translate::Settings;

/// What a deployment chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `EVENT_BUS_NAME`: where the requests go.
    pub event_bus_name: String,
    /// `QUEUE_URL`: the queue the function is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`: where what cannot be translated is parked.
    pub dead_letter_queue_url: String,
    /// `USER_POOL_IDS` (comma-separated), `OKTA_PROVIDER_NAME`, `AUTH0_PROVIDER_NAME` and `OWN_ROLE_ARNS` (these
    /// optional, the last comma-separated).
    pub settings: Settings,
}

impl Config {
    /// Reads the configuration, or says everything that is wrong with it.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            event_bus_name: env.required("EVENT_BUS_NAME"),
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
            settings: Settings {
                user_pools: env.list("USER_POOL_IDS").into_iter().map(UserPoolId).collect(),
                okta_provider: env.optional("OKTA_PROVIDER_NAME"),
                auth0_provider: env.optional("AUTH0_PROVIDER_NAME"),
                own_roles: env.optional_list("OWN_ROLE_ARNS"),
            },
        };
        // The Region before the underscore is part of the issuer a subject is named by.
        if config.settings.user_pools.iter().any(|pool| !is_pool_id(pool)) {
            env.mistake("USER_POOL_IDS has an entry that is not a user pool's id, such as eu-central-1_AbCdEf123");
        }
        env.finish(config)
    }
}

fn is_pool_id(pool: &UserPoolId) -> bool {
    pool.0.split_once('_').is_some_and(|(region, id)| !region.is_empty() && !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_variable() {
        let variables = [
            ("EVENT_BUS_NAME", "revocation"),
            ("QUEUE_URL", "https://sqs.example/1/intake"),
            ("DEAD_LETTER_QUEUE_URL", "https://sqs.example/1/intake-dead-letters"),
            ("USER_POOL_IDS", "eu-central-1_One, eu-central-1_Two"),
            ("OKTA_PROVIDER_NAME", "Okta"),
            ("AUTH0_PROVIDER_NAME", ""),
            ("OWN_ROLE_ARNS", "arn:aws:iam::111122223333:role/scim"),
        ];
        let config = Config::read(&variables).unwrap();
        assert_eq!(config.event_bus_name, "revocation");
        assert_eq!(config.settings.user_pools.len(), 2);
        assert_eq!(config.settings.okta_provider.as_deref(), Some("Okta"));
        assert_eq!(config.settings.auth0_provider, None);
        assert_eq!(config.settings.own_roles, ["arn:aws:iam::111122223333:role/scim"]);
    }

    #[test]
    fn every_bad_variable_is_named() {
        let BadEnvironment(mistakes) = Config::read(&[("USER_POOL_IDS", "staff")]).unwrap_err();
        for name in ["EVENT_BUS_NAME", "QUEUE_URL", "DEAD_LETTER_QUEUE_URL", "USER_POOL_IDS"] {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name}: {mistakes:?}");
        }
    }
}
