//! Configuration of `audit-chain`.

use revocation_lambda::env::{BadEnvironment, EnvReader, Variables};

/// Everything `audit-chain` is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `REVOCATIONS_TABLE`
    pub revocations_table: String,
    /// `AUDIT_CHAIN_TABLE`
    pub audit_chain_table: String,
    /// `EVIDENCE_BUCKET`
    pub evidence_bucket: String,
    /// `AUDIT_SIGNING_KEY_ARN`: a KMS key of spec `ECC_NIST_P256` that signs digests; default none.
    pub signing_key_arn: Option<String>,
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
            audit_chain_table: env.required("AUDIT_CHAIN_TABLE"),
            evidence_bucket: env.required("EVIDENCE_BUCKET"),
            signing_key_arn: env.optional("AUDIT_SIGNING_KEY_ARN"),
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
        let BadEnvironment(mistakes) = Config::read(&[("EVIDENCE_BUCKET", " ")]).unwrap_err();
        assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    }
}
