//! How many users a pool has, for whoever is about to concern all of them.

use aws_sdk_cognitoidentityprovider::Client;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const DESCRIBE: &str = "cognito-idp:DescribeUserPool";

/// Asks for a pool's size.
pub struct CognitoPoolSize {
    client: Client,
}

impl CognitoPoolSize {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[DESCRIBE];

    /// Of any pool.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }

    /// About how many users, as Cognito estimates it.
    pub async fn users(&self, pool: &UserPoolId) -> Result<u64, PortError> {
        let answer = self.client.describe_user_pool().user_pool_id(&pool.0).send().await;
        let answer = answer.map_err(|error| port_error(DESCRIBE, &error))?;
        let users = answer.user_pool.map(|pool| pool.estimated_number_of_users);
        users.and_then(|users| u64::try_from(users).ok()).ok_or(PortError::reject(DESCRIBE, "bad_response"))
    }
}
