//! Lambda `sweeper`: wiring only.

use std::process::ExitCode;
use std::sync::Arc;

use revocation_aws::clients::AwsConfig;
use revocation_aws::sqs::SqsQueue;
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;
use revocation_lambda::queue::QueueFunction;
use sweeper::SweepHandler;
use sweeper::config::Config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(run().await)
}

async fn run() -> Result<(), lambda_runtime::Error> {
    let config = Config::read(&ProcessEnv)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let queue = Arc::new(SqsQueue::new(&aws, &config.queue_url, &config.dead_letter_queue_url));
    let silence = config.sources.as_ref().map(|sources| sweeper::silence(&aws, sources));
    let handler = Arc::new(SweepHandler::new(sweeper::sweeper(&aws, &config), silence));
    let clock = Arc::new(SystemClock);
    QueueFunction { name: "sweeper", handler, dead_letters: queue.clone(), timer: queue, clock }.serve().await
}
