//! What CloudTrail knows that a name did, for an operator who looks into an account.

use std::time::Duration;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::PortError;
use serde::Serialize;

use crate::clients::AwsConfig;
use crate::error::port_error;

const LOOKUP: &str = "cloudtrail:LookupEvents";
/// The event history goes back no further (CloudTrail user guide, "Working with event history").
pub const KEPT: Duration = Duration::from_hours(24 * 90);
/// The most one call returns. `LookupEvents` is throttled at two calls a second, for the whole account and Region.
const PAGE: i32 = 50;

/// Looks events up.
pub struct CloudTrailLookup {
    client: Client,
}

/// A call of an AWS API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// Epoch milliseconds.
    pub at: Option<EpochMillis>,
    /// The service, such as `cognito-idp.amazonaws.com`.
    pub service: String,
    /// The operation.
    pub name: String,
    /// Whether it changed nothing.
    pub read_only: bool,
    /// The caller's address. Personal data.
    pub ip: Option<String>,
    /// The code, if it was refused.
    pub error: Option<String>,
}

impl CloudTrailLookup {
    /// The actions it needs. It knows no resources: `*`.
    pub const IAM_ACTIONS: &[&str] = &[LOOKUP];

    /// A lookup in the Region of `aws`.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.cloudtrail() }
    }

    /// The latest calls that CloudTrail attributes to a name, at most a page: a user's of IAM, or the session name of a role,
    /// which for people is often their user name or address. Events are there some minutes after they happened.
    pub async fn calls_of(&self, name: &str, now: EpochMillis) -> Result<Vec<Call>, PortError> {
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::Username)
            .attribute_value(name)
            .build()
            .map_err(|_| PortError::reject(LOOKUP, "request_not_built"))?;
        let kept = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        let page = self
            .client
            .lookup_events()
            .lookup_attributes(attribute)
            .start_time(DateTime::from_millis(now.0.saturating_sub(kept)))
            .max_results(PAGE)
            .send()
            .await
            .map_err(|error| port_error(LOOKUP, &error))?;
        Ok(page.events().iter().map(call).collect())
    }
}

fn call(event: &Event) -> Call {
    let record: serde_json::Value =
        event.cloud_trail_event().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let member = |name: &str| record.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    Call {
        at: event.event_time().and_then(|time| time.to_millis().ok()).map(EpochMillis),
        service: event.event_source().unwrap_or_default().to_owned(),
        name: event.event_name().unwrap_or_default().to_owned(),
        read_only: event.read_only() == Some("true"),
        ip: member("sourceIPAddress"),
        error: member("errorCode"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_record_says_is_taken_and_what_is_none_is_left_out() {
        let record = r#"{"sourceIPAddress":"192.0.2.7","errorCode":"AccessDenied"}"#;
        let event = Event::builder().event_name("GetObject").read_only("true").cloud_trail_event(record).build();
        let read = call(&event);
        assert_eq!((read.ip.as_deref(), read.error.as_deref()), (Some("192.0.2.7"), Some("AccessDenied")));
        assert!(read.read_only);
        let garbled = call(&Event::builder().cloud_trail_event("{").build());
        assert_eq!((garbled.ip, garbled.error, garbled.read_only), (None, None, false));
    }
}
