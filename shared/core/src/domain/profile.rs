//! A user as a Cognito user pool knows them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Id of a user pool, such as `eu-central-1_AbCdEf123`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserPoolId(pub String);

/// `sub` of a user: never reused, not even by a user created again with the same e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sub(pub String);

/// Stands for everybody where a `sub` would stand. No user has it: Cognito's are UUIDs.
const EVERYONE: &str = "*";

/// A subject found: the key of its tombstone, written `<user_pool_id>#<sub>`; of a whole pool's, `<user_pool_id>#*`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubjectKey {
    /// The pool.
    pub user_pool_id: UserPoolId,
    /// The user in it.
    pub sub: Sub,
}

/// What the pipeline needs to know of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Pool and `sub`.
    pub key: SubjectKey,
    /// User name, by which Cognito's administrative calls name the user.
    pub username: String,
    /// Signs in through an upstream identity provider (`EXTERNAL_PROVIDER`): has no password here to reset.
    pub federated: bool,
}

/// What an auditor is told of a user: personal data, never logged (I10).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// User name.
    pub username: String,
    /// Full name.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
}

// === impl UserPoolId ===

impl UserPoolId {
    /// The issuer of the pool's tokens in its original form,
    /// `https://cognito-idp.<region>.amazonaws.com/<pool>` (Cognito developer guide, "Verifying JSON web tokens").
    #[must_use]
    pub fn issuer(&self) -> String {
        let region = self.0.split('_').next().unwrap_or_default();
        format!("https://cognito-idp.{region}.amazonaws.com/{}", self.0)
    }

    /// Both forms in which the pool's issuer may be written: the original one, and the one a pool can be switched to
    /// (Cognito API, `IssuerConfigurationType`).
    #[must_use]
    pub fn issuers(&self) -> [String; 2] {
        let original = self.issuer();
        let updated = original.replacen("https://", "https://issuer-", 1);
        [original, updated]
    }
}

impl fmt::Display for UserPoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl Sub ===

impl fmt::Display for Sub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl SubjectKey ===

impl SubjectKey {
    /// The key from its parts.
    #[must_use]
    pub fn new(user_pool_id: impl Into<String>, sub: impl Into<String>) -> Self {
        Self { user_pool_id: UserPoolId(user_pool_id.into()), sub: Sub(sub.into()) }
    }

    /// Everybody in the pool.
    #[must_use]
    pub fn everyone(pool: &UserPoolId) -> Self {
        Self { user_pool_id: pool.clone(), sub: Sub(EVERYONE.to_owned()) }
    }

    /// Whether it means everybody in a pool.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.sub.0 == EVERYONE
    }
}

impl fmt::Display for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.user_pool_id, self.sub)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_nobody_in_particular() {
        let everyone = SubjectKey::everyone(&UserPoolId("eu-central-1_A".into()));
        assert!(everyone.is_everyone());
        assert_eq!(everyone.to_string(), "eu-central-1_A#*");
        assert!(!SubjectKey::new("eu-central-1_A", "4f6b1c1e-0000-4000-8000-000000000001").is_everyone());
    }
}
