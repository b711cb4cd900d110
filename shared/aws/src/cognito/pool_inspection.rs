//! User pools and their app clients as whoever installed the pipeline checks them. Reads only.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{
    DeletionProtectionType, ExplicitAuthFlowsType as Flow, PreTokenGenerationVersionConfigType,
    PreventUserExistenceErrorTypes, TimeUnitsType, UserPoolClientType, UserPoolType, UsernameAttributeType,
};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const DESCRIBE_POOL: &str = "cognito-idp:DescribeUserPool";
const LIST_CLIENTS: &str = "cognito-idp:ListUserPoolClients";
const DESCRIBE_CLIENT: &str = "cognito-idp:DescribeUserPoolClient";
/// The most `ListUserPoolClients` answers.
const PAGE: i32 = 60;
/// Cognito's defaults where a client says nothing: an hour, and thirty days (API reference, `CreateUserPoolClient`).
const DEFAULT_TOKEN_SECONDS: u64 = 3_600;
const DEFAULT_REFRESH_SECONDS: u64 = 30 * DAY;
const DAY: u64 = 86_400;

/// Looks at pools.
pub struct CognitoPoolInspector {
    client: Client,
}

/// What a pool is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolFacts {
    /// `LITE`, `ESSENTIALS`, `PLUS`; where it is told.
    pub plan: Option<String>,
    /// Threat protection: `OFF`, `AUDIT`, `ENFORCED`; where it is told.
    pub threat_protection: Option<String>,
    /// It cannot be deleted by accident.
    pub deletion_protected: bool,
    /// The function that is asked before tokens are made.
    pub before_tokens: Option<String>,
    /// Users are named by their e-mail addresses.
    pub named_by_email: bool,
}

/// What an app client is like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own, as Cognito has them")]
pub struct ClientFacts {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How long its access and ID tokens are good for, seconds: the longer of the two.
    pub token_seconds: u64,
    /// The same of refresh tokens, seconds.
    pub refresh_seconds: u64,
    /// Its tokens carry `origin_jti`, and its refresh tokens can be revoked.
    pub revokes_tokens: bool,
    /// A wrong name and a wrong password are answered alike.
    pub hides_who_exists: bool,
    /// It may sign in by password, without SRP.
    pub takes_passwords: bool,
    /// It has a secret.
    pub has_secret: bool,
}

impl CognitoPoolInspector {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[DESCRIBE_POOL, LIST_CLIENTS, DESCRIBE_CLIENT];

    /// Pools of the account.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cognito() }
    }

    /// What the pool is like.
    pub async fn pool(&self, pool: &UserPoolId) -> Result<PoolFacts, PortError> {
        let answer = self.client.describe_user_pool().user_pool_id(&pool.0).send().await;
        let pool = answer.map_err(|error| port_error(DESCRIBE_POOL, &error))?.user_pool;
        pool.as_ref().map(pool_facts).ok_or(PortError::reject(DESCRIBE_POOL, "resource_not_found"))
    }

    /// The ids of its app clients.
    pub async fn clients(&self, pool: &UserPoolId) -> Result<Vec<String>, PortError> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let list = self.client.list_user_pool_clients().user_pool_id(&pool.0).max_results(PAGE);
            let page = list.set_next_token(after).send().await.map_err(|error| port_error(LIST_CLIENTS, &error))?;
            ids.extend(page.user_pool_clients().iter().filter_map(|client| client.client_id().map(str::to_owned)));
            after = page.next_token;
            if after.is_none() {
                return Ok(ids);
            }
        }
    }

    /// What an app client is like.
    pub async fn app_client(&self, pool: &UserPoolId, id: &str) -> Result<ClientFacts, PortError> {
        let describe = self.client.describe_user_pool_client().user_pool_id(&pool.0).client_id(id);
        let client = describe.send().await.map_err(|error| port_error(DESCRIBE_CLIENT, &error))?.user_pool_client;
        client.as_ref().map(client_facts).ok_or(PortError::reject(DESCRIBE_CLIENT, "resource_not_found"))
    }
}

fn pool_facts(pool: &UserPoolType) -> PoolFacts {
    let triggers = pool.lambda_config();
    let config =
        triggers.and_then(|it| it.pre_token_generation_config()).map(PreTokenGenerationVersionConfigType::lambda_arn);
    PoolFacts {
        plan: pool.user_pool_tier().map(|tier| tier.as_str().to_owned()),
        threat_protection: pool.user_pool_add_ons().map(|it| it.advanced_security_mode().as_str().to_owned()),
        deletion_protected: pool.deletion_protection() == Some(&DeletionProtectionType::Active),
        before_tokens: config.or_else(|| triggers.and_then(|it| it.pre_token_generation())).map(str::to_owned),
        named_by_email: pool.username_attributes().contains(&UsernameAttributeType::Email),
    }
}

fn client_facts(client: &UserPoolClientType) -> ClientFacts {
    let units = client.token_validity_units();
    // Without a unit, access and ID tokens count in hours, refresh tokens in days.
    let short = |validity: Option<i32>, unit: Option<&TimeUnitsType>| {
        validity.map_or(DEFAULT_TOKEN_SECONDS, |validity| seconds(validity, unit, 3_600))
    };
    let access = short(client.access_token_validity(), units.and_then(|units| units.access_token()));
    let id = short(client.id_token_validity(), units.and_then(|units| units.id_token()));
    let refresh = match client.refresh_token_validity() {
        0 => DEFAULT_REFRESH_SECONDS,
        validity => seconds(validity, units.and_then(|units| units.refresh_token()), DAY),
    };
    let passwords = [Flow::AllowUserPasswordAuth, Flow::UserPasswordAuth];
    ClientFacts {
        id: client.client_id().unwrap_or_default().to_owned(),
        name: client.client_name().unwrap_or_default().to_owned(),
        token_seconds: access.max(id),
        refresh_seconds: refresh,
        revokes_tokens: client.enable_token_revocation() == Some(true),
        hides_who_exists: client.prevent_user_existence_errors() == Some(&PreventUserExistenceErrorTypes::Enabled),
        takes_passwords: client.explicit_auth_flows().iter().any(|flow| passwords.contains(flow)),
        has_secret: client.client_secret().is_some_and(|secret| !secret.is_empty()),
    }
}

fn seconds(validity: i32, unit: Option<&TimeUnitsType>, default: u64) -> u64 {
    let unit = match unit {
        Some(TimeUnitsType::Days) => DAY,
        Some(TimeUnitsType::Hours) => 3_600,
        Some(TimeUnitsType::Minutes) => 60,
        Some(TimeUnitsType::Seconds) => 1,
        _ => default,
    };
    u64::try_from(validity).unwrap_or(0).saturating_mul(unit)
}

#[cfg(test)]
mod tests {
    use aws_sdk_cognitoidentityprovider::types::TokenValidityUnitsType;

    use super::*;

    #[test]
    fn how_long_tokens_are_good_for_is_counted_in_their_units() {
        let bare = client_facts(&UserPoolClientType::builder().build());
        assert_eq!((bare.token_seconds, bare.refresh_seconds), (3_600, 30 * DAY));
        let units = TokenValidityUnitsType::builder().access_token(TimeUnitsType::Minutes).build();
        let client = UserPoolClientType::builder()
            .access_token_validity(5)
            .id_token_validity(12)
            .refresh_token_validity(7)
            .token_validity_units(units);
        let facts = client_facts(&client.build());
        assert_eq!((facts.token_seconds, facts.refresh_seconds), (12 * 3_600, 7 * DAY), "the longer one; hours, days");
        assert_eq!(seconds(90, Some(&TimeUnitsType::Seconds), 1), 90);
    }
}
