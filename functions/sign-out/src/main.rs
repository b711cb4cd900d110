//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use revocation_edge::HttpFunction;
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::ProcessEnv;
use revocation_lambda::logging;
use sign_out::SignOut;
use sign_out::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(serve().await)
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let handler = Arc::new(SignOut::connect(&ProcessEnv, Config::read(&ProcessEnv)?)?);
    handler.warm().await;
    HttpFunction { name: "sign-out", handler, clock: Arc::new(SystemClock) }.serve().await
}
