//! `TextReader` on Systems Manager's Parameter Store.

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use revocation_core::ports::{PortError, TextReader};

use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "ssm:GetParameter";

/// Parameters by their names.
pub struct SsmParameterReader {
    client: Client,
}

impl SsmParameterReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET];

    /// The Region's Parameter Store.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.ssm() }
    }
}

#[async_trait]
impl TextReader for SsmParameterReader {
    async fn read(&self, name: &str) -> Result<String, PortError> {
        let answer = self.client.get_parameter().name(name).send().await.map_err(|error| port_error(GET, &error))?;
        answer.parameter.and_then(|parameter| parameter.value).ok_or(PortError::reject(GET, "no_text"))
    }
}
