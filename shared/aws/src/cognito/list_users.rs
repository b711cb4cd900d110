//! `ListUsers` with a filter, to its very end.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{UserStatusType, UserType};
use revocation_core::domain::profile::{Profile, SubjectKey, UserPoolId};
use revocation_core::ports::{PortError, Searchable};

use crate::error::port_error;

pub(super) const LIST_USERS: &str = "cognito-idp:ListUsers";

/// The most Cognito accepts: <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_ListUsers.html>
pub(super) const PAGE: i32 = 60;
const LONGEST_FILTER: usize = 256;
/// A filter for one value matches few users; a pool that keeps answering with tokens is not waited for for ever.
const MOST_PAGES: usize = 200;

/// All users of a pool whose attribute equals `value`.
///
/// Pages may be empty although more follow (`ListUsers` is eventually consistent and filters after reading), so the
/// token decides, not the page.
pub(super) async fn find(
    client: &Client,
    pool: &UserPoolId,
    attribute: Searchable,
    value: &str,
) -> Result<Vec<UserType>, PortError> {
    let filter = filter(attribute, value)?;
    let mut users = Vec::new();
    let mut token = None;
    for _ in 0..MOST_PAGES {
        let page = client
            .list_users()
            .user_pool_id(&pool.0)
            .filter(&filter)
            .limit(PAGE)
            .set_pagination_token(token)
            .send()
            .await
            .map_err(|error| port_error(LIST_USERS, &error))?;
        users.extend(page.users.unwrap_or_default());
        token = page.pagination_token;
        if token.is_none() {
            return Ok(users);
        }
    }
    Err(PortError::retry(LIST_USERS, "endless_pages"))
}

/// Cognito's filter for an attribute that equals `value`.
pub(super) fn filter(attribute: Searchable, value: &str) -> Result<String, PortError> {
    let filter = format!("{} = \"{}\"", name(attribute), escape(value));
    if filter.chars().count() > LONGEST_FILTER {
        // Cognito would refuse the call for ever; without the filter it cannot be answered.
        return Err(PortError::reject(LIST_USERS, "identifier_too_long"));
    }
    Ok(filter)
}

/// The attribute as Cognito's filters name it.
fn name(attribute: Searchable) -> &'static str {
    match attribute {
        Searchable::Sub => "sub",
        Searchable::Username => "username",
        Searchable::Email => "email",
        Searchable::PhoneNumber => "phone_number",
        Searchable::PreferredUsername => "preferred_username",
    }
}

/// An attribute of a user.
pub(super) fn attribute<'a>(user: &'a UserType, name: &str) -> Option<&'a str> {
    user.attributes().iter().find(|attribute| attribute.name() == name)?.value()
}

/// The user as the use cases know them; `None` without a `sub`, which Cognito never leaves out.
pub(super) fn profile(pool: &UserPoolId, user: &UserType) -> Option<Profile> {
    Some(Profile {
        key: SubjectKey::new(pool.0.clone(), attribute(user, "sub")?),
        username: user.username()?.to_owned(),
        federated: user.user_status() == Some(&UserStatusType::ExternalProvider),
    })
}

/// Escapes a value for Cognito's filter language, in which `\` escapes `"` and itself. Without it, an e-mail address
/// with a quote in it could end the string and change the question.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_leave_its_quotes() {
        assert_eq!(escape(r#"a" or sub ^= ""#), r#"a\" or sub ^= \""#);
        assert_eq!(escape(r"a\"), r"a\\");
        assert_eq!(escape(r#"a\""#), r#"a\\\""#);
    }
}
