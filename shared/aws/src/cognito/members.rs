//! `MemberDirectory`: the accounts of a pool and the members of its groups, page by page, and nothing else: a role that
//! lists people need not be able to change groups.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::UserType;
use revocation_core::domain::account::AccountPage;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{MemberDirectory, PortError};

use super::directory::account;
use super::groups::is_not_there;
use super::list_users::{LIST_USERS, PAGE};
use crate::clients::AwsConfig;
use crate::error::port_error;

const MEMBERS: &str = "cognito-idp:ListUsersInGroup";

/// User pools as lists of people.
pub struct CognitoMemberDirectory {
    client: Client,
}

// === impl CognitoMemberDirectory ===

impl CognitoMemberDirectory {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[MEMBERS, LIST_USERS];

    /// A directory.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl MemberDirectory for CognitoMemberDirectory {
    async fn members(
        &self,
        pool: &UserPoolId,
        group: &str,
        after: Option<&str>,
    ) -> Result<Option<AccountPage>, PortError> {
        let request = self.client.list_users_in_group().user_pool_id(&pool.0).group_name(group).limit(PAGE);
        match request.set_next_token(after.map(str::to_owned)).send().await {
            Ok(answer) => Ok(Some(page(answer.users, answer.next_token))),
            Err(error) if is_not_there(&error) => Ok(None),
            Err(error) => Err(port_error(MEMBERS, &error)),
        }
    }

    async fn accounts(&self, pool: &UserPoolId, after: Option<&str>) -> Result<AccountPage, PortError> {
        let request = self.client.list_users().user_pool_id(&pool.0).limit(PAGE);
        let answer = request.set_pagination_token(after.map(str::to_owned)).send().await;
        let answer = answer.map_err(|error| port_error(LIST_USERS, &error))?;
        Ok(page(answer.users, answer.pagination_token))
    }
}

fn page(users: Option<Vec<UserType>>, next: Option<String>) -> AccountPage {
    AccountPage { accounts: users.unwrap_or_default().into_iter().filter_map(account).collect(), next }
}
