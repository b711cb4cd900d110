//! Lambda `compromise-counter`: counts accounts with signs of compromise, and raises one page per incident.

mod bus_pager;
pub mod config;

use std::sync::Arc;

use async_trait::async_trait;
use revocation_aws::clients::AwsConfig;
use revocation_aws::cognito::CognitoSubjectResolver;
use revocation_aws::dynamodb::DynamoCompromises;
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::pagerduty::PagerDutyPager;
use revocation_aws::secrets::SecretsManagerReader;
use revocation_aws::sns::SnsPager;
use revocation_aws::sqs::SqsQueue;
use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::event::REVOCATION_REQUESTED;
use revocation_core::domain::policy::Policy;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Pager;
use revocation_core::usecase::count_compromise::{CompromiseCounter, CountError, Counted};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_lambda::queue::{Delivery, EventHandler, Failure};

use crate::bus_pager::BusPager;
use crate::config::Config;

/// The actions of the ports it holds: exactly what its role allows (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[
    CognitoSubjectResolver::IAM_ACTIONS,
    DynamoCompromises::IAM_ACTIONS,
    EventBridgePublisher::IAM_ACTIONS,
    SnsPager::IAM_ACTIONS,
    SqsQueue::IAM_ACTIONS,
];
/// Needed as well where a PagerDuty routing key is configured.
pub const IAM_ACTIONS_WITH_PAGERDUTY: &[&str] = SecretsManagerReader::IAM_ACTIONS;

/// Counts requests; everything else on its queue is the schedule's tick.
pub struct CounterHandler {
    counter: CompromiseCounter,
}

impl CounterHandler {
    /// A handler.
    #[must_use]
    pub fn new(counter: CompromiseCounter) -> Self {
        Self { counter }
    }
}

#[async_trait]
impl EventHandler for CounterHandler {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        if delivery.envelope.detail_type != REVOCATION_REQUESTED {
            return match self.counter.tick().await {
                // The next tick, in a minute, tells again: this one would come back beside it, or be parked.
                Err(CountError::NotTold { pager, .. }) => {
                    not_told(pager);
                    Ok(())
                }
                done => Ok(done?),
            };
        }
        let request = RevocationRequest::parse(delivery.envelope.detail.get())?;
        // EventBridge's own time, the same on every delivery.
        let sent = delivery.envelope.time.as_deref().and_then(|time| EpochMillis::parse_rfc3339(time).ok());
        let counted = match self.counter.observe(&request, sent.unwrap_or(delivery.received_at)).await {
            // It is counted, and the ticks go on telling: nothing is mended by parking the sign.
            Err(CountError::NotTold { pager, why }) if why.disposition == Disposition::Reject => {
                not_told(pager);
                return Ok(());
            }
            counted => counted?,
        };
        tracing::info!(revocation_id = %request.id(), ?counted, "counted");
        metrics::count("CompromiseCounted", "outcome", outcome(&counted));
        Ok(())
    }
}

fn not_told(pager: &str) {
    metrics::count("PageNotSent", "pager", pager);
}

fn outcome(counted: &Counted) -> &'static str {
    match counted {
        Counted::NotASign => "not_a_sign",
        Counted::NoSuchUser => "no_such_user",
        Counted::IdConflict => "id_conflict",
        Counted::Stale => "stale",
        Counted::BelowThreshold => "below_threshold",
        Counted::Joined(_) => "joined",
        Counted::Opened(_) => "opened",
    }
}

/// The counter on AWS. `PagerDuty`'s key is read when there is something to page: without it the others are told all the same.
#[must_use]
pub fn counter(aws: &AwsConfig, config: &Config) -> CompromiseCounter {
    let publisher = EventBridgePublisher::new(aws, &config.event_bus_name, "revocation.compromise-counter");
    let mut pagers: Vec<Arc<dyn Pager>> =
        vec![Arc::new(SnsPager::new(aws, &config.page_topic_arn)), Arc::new(BusPager::new(publisher))];
    if let Some(arn) = &config.pagerduty_routing_key_secret_arn {
        pagers.push(Arc::new(PagerDutyPager::new(Arc::new(SecretsManagerReader::new(aws)), arn)));
    }
    let table = Arc::new(DynamoCompromises::new(aws, &config.compromises_table));
    let providers = config.issuer_providers.clone();
    CompromiseCounter {
        clock: Arc::new(SystemClock),
        resolver: Arc::new(CognitoSubjectResolver::new(aws, &config.user_pool_ids, providers)),
        ledger: table.clone(),
        incidents: table,
        pagers,
        policy: Policy::with(&config.policy_overrides),
        rule: config.rule,
        runbook_url: config.runbook_url.clone(),
    }
}
