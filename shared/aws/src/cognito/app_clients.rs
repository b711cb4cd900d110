//! `AppClients` and `RefreshTokens`: what Cognito knows of app clients, and does in their name.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{AppClient, AppClients, ClientSecret, PortError, Redeemed, RefreshTokens, Unredeemed};

use crate::clients::AwsConfig;
use crate::error::port_error;

const DESCRIBE: &str = "cognito-idp:DescribeUserPoolClient";
const REDEEM: &str = "cognito-idp:GetTokensFromRefreshToken";
const REVOKE: &str = "cognito-idp:RevokeToken";

/// By these Cognito says that the token is no good: revoked, expired, reused after rotation, of another client, not a
/// refresh token. `UserLambdaValidation` is `token-gate`'s refusal.
const REFUSED: [&str; 6] = [
    "NotAuthorizedException",
    "RefreshTokenReuseException",
    "UserLambdaValidationException",
    "UserNotFoundException",
    "InvalidParameterException",
    "UnsupportedTokenTypeException",
];

/// Of these, what Cognito says only of a token that it issued itself.
const MAY_LIVE: [&str; 2] = ["RefreshTokenReuseException", "UserLambdaValidationException"];
/// What it says of a disabled user's token, with the same code as of a forged one.
const DISABLED: &str = "disabled";

/// Reads app clients.
pub struct CognitoAppClients {
    client: Client,
}

/// Redeems and revokes refresh tokens. Neither call is authorised by IAM: the client's own credentials are.
pub struct CognitoRefreshTokens {
    client: Client,
}

// === impl CognitoAppClients ===

impl CognitoAppClients {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[DESCRIBE];

    /// App clients of any pool.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl AppClients for CognitoAppClients {
    async fn secret(&self, pool: &UserPoolId, client_id: &str) -> Result<Option<ClientSecret>, PortError> {
        let describe = self.client.describe_user_pool_client().user_pool_id(&pool.0).client_id(client_id);
        let answer = describe.send().await.map_err(|error| port_error(DESCRIBE, &error))?;
        let client = answer.user_pool_client.ok_or(PortError::reject(DESCRIBE, "no_client"))?;
        Ok(client.client_secret.filter(|secret| !secret.is_empty()).map(ClientSecret))
    }
}

// === impl CognitoRefreshTokens ===

impl CognitoRefreshTokens {
    /// The actions it needs: none.
    pub const IAM_ACTIONS: &[&str] = &[];

    /// Refresh tokens of any client.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl RefreshTokens for CognitoRefreshTokens {
    async fn redeem(
        &self,
        client: AppClient<'_>,
        refresh_token: &str,
    ) -> Result<Result<Redeemed, Unredeemed>, PortError> {
        // Not `InitiateAuth`: for a client with a secret that wants a hash over the user's name, which is not known here;
        // and with refresh-token rotation this is the only way.
        let redeem = self
            .client
            .get_tokens_from_refresh_token()
            .client_id(client.id)
            .set_client_secret(client.secret.map(|secret| secret.0.clone()))
            .refresh_token(refresh_token);
        let answer = match redeem.send().await {
            Ok(answer) => answer,
            Err(error) => {
                let why = error.code().and_then(|code| unredeemed(code, error.message().unwrap_or_default()));
                return why.map_or_else(|| Err(port_error(REDEEM, &error)), |why| Ok(Err(why)));
            }
        };
        let result = answer.authentication_result.ok_or(PortError::retry(REDEEM, "no_result"))?;
        let access_token = result.access_token.ok_or(PortError::retry(REDEEM, "no_access_token"))?;
        Ok(Ok(Redeemed { access_token, refresh_token: result.refresh_token.filter(|token| !token.is_empty()) }))
    }

    async fn revoke(&self, client: AppClient<'_>, refresh_token: &str) -> Result<(), PortError> {
        let revoke = self
            .client
            .revoke_token()
            .client_id(client.id)
            .set_client_secret(client.secret.map(|secret| secret.0.clone()))
            .token(refresh_token);
        match revoke.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code().is_some_and(|code| REFUSED.contains(&code)) => Ok(()),
            Err(error) => Err(port_error(REVOKE, &error)),
        }
    }
}

/// What a refusal says of the token; `None` if it was no refusal of it.
fn unredeemed(code: &str, message: &str) -> Option<Unredeemed> {
    let may_live = MAY_LIVE.contains(&code) || message.contains(DISABLED);
    REFUSED.contains(&code).then_some(if may_live { Unredeemed::MayLive } else { Unredeemed::NoGood })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_a_genuine_token_from_junk() {
        for (code, message, expected) in [
            ("NotAuthorizedException", "Invalid Refresh Token", Some(Unredeemed::NoGood)),
            ("NotAuthorizedException", "Refresh Token has been revoked", Some(Unredeemed::NoGood)),
            ("NotAuthorizedException", "User is disabled.", Some(Unredeemed::MayLive)),
            ("UserLambdaValidationException", "PreTokenGeneration failed", Some(Unredeemed::MayLive)),
            ("RefreshTokenReuseException", "", Some(Unredeemed::MayLive)),
            ("TooManyRequestsException", "", None),
        ] {
            assert_eq!(unredeemed(code, message), expected, "{code} {message}");
        }
    }
}
