//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{LambdaEvent, service_fn};
use revocation_core::trace::TraceHeader;
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;
use revocation_store::{StoreClient, StoreConfig, StrictReader};
use serde_json::value::RawValue;
use token_gate::TokenGate;
use token_gate::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(run().await)
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_env(&ProcessEnv)?;
    let store = StoreClient::new(StoreConfig::from_env(&|name| ProcessEnv.get(name))?, Arc::new(SystemClock));
    let reader = Arc::new(StrictReader::new(&store, &config.tombstones_table));
    let gate = &TokenGate { reader, clock: Arc::new(SystemClock), config };
    gate.warm().await;
    let pass = |event: LambdaEvent<Box<RawValue>>| async move {
        let header = event.context.xray_trace_id.as_deref().and_then(TraceHeader::parse);
        logging::in_trace(header, gate.pass(event.payload.get())).await
    };
    lambda_runtime::run(service_fn(pass)).await
}
