//! Provisioning over SCIM: what is configured of one client. The protocol is the function's.

use std::collections::BTreeMap;
use std::time::Duration;

use revocation_core::domain::grant::Grant;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::role_change::RoleOrder;

/// One configured SCIM client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimSource {
    /// `scim/<name>`: the `source.name` of its requests.
    pub name: String,
    /// Name or ARN of the secret with its bearer tokens, a list as [`SecretList`] reads it.
    ///
    /// [`SecretList`]: crate::authenticate::SecretList
    pub tokens: String,
    /// The pool it provisions; the only one of its grant.
    pub pool: UserPoolId,
    /// What it may ask for: `leaving_reason` and `role_change`, and what `on_role_loss` needs.
    pub grant: Grant,
    /// Where the attributes of SCIM are kept.
    pub attributes: Attributes,
    /// Whether addresses it writes count as verified.
    pub emails_verified: bool,
    /// What a created user is sent.
    pub invitation: Invitation,
    /// Why the sessions of those it deactivates or deletes end: `offboarding`, or, for the canary's own client, `canary`.
    pub leaving_reason: ReasonCode,
    /// For a client that is no directory, such as the canary's own: it reads these users, by their names in the pool, and says
    /// whether they are active; everything else is refused. `None`: it provisions its pool.
    pub only_users: Option<Vec<String>>,
    /// What follows when a user loses a role, an entitlement or a group.
    pub on_role_loss: OnRoleLoss,
    /// What a loss is.
    pub role_compare: RoleOrder,
    /// How long after it was heard of last it counts as silent; `None`: it may be as quiet as it likes.
    pub silent_after: Option<Duration>,
}

/// Where attributes of SCIM are kept, by the names of Cognito's attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// What SCIM's `userName` is in the pool.
    pub user_name: UserName,
    /// SCIM's `externalId`.
    pub external_id: Option<String>,
    /// SCIM's `roles`.
    pub roles: Option<String>,
    /// SCIM's `entitlements`.
    pub entitlements: Option<String>,
    /// Others, by their path in SCIM, such as `name.givenName`.
    pub more: BTreeMap<String, String>,
}

/// What SCIM's `userName` is in a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserName {
    /// The user name itself.
    #[default]
    Username,
    /// The e-mail address, in pools that sign in by it.
    Email,
    /// The attribute `preferred_username`.
    PreferredUsername,
}

/// What a created user is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Invitation {
    /// Nothing.
    #[default]
    None,
    /// Cognito's invitation by e-mail.
    Email,
}

/// What follows when a user loses a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnRoleLoss {
    /// Every session ends.
    #[default]
    SignOut,
    /// Tokens issued before are refused, clients refresh.
    Refresh,
    /// Nothing.
    None,
}

// === impl UserName ===

impl UserName {
    /// The name in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::PreferredUsername => "preferred_username",
        }
    }
}
