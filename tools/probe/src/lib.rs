//! A client of a running pipeline, for the demo, the benches and the tests against a deployed template: it signs users
//! in, calls the protected API, puts events on the bus, and reads what came of them. It knows no shortcut: everything
//! goes over the services' own APIs.

mod api;
mod audit;
mod bulk;
mod bus;
mod facts;
mod intakes;
mod outbox;
mod users;
mod wait;

use std::path::Path;

use anyhow::{Context as _, Result};
use revocation_aws::clients::AwsConfig;

pub use api::Answer;
pub use facts::Facts;
pub use intakes::{sign_github, sign_standard_webhook};
pub use outbox::{Email, PageInbox, Sms};
pub use users::{NewUser, Tokens, User};
pub use wait::until;

/// A running pipeline.
#[derive(Clone)]
pub struct Probe {
    /// Its addresses and names.
    pub facts: Facts,
    cognito: aws_sdk_cognitoidentityprovider::Client,
    dynamodb: aws_sdk_dynamodb::Client,
    eventbridge: aws_sdk_eventbridge::Client,
    sns: aws_sdk_sns::Client,
    sqs: aws_sdk_sqs::Client,
    http: ureq::Agent,
}

impl Probe {
    /// Connects to the pipeline that a `local-cloud.json` tells of.
    pub fn read(facts_file: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(facts_file)
            .with_context(|| format!("cannot read {}; is `cargo xtask up` running?", facts_file.display()))?;
        let facts = serde_json::from_str(&text).with_context(|| format!("cannot read {}", facts_file.display()))?;
        Self::connect(facts)
    }

    /// The pipeline's account, as its own functions see it.
    pub fn aws(&self) -> Result<AwsConfig> {
        Ok(AwsConfig::from_env(&|name| self.facts.variable(name))?)
    }

    /// Connects to a pipeline.
    pub fn connect(facts: Facts) -> Result<Self> {
        let aws = AwsConfig::from_env(&|name| facts.variable(name))?;
        // Statuses are answers here, not errors.
        let http = ureq::Agent::config_builder().http_status_as_error(false).build().new_agent();
        Ok(Self {
            cognito: aws.cognito(),
            dynamodb: aws.dynamodb(),
            eventbridge: aws.eventbridge(),
            sns: aws.sns(),
            sqs: aws.sqs(),
            http,
            facts,
        })
    }
}
