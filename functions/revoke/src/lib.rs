//! Lambda `revoke`: ends the sessions of whomever a `Revocation Requested` means, and acts on the accounts an
//! `Account Action Requested` means. It alone writes tombstones, and a hold is part of one.

mod actions;
pub mod config;
mod report;

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::{
    CognitoAccountEnabler, CognitoAccountLocker, CognitoDeviceForgetter, CognitoMembershipReader,
    CognitoSessionTerminator, CognitoSubjectResolver,
};
use revocation_aws::dynamodb::{DynamoActionLog, DynamoAuditLog, DynamoSessionLedger, DynamoTombstoneWriter};
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::sqs::SqsQueue;
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::event::{ACCOUNT_ACTION_REQUESTED, REVOCATION_REQUESTED};
use revocation_core::domain::policy::Policy;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::ports::Clock;
use revocation_core::usecase::account_action::AccountActor;
use revocation_core::usecase::revoke::{RevocationOutcome, RevokeError, Revoker};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};

pub use crate::actions::actor;
use crate::config::Config;
use crate::report::report;

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoSubjectResolver::IAM_ACTIONS,
    CognitoSessionTerminator::IAM_ACTIONS,
    CognitoAccountLocker::IAM_ACTIONS,
    CognitoDeviceForgetter::IAM_ACTIONS,
    DynamoTombstoneWriter::IAM_ACTIONS,
    DynamoTombstoneWriter::FEED_IAM_ACTIONS,
    DynamoSessionLedger::IAM_ACTIONS,
    DynamoAuditLog::IAM_ACTIONS,
    EventBridgePublisher::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
    CognitoAccountEnabler::IAM_ACTIONS,
    CognitoMembershipReader::IAM_ACTIONS,
    DynamoActionLog::IAM_ACTIONS,
];

/// Reads the request, carries it out, and counts what came of it.
pub struct RevokeHandler {
    revoker: Revoker,
    actor: AccountActor,
}

/// An event of another kind: a rule that matches too much, or a message put on the queue by hand.
#[derive(Debug, thiserror::Error)]
#[error("neither a Revocation Requested nor an Account Action Requested")]
struct UnknownEvent;

impl Disposed for UnknownEvent {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

impl RevokeHandler {
    /// A handler.
    #[must_use]
    pub fn new(revoker: Revoker, actor: AccountActor) -> Self {
        Self { revoker, actor }
    }

    async fn revoke(&self, delivery: &Delivery<'_>) -> Result<(), Failure> {
        let request = RevocationRequest::parse(delivery.envelope.detail.get())?;
        let id = request.id();
        match self.revoker.revoke(request, delivery.received_at).await {
            Ok(RevocationOutcome::Ended { written, .. }) => written.iter().for_each(report),
            Ok(RevocationOutcome::Repeated(_)) => {
                tracing::info!(revocation_id = %id, "repeated, nothing to do");
                metrics::count("Repeated", "function", "revoke");
            }
            Err(error) => {
                if matches!(error, RevokeError::IdConflict(_)) {
                    metrics::count("IdConflict", "function", "revoke");
                }
                return Err(error.into());
            }
        }
        Ok(())
    }
}

#[async_trait]
impl EventHandler for RevokeHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        match delivery.envelope.detail_type.as_str() {
            REVOCATION_REQUESTED => self.revoke(&delivery).await,
            ACCOUNT_ACTION_REQUESTED => actions::handle(&self.actor, &delivery).await,
            _ => Err(UnknownEvent.into()),
        }
    }
}

/// The revoker on AWS.
#[must_use]
pub fn revoker(aws: &AwsConfig, config: &Config) -> Revoker {
    let providers = config.issuer_providers.clone();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (table, feed) = (&config.tombstones_table, &config.tombstone_feed_table);
    let ledger = config.sessions_table.as_ref().map(|table| Arc::new(DynamoSessionLedger::new(aws, table)) as _);
    Revoker {
        tombstones: Arc::new(DynamoTombstoneWriter::new(aws, table, feed, clock.clone())),
        clock,
        ledger,
        resolver: Arc::new(CognitoSubjectResolver::new(aws, &config.user_pool_ids, providers)),
        terminator: Arc::new(CognitoSessionTerminator::new(aws)),
        locker: Arc::new(CognitoAccountLocker::new(aws)),
        devices: Arc::new(CognitoDeviceForgetter::new(aws)),
        audit: Arc::new(DynamoAuditLog::new(aws, &config.revocations_table)),
        publisher: Arc::new(EventBridgePublisher::new(aws, &config.event_bus_name, "revocation.revoke")),
        policy: Policy::with(&config.policy_overrides),
        clock_skew: config.clock_skew,
    }
}
