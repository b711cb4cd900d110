//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use intake_scim::config::{self, Config};
use intake_scim::{ScimProvider, Settings};
use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::{CognitoGroupDirectory, CognitoUserDirectory};
use revocation_aws::sqs::SqsRequestQueue;
use revocation_edge::{HttpFunction, Wiring};
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(serve().await)
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let config = Config::read(&ProcessEnv)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let wiring = Wiring::connect(&aws, config.edge, "revocation.intake-scim").await?;
    config::check(&*wiring.sources.current().await, config.user_pools.as_deref())?;
    let handler = Arc::new(ScimProvider {
        sources: wiring.sources,
        keyring: wiring.keyring,
        last_heard: wiring.last_heard,
        users: Arc::new(CognitoUserDirectory::new(&aws)),
        groups: Arc::new(CognitoGroupDirectory::new(&aws)),
        gate: wiring.intake.gate,
        ahead: Arc::new(SqsRequestQueue::new(&aws, config.intake_queue_url)),
        clock: wiring.clock.clone(),
        settings: Settings { base_url: config.base_url },
    });
    HttpFunction { name: "intake-scim", handler, clock: wiring.clock }.serve().await
}
