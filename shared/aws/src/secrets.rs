//! Secrets from Secrets Manager, read once at the start of a function.

use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "secretsmanager:GetSecretValue";

/// The actions [`read_secret`] needs.
pub const IAM_ACTIONS: &[&str] = &[GET];

/// The text of the secret with this ARN. It must not get into a log (I10): wrap it in a type without `Debug`.
pub async fn read_secret(aws: &AwsConfig, arn: &str) -> Result<String, PortError> {
    let answer = aws.secrets_manager().get_secret_value().secret_id(arn).send().await;
    let secret = answer.map_err(|error| port_error(GET, &error))?.secret_string;
    // A line break at the end comes from an editor, not from whoever issued the secret.
    let secret = secret.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    secret.ok_or(PortError::reject(GET, "no_text"))
}
