//! `Authenticator`: signs a user of one app client in, as a server does that holds the password.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use revocation_core::domain::account::Password;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{Authenticator, PortError, SessionTokens};

use crate::clients::AwsConfig;
use crate::error::port_error;

const SIGN_IN: &str = "cognito-idp:AdminInitiateAuth";

/// Signs in by `AdminInitiateAuth`: a flow that nobody can call without IAM's leave, and that no IAM leave can make do
/// without the password.
pub struct CognitoAuthenticator {
    client: Client,
    pool: UserPoolId,
    client_id: String,
}

// === impl CognitoAuthenticator ===

impl CognitoAuthenticator {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SIGN_IN];

    /// Sign-ins to this app client, which has no secret and allows `ALLOW_ADMIN_USER_PASSWORD_AUTH`.
    #[must_use]
    pub fn new(aws: &AwsConfig, pool: UserPoolId, client_id: impl Into<String>) -> Self {
        Self { client: aws.cognito(), pool, client_id: client_id.into() }
    }
}

#[async_trait]
impl Authenticator for CognitoAuthenticator {
    async fn sign_in(&self, username: &str, password: &Password) -> Result<SessionTokens, PortError> {
        let sent = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.pool.0)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", username)
            .auth_parameters("PASSWORD", password.expose())
            .send()
            .await;
        let answer = sent.map_err(|error| port_error(SIGN_IN, &error))?;
        // A challenge: a second factor, a new password.
        let result = answer.authentication_result.ok_or(PortError::reject(SIGN_IN, "asked_for_more"))?;
        let whole = result.access_token.zip(result.id_token).zip(result.refresh_token);
        let ((access, id), refresh) = whole.ok_or(PortError::retry(SIGN_IN, "tokens_missing"))?;
        Ok(SessionTokens { access, id, refresh })
    }
}
