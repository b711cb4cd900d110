//! Configuration of `sweeper`.

use std::time::Duration;

use revocation_core::domain::sweep::LONGEST_DELIVERY;
use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// A little longer than a message is tried for: what is older than that and not among the dead letters is lost.
const DEFAULT_QUIET_MINUTES: u64 = 45;

/// Everything `sweeper` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `REVOCATIONS_TABLE`
    pub revocations_table: String,
    /// `TOMBSTONES_TABLE`
    pub tombstones_table: String,
    /// `BULK_TABLE`
    pub bulk_table: String,
    /// `REVOKE_QUEUE_URL`: where requests are put again.
    pub revoke_queue_url: String,
    /// `REVOKE_DEAD_LETTER_QUEUE_URL`: as long as anything lies there, none is.
    pub revoke_dead_letter_queue_url: String,
    /// `SWEEP_AFTER_MINUTES`: how long a request has been quiet that is taken for lost; default 45, above 40.
    pub quiet: Duration,
    /// `SOURCES_PARAMETER` and `INTAKE_TABLE`: the document of the HTTPS sources, and who of them was heard of when. Both or
    /// neither: without the HTTPS intakes there are none.
    pub sources: Option<SourcesConfig>,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
}

/// Where the HTTPS sources are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcesConfig {
    /// Name of the parameter with the document.
    pub parameter: String,
    /// The intake table.
    pub intake_table: String,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let minutes: u64 = env.parsed("SWEEP_AFTER_MINUTES", DEFAULT_QUIET_MINUTES);
        let quiet = Duration::from_secs(minutes.saturating_mul(60));
        if quiet <= LONGEST_DELIVERY {
            env.mistake("SWEEP_AFTER_MINUTES is not above 40, for which a message is tried".to_owned());
        }
        let sources = match (env.optional("SOURCES_PARAMETER"), env.optional("INTAKE_TABLE")) {
            (Some(parameter), Some(intake_table)) => Some(SourcesConfig { parameter, intake_table }),
            (None, None) => None,
            _ => {
                env.mistake("SOURCES_PARAMETER and INTAKE_TABLE are set together or not at all");
                None
            }
        };
        let config = Self {
            revocations_table: env.required("REVOCATIONS_TABLE"),
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            bulk_table: env.required("BULK_TABLE"),
            revoke_queue_url: env.required("REVOKE_QUEUE_URL"),
            revoke_dead_letter_queue_url: env.required("REVOKE_DEAD_LETTER_QUEUE_URL"),
            quiet,
            sources,
            queue_url: env.required("QUEUE_URL"),
            dead_letter_queue_url: env.required("DEAD_LETTER_QUEUE_URL"),
        };
        env.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_start_names_every_variable() {
        let BadEnvironment(mistakes) = Config::read(&[("SWEEP_AFTER_MINUTES", "40")]).unwrap_err();
        assert_eq!(mistakes.len(), 8, "{mistakes:?}");
    }

    #[test]
    fn without_the_https_intakes_there_are_no_sources_and_half_of_them_is_a_mistake() {
        let read = |parameter: &'static str, table: &'static str| {
            Config::read(&[
                ("REVOCATIONS_TABLE", "revocations"),
                ("TOMBSTONES_TABLE", "tombstones"),
                ("BULK_TABLE", "bulk"),
                ("REVOKE_QUEUE_URL", "https://sqs.example/1/revoke"),
                ("REVOKE_DEAD_LETTER_QUEUE_URL", "https://sqs.example/1/revoke-dead"),
                ("QUEUE_URL", "https://sqs.example/1/sweeper"),
                ("DEAD_LETTER_QUEUE_URL", "https://sqs.example/1/sweeper-dead"),
                ("SOURCES_PARAMETER", parameter),
                ("INTAKE_TABLE", table),
            ])
            .map(|config| config.sources)
        };
        // As CloudFormation has it, which cannot leave a variable out.
        assert_eq!(read("", ""), Ok(None));
        let sources = SourcesConfig { parameter: "/stack/sources".into(), intake_table: "intake".into() };
        assert_eq!(read("/stack/sources", "intake"), Ok(Some(sources)));
        assert!(read("/stack/sources", "").is_err() && read("", "intake").is_err());
    }
}
