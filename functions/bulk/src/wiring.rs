//! The bulk revoker on AWS.

use std::sync::Arc;

use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::{
    CognitoAccountLocker, CognitoDeviceForgetter, CognitoMemberDirectory, CognitoSessionTerminator,
    CognitoSubjectResolver,
};
use revocation_aws::dynamodb::{
    DynamoAuditLog, DynamoBegunReader, DynamoBulkJobs, DynamoPacer, DynamoSessionLedger, DynamoTombstoneWriter,
};
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::sqs::{SqsJobQueue, SqsQueue};
use revocation_core::domain::policy::Policy;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{Clock, EventPublisher, Pacer, SubjectResolver};
use revocation_core::usecase::bulk::{AtOnce, BulkRevoker, BulkSettings, Paced};
use revocation_core::usecase::revoke::Revoker;
use revocation_lambda::clock::SystemClock;

use crate::config::{Config, USER_LIST_QUOTA, USER_UPDATE_QUOTA};

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoSubjectResolver::IAM_ACTIONS,
    CognitoMemberDirectory::IAM_ACTIONS,
    CognitoSessionTerminator::IAM_ACTIONS,
    CognitoAccountLocker::IAM_ACTIONS,
    CognitoDeviceForgetter::IAM_ACTIONS,
    DynamoTombstoneWriter::IAM_ACTIONS,
    DynamoTombstoneWriter::FEED_IAM_ACTIONS,
    DynamoSessionLedger::IAM_ACTIONS,
    DynamoAuditLog::IAM_ACTIONS,
    DynamoBegunReader::IAM_ACTIONS,
    DynamoBulkJobs::IAM_ACTIONS,
    DynamoPacer::IAM_ACTIONS,
    EventBridgePublisher::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
    SqsJobQueue::IAM_ACTIONS,
];

/// The bulk revoker.
#[must_use]
pub fn bulk_revoker(aws: &AwsConfig, config: &Config) -> BulkRevoker {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let resolver: Arc<dyn SubjectResolver> =
        Arc::new(CognitoSubjectResolver::new(aws, &config.user_pool_ids, config.issuer_providers.clone()));
    let publisher: Arc<dyn EventPublisher> =
        Arc::new(EventBridgePublisher::new(aws, &config.event_bus_name, "revocation.revoke"));
    BulkRevoker {
        jobs: Arc::new(DynamoBulkJobs::new(aws, &config.bulk_table)),
        members: Arc::new(CognitoMemberDirectory::new(aws)),
        begun: Arc::new(DynamoBegunReader::new(aws, &config.revocations_table)),
        revoker: revoker(aws, config, resolver.clone(), publisher.clone(), clock.clone()),
        searches: pacer(aws, config, "user_list", USER_LIST_QUOTA, clock.clone()),
        queue: Arc::new(SqsJobQueue::new(aws, &config.queue_url)),
        settings: BulkSettings {
            pools: config.user_pool_ids.iter().cloned().map(UserPoolId).collect(),
            end_date_attribute: config.end_date_attribute.clone(),
            approval_above: config.approval_above,
            slice: config.slice,
            at_once: AtOnce::within(config.share_of(USER_UPDATE_QUOTA), config.share_of(USER_LIST_QUOTA)),
        },
        clock,
        resolver,
        publisher,
    }
}

fn revoker(
    aws: &AwsConfig,
    config: &Config,
    resolver: Arc<dyn SubjectResolver>,
    publisher: Arc<dyn EventPublisher>,
    clock: Arc<dyn Clock>,
) -> Revoker {
    let (table, feed) = (&config.tombstones_table, &config.tombstone_feed_table);
    let updates = pacer(aws, config, "user_update", USER_UPDATE_QUOTA, clock.clone());
    let ledger = config.sessions_table.as_ref().map(|table| Arc::new(DynamoSessionLedger::new(aws, table)) as _);
    Revoker {
        resolver,
        tombstones: Arc::new(DynamoTombstoneWriter::new(aws, table, feed, clock.clone())),
        clock,
        terminator: Arc::new(Paced::new(Arc::new(CognitoSessionTerminator::new(aws)), updates.clone())),
        locker: Arc::new(Paced::new(Arc::new(CognitoAccountLocker::new(aws)), updates.clone())),
        devices: Arc::new(Paced::new(Arc::new(CognitoDeviceForgetter::new(aws)), updates)),
        audit: Arc::new(DynamoAuditLog::new(aws, &config.revocations_table)),
        ledger,
        publisher,
        policy: Policy::with(&config.policy_overrides),
        clock_skew: config.clock_skew,
    }
}

/// Turns within the configured share of a quota. One row of turns for all workers of the stack.
fn pacer(
    aws: &AwsConfig,
    config: &Config,
    quota: &'static str,
    per_second: f64,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Pacer> {
    Arc::new(DynamoPacer::new(aws, &config.bulk_table, quota, config.share_of(per_second), clock))
}
