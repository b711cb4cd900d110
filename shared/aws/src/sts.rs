//! Who is asking, by the security token service.

use aws_sdk_sts::Client;
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const GET: &str = "sts:GetCallerIdentity";

/// Whoever the credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The ARN: of a user, or of a role's session, whose name tells the person.
    pub arn: String,
    /// The account.
    pub account: String,
}

/// Asks who is asking. Everybody may, so it needs no permission.
pub struct StsCallerReader {
    client: Client,
}

impl StsCallerReader {
    /// The Region's security token service.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.sts() }
    }

    /// The caller.
    pub async fn caller(&self) -> Result<Caller, PortError> {
        let answer = self.client.get_caller_identity().send().await.map_err(|error| port_error(GET, &error))?;
        match (answer.arn, answer.account) {
            (Some(arn), Some(account)) => Ok(Caller { arn, account }),
            _ => Err(PortError::reject(GET, "nobody")),
        }
    }
}
