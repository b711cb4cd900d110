//! The canary on AWS.

use std::sync::Arc;

use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::{CognitoAuthenticator, CognitoRefreshTokens};
use revocation_aws::dynamodb::DynamoCanaryRuns;
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::https::HttpsClient;
use revocation_aws::secrets::SecretsManagerReader;
use revocation_aws::sqs::SqsQueue;
use revocation_core::ports::{Clock, TextReader};
use revocation_lambda::clock::SystemClock;

use crate::CanaryHandler;
use crate::api::HttpApi;
use crate::config::Config;
use crate::intake::{Bus, Intake, Scim, Siem};
use crate::run::Canary;

/// The actions of the ports it holds: exactly what its role allows (I14). None of them changes an account: whoever has
/// hold of this function can do to people what anybody with `PutEvents` can.
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoAuthenticator::IAM_ACTIONS,
    CognitoRefreshTokens::IAM_ACTIONS,
    DynamoCanaryRuns::IAM_ACTIONS,
    EventBridgePublisher::IAM_ACTIONS,
    SecretsManagerReader::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
];

/// The canary as configured.
#[must_use]
pub fn handler(aws: &AwsConfig, config: Config) -> CanaryHandler {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let https = Arc::new(HttpsClient::new());
    let secrets: Arc<dyn TextReader> = Arc::new(SecretsManagerReader::new(aws));
    let publisher = Arc::new(EventBridgePublisher::new(aws, config.event_bus_name, "revocation.canary"));
    let mut intakes: Vec<Arc<dyn Intake>> = vec![Arc::new(Bus { publisher, pool: config.user_pool_id.clone() })];
    if let Some(intake) = config.siem {
        let (https, secrets, clock) = (https.clone(), secrets.clone(), clock.clone());
        intakes.push(Arc::new(Siem { intake, https, secrets, clock }));
    }
    if let Some(intake) = config.scim {
        intakes.push(Arc::new(Scim { intake, https: https.clone(), secrets: secrets.clone() }));
    }
    CanaryHandler {
        canary: Canary {
            authenticator: Arc::new(CognitoAuthenticator::new(aws, config.user_pool_id, &config.client_id)),
            refresh_tokens: Arc::new(CognitoRefreshTokens::new(aws)),
            api: Arc::new(HttpApi { https, url: config.probe_url }),
            secrets,
            password_secret: config.password_secret,
            client_id: config.client_id,
            user_name: config.user_name,
            control_name: config.control_name,
            hard_limit: config.hard_limit,
        },
        intakes,
        runs: Arc::new(DynamoCanaryRuns::new(aws, &config.runs_table)),
        clock,
    }
}
