//! Whether the account may text anybody, or only numbers it has verified.

use aws_sdk_sns::Client;
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const STATUS: &str = "sns:GetSMSSandboxAccountStatus";

/// Reads the status.
pub struct SnsSandboxReader {
    client: Client,
}

impl SnsSandboxReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[STATUS];

    /// Of the account, in the Region.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.sns() }
    }

    /// Whether the account is in the sandbox.
    pub async fn is_in_sandbox(&self) -> Result<bool, PortError> {
        let answer = self.client.get_sms_sandbox_account_status().send().await;
        answer.map(|answer| answer.is_in_sandbox).map_err(|error| port_error(STATUS, &error))
    }
}
