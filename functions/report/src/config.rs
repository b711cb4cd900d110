//! Configuration of `report`.

use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Everything `report` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `REVOCATIONS_TABLE`
    pub revocations_table: String,
    /// `BULK_TABLE`
    pub bulk_table: String,
    /// `SESSIONS_TABLE`: the session ledger; default none.
    pub sessions_table: Option<String>,
    /// `EVIDENCE_BUCKET`
    pub evidence_bucket: String,
    /// `QUEUE_URL`: the queue it is fed from.
    pub queue_url: String,
    /// `DEAD_LETTER_QUEUE_URL`
    pub dead_letter_queue_url: String,
}

impl Config {
    /// Reads the environment; names every mistake.
    pub fn read(variables: &dyn Variables) -> Result<Self, BadEnvironment> {
        let mut env = EnvReader::new(variables);
        let config = Self {
            revocations_table: env.required("REVOCATIONS_TABLE"),
            bulk_table: env.required("BULK_TABLE"),
            sessions_table: env.optional("SESSIONS_TABLE"),
            evidence_bucket: env.required("EVIDENCE_BUCKET"),
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
        let BadEnvironment(mistakes) = Config::read(&[("BULK_TABLE", "")]).unwrap_err();
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    }
}
