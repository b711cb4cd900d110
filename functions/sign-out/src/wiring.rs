//! The endpoint on AWS.

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Error;
use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::{CognitoAppClients, CognitoRefreshTokens};
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::Clock;
use revocation_enforce::verifier;
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::Variables;
use revocation_store::{StoreClient, StoreConfig, StrictReader};

use crate::SignOut;
use crate::client::Clients;
use crate::config::Config;

/// How long the init phase may spend on getting ready.
const WARM_UP: Duration = Duration::from_secs(1);

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoAppClients::IAM_ACTIONS,
    CognitoRefreshTokens::IAM_ACTIONS,
    EventBridgePublisher::IAM_ACTIONS,
    StrictReader::IAM_ACTIONS,
];

impl SignOut {
    /// The endpoint as configured.
    pub fn connect(variables: &dyn Variables, config: Config) -> Result<Self, Error> {
        let variable = |name: &str| variables.get(name);
        let aws = AwsConfig::from_env(&variable)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = StoreClient::new(StoreConfig::from_env(&variable)?, Arc::clone(&clock));
        let pools = &config.tokens.pools;
        let known =
            pools.iter().flat_map(|pool| pool.client_ids.iter().map(|id| (id.clone(), pool.user_pool_id.clone())));
        Ok(Self {
            clients: Clients::new(known.collect(), Arc::new(CognitoAppClients::new(&aws)), Arc::clone(&clock)),
            verifier: Arc::new(verifier(config.tokens)?),
            refresh_tokens: Arc::new(CognitoRefreshTokens::new(&aws)),
            tombstones: Arc::new(StrictReader::new(&store, &config.tombstones_table)),
            publisher: Arc::new(EventBridgePublisher::new(&aws, config.event_bus_name, "revocation.sign-out")),
            clock,
        })
    }

    /// Fetches keys and opens the connection to the store in the init phase. What fails is met again by the first request.
    pub async fn warm(&self) {
        let nobody = SubjectKey::new("warm-up", "nobody");
        let ready = async { tokio::join!(self.verifier.warm(), self.tombstones.read(&nobody)) };
        let _ = tokio::time::timeout(WARM_UP, ready).await;
    }
}
