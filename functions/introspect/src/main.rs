//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use introspect::clients::Clients;
use introspect::config::Config;
use introspect::{Introspection, checker, warm};
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::DynamoTombstoneReader;
use revocation_aws::secrets::SecretsManagerReader;
use revocation_edge::{HttpFunction, Keyring};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(serve().await)
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_env(&ProcessEnv)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let keyring = Keyring::new(Arc::new(SecretsManagerReader::new(&aws)), Arc::new(SystemClock));
    let clients = Clients { keyring, names: config.clients, prefix: config.client_secrets_prefix };
    let reader = DynamoTombstoneReader::new(&aws, config.tombstones_table);
    let checker = checker(config.pools, config.token_uses, Arc::new(reader));
    warm(&checker).await;
    let handler = Arc::new(Introspection { checker, clients });
    HttpFunction { name: "introspect", handler, clock: Arc::new(SystemClock) }.serve().await
}
