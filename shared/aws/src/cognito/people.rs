//! `PersonReader`: who subjects are, from the attributes of their profiles, for reports.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use revocation_core::domain::profile::{Person, SubjectKey};
use revocation_core::ports::{PersonReader, PortError, Searchable};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::list_users::{LIST_USERS, attribute, find};
use crate::clients::AwsConfig;

/// Calls at a time, and how long each lot of them takes at least: 10 a second, and twice that, since two reports may be made at
/// once (fewer SQS does not let a function have). `ListUsers` has 30 of an account and Region (Cognito developer guide,
/// "Quotas": `UserList`), which `revoke` and provisioning need as well (I13).
const AT_A_TIME: usize = 4;
const EACH_LOT: Duration = Duration::from_millis(400);

/// Reads people by `ListUsers`.
pub struct CognitoPeople {
    client: Client,
}

impl CognitoPeople {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_USERS];

    /// People of the account's pools.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }
}

#[async_trait]
impl PersonReader for CognitoPeople {
    async fn people(&self, subjects: &[SubjectKey]) -> Result<BTreeMap<SubjectKey, Option<Person>>, PortError> {
        let mut people = BTreeMap::new();
        for some in subjects.chunks(AT_A_TIME) {
            let mut calls = JoinSet::new();
            let pace = sleep(EACH_LOT);
            for subject in some.iter().cloned() {
                let client = self.client.clone();
                calls.spawn(async move {
                    let found = person(&client, &subject).await;
                    found.map(|found| (subject, found))
                });
            }
            while let Some(ended) = calls.join_next().await {
                people.extend([ended.map_err(|_| PortError::retry(LIST_USERS, "panicked"))??]);
            }
            pace.await;
        }
        Ok(people)
    }
}

async fn person(client: &Client, subject: &SubjectKey) -> Result<Option<Person>, PortError> {
    let users = find(client, &subject.user_pool_id, Searchable::Sub, &subject.sub.0).await?;
    Ok(users.first().map(|user| {
        let get = |name: &str| attribute(user, name).filter(|value| !value.is_empty()).map(str::to_owned);
        let parts = [get("given_name"), get("family_name")].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let name = get("name").or_else(|| Some(parts).filter(|parts| !parts.is_empty()));
        Person { username: user.username().unwrap_or_default().to_owned(), name, email: get("email") }
    }))
}
