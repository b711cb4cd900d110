//! `GroupDirectory`: a user pool's groups.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::GroupType;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use revocation_core::domain::account::{AccountPage, Group, GroupPage};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{Acted, GroupDirectory, PortError, Refused};

use super::accounts::acted;
use super::directory::{account, answered, millis};
use super::list_users::PAGE;
use crate::clients::AwsConfig;
use crate::error::{OperationError, port_error};

const GET: &str = "cognito-idp:GetGroup";
const LIST: &str = "cognito-idp:ListGroups";
const CREATE: &str = "cognito-idp:CreateGroup";
const UPDATE: &str = "cognito-idp:UpdateGroup";
const DELETE: &str = "cognito-idp:DeleteGroup";
const MEMBERS: &str = "cognito-idp:ListUsersInGroup";
const GROUPS_OF: &str = "cognito-idp:AdminListGroupsForUser";
const ADD: &str = "cognito-idp:AdminAddUserToGroup";
const REMOVE: &str = "cognito-idp:AdminRemoveUserFromGroup";

/// What Cognito answers where a group, or the pool, is not there.
const NO_GROUP: &str = "ResourceNotFoundException";

/// A user pool as a directory of groups.
pub struct CognitoGroupDirectory {
    client: Client,
}

// === impl CognitoGroupDirectory ===

impl CognitoGroupDirectory {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GET, LIST, CREATE, UPDATE, DELETE, MEMBERS, GROUPS_OF, ADD, REMOVE];

    /// A directory.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl GroupDirectory for CognitoGroupDirectory {
    async fn group(&self, pool: &UserPoolId, name: &str) -> Result<Option<Group>, PortError> {
        match self.client.get_group().user_pool_id(&pool.0).group_name(name).send().await {
            Ok(found) => Ok(found.group.and_then(group)),
            Err(error) if is_not_there(&error) => Ok(None),
            Err(error) => Err(port_error(GET, &error)),
        }
    }

    async fn groups(&self, pool: &UserPoolId, after: Option<&str>) -> Result<GroupPage, PortError> {
        let request = self.client.list_groups().user_pool_id(&pool.0).limit(PAGE);
        let page = request.set_next_token(after.map(str::to_owned)).send().await;
        let page = page.map_err(|error| port_error(LIST, &error))?;
        Ok(groups(page.groups, page.next_token))
    }

    async fn create_group(
        &self,
        pool: &UserPoolId,
        name: &str,
        description: &str,
    ) -> Result<Result<Group, Refused>, PortError> {
        let request = self.client.create_group().user_pool_id(&pool.0).group_name(name).description(description);
        match answered(CREATE, request.send().await)? {
            Ok(created) => {
                let created = created.group.and_then(group);
                created.map(Ok).ok_or(PortError::retry(CREATE, "no_group_in_answer"))
            }
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn describe_group(
        &self,
        pool: &UserPoolId,
        name: &str,
        description: &str,
    ) -> Result<Result<(), Refused>, PortError> {
        let request = self.client.update_group().user_pool_id(&pool.0).group_name(name).description(description);
        found(UPDATE, request.send().await)
    }

    async fn delete_group(&self, pool: &UserPoolId, name: &str) -> Result<Acted, PortError> {
        let sent = self.client.delete_group().user_pool_id(&pool.0).group_name(name).send().await;
        acted(DELETE, sent, &[GONE])
    }

    async fn members(
        &self,
        pool: &UserPoolId,
        name: &str,
        after: Option<&str>,
    ) -> Result<Option<AccountPage>, PortError> {
        let request = self.client.list_users_in_group().user_pool_id(&pool.0).group_name(name).limit(PAGE);
        match request.set_next_token(after.map(str::to_owned)).send().await {
            Ok(page) => {
                let accounts = page.users.unwrap_or_default().into_iter().filter_map(account).collect();
                Ok(Some(AccountPage { accounts, next: page.next_token }))
            }
            Err(error) if is_not_there(&error) => Ok(None),
            Err(error) => Err(port_error(MEMBERS, &error)),
        }
    }

    async fn groups_of(&self, pool: &UserPoolId, username: &str, after: Option<&str>) -> Result<GroupPage, PortError> {
        let request = self.client.admin_list_groups_for_user().user_pool_id(&pool.0).username(username).limit(PAGE);
        match request.set_next_token(after.map(str::to_owned)).send().await {
            Ok(page) => Ok(groups(page.groups, page.next_token)),
            Err(error) if code(&error) == Some("UserNotFoundException") => Ok(GroupPage::default()),
            Err(error) => Err(port_error(GROUPS_OF, &error)),
        }
    }

    async fn add_member(
        &self,
        pool: &UserPoolId,
        name: &str,
        username: &str,
    ) -> Result<Result<(), Refused>, PortError> {
        let request = self.client.admin_add_user_to_group().user_pool_id(&pool.0);
        found(ADD, request.group_name(name).username(username).send().await)
    }

    async fn remove_member(&self, pool: &UserPoolId, name: &str, username: &str) -> Result<Acted, PortError> {
        let request = self.client.admin_remove_user_from_group().user_pool_id(&pool.0);
        acted(REMOVE, request.group_name(name).username(username).send().await, &[GONE])
    }
}

const GONE: (&str, &str) = (NO_GROUP, "group_not_found");

/// The outcome; a group that is not there is refused.
fn found<T, E: OperationError>(
    operation: &'static str,
    sent: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Result<(), Refused>, PortError> {
    match &sent {
        Err(error) if is_not_there(error) => Ok(Err(Refused::NotFound)),
        _ => Ok(answered(operation, sent)?.map(drop)),
    }
}

pub(super) fn is_not_there<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    code(error) == Some(NO_GROUP)
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

fn groups(groups: Option<Vec<GroupType>>, next: Option<String>) -> GroupPage {
    GroupPage { groups: groups.unwrap_or_default().into_iter().filter_map(group).collect(), next }
}

fn group(group: GroupType) -> Option<Group> {
    Some(Group {
        name: group.group_name?,
        description: group.description.filter(|text| !text.is_empty()),
        created: millis(group.creation_date),
        modified: millis(group.last_modified_date),
    })
}
