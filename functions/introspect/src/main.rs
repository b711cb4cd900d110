//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use introspect::clients::Clients;
use introspect::config::Config;
use introspect::{Introspection, checker, warm};
use revocation_aws::clients::AwsConfig;
use revocation_aws::secrets::SecretsManagerReader;
use revocation_edge::{HttpFunction, Keyring};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;
use revocation_store::{StoreClient, StoreConfig, StrictReader};

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
    let store = StoreClient::new(StoreConfig::from_env(&|name| ProcessEnv.get(name))?, Arc::new(SystemClock));
    let checker = checker(config.tokens, Arc::new(StrictReader::new(&store, &config.tombstones_table)))?;
    warm(&checker).await;
    let handler = Arc::new(Introspection { checker, clients });
    HttpFunction { name: "introspect", handler, clock: Arc::new(SystemClock) }.serve().await
}
