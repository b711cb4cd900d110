//! Secrets from Secrets Manager.

use async_trait::async_trait;
use aws_sdk_secretsmanager::Client;
use revocation_core::ports::{PortError, TextReader};

use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "secretsmanager:GetSecretValue";

/// The actions [`read_secret`] needs.
pub const IAM_ACTIONS: &[&str] = &[GET];

/// Secrets by their names or ARNs, as they are now. They must not get into a log (I10).
pub struct SecretsManagerReader {
    client: Client,
}

impl SecretsManagerReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = IAM_ACTIONS;

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

/// The text of the secret with this ARN. It must not get into a log (I10): wrap it in a type without `Debug`.
pub async fn read_secret(aws: &AwsConfig, arn: &str) -> Result<String, PortError> {
    SecretsManagerReader::new(aws).read(arn).await
}
