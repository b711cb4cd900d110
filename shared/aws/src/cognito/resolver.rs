//! `SubjectResolver`: whom an identifier means, in every configured pool.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserError;
use aws_sdk_cognitoidentityprovider::types::UserStatusType;
use revocation_core::domain::profile::{Profile, Sub, SubjectKey, UserPoolId};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{PortError, Search, Searchable, SubjectResolver};

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

/// One question to a pool.
struct Question<'a> {
    by: Searchable,
    /// Spellings of the one thing asked for.
    values: BTreeSet<String>,
    /// The pool that alone can know.
    only: Option<&'a UserPoolId>,
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

    /// Who is meant in a pool. Search is eventually consistent, so one who is not found is looked up directly: nobody
    /// asks again for somebody who was not there.
    async fn ask(&self, pool: &UserPoolId, question: &Question<'_>) -> Result<Vec<Profile>, PortError> {
        let (by, mut found) = (question.by, Vec::new());
        for value in &question.values {
            let users = find(&self.client, pool, by, value).await?;
            let meant = users.iter().filter(|user| is_meant(by, value, user.username(), |name| attribute(user, name)));
            found.extend(meant.filter_map(|user| profile(pool, user)));
        }
        if found.is_empty() {
            for value in &question.values {
                found.extend(self.look_up(pool, by, value).await?);
            }
        }
        Ok(found)
    }

    /// Cognito takes a user's name, a local one's `sub`, and an alias. Any of them may also be *another* user's name, hence
    /// the second look at what was asked for.
    async fn look_up(&self, pool: &UserPoolId, by: Searchable, value: &str) -> Result<Option<Profile>, PortError> {
        match self.client.admin_get_user().user_pool_id(&pool.0).username(value).send().await {
            Ok(user) => {
                let is = |name: &str| user.user_attributes().iter().find(|attribute| attribute.name() == name)?.value();
                let sub = is("sub").filter(|_| is_meant(by, value, Some(user.username()), is));
                let key = sub.map(|sub| SubjectKey::new(pool.0.clone(), sub));
                let federated = user.user_status() == Some(&UserStatusType::ExternalProvider);
                Ok(key.map(|key| Profile { key, username: user.username.clone(), federated }))
            }
            Err(error) if error.as_service_error().is_some_and(means_nobody) => Ok(None),
            Err(error) => Err(port_error(GET_USER, &error)),
        }
    }

    /// The pools to be asked: of those named, if any are.
    fn asked(&self, question: &Question<'_>, named: &[UserPoolId]) -> impl Iterator<Item = &UserPoolId> {
        let within = move |pool: &UserPoolId| named.is_empty() || named.contains(pool);
        self.pools.iter().filter(move |pool| within(pool) && question.only.is_none_or(|only| only == *pool))
    }

    fn pool_of(&self, iss: &str) -> Option<&UserPoolId> {
        self.pools.iter().find(|pool| is_issuer_of(pool, iss))
    }

    /// What the pools are asked; `None` if it is known that none has the answer.
    fn question<'a>(&'a self, subject: &'a SubjectIdentifier) -> Result<Option<Question<'a>>, PortError> {
        let (by, value) = match subject {
            SubjectIdentifier::Account { uri } => return Ok(Some(by_email(uri.trim_start_matches("acct:")))),
            SubjectIdentifier::Email { email } => return Ok(Some(by_email(email))),
            SubjectIdentifier::IssSub { iss, sub } => match (self.pool_of(iss), self.providers.get(iss)) {
                (Some(pool), _) => {
                    let values = BTreeSet::from([as_issued(sub)]);
                    return Ok(Some(Question { by: Searchable::Sub, values, only: Some(pool) }));
                }
                (None, Some(name)) => (Searchable::Username, format!("{name}_{sub}")),
                (None, None) => return Ok(None),
            },
            SubjectIdentifier::Opaque { id } => (Searchable::Sub, as_issued(id)),
            SubjectIdentifier::PhoneNumber { phone_number } => (Searchable::PhoneNumber, phone_number.clone()),
            SubjectIdentifier::Username { username } => (Searchable::Username, username.clone()),
            SubjectIdentifier::Group { .. }
            | SubjectIdentifier::List { .. }
            | SubjectIdentifier::Ended {}
            | SubjectIdentifier::Pool { .. }
            | SubjectIdentifier::Aliases { .. } => return Err(PortError::reject(LIST_USERS, "not_a_single_subject")),
        };
        Ok(Some(Question { by, values: BTreeSet::from([value]), only: None }))
    }
}

#[async_trait]
impl SubjectResolver for CognitoSubjectResolver {
    async fn resolve(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        self.search(subject, &[]).await.whole()
    }

    async fn search(&self, subject: &SubjectIdentifier, pools: &[UserPoolId]) -> Search {
        let (mut search, mut found) = (Search::default(), BTreeMap::new());
        for name in names(subject) {
            let question = match self.question(name) {
                Ok(Some(question)) => question,
                Ok(None) => continue,
                Err(error) => {
                    search.fail(error);
                    continue;
                }
            };
            for pool in self.asked(&question, pools) {
                match self.ask(pool, &question).await {
                    Ok(profiles) => found.extend(profiles.into_iter().map(|profile| (profile.key.clone(), profile))),
                    Err(error) => search.fail(error),
                }
            }
        }
        search.found = found.into_values().collect();
        search
    }

    fn searches(&self, subject: &SubjectIdentifier) -> u32 {
        let searches = |name| {
            let Ok(Some(question)) = self.question(name) else { return 0 };
            self.asked(&question, &[]).count() * question.values.len()
        };
        u32::try_from(names(subject).iter().map(searches).sum::<usize>()).unwrap_or(u32::MAX)
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
}

/// One name, or each of several.
fn names(subject: &SubjectIdentifier) -> &[SubjectIdentifier] {
    if let SubjectIdentifier::Aliases { identifiers } = subject { identifiers } else { std::slice::from_ref(subject) }
}

/// Cognito compares e-mail addresses as they are stored, so the address is asked for as given and in lower case. ASCII's
/// lower case: Unicode's makes the Kelvin sign a `k`, and thereby one person another.
fn by_email(email: &str) -> Question<'_> {
    let values = BTreeSet::from([email.to_owned(), email.to_ascii_lowercase()]);
    Question { by: Searchable::Email, values, only: None }
}

/// The answer is checked again, so that a filter understood otherwise than meant cannot end somebody else's sessions.
fn is_meant<'a>(
    by: Searchable,
    value: &str,
    username: Option<&str>,
    attribute: impl Fn(&'static str) -> Option<&'a str>,
) -> bool {
    match by {
        Searchable::Email => attribute("email").is_some_and(|email| email.eq_ignore_ascii_case(value)),
        Searchable::PhoneNumber => attribute("phone_number") == Some(value),
        Searchable::PreferredUsername => attribute("preferred_username") == Some(value),
        Searchable::Sub => attribute("sub") == Some(value),
        Searchable::Username => username.is_some_and(|name| name.eq_ignore_ascii_case(value)),
    }
}

/// An identifier that cannot be a user's name is nobody's, too: the search, which was asked before, has said so.
fn means_nobody(error: &AdminGetUserError) -> bool {
    error.is_user_not_found_exception() || error.is_invalid_parameter_exception()
}

fn is_issuer_of(pool: &UserPoolId, iss: &str) -> bool {
    pool.issuers().iter().any(|issuer| issuer == iss.trim_end_matches('/'))
}

/// A `sub` as Cognito issues it: a UUID in lower case, which systems on the way may have written otherwise.
fn as_issued(sub: &str) -> String {
    key_part(sub).map_or_else(|| sub.to_owned(), |sub| sub.0)
}

/// A `sub` is a UUID. What is none is looked up like any other name instead of being put into a key.
fn key_part(sub: &str) -> Option<Sub> {
    let uuid = sub.len() == 36 && sub.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    uuid.then(|| Sub(sub.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests;
