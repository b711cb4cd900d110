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
    /// Issuers besides the two forms of the pool's own, whose tokens are signed with the pool's keys.
    pub extra_issuers: Vec<String>,
    /// Regions the pool is replicated to. With issuers of the original form, `iss` names the Region that issued the token
    /// (aws-jwt-verify#282), and only "updated" issuers promise the same keys in every Region
    /// (`API_IssuerConfigurationType`): so each Region has its issuer here, and its own address of keys.
    pub replica_regions: Vec<String>,
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
        Self {
            user_pool_id,
            client_ids,
            jwks_url,
            bundled_keys: None,
            extra_issuers: Vec::new(),
            replica_regions: Vec::new(),
        }
    }

    /// The same pool, replicated to these Regions too.
    #[must_use]
    pub fn replicated_to<R: Into<String>>(mut self, regions: impl IntoIterator<Item = R>) -> Self {
        self.replica_regions.extend(regions.into_iter().map(Into::into));
        self
    }

    /// The same pool with keys known beforehand.
    #[must_use]
    pub fn with_keys(mut self, keys: KeySet) -> Self {
        self.bundled_keys = Some(keys);
        self
    }

    /// Every value of `iss` that means this pool, in whatever Region.
    #[must_use]
    pub fn issuers(&self) -> Vec<String> {
        self.by_region().into_iter().flat_map(|(issuers, _)| issuers).collect()
    }

    /// The pool's issuers, each list with what its keys are fetched by: the pool itself, then its replicas.
    pub(crate) fn by_region(&self) -> Vec<(Vec<String>, Self)> {
        let mut own = vec![self.user_pool_id.issuer(), updated_issuer(&self.user_pool_id)];
        own.extend(self.extra_issuers.iter().cloned());
        let replica = |region: &String| {
            let issuer = format!("https://cognito-idp.{region}.amazonaws.com/{}", self.user_pool_id);
            let jwks_url = format!("{issuer}/.well-known/jwks.json");
            (vec![issuer], Self { jwks_url, ..self.clone() })
        };
        [(own, self.clone())].into_iter().chain(self.replica_regions.iter().map(replica)).collect()
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

    #[test]
    fn a_replica_has_an_issuer_and_keys_of_its_region() {
        let pool = PoolConfig::new(UserPoolId("us-east-1_AbC".into()), Vec::new()).replicated_to(["us-west-2"]);
        let [(_, own), (issuers, replica)] = pool.by_region().try_into().unwrap();
        assert_eq!(own.jwks_url, "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_AbC/.well-known/jwks.json");
        assert_eq!(issuers, ["https://cognito-idp.us-west-2.amazonaws.com/us-east-1_AbC"]);
        assert_eq!(replica.jwks_url, "https://cognito-idp.us-west-2.amazonaws.com/us-east-1_AbC/.well-known/jwks.json");
        assert_eq!(replica.user_pool_id, pool.user_pool_id, "its tombstones are the pool's");
        assert_eq!(pool.issuers().len(), 3);
    }
}
