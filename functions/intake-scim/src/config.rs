//! The function's configuration: read from the environment once.

use revocation_core::domain::profile::UserPoolId;
use revocation_edge::EdgeConfig;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};
use revocation_sources::Sources;

use crate::mapping::{BadMapping, Mapping};

/// What a deployment chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// What every intake is told.
    pub edge: EdgeConfig,
    /// `INTAKE_QUEUE_URL`: the queue of `intake-partner`, for requests sent ahead.
    pub intake_queue_url: String,
    /// `SCIM_BASE_URL` (optional): the URL clients call, without a slash at its end. Without it, the request's host.
    pub base_url: Option<String>,
    /// `USER_POOL_IDS` (optional): the pools the role allows. A source of another one is a mistake.
    pub user_pools: Option<Vec<UserPoolId>>,
}

/// The sources cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadScimSources {
    /// A source's pool is not one of the function's.
    #[error("the pool of the source `{0}` is not one of USER_POOL_IDS")]
    Pool(String),
    /// A source's mapping.
    #[error("source `{0}`: {1}")]
    Mapping(String, #[source] BadMapping),
}

// === impl Config ===

impl Config {
    /// Reads the configuration, or says everything that is wrong with it.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let edge = EdgeConfig::read(&mut env);
        let base_url = env.optional("SCIM_BASE_URL").map(|url| url.trim_end_matches('/').to_owned());
        if base_url.as_deref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
            env.mistake("SCIM_BASE_URL is not an http or https URL");
        }
        let pools = env.optional("USER_POOL_IDS").map(|_| env.list("USER_POOL_IDS"));
        let config = Self {
            edge,
            intake_queue_url: env.required("INTAKE_QUEUE_URL"),
            base_url,
            user_pools: pools.map(|pools| pools.into_iter().map(UserPoolId).collect()),
        };
        env.finish(config)
    }
}

/// Checks what the document's own reading cannot know.
pub fn check(sources: &Sources, pools: Option<&[UserPoolId]>) -> Result<(), BadScimSources> {
    for source in sources.scim.values() {
        if pools.is_some_and(|pools| !pools.contains(&source.pool)) {
            return Err(BadScimSources::Pool(source.name.clone()));
        }
        Mapping::new(source).map_err(|error| BadScimSources::Mapping(source.name.clone(), error))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_variable() {
        let variables = [
            ("EVENT_BUS_NAME", "revocation"),
            ("SOURCES_PARAMETER", "/revocation/sources"),
            ("INTAKE_TABLE", "intake"),
            ("PARKED_QUEUE_URL", "https://sqs.example/1/parked"),
            ("INTAKE_QUEUE_URL", "https://sqs.example/1/intake"),
            ("SCIM_BASE_URL", "https://api.example.com/scim/v2/"),
            ("USER_POOL_IDS", "eu-central-1_One,eu-central-1_Two"),
        ];
        let config = Config::read(&variables).unwrap();
        assert_eq!(config.base_url.as_deref(), Some("https://api.example.com/scim/v2"));
        assert_eq!(config.user_pools.unwrap().len(), 2);
    }

    #[test]
    fn every_bad_variable_is_named() {
        let BadEnvironment(mistakes) = Config::read(&[("SCIM_BASE_URL", "api.example.com")]).unwrap_err();
        let names = ["EVENT_BUS_NAME", "SOURCES_PARAMETER", "INTAKE_TABLE", "PARKED_QUEUE_URL", "INTAKE_QUEUE_URL"];
        for name in names.into_iter().chain(["SCIM_BASE_URL"]) {
            assert!(mistakes.iter().any(|mistake| mistake.starts_with(name)), "{name}: {mistakes:?}");
        }
    }
}
