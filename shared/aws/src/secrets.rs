//! Secrets from Secrets Manager.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use revocation_core::ports::{PortError, TextReader};

use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "secretsmanager:GetSecretValue";

/// Secrets by their names or ARNs, as they are now. They must not get into a log (I10).
pub struct SecretsManagerReader {
    client: Client,
}

impl SecretsManagerReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET];

    /// The Region's Secrets Manager.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.secrets_manager() }
    }
}

#[async_trait]
impl TextReader for SecretsManagerReader {
    async fn read(&self, name: &str) -> Result<String, PortError> {
        let answer = self.client.get_secret_value().secret_id(name).send().await;
        let secret = answer.map_err(|error| port_error(GET, &error))?.secret_string;
        // A line break at the end comes from an editor, not from whoever issued the secret.
        let secret = secret.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        secret.ok_or(PortError::reject(GET, "no_text"))
    }
}
