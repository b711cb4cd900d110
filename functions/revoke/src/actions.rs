//! `Account Action Requested`: what an operator does to an account besides ending its sessions.

use std::sync::Arc;

use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::{
    CognitoAccountEnabler, CognitoAccountLocker, CognitoMembershipReader, CognitoSubjectResolver,
};
use revocation_aws::dynamodb::{DynamoActionLog, DynamoTombstoneWriter};
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_core::domain::action::{AccountActionRequest, ActionOutcome, ActionRecord};
use revocation_core::ports::Clock;
use revocation_core::usecase::account_action::{AccountActor, ActError, ActionsTaken};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::queue::{Delivery, Failure};
use revocation_lambda::{audit_line, metrics};

use crate::config::Config;

/// Reads the request, carries it out, and counts what came of it.
pub(crate) async fn handle(actor: &AccountActor, delivery: &Delivery<'_>) -> Result<(), Failure> {
    let request = AccountActionRequest::parse(delivery.envelope.detail.get())?;
    let id = request.id();
    match actor.act(request, delivery.received_at).await {
        Ok(ActionsTaken::Ended(records)) => records.iter().for_each(report),
        Ok(ActionsTaken::Repeated) => {
            tracing::info!(action_id = %id, "repeated, nothing to do");
            metrics::count("Repeated", "function", "revoke");
        }
        Err(error) => {
            if matches!(error, ActError::IdConflict(_)) {
                metrics::count("IdConflict", "function", "revoke");
            }
            return Err(error.into());
        }
    }
    Ok(())
}

fn report(record: &ActionRecord) {
    audit_line::write_action(record);
    metrics::count("AccountAction", "outcome", record.outcome.as_str());
    if record.outcome == ActionOutcome::Failed {
        metrics::count("StepFailedForGood", "step", record.action.as_str());
    }
}

/// The actor on AWS.
#[must_use]
pub fn actor(aws: &AwsConfig, config: &Config) -> AccountActor {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (table, feed) = (&config.tombstones_table, &config.tombstone_feed_table);
    AccountActor {
        holds: Arc::new(DynamoTombstoneWriter::new(aws, table, feed, clock.clone())),
        clock,
        resolver: Arc::new(CognitoSubjectResolver::new(aws, &config.user_pool_ids, config.issuer_providers.clone())),
        locker: Arc::new(CognitoAccountLocker::new(aws)),
        enabler: Arc::new(CognitoAccountEnabler::new(aws)),
        memberships: Arc::new(CognitoMembershipReader::new(aws)),
        log: Arc::new(DynamoActionLog::new(aws, &config.revocations_table)),
        publisher: Arc::new(EventBridgePublisher::new(aws, &config.event_bus_name, "revocation.revoke")),
        protected_groups: config.protected_groups.clone(),
    }
}
