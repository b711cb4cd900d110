//! The authorizer's wiring. What it does is in `lib.rs`.

use std::process::ExitCode;
use std::sync::Arc;

use authorizer::config::Config;
use lambda_runtime::{LambdaEvent, service_fn};
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::DynamoTombstoneReader;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;
use serde_json::value::RawValue;

// One request at a time per instance: a second thread would only cost CPU.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(run().await)
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_env(&ProcessEnv)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let reader = DynamoTombstoneReader::new(&aws, &*config.tombstones_table);
    let checker = &authorizer::checker(config, Arc::new(reader))?;
    authorizer::warm(checker).await;
    let decide =
        |event: LambdaEvent<Box<RawValue>>| async move { authorizer::handle(checker, event.payload.get()).await };
    lambda_runtime::run(service_fn(decide)).await
}
