//! Configuration of `bulk`.

use std::collections::BTreeMap;
use std::time::Duration;

use revocation_core::domain::policy::PolicyOverrides;
use revocation_core::domain::tombstone::{DEFAULT_CLOCK_SKEW, MOST_CLOCK_SKEW};
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Cognito's `UserUpdate` quota: requests a second, per account and Region, not adjustable
/// (<https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html>, "`UserUpdate`").
pub const USER_UPDATE_QUOTA: f64 = 25.0;
/// Cognito's `UserList` quota, likewise.
pub const USER_LIST_QUOTA: f64 = 30.0;
/// Of each quota, what bulk work may use by default: the rest is for people's own password changes, and for `revoke`.
const DEFAULT_SHARE_PERCENT: f64 = 60.0;
/// How long a slice works. With the longest single member after it, still within the function's time limit.
const SLICE: Duration = Duration::from_secs(45);

/// Everything `bulk` is told by its environment.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// `TOMBSTONES_TABLE`
    pub tombstones_table: String,
    /// `TOMBSTONE_FEED_TABLE`
    pub tombstone_feed_table: String,
    /// `SESSIONS_TABLE`: the session ledger; default none.
    pub sessions_table: Option<String>,
    /// `REVOCATIONS_TABLE`
    pub revocations_table: String,
    /// `BULK_TABLE`
    pub bulk_table: String,
    /// `EVENT_BUS_NAME`
    pub event_bus_name: String,
    /// `USER_POOL_IDS`: comma-separated.
    pub user_pool_ids: Vec<String>,
    /// `ISSUER_PROVIDERS`: JSON from upstream issuer to the provider's name in Cognito; default none.
    pub issuer_providers: BTreeMap<String, String>,
    /// `QUEUE_URL`: the queue it is fed from, and feeds.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
    /// `CLOCK_SKEW_SECONDS`: how far Cognito's clock and ours may differ; default 2, at most 60.
    pub clock_skew: Duration,
    /// `POLICY_OVERRIDES`: JSON by reason; default none.
    pub policy_overrides: PolicyOverrides,
    /// `QUOTA_SHARE_PERCENT`: share of Cognito's quotas that bulk work uses, 1 to 100; default 60.
    pub quota_share_percent: f64,
    /// `APPROVAL_ABOVE`: more members than this need a second person's approval; default: none does.
    pub approval_above: Option<u64>,
    /// `END_DATE_ATTRIBUTE`: attribute with the date on which somebody's work ends; default none.
    pub end_date_attribute: Option<String>,
    /// How long a slice works.
    pub slice: Duration,
}

impl Config {
    /// What bulk work may use of a quota.
    pub(crate) fn share_of(&self, quota: f64) -> f64 {
        quota * self.quota_share_percent / 100.0
    }

    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let skew = env.at_most("CLOCK_SKEW_SECONDS", DEFAULT_CLOCK_SKEW.as_secs(), MOST_CLOCK_SKEW.as_secs());
        let share = env.parsed("QUOTA_SHARE_PERCENT", DEFAULT_SHARE_PERCENT);
        if !(1.0..=100.0).contains(&share) {
            env.mistake("QUOTA_SHARE_PERCENT is not within 1 and 100");
        }
        let approval_above = env.optional("APPROVAL_ABOVE").map(|_| env.parsed("APPROVAL_ABOVE", 0));
        let config = Self {
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            tombstone_feed_table: env.required("TOMBSTONE_FEED_TABLE"),
            sessions_table: env.optional("SESSIONS_TABLE"),
            revocations_table: env.required("REVOCATIONS_TABLE"),
            bulk_table: env.required("BULK_TABLE"),
            event_bus_name: env.required("EVENT_BUS_NAME"),
            user_pool_ids: env.list("USER_POOL_IDS"),
            issuer_providers: env.json("ISSUER_PROVIDERS", BTreeMap::new()),
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
            clock_skew: Duration::from_secs(skew),
            policy_overrides: env.json("POLICY_OVERRIDES", PolicyOverrides::default()),
            quota_share_percent: share,
            approval_above,
            end_date_attribute: env.optional("END_DATE_ATTRIBUTE"),
            slice: SLICE,
        };
        env.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_start_names_every_variable() {
        let variables = [("QUOTA_SHARE_PERCENT", "0"), ("POLICY_OVERRIDES", "{\"x\":1}"), ("APPROVAL_ABOVE", "many")];
        let BadEnvironment(mistakes) = Config::read(&variables).unwrap_err();
        assert_eq!(mistakes.len(), 11, "{mistakes:?}");
    }
}
