//! Lambda `sweeper`: finds requests that began and did not end, has them delivered again, and tells how many there are; and finds
//! HTTPS sources that have fallen silent.
//!
//! Whatever is on its queue is a tick: what there is to do stands in the tables, so a lost tick loses nothing, and the next
//! one does its work. Its metrics are told with every run, zeros as well: that they are missing is an alarm of its own.

pub mod config;
pub mod silence;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::{DynamoJobReader, DynamoLastHeardReader, DynamoOpenRequests, DynamoTombstoneReader};
use revocation_aws::sqs::{SqsQueue, SqsRedeliverer};
use revocation_aws::ssm::SsmParameterReader;
use revocation_core::ports::PortError;
use revocation_core::usecase::silence::SilenceWatch;
use revocation_core::usecase::sweep::{Sweep, Sweeper};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};

use crate::config::{Config, SourcesConfig};
use crate::silence::SilentSources;

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    DynamoOpenRequests::IAM_ACTIONS,
    DynamoTombstoneReader::IAM_ACTIONS,
    DynamoJobReader::IAM_ACTIONS,
    DynamoLastHeardReader::IAM_ACTIONS,
    SsmParameterReader::IAM_ACTIONS,
    SqsRedeliverer::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
];
/// A run ends itself after so long; the template's limit is 60 s, and a last page may take a while.
const BUDGET: Duration = Duration::from_secs(40);

/// Runs the sweeper at every tick.
pub struct SweepHandler {
    sweeper: Sweeper,
    silence: Option<SilentSources>,
}

impl SweepHandler {
    /// A handler; `silence` is `None` where there are no HTTPS sources.
    #[must_use]
    pub fn new(sweeper: Sweeper, silence: Option<SilentSources>) -> Self {
        Self { sweeper, silence }
    }
}

#[async_trait]
impl EventHandler for SweepHandler {
    async fn handle(&self, _: Delivery<'_>) -> Result<(), Failure> {
        // Side by side: neither keeps the other from being told.
        let ((sweep, swept), looked) = tokio::join!(self.sweeper.run(), self.look());
        tell(&sweep);
        Ok(swept.and(looked)?)
    }
}

impl SweepHandler {
    async fn look(&self) -> Result<(), PortError> {
        let Some(silence) = &self.silence else { return Ok(()) };
        if let Some(silent) = silence.look().await? {
            silence::tell(&silent);
        }
        Ok(())
    }
}

fn tell(sweep: &Sweep) {
    tracing::info!(
        looked_at = sweep.looked_at,
        without_outcome = sweep.without_outcome,
        unsealed = sweep.unsealed,
        of_jobs = sweep.of_jobs,
        redelivered = sweep.redelivered,
        held_back = sweep.held_back,
        failed = sweep.failed,
        unfinished = sweep.unfinished,
        "swept"
    );
    metrics::gauge("RequestsWithoutOutcome", "Count", sweep.without_outcome);
    metrics::gauge("UnsealedTombstones", "Count", sweep.unsealed);
    metrics::gauge("OldestUnsealedAge", "Seconds", sweep.oldest_unsealed.as_secs());
    for _ in 0..sweep.redelivered {
        metrics::count("Redelivered", "function", "sweeper");
    }
    for _ in 0..sweep.given_up {
        metrics::count("RequestGivenUp", "function", "sweeper");
    }
    if sweep.unfinished {
        tracing::warn!("more has begun than can be looked at in one run; what is younger comes with the next ones");
    }
}

/// The sweeper on AWS.
#[must_use]
pub fn sweeper(aws: &AwsConfig, config: &Config) -> Sweeper {
    let trail = Arc::new(DynamoOpenRequests::new(aws, &config.revocations_table));
    Sweeper {
        clock: Arc::new(SystemClock),
        index: trail.clone(),
        log: trail,
        tombstones: Arc::new(DynamoTombstoneReader::new(aws, &config.tombstones_table)),
        jobs: Arc::new(DynamoJobReader::new(aws, &config.bulk_table)),
        queue: Arc::new(SqsRedeliverer::new(aws, &config.revoke_queue_url, &config.revoke_dead_letter_queue_url)),
        quiet: config.quiet,
        budget: BUDGET,
    }
}

/// The watch for silent sources on AWS.
#[must_use]
pub fn silence(aws: &AwsConfig, config: &SourcesConfig) -> SilentSources {
    let heard = Arc::new(DynamoLastHeardReader::new(aws, &config.intake_table));
    let watch = SilenceWatch { clock: Arc::new(SystemClock), heard };
    SilentSources::new(Arc::new(SsmParameterReader::new(aws)), &config.parameter, watch)
}
