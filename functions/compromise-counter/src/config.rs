//! Configuration of `compromise-counter`.

use std::collections::BTreeMap;
use std::time::Duration;

use revocation_core::domain::incident::{LONGEST_WINDOW, Rule};
use revocation_core::domain::policy::PolicyOverrides;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

const DEFAULT_THRESHOLD: usize = 3;
const DEFAULT_WINDOW_MINUTES: u64 = 60;

/// Everything `compromise-counter` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `COMPROMISES_TABLE`
    pub compromises_table: String,
    /// `USER_POOL_IDS`: comma-separated.
    pub user_pool_ids: Vec<String>,
    /// `ISSUER_PROVIDERS`: JSON from upstream issuer to the provider's name in Cognito; default none.
    pub issuer_providers: BTreeMap<String, String>,
    /// `EVENT_BUS_NAME`
    pub event_bus_name: String,
    /// `PAGE_TOPIC_ARN`: the SNS topic of the people on call.
    pub page_topic_arn: String,
    /// `PAGERDUTY_ROUTING_KEY_SECRET_ARN`: where the routing key is kept; default no PagerDuty.
    pub pagerduty_routing_key_secret_arn: Option<String>,
    /// `COMPROMISE_THRESHOLD` (3) and `COMPROMISE_WINDOW_MINUTES` (60, at most a day).
    pub rule: Rule,
    /// `RUNBOOK_URL`: named in the page.
    pub runbook_url: String,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
    /// `POLICY_OVERRIDES`: JSON by reason; default none.
    pub policy_overrides: PolicyOverrides,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let minutes = env.parsed("COMPROMISE_WINDOW_MINUTES", DEFAULT_WINDOW_MINUTES);
        let window = Duration::from_secs(minutes.saturating_mul(60));
        if minutes == 0 || window > LONGEST_WINDOW {
            env.mistake("COMPROMISE_WINDOW_MINUTES is not 1 to 1440");
        }
        let config = Self {
            compromises_table: env.required("COMPROMISES_TABLE"),
            user_pool_ids: env.list("USER_POOL_IDS"),
            issuer_providers: env.json("ISSUER_PROVIDERS", BTreeMap::new()),
            event_bus_name: env.required("EVENT_BUS_NAME"),
            page_topic_arn: env.required("PAGE_TOPIC_ARN"),
            pagerduty_routing_key_secret_arn: env.optional("PAGERDUTY_ROUTING_KEY_SECRET_ARN"),
            rule: Rule { threshold: env.parsed("COMPROMISE_THRESHOLD", DEFAULT_THRESHOLD), window },
            runbook_url: env.required("RUNBOOK_URL"),
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
            policy_overrides: env.json("POLICY_OVERRIDES", PolicyOverrides::default()),
        };
        env.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_start_names_every_variable() {
        let variables = [("COMPROMISE_WINDOW_MINUTES", "0"), ("COMPROMISE_THRESHOLD", "three")];
        let BadEnvironment(mistakes) = Config::read(&variables).unwrap_err();
        assert_eq!(mistakes.len(), 9, "{mistakes:?}");
    }
}
