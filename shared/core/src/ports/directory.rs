//! Ports of provisioning: the accounts and groups of user pools.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Acted, PortError};
use crate::domain::account::{Account, AccountPage, Group, GroupPage, NewAccount, Password};
use crate::domain::profile::{Sub, UserPoolId};

/// The directory said no, for a reason the client can do something about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such account or group.
    #[error("not found")]
    NotFound,
    /// The name, or an address that is a name to sign in with, is somebody's already.
    #[error("taken")]
    Taken,
    /// The password does not meet the pool's policy.
    #[error("the password does not meet the policy")]
    WeakPassword,
    /// A value is not of the form the directory keeps, or the attribute cannot be changed.
    #[error("a value the directory does not take")]
    BadValue,
    /// The directory holds as many as it may.
    #[error("full")]
    Full,
}

/// What a directory answers by itself: one attribute equals a value, as the directory compares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountFilter<'a> {
    /// Which attribute.
    pub attribute: Searchable,
    /// The value.
    pub value: &'a str,
}

/// Attributes by which a directory finds accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Searchable {
    /// `sub`
    Sub,
    /// The user name.
    Username,
    /// `email`
    Email,
    /// `phone_number`
    PhoneNumber,
    /// `preferred_username`
    PreferredUsername,
}

/// Keeps accounts.
#[async_trait]
pub trait UserDirectory: Send + Sync {
    /// The account with this `sub`. What it says may be some seconds old.
    async fn find(&self, pool: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError>;

    /// The account with this `sub` as it is now: for what is decided by what it says. Looked up in a way that counts the
    /// user as active, which is billed.
    async fn read(&self, pool: &UserPoolId, sub: &Sub) -> Result<Option<Account>, PortError>;

    /// The account that signs in with this name, as it is now; billed like [`Self::read`].
    async fn named(&self, pool: &UserPoolId, name: &str) -> Result<Option<Account>, PortError>;

    /// Some of the accounts, or of those that match. What they say may be some seconds old, and new ones may be missing.
    async fn page(
        &self,
        pool: &UserPoolId,
        filter: Option<AccountFilter<'_>>,
        after: Option<&str>,
    ) -> Result<AccountPage, PortError>;

    /// Creates an account.
    async fn create(&self, pool: &UserPoolId, account: &NewAccount) -> Result<Result<Account, Refused>, PortError>;

    /// Sets attributes, and takes away those without a value.
    async fn update(
        &self,
        pool: &UserPoolId,
        username: &str,
        attributes: &BTreeMap<String, Option<String>>,
    ) -> Result<Result<(), Refused>, PortError>;

    /// Sets the password for good.
    async fn set_password(
        &self,
        pool: &UserPoolId,
        username: &str,
        password: &Password,
    ) -> Result<Result<(), Refused>, PortError>;

    /// Lets the user sign in.
    async fn enable(&self, pool: &UserPoolId, username: &str) -> Result<Acted, PortError>;

    /// Prevents sign-ins.
    async fn disable(&self, pool: &UserPoolId, username: &str) -> Result<Acted, PortError>;

    /// Deletes the account.
    async fn delete(&self, pool: &UserPoolId, username: &str) -> Result<Acted, PortError>;
}

/// Keeps groups and who belongs to them.
#[async_trait]
pub trait GroupDirectory: Send + Sync {
    /// The group with this name.
    async fn group(&self, pool: &UserPoolId, name: &str) -> Result<Option<Group>, PortError>;

    /// Some of the groups.
    async fn groups(&self, pool: &UserPoolId, after: Option<&str>) -> Result<GroupPage, PortError>;

    /// Creates a group.
    async fn create_group(
        &self,
        pool: &UserPoolId,
        name: &str,
        description: &str,
    ) -> Result<Result<Group, Refused>, PortError>;

    /// Changes a group's description.
    async fn describe_group(
        &self,
        pool: &UserPoolId,
        name: &str,
        description: &str,
    ) -> Result<Result<(), Refused>, PortError>;

    /// Deletes a group; its members stay users.
    async fn delete_group(&self, pool: &UserPoolId, name: &str) -> Result<Acted, PortError>;

    /// Some of the members of a group; `None` if there is no such group.
    async fn members(
        &self,
        pool: &UserPoolId,
        name: &str,
        after: Option<&str>,
    ) -> Result<Option<AccountPage>, PortError>;

    /// Some of the groups a user belongs to; none if there is no such user.
    async fn groups_of(&self, pool: &UserPoolId, username: &str, after: Option<&str>) -> Result<GroupPage, PortError>;

    /// Makes a user a member; again is no mistake.
    async fn add_member(&self, pool: &UserPoolId, name: &str, username: &str)
    -> Result<Result<(), Refused>, PortError>;

    /// Ends a membership; a user or a group that is gone has none.
    async fn remove_member(&self, pool: &UserPoolId, name: &str, username: &str) -> Result<Acted, PortError>;
}
