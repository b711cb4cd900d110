//! The authorizer's wiring. What it does is in `lib.rs`.

use std::process::ExitCode;

use authorizer::config::Config;
use lambda_runtime::{LambdaEvent, service_fn};
use revocation_core::trace::TraceHeader;
use revocation_enforce::Enforcer;
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
    let Config { tokens, store } = Config::from_env(&ProcessEnv)?;
    let enforcer = &Enforcer::connect(&|name| ProcessEnv.get(name), tokens, &store)?;
    enforcer.warm().await;
    let decide = |event: LambdaEvent<Box<RawValue>>| async move {
        let header = event.context.xray_trace_id.as_deref().and_then(TraceHeader::parse);
        logging::in_trace(header, authorizer::handle(enforcer, event.payload.get())).await
    };
    lambda_runtime::run(service_fn(decide)).await
}
