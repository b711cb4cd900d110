//! `MembershipReader`: which groups a user belongs to.

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use revocation_core::domain::profile::Profile;
use revocation_core::ports::{MembershipReader, PortError};

use super::list_users::PAGE;
use crate::clients::AwsConfig;
use crate::error::port_error;

const GROUPS_OF: &str = "cognito-idp:AdminListGroupsForUser";
/// A user belongs to 100 groups at most ("Quotas in Amazon Cognito"); pages may be empty although more follow.
const MOST_PAGES: usize = 50;

/// Reads memberships by `AdminListGroupsForUser`.
pub struct CognitoMembershipReader {
    client: Client,
}

impl CognitoMembershipReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[GROUPS_OF];

    /// A reader.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl MembershipReader for CognitoMembershipReader {
    async fn groups_of(&self, profile: &Profile) -> Result<Vec<String>, PortError> {
        let (pool, name) = (&profile.key.user_pool_id.0, &profile.username);
        let (mut names, mut token) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let request = self.client.admin_list_groups_for_user().user_pool_id(pool).username(name).limit(PAGE);
            let page = match request.set_next_token(token).send().await {
                Ok(page) => page,
                Err(error) if error.code() == Some("UserNotFoundException") => return Ok(Vec::new()),
                Err(error) => return Err(port_error(GROUPS_OF, &error)),
            };
            names.extend(page.groups.unwrap_or_default().into_iter().filter_map(|group| group.group_name));
            token = page.next_token;
            if token.is_none() {
                return Ok(names);
            }
        }
        Err(PortError::retry(GROUPS_OF, "endless_pages"))
    }
}
