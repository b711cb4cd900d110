//! A user that is made to be revoked, and deleted again: the end-to-end check of an installation.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, AuthFlowType, MessageActionType};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use revocation_core::domain::profile::{SubjectKey, UserPoolId};
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const CREATE: &str = "cognito-idp:AdminCreateUser";
const SET_PASSWORD: &str = "cognito-idp:AdminSetUserPassword";
const DELETE: &str = "cognito-idp:AdminDeleteUser";
const SIGN_IN: &str = "cognito-idp:InitiateAuth";

/// Makes and deletes such users.
pub struct CognitoThrowaway {
    client: Client,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throwaway {
    /// Who.
    pub key: SubjectKey,
    /// User name.
    pub username: String,
}

/// What a sign-in gives. Not printable: these are tokens.
#[derive(Clone)]
pub struct Session {
    /// Access token.
    pub access: String,
    /// Refresh token.
    pub refresh: String,
}

impl CognitoThrowaway {
    /// The actions it needs; signing in needs none.
    pub const IAM_ACTIONS: &[&str] = &[CREATE, SET_PASSWORD, DELETE];

    /// Users of any pool.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }

    /// Makes a user of that name, to whom nothing is sent.
    pub async fn create(&self, pool: &UserPoolId, username: &str, email: &str) -> Result<Throwaway, PortError> {
        let attribute = |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().ok();
        let create = self
            .client
            .admin_create_user()
            .user_pool_id(&pool.0)
            .username(username)
            .set_user_attributes([attribute("email", email), attribute("email_verified", "true")].into_iter().collect())
            .message_action(MessageActionType::Suppress);
        let user = create.send().await.map_err(|error| port_error(CREATE, &error))?.user;
        let user = user.ok_or(PortError::retry(CREATE, "bad_response"))?;
        let sub = user.attributes().iter().find(|it| it.name() == "sub").and_then(|it| it.value());
        let key = SubjectKey::new(&pool.0, sub.ok_or(PortError::retry(CREATE, "no_sub"))?);
        Ok(Throwaway { key, username: user.username.unwrap_or_else(|| username.to_owned()) })
    }

    /// Gives it a password that need not be changed.
    pub async fn set_password(&self, user: &Throwaway, password: &str) -> Result<(), PortError> {
        let set = self.client.admin_set_user_password().user_pool_id(&user.key.user_pool_id.0);
        let set = set.username(&user.username).password(password).permanent(true).send().await;
        set.map(drop).map_err(|error| port_error(SET_PASSWORD, &error))
    }

    /// Signs it in by password.
    pub async fn sign_in(&self, app_client: &str, user: &Throwaway, password: &str) -> Result<Session, PortError> {
        let answer = self
            .client
            .initiate_auth()
            .client_id(app_client)
            .auth_flow(AuthFlowType::UserPasswordAuth)
            .auth_parameters("USERNAME", &user.username)
            .auth_parameters("PASSWORD", password)
            .send()
            .await
            .map_err(|error| port_error(SIGN_IN, &error))?;
        let tokens = answer.authentication_result.and_then(|it| it.access_token.zip(it.refresh_token));
        tokens.map(|(access, refresh)| Session { access, refresh }).ok_or(PortError::reject(SIGN_IN, "challenge"))
    }

    /// Whether Cognito still makes tokens for a refresh token.
    pub async fn refreshes(&self, app_client: &str, refresh: &str) -> Result<bool, PortError> {
        let refresh = self
            .client
            .initiate_auth()
            .client_id(app_client)
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .auth_parameters("REFRESH_TOKEN", refresh);
        match refresh.send().await {
            Ok(_) => Ok(true),
            // The second one is the token gate's refusal.
            Err(error) if matches!(error.code(), Some("NotAuthorizedException" | "UserLambdaValidationException")) => {
                Ok(false)
            }
            Err(error) => Err(port_error(SIGN_IN, &error)),
        }
    }

    /// Deletes it.
    pub async fn delete(&self, user: &Throwaway) -> Result<(), PortError> {
        let delete = self.client.admin_delete_user().user_pool_id(&user.key.user_pool_id.0).username(&user.username);
        delete.send().await.map(drop).map_err(|error| port_error(DELETE, &error))
    }
}
