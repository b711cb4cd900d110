//! The adapters every intake stands on, from one configuration.

use std::sync::Arc;

use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::{DynamoIntakeLedger, DynamoLastHeardWriter};
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::secrets::SecretsManagerReader;
use revocation_aws::sqs::SqsRequestQueue;
use revocation_aws::ssm::SsmParameterReader;
use revocation_core::ports::Clock;
use revocation_core::usecase::intake::{Gate, Intake};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::EnvReader;

use crate::keyring::Keyring;
use crate::last_heard::LastHeard;
use crate::source_book::{BadSources, SourceBook};
use crate::webhook::WebhookReceiver;

/// What the role of every intake must allow (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    DynamoIntakeLedger::IAM_ACTIONS,
    DynamoLastHeardWriter::IAM_ACTIONS,
    EventBridgePublisher::IAM_ACTIONS,
    SecretsManagerReader::IAM_ACTIONS,
    SqsRequestQueue::IAM_ACTIONS,
    SsmParameterReader::IAM_ACTIONS,
];

/// What every intake is told by its environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeConfig {
    /// `EVENT_BUS_NAME`: where the requests go.
    pub event_bus_name: String,
    /// `SOURCES_PARAMETER`: name of the parameter with the document of sources.
    pub sources_parameter: String,
    /// `INTAKE_TABLE`: receipts, counts, and who was heard of.
    pub intake_table: String,
    /// `PARKED_QUEUE_URL`: where requests beyond a source's blast radius wait for an operator.
    pub parked_queue_url: String,
}

/// The adapters.
pub struct Wiring {
    /// The sources in force.
    pub sources: SourceBook,
    /// The senders' secrets.
    pub keyring: Keyring,
    /// Who was heard of.
    pub last_heard: LastHeard,
    /// The way to the bus, for events with an id of their own. Its gate is for commands without one.
    pub intake: Intake,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

// === impl EdgeConfig ===

impl EdgeConfig {
    /// Reads it.
    pub fn read(env: &mut EnvReader<'_>) -> Self {
        Self {
            event_bus_name: env.required("EVENT_BUS_NAME"),
            sources_parameter: env.required("SOURCES_PARAMETER"),
            intake_table: env.required("INTAKE_TABLE"),
            parked_queue_url: env.required("PARKED_QUEUE_URL"),
        }
    }
}

// === impl Wiring ===

impl Wiring {
    /// Connects everything, and reads the document of sources; `publisher` is the `source` of the events on the bus.
    pub async fn connect(aws: &AwsConfig, config: EdgeConfig, publisher: &'static str) -> Result<Self, BadSources> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ledger = Arc::new(DynamoIntakeLedger::new(aws, &config.intake_table));
        let heard = Arc::new(DynamoLastHeardWriter::new(aws, config.intake_table));
        let parameters = Arc::new(SsmParameterReader::new(aws));
        let gate = Gate {
            clock: clock.clone(),
            fence: ledger.clone(),
            publisher: Arc::new(EventBridgePublisher::new(aws, config.event_bus_name, publisher)),
            parking: Arc::new(SqsRequestQueue::new(aws, config.parked_queue_url)),
        };
        Ok(Self {
            sources: SourceBook::open(parameters, clock.clone(), config.sources_parameter).await?,
            keyring: Keyring::new(Arc::new(SecretsManagerReader::new(aws)), clock.clone()),
            last_heard: LastHeard::new(heard, clock.clone()),
            intake: Intake { receipts: ledger, gate },
            clock,
        })
    }

    /// The parts a webhook intake needs.
    #[must_use]
    pub fn into_receiver(self) -> (SourceBook, WebhookReceiver) {
        let Self { sources, keyring, last_heard, intake, clock } = self;
        (sources, WebhookReceiver { keyring, last_heard, clock, intake })
    }
}
