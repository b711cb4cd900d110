//! Lambda `audit-chain`: chains what the audit trail has gained in the last minute, and keeps digests of the chain.
//!
//! Whatever is on its queue is a tick: what there is to do stands in the tables, so a lost tick loses nothing, and the next
//! one does its work.

pub mod config;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::{DynamoAuditChain, DynamoRecords};
use revocation_aws::kms::KmsDigestSigner;
use revocation_aws::s3::S3Digests;
use revocation_aws::sqs::SqsQueue;
use revocation_core::ports::DigestSigner;
use revocation_core::usecase::chain_audit::{AuditChainer, ChainRun};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};

use crate::config::Config;

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] =
    &[DynamoAuditChain::IAM_ACTIONS, DynamoRecords::IAM_ACTIONS, S3Digests::IAM_ACTIONS, SqsQueue::IAM_ACTIONS];
/// Needed as well where a signing key is configured.
pub const IAM_ACTIONS_WITH_KEY: &[&str] = KmsDigestSigner::IAM_ACTIONS;
/// A run ends itself after so long; the template's limit is 60 s, and a last batch may take a while.
const BUDGET: Duration = Duration::from_secs(40);

/// Runs the chainer at every tick.
pub struct ChainHandler {
    chainer: AuditChainer,
}

impl ChainHandler {
    /// A handler.
    #[must_use]
    pub fn new(chainer: AuditChainer) -> Self {
        Self { chainer }
    }
}

#[async_trait]
impl EventHandler for ChainHandler {
    async fn handle(&self, _: Delivery<'_>) -> Result<(), Failure> {
        tell(self.chainer.run().await?);
        Ok(())
    }
}

fn tell(run: ChainRun) {
    let ChainRun { chained, late, digests, unfinished } = run;
    tracing::info!(chained, late, digests, unfinished, "chained");
    if unfinished {
        tracing::warn!("the audit trail grows faster than it is chained, or was not chained for long");
    }
    if late > 0 {
        // After an outage of this function it is to be expected; else somebody wrote a record with another time.
        metrics::count("AuditRecordLate", "function", "audit-chain");
    }
}

/// The chainer on AWS.
#[must_use]
pub fn chainer(aws: &AwsConfig, config: &Config) -> AuditChainer {
    let records = Arc::new(DynamoRecords::new(aws, &config.revocations_table));
    let signer = config
        .signing_key_arn
        .as_ref()
        .map(|key| -> Arc<dyn DigestSigner> { Arc::new(KmsDigestSigner::new(aws, key)) });
    AuditChainer {
        clock: Arc::new(SystemClock),
        index: records.clone(),
        records,
        chain: Arc::new(DynamoAuditChain::new(aws, &config.audit_chain_table)),
        digests: Arc::new(S3Digests::new(aws, &config.evidence_bucket)),
        signer,
        budget: BUDGET,
    }
}
