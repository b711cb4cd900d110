//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use intake_role_change::RoleChangeIntake;
use revocation_aws::clients::AwsConfig;
use revocation_edge::{EdgeConfig, HttpFunction, Wiring};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{EnvReader, ProcessEnv, Variables as _};
use revocation_lambda::logging;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(serve().await)
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let mut env = EnvReader::new(&ProcessEnv);
    let config = EdgeConfig::read(&mut env);
    let config = env.finish(config)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let (sources, receiver) = Wiring::connect(&aws, config, "revocation.intake-role-change").await?.into_receiver();
    let handler = Arc::new(RoleChangeIntake { sources, receiver });
    HttpFunction { name: "intake-role-change", handler, clock: Arc::new(SystemClock) }.serve().await
}
