//! Configuration of `canary`.

use std::time::Duration;

use revocation_aws::https::HttpsClient;
use revocation_core::domain::profile::UserPoolId;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// What no revocation may take longer than.
const HARD_LIMIT_SECONDS: u64 = 30;

/// Everything `canary` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `USER_POOL_ID`: the pool of the two users.
    pub user_pool_id: UserPoolId,
    /// `CLIENT_ID`: the app client they sign in to.
    pub client_id: String,
    /// `PASSWORD_SECRET`: the secret with the password of both.
    pub password_secret: String,
    /// `USER_NAME`: whose sessions are revoked.
    pub user_name: String,
    /// `CONTROL_NAME`: whose are not.
    pub control_name: String,
    /// `PROBE_URL`: answers a GET with a good token with 2xx.
    pub probe_url: String,
    /// `EVENT_BUS_NAME`
    pub event_bus_name: String,
    /// `SIEM_URL`, `SIEM_SECRET`: the canary's own source of the SIEM intake, and its Standard Webhooks secret.
    pub siem: Option<HttpsIntake>,
    /// `SCIM_URL`, `SCIM_SECRET`: the SCIM service provider, and a token of the canary's own source.
    pub scim: Option<HttpsIntake>,
    /// `CANARY_RUNS_TABLE`
    pub runs_table: String,
    /// `HARD_LIMIT_SECONDS`: a run whose tokens are not refused by then has failed; default 30.
    pub hard_limit: Duration,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
}

/// An intake over HTTPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpsIntake {
    /// Where it is.
    pub url: String,
    /// Name or ARN of the secret by which the canary authenticates.
    pub secret: String,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            user_pool_id: UserPoolId(env.required("USER_POOL_ID")),
            client_id: env.required("CLIENT_ID"),
            password_secret: env.required("PASSWORD_SECRET"),
            user_name: env.required("USER_NAME"),
            control_name: env.required("CONTROL_NAME"),
            probe_url: env.required("PROBE_URL"),
            event_bus_name: env.required("EVENT_BUS_NAME"),
            siem: intake(&mut env, "SIEM_URL", "SIEM_SECRET"),
            scim: intake(&mut env, "SCIM_URL", "SCIM_SECRET"),
            runs_table: env.required("CANARY_RUNS_TABLE"),
            hard_limit: Duration::from_secs(env.parsed("HARD_LIMIT_SECONDS", HARD_LIMIT_SECONDS)),
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
        };
        let is_bad = |url: &String| !url.is_empty() && HttpsClient::check(url).is_err();
        if is_bad(&config.probe_url) {
            env.mistake("PROBE_URL is no https URL");
        }
        for (name, intake) in [("SIEM_URL", &config.siem), ("SCIM_URL", &config.scim)] {
            if intake.as_ref().is_some_and(|intake| is_bad(&intake.url)) {
                env.mistake(format!("{name} is no https URL"));
            }
        }
        if config.user_name == config.control_name && !config.user_name.is_empty() {
            env.mistake("CONTROL_NAME is USER_NAME: nobody would notice that too many were revoked");
        }
        env.finish(config)
    }
}

/// Both, or neither.
fn intake(env: &mut EnvReader<'_>, url: &str, secret: &str) -> Option<HttpsIntake> {
    match (env.optional(url), env.optional(secret)) {
        (Some(url), Some(secret)) => Some(HttpsIntake { url, secret }),
        (None, None) => None,
        _ => {
            env.mistake(format!("{url} and {secret} belong together"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &str); 12] = [
        ("USER_POOL_ID", "eu-central-1_AbCdEf123"),
        ("CLIENT_ID", "client"),
        ("PASSWORD_SECRET", "canary"),
        ("USER_NAME", "canary"),
        ("CONTROL_NAME", "canary-control"),
        ("PROBE_URL", "https://api.example.com/v1"),
        ("EVENT_BUS_NAME", "bus"),
        ("SCIM_URL", "https://intakes.example.com/scim/v2"),
        ("SCIM_SECRET", "revocation/sources/canary"),
        ("CANARY_RUNS_TABLE", "runs"),
        ("QUEUE_URL", "https://sqs/queue"),
        ("DEAD_LETTER_QUEUE_URL", "https://sqs/dead"),
    ];

    fn mistakes(changes: &[(&str, &'static str)]) -> Vec<String> {
        let variables = GOOD.map(|(name, value)| {
            (name, changes.iter().find(|(other, _)| *other == name).map_or(value, |(_, value)| *value))
        });
        Config::read(&variables).err().map_or_else(Vec::new, |BadEnvironment(mistakes)| mistakes)
    }

    #[test]
    fn a_good_environment_is_read() {
        let config = Config::read(&GOOD).unwrap();
        assert_eq!((config.hard_limit, config.siem), (Duration::from_secs(30), None));
        assert_eq!(config.scim.unwrap().secret, "revocation/sources/canary");
    }

    #[test]
    fn a_bad_start_names_every_variable() {
        let BadEnvironment(none) = Config::read(&[("HARD_LIMIT_SECONDS", "soon")]).unwrap_err();
        assert_eq!(none.len(), 11, "{none:?}");
        assert_eq!(mistakes(&[("SCIM_SECRET", "")]).len(), 1);
        assert_eq!(mistakes(&[("CONTROL_NAME", "canary")]).len(), 1, "a control who is no control");
        let plain = [("PROBE_URL", "http://api.example.com/"), ("SCIM_URL", "ftp://intakes.example.com")];
        assert_eq!(mistakes(&plain).len(), 2, "a token must not travel in the clear");
    }
}
