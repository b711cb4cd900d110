//! A user pool whose tokens are accepted.

use revocation_core::domain::profile::UserPoolId;

use crate::jwks::KeySet;

/// A user pool whose tokens are accepted.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// The pool.
    pub user_pool_id: UserPoolId,
    /// App clients whose tokens are accepted. An empty list accepts none.
    pub client_ids: Vec<String>,
    /// Where the pool's keys are.
    pub jwks_url: String,
    /// Keys known beforehand: with them the first request waits for no fetch. Unknown keys are fetched all the same.
    pub bundled_keys: Option<KeySet>,
    /// Issuers besides the two forms of the pool's own: under multi-Region replication `iss` names the Region that
    /// issued the token (aws-jwt-verify#282).
    pub extra_issuers: Vec<String>,
}

/// The issuer of a pool switched to the updated form (`API_IssuerConfigurationType`).
#[must_use]
pub fn updated_issuer(user_pool_id: &UserPoolId) -> String {
    user_pool_id.issuer().replacen("https://cognito-idp.", "https://issuer-cognito-idp.", 1)
}

// === impl PoolConfig ===

impl PoolConfig {
    /// A pool with Cognito's own address of its keys.
    #[must_use]
    pub fn new(user_pool_id: UserPoolId, client_ids: Vec<String>) -> Self {
        let jwks_url = format!("{}/.well-known/jwks.json", user_pool_id.issuer());
        Self { user_pool_id, client_ids, jwks_url, bundled_keys: None, extra_issuers: Vec::new() }
    }

    /// Every value of `iss` that means this pool.
    #[must_use]
    pub fn issuers(&self) -> Vec<String> {
        let own = [self.user_pool_id.issuer(), updated_issuer(&self.user_pool_id)];
        own.into_iter().chain(self.extra_issuers.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_two_issuers_of_its_own() {
        let pool = PoolConfig::new(UserPoolId("eu-central-1_AbC".into()), Vec::new());
        assert_eq!(
            pool.issuers(),
            [
                "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC",
                "https://issuer-cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC",
            ]
        );
        assert_eq!(
            pool.jwks_url,
            "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbC/.well-known/jwks.json"
        );
    }
}
