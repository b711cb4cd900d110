//! `UserDirectory`: a user pool's accounts.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::BuildError;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::{AdminGetUserError, AdminGetUserOutput};
use aws_sdk_cognitoidentityprovider::types::{
    AttributeType, DeliveryMediumType, MessageActionType, UserStatusType, UserType,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use revocation_core::domain::account::{Account, AccountPage, AccountStatus, NewAccount, Password};
use revocation_core::domain::profile::{Sub, UserPoolId};
use revocation_core::domain::subject::MAX_NAME_CHARS;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{AccountFilter, Acted, PortError, Refused, Searchable, UserDirectory};

use super::accounts::acted;
use super::list_users::{LIST_USERS, PAGE, filter, find};
use crate::clients::AwsConfig;
use crate::error::{OperationError, port_error};

const GET: &str = "cognito-idp:AdminGetUser";
const CREATE: &str = "cognito-idp:AdminCreateUser";
const UPDATE: &str = "cognito-idp:AdminUpdateUserAttributes";
const SET_PASSWORD: &str = "cognito-idp:AdminSetUserPassword";
const ENABLE: &str = "cognito-idp:AdminEnableUser";
const DISABLE: &str = "cognito-idp:AdminDisableUser";
const DELETE: &str = "cognito-idp:AdminDeleteUser";

/// A user pool as a directory of accounts.
pub struct CognitoUserDirectory {
    client: Client,
}

// === impl CognitoUserDirectory ===

impl CognitoUserDirectory {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_USERS, GET, CREATE, UPDATE, SET_PASSWORD, ENABLE, DISABLE, DELETE];

    /// A directory.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }

    async fn found(&self, pool: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError> {
        let users = find(&self.client, pool, Searchable::Sub, &sub.0).await?;
        Ok(users.into_iter().filter_map(account).find(|account| account.sub == *sub))
    }
}

#[async_trait]
impl UserDirectory for CognitoUserDirectory {
    async fn find(&self, pool: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError> {
        match self.found(pool, sub).await? {
            Some(account) => Ok(Some(account)),
            // Search is eventually consistent: somebody just created is looked up by their `sub`, which Cognito takes for
            // a local user's name.
            None => Ok(self.named(pool, &sub.0).await?.filter(|account| account.sub == *sub)),
        }
    }

    async fn read(&self, pool: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError> {
        // A `sub` may be *another* user's name, hence the second look at it; a federated user has no name but their own.
        let direct = self.named(pool, &sub.0).await?.filter(|account| account.sub == *sub);
        if direct.is_some() {
            return Ok(direct);
        }
        match self.found(pool, sub).await? {
            Some(account) => Ok(self.named(pool, &account.username).await?.filter(|account| account.sub == *sub)),
            None => Ok(None),
        }
    }

    async fn named(&self, pool: &UserPoolId, name: &str) -> Result<Option<Account>, PortError> {
        if !is_name(name) {
            return Ok(None);
        }
        match self.client.admin_get_user().user_pool_id(&pool.0).username(name).send().await {
            Ok(user) => Ok(account_read(user)),
            Err(error) if error.as_service_error().is_some_and(AdminGetUserError::is_user_not_found_exception) => {
                Ok(None)
            }
            Err(error) => Err(port_error(GET, &error)),
        }
    }

    async fn page(
        &self,
        pool: &UserPoolId,
        by: Option<AccountFilter<'_>>,
        after: Option<&str>,
    ) -> Result<AccountPage, PortError> {
        let by = by.map(|by| filter(by.attribute, by.value)).transpose()?;
        let page = self
            .client
            .list_users()
            .user_pool_id(&pool.0)
            .set_filter(by)
            .limit(PAGE)
            .set_pagination_token(after.map(str::to_owned))
            .send()
            .await
            .map_err(|error| port_error(LIST_USERS, &error))?;
        let accounts = page.users.unwrap_or_default().into_iter().filter_map(account).collect();
        Ok(AccountPage { accounts, next: page.pagination_token })
    }

    async fn create(&self, pool: &UserPoolId, new: &NewAccount) -> Result<Result<Account, Refused>, PortError> {
        let request = self.client.admin_create_user().user_pool_id(&pool.0).username(&new.username);
        let request = request.set_user_attributes(Some(attributes(CREATE, &new.attributes)?));
        let request = if new.invite {
            request.desired_delivery_mediums(DeliveryMediumType::Email)
        } else {
            request.message_action(MessageActionType::Suppress)
        };
        match answered(CREATE, request.send().await)? {
            Ok(created) => {
                let created = created.user.and_then(account);
                created.map(Ok).ok_or(PortError::retry(CREATE, "no_user_in_answer"))
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn update(
        &self,
        pool: &UserPoolId,
        username: &str,
        changes: &BTreeMap<String, Option<String>>,
    ) -> Result<Result<(), Refused>, PortError> {
        // "To delete an attribute from your user, submit the attribute in your API request with a blank value":
        // https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminUpdateUserAttributes.html
        let values = changes.iter().map(|(name, value)| (name.clone(), value.clone().unwrap_or_default())).collect();
        let request = self.client.admin_update_user_attributes().user_pool_id(&pool.0).username(username);
        let sent = request.set_user_attributes(Some(attributes(UPDATE, &values)?)).send().await;
        Ok(answered(UPDATE, sent)?.map(drop))
    }

    async fn set_password(
        &self,
        pool: &UserPoolId,
        username: &str,
        password: &Password,
    ) -> Result<Result<(), Refused>, PortError> {
        let request = self.client.admin_set_user_password().user_pool_id(&pool.0).username(username);
        let sent = request.password(password.expose()).permanent(true).send().await;
        Ok(answered(SET_PASSWORD, sent)?.map(drop))
    }

    async fn enable(&self, pool: &UserPoolId, username: &str) -> Result<Acted, PortError> {
        let sent = self.client.admin_enable_user().user_pool_id(&pool.0).username(username).send().await;
        acted(ENABLE, sent, &[])
    }

    async fn disable(&self, pool: &UserPoolId, username: &str) -> Result<Acted, PortError> {
        let sent = self.client.admin_disable_user().user_pool_id(&pool.0).username(username).send().await;
        acted(DISABLE, sent, &[])
    }

    async fn delete(&self, pool: &UserPoolId, username: &str) -> Result<Acted, PortError> {
        let sent = self.client.admin_delete_user().user_pool_id(&pool.0).username(username).send().await;
        acted(DELETE, sent, &[])
    }
}

/// Whether Cognito would take it for a name at all (Cognito API, `UsernameType`); it refuses the call for others.
fn is_name(name: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// The answer, or what was refused in it; whatever the client can do nothing about is an error.
pub(super) fn answered<T, E: OperationError>(
    operation: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Result<T, Refused>, PortError> {
    let error = match sent {
        Ok(answer) => return Ok(Ok(answer)),
        Err(error) => error,
    };
    let refused = match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("UserNotFoundException") => Refused::NotFound,
        Some("UsernameExistsException" | "AliasExistsException" | "GroupExistsException") => Refused::Taken,
        Some("InvalidPasswordException" | "PasswordHistoryPolicyViolationException") => Refused::WeakPassword,
        // The latter is the no of the pool's own trigger.
        Some("InvalidParameterException" | "UserLambdaValidationException") => Refused::BadValue,
        Some("LimitExceededException") => Refused::Full,
        _ => return Err(port_error(operation, &error)),
    };
    Ok(Err(refused))
}

fn attributes(operation: &'static str, values: &BTreeMap<String, String>) -> Result<Vec<AttributeType>, PortError> {
    let built: Result<_, BuildError> =
        values.iter().map(|(name, value)| AttributeType::builder().name(name).value(value).build()).collect();
    built.map_err(|_| PortError::reject(operation, "request_not_built"))
}

/// The user as provisioning knows them; `None` without name or `sub`, which Cognito never leaves out.
pub(super) fn account(user: UserType) -> Option<Account> {
    let parts = Parts {
        enabled: user.enabled,
        status: user.user_status,
        attributes: user.attributes.unwrap_or_default(),
        created: user.user_create_date,
        modified: user.user_last_modified_date,
    };
    parts.account(user.username?)
}

fn account_read(user: AdminGetUserOutput) -> Option<Account> {
    let parts = Parts {
        enabled: user.enabled,
        status: user.user_status,
        attributes: user.user_attributes.unwrap_or_default(),
        created: user.user_create_date,
        modified: user.user_last_modified_date,
    };
    parts.account(user.username)
}

/// What two shapes of the SDK have in common.
struct Parts {
    enabled: bool,
    status: Option<UserStatusType>,
    attributes: Vec<AttributeType>,
    created: Option<DateTime>,
    modified: Option<DateTime>,
}

// === impl Parts ===

impl Parts {
    fn account(self, username: String) -> Option<Account> {
        // An attribute that was blanked is gone.
        let named = |attribute: AttributeType| Some((attribute.name, attribute.value.filter(|v| !v.is_empty())?));
        let attributes: BTreeMap<String, String> = self.attributes.into_iter().filter_map(named).collect();
        Some(Account {
            sub: Sub(attributes.get("sub")?.clone()),
            username,
            enabled: self.enabled,
            status: match self.status {
                Some(UserStatusType::ExternalProvider) => AccountStatus::Federated,
                Some(UserStatusType::ForceChangePassword) => AccountStatus::Invited,
                _ => AccountStatus::Local,
            },
            attributes,
            created: millis(self.created),
            modified: millis(self.modified),
        })
    }
}

/// Cognito never leaves times out; the epoch stands for one it did.
pub(super) fn millis(time: Option<DateTime>) -> EpochMillis {
    EpochMillis(time.and_then(|time| time.to_millis().ok()).unwrap_or_default())
}
