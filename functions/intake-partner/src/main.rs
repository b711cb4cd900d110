//! Wiring of the function.

use std::process::ExitCode;
use std::sync::Arc;

use intake_partner::PartnerIntake;
use intake_partner::config::Config;
use revocation_aws::clients::AwsConfig;
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::sqs::SqsQueue;
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use revocation_lambda::logging;
use revocation_lambda::queue::QueueFunction;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(serve().await)
}

async fn serve() -> Result<(), lambda_runtime::Error> {
    let config = Config::read(&ProcessEnv)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let publisher = EventBridgePublisher::new(&aws, config.event_bus_name, "revocation.intake-partner");
    let queue = Arc::new(SqsQueue::new(&aws, config.queue_url, config.dead_letter_queue_url));
    let function = QueueFunction {
        name: "intake-partner",
        handler: Arc::new(PartnerIntake { publisher: Arc::new(publisher), settings: config.settings }),
        dead_letters: queue.clone(),
        timer: queue,
        clock: Arc::new(SystemClock),
    };
    function.serve().await
}
