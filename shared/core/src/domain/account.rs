//! Accounts and groups of a user pool, as provisioning sees them: what a directory keeps, not what a revocation needs
//! (that is [`Profile`](super::profile::Profile)).

use std::collections::BTreeMap;
use std::fmt;

use super::profile::Sub;
use super::time::EpochMillis;

/// A user with everything the directory keeps of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// Never changes, never reused.
    pub sub: Sub,
    /// The user name, by which the directory's calls name the user.
    pub username: String,
    /// Whether the user may sign in.
    pub enabled: bool,
    /// Where the account stands.
    pub status: AccountStatus,
    /// By the directory's names, `sub` included.
    pub attributes: BTreeMap<String, String>,
    /// When it was created.
    pub created: EpochMillis,
    /// When it, not its memberships, was last changed.
    pub modified: EpochMillis,
}

/// Where an account stands, as far as provisioning cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountStatus {
    /// Created, with a temporary password that nobody has used yet.
    Invited,
    /// Signs in through an upstream identity provider.
    Federated,
    /// Anything else: confirmed, unconfirmed, to be reset …
    Local,
}

/// Some of a directory's accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountPage {
    /// They may be none although more follow.
    pub accounts: Vec<Account>,
    /// How to ask for those that follow; `None` if there are none.
    pub next: Option<String>,
}

/// An account to be created.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// The name to sign in with: a user name, or an address in pools that sign in by it.
    pub username: String,
    /// By the directory's names.
    pub attributes: BTreeMap<String, String>,
    /// Whether the directory sends its invitation, with a temporary password.
    pub invite: bool,
}

/// A password on its way to the directory. Nothing prints it (I10).
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name, as it stands in tokens; never changes.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// When it was created.
    pub created: EpochMillis,
    /// When it, not its members, was last changed.
    pub modified: EpochMillis,
}

/// Some of a directory's groups.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupPage {
    /// They may be none although more follow.
    pub groups: Vec<Group>,
    /// How to ask for those that follow; `None` if there are none.
    pub next: Option<String>,
}

// === impl Account ===

impl Account {
    /// An attribute by the directory's name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// Without what is personal.
impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sub, enabled, status, .. } = self;
        write!(f, "Account({sub}, enabled: {enabled}, {status:?})")
    }
}

// === impl NewAccount ===

/// Without what is personal.
impl fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewAccount(…)")
    }
}

// === impl Password ===

impl Password {
    /// A password.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Its text, for the one call that sets it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}
