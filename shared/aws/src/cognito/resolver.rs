//! `SubjectResolver`: whom an identifier means, in every configured pool.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserError;
use aws_sdk_cognitoidentityprovider::types::{UserStatusType, UserType};
use revocation_core::domain::profile::{Profile, Sub, SubjectKey, UserPoolId};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{PortError, Searchable, SubjectResolver};

use super::list_users::{LIST_USERS, attribute, find, profile};
use crate::clients::AwsConfig;
use crate::error::port_error;

const GET_USER: &str = "cognito-idp:AdminGetUser";

/// Finds users by `ListUsers`. `AdminGetUser` only where that finds nobody: it counts each user looked up as active,
/// which is billed.
pub struct CognitoSubjectResolver {
    client: Client,
    pools: Vec<UserPoolId>,
    providers: BTreeMap<String, String>,
}

impl CognitoSubjectResolver {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_USERS, GET_USER];

    /// A resolver over `pools`. `providers` maps an upstream issuer to the name under which Cognito federates it: users
    /// of issuer I with subject S are called `<name>_<S>`.
    #[must_use]
    pub fn new(aws: &AwsConfig, pools: &[String], providers: BTreeMap<String, String>) -> Self {
        let pools = pools.iter().cloned().map(UserPoolId).collect();
        Self { client: aws.cognito(), pools, providers }
    }

    /// A user by their `sub`. Search is eventually consistent, so one who is not found is looked up directly: Cognito takes
    /// a local user's `sub` for their name. It may also be *another* user's name, hence the second look at the `sub`.
    async fn by_sub(&self, pool: &UserPoolId, sub: &str) -> Result<Vec<Profile>, PortError> {
        let found = self.ask(pool, Searchable::Sub, sub).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        match self.client.admin_get_user().user_pool_id(&pool.0).username(sub).send().await {
            Ok(user) => {
                let is_meant = user.user_attributes().iter().any(|a| a.name() == "sub" && a.value() == Some(sub));
                let key = SubjectKey::new(pool.0.clone(), sub);
                let federated = user.user_status() == Some(&UserStatusType::ExternalProvider);
                Ok(is_meant.then_some(Profile { key, username: user.username, federated }).into_iter().collect())
            }
            Err(error) if error.as_service_error().is_some_and(AdminGetUserError::is_user_not_found_exception) => {
                Ok(Vec::new())
            }
            Err(error) => Err(port_error(GET_USER, &error)),
        }
    }

    async fn ask(&self, pool: &UserPoolId, by: Searchable, value: &str) -> Result<Vec<Profile>, PortError> {
        let users = find(&self.client, pool, by, value).await?;
        let meant = users.iter().filter(|user| is_meant(user, by, value));
        Ok(meant.filter_map(|user| profile(pool, user)).collect())
    }

    async fn everywhere(&self, by: Searchable, value: &str) -> Result<Vec<Profile>, PortError> {
        let mut found = Vec::new();
        for pool in &self.pools {
            found.extend(self.ask(pool, by, value).await?);
        }
        Ok(found)
    }

    /// Cognito compares e-mail addresses as they are stored, so the address is asked for as given and in lower case. ASCII's
    /// lower case: Unicode's makes the Kelvin sign a `k`, and thereby one person another.
    async fn by_email(&self, email: &str) -> Result<Vec<Profile>, PortError> {
        let mut found = Vec::new();
        for spelling in &spellings(email) {
            found.extend(self.everywhere(Searchable::Email, spelling).await?);
        }
        Ok(found)
    }

    async fn by_issuer(&self, iss: &str, sub: &str) -> Result<Vec<Profile>, PortError> {
        if let Some(pool) = self.pool_of(iss) {
            return self.by_sub(pool, sub).await;
        }
        match self.providers.get(iss) {
            Some(name) => self.everywhere(Searchable::Username, &format!("{name}_{sub}")).await,
            None => Ok(Vec::new()),
        }
    }

    fn pool_of(&self, iss: &str) -> Option<&UserPoolId> {
        self.pools.iter().find(|pool| is_issuer_of(pool, iss))
    }

    async fn simple(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        match subject {
            SubjectIdentifier::Account { uri } => self.by_email(address(uri)).await,
            SubjectIdentifier::Email { email } => self.by_email(email).await,
            SubjectIdentifier::IssSub { iss, sub } => self.by_issuer(iss, sub).await,
            SubjectIdentifier::Opaque { id } => {
                let mut found = Vec::new();
                for pool in &self.pools {
                    found.extend(self.by_sub(pool, id).await?);
                }
                Ok(found)
            }
            SubjectIdentifier::PhoneNumber { phone_number } => {
                self.everywhere(Searchable::PhoneNumber, phone_number).await
            }
            SubjectIdentifier::Username { username } => self.everywhere(Searchable::Username, username).await,
            SubjectIdentifier::Group { .. }
            | SubjectIdentifier::List { .. }
            | SubjectIdentifier::Ended {}
            | SubjectIdentifier::Pool { .. }
            | SubjectIdentifier::Aliases { .. } => Err(PortError::reject(LIST_USERS, "not_a_single_subject")),
        }
    }
}

#[async_trait]
impl SubjectResolver for CognitoSubjectResolver {
    async fn resolve(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        let mut found = BTreeMap::new();
        let one = std::slice::from_ref(subject);
        let names = if let SubjectIdentifier::Aliases { identifiers } = subject { identifiers } else { one };
        for name in names {
            found.extend(self.simple(name).await?.into_iter().map(|profile| (profile.key.clone(), profile)));
        }
        Ok(found.into_values().collect())
    }

    fn key_of(&self, subject: &SubjectIdentifier) -> Option<SubjectKey> {
        match (subject, self.pools.as_slice()) {
            (SubjectIdentifier::IssSub { iss, sub }, _) => {
                Some(SubjectKey { user_pool_id: self.pool_of(iss)?.clone(), sub: key_part(sub)? })
            }
            (SubjectIdentifier::Opaque { id }, [pool]) => {
                Some(SubjectKey { user_pool_id: pool.clone(), sub: key_part(id)? })
            }
            (SubjectIdentifier::Pool { user_pool_id }, pools) => {
                pools.iter().find(|pool| pool.0 == *user_pool_id).map(SubjectKey::everyone)
            }
            _ => None,
        }
    }

    fn searches(&self, subject: &SubjectIdentifier) -> u32 {
        let pools = self.pools.len();
        let searches = match subject {
            SubjectIdentifier::Aliases { identifiers } => {
                return identifiers.iter().map(|one| self.searches(one)).sum();
            }
            SubjectIdentifier::Account { uri } => pools * spellings(address(uri)).len(),
            SubjectIdentifier::Email { email } => pools * spellings(email).len(),
            SubjectIdentifier::IssSub { iss, .. } if self.pool_of(iss).is_some() => 1,
            SubjectIdentifier::IssSub { iss, .. } if !self.providers.contains_key(iss) => 0,
            _ => pools,
        };
        u32::try_from(searches).unwrap_or(u32::MAX)
    }
}

fn address(uri: &str) -> &str {
    uri.trim_start_matches("acct:")
}

fn spellings(email: &str) -> BTreeSet<String> {
    BTreeSet::from([email.to_owned(), email.to_ascii_lowercase()])
}

/// The answer is checked again, so that a filter understood otherwise than meant cannot end somebody else's sessions.
fn is_meant(user: &UserType, by: Searchable, value: &str) -> bool {
    let is = |name| attribute(user, name);
    match by {
        Searchable::Email => is("email").is_some_and(|email| email.eq_ignore_ascii_case(value)),
        Searchable::PhoneNumber => is("phone_number") == Some(value),
        Searchable::PreferredUsername => is("preferred_username") == Some(value),
        Searchable::Sub => is("sub") == Some(value),
        Searchable::Username => user.username().is_some_and(|name| name.eq_ignore_ascii_case(value)),
    }
}

fn is_issuer_of(pool: &UserPoolId, iss: &str) -> bool {
    pool.issuers().iter().any(|issuer| issuer == iss.trim_end_matches('/'))
}

/// A `sub` is a UUID. What is none is looked up like any other name instead of being put into a key.
fn key_part(sub: &str) -> Option<Sub> {
    let uuid = sub.len() == 36 && sub.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    uuid.then(|| Sub(sub.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "11112222-3333-4444-5555-666677778888";

    fn resolver(pools: &[&str]) -> CognitoSubjectResolver {
        let variable = |name: &str| name.starts_with("AWS_").then(|| "http://127.0.0.1:1".to_owned());
        let aws = AwsConfig::from_env(&variable).unwrap();
        let pools: Vec<String> = pools.iter().map(|pool| (*pool).to_owned()).collect();
        CognitoSubjectResolver::new(&aws, &pools, BTreeMap::new())
    }

    #[test]
    fn i01_an_identifier_that_names_the_key_needs_no_call() {
        let one = resolver(&["eu-west-1_A"]);
        let two = resolver(&["eu-west-1_A", "eu-west-1_B"]);
        let opaque = SubjectIdentifier::Opaque { id: SUB.into() };
        let of_b = SubjectIdentifier::IssSub {
            iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_B".into(),
            sub: SUB.into(),
        };
        assert_eq!(one.key_of(&opaque), Some(SubjectKey::new("eu-west-1_A", SUB)));
        assert_eq!(two.key_of(&opaque), None, "which pool?");
        assert_eq!(two.key_of(&of_b), Some(SubjectKey::new("eu-west-1_B", SUB)));
        assert_eq!(one.key_of(&of_b), None, "not one of ours");
        let not_a_uuid = SubjectIdentifier::Opaque { id: "*".into() };
        assert_eq!(one.key_of(&not_a_uuid), None, "nobody's: it would be everybody's");
        let pool = |id: &str| SubjectIdentifier::Pool { user_pool_id: id.into() };
        assert_eq!(two.key_of(&pool("eu-west-1_B")), Some(SubjectKey::new("eu-west-1_B", "*")));
        assert_eq!(two.key_of(&pool("eu-west-1_C")), None, "not one of ours");
    }

    #[test]
    fn i13_each_search_in_each_pool_and_spelling_counts() {
        let two = resolver(&["eu-west-1_A", "eu-west-1_B"]);
        let email = |email: &str| SubjectIdentifier::Email { email: email.into() };
        let of_b = SubjectIdentifier::IssSub {
            iss: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_B".into(),
            sub: SUB.into(),
        };
        let aliases = SubjectIdentifier::Aliases { identifiers: vec![of_b.clone(), email("Jane@example.com")] };
        let searches = [email("jane@example.com"), email("Jane@example.com"), of_b, aliases].map(|s| two.searches(&s));
        assert_eq!(searches, [2, 4, 1, 5]);
    }
}
