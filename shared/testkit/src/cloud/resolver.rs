//! `SubjectResolver` on the account in memory.

use async_trait::async_trait;
use revocation_core::domain::profile::{Profile, SubjectKey, UserPoolId};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{PortError, Search, SubjectResolver};

use super::{FakeCloud, POOL};

#[async_trait]
impl SubjectResolver for FakeCloud {
    async fn resolve(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        self.call("resolve", "", |state| {
            let is_meant = |(email, profile): &&(String, Profile)| match subject {
                SubjectIdentifier::Email { email: asked } => email == asked,
                SubjectIdentifier::Opaque { id } => profile.key.sub.0 == *id,
                SubjectIdentifier::Username { username } => profile.username == *username,
                SubjectIdentifier::IssSub { iss, sub } => is_issuer(iss) && profile.key.sub.0 == *sub,
                _ => false,
            };
            state.users.iter().filter(is_meant).map(|(_, profile)| profile.clone()).collect()
        })
    }

    async fn search(&self, subject: &SubjectIdentifier, pools: &[UserPoolId]) -> Search {
        let mut search = Search::default();
        match self.resolve(subject).await {
            Ok(found) => search.found = found,
            Err(error) => search.fail(error),
        }
        let unsearchable = self.state().unsearchable.clone();
        let asked = |pool: &UserPoolId| pools.is_empty() || pools.contains(pool);
        if unsearchable.iter().any(asked) {
            search.fail(PortError::retry("cognito-idp:ListUsers", "throttled"));
        }
        search
            .found
            .retain(|profile| asked(&profile.key.user_pool_id) && !unsearchable.contains(&profile.key.user_pool_id));
        search
    }

    fn key_of(&self, subject: &SubjectIdentifier) -> Option<SubjectKey> {
        match subject {
            SubjectIdentifier::Opaque { id } => Some(SubjectKey::new(POOL, id.clone())),
            SubjectIdentifier::IssSub { iss, sub } if is_issuer(iss) => Some(SubjectKey::new(POOL, sub.clone())),
            SubjectIdentifier::Pool { user_pool_id } if user_pool_id == POOL => Some(SubjectKey::new(POOL, "*")),
            _ => None,
        }
    }
}

fn is_issuer(iss: &str) -> bool {
    UserPoolId(POOL.into()).issuer() == iss
}
