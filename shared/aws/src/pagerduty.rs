//! `Pager` on PagerDuty's Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>).

use async_trait::async_trait;
use revocation_core::domain::incident::{Page, Stage};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Pager, PortError};
use serde_json::{Value, json};

use crate::https::HttpsClient;

const ENQUEUE: &str = "pagerduty:enqueue";
/// Accounts in PagerDuty's EU service region have another one.
const DEFAULT_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// What PagerDuty accepts as summary, in characters.
const MAX_SUMMARY_CHARS: usize = 1_024;
const TOO_MANY_REQUESTS: u16 = 429;

/// Pages the people on call of one PagerDuty service.
pub struct PagerDutyPager {
    https: HttpsClient,
    routing_key: RoutingKey,
    url: String,
}

/// The integration key of a service: whoever holds it can page. Not `Debug`: it must not get into a log (I10).
struct RoutingKey(String);

impl PagerDutyPager {
    /// A pager of the service with this routing key.
    #[must_use]
    pub fn new(routing_key: impl Into<String>) -> Self {
        Self { https: HttpsClient::new(), routing_key: RoutingKey(routing_key.into()), url: DEFAULT_URL.to_owned() }
    }

    /// The pager with another address of the API.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }
}

#[async_trait]
impl Pager for PagerDutyPager {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    async fn page(&self, page: &Page) -> Result<(), PortError> {
        // An event told twice is one alert: PagerDuty joins events by routing key and dedup key.
        let body = event(page, &self.routing_key).to_string().into_bytes();
        let sent = self.https.post_json(&self.url, body).await;
        answered(sent.map_err(|error| error.port_error(ENQUEUE))?)
    }
}

/// The page as an event, its incident's id as `dedup_key`.
fn event(page: &Page, routing_key: &RoutingKey) -> Value {
    let (action, summary) = match page.stage {
        Stage::Triggered => (
            "trigger",
            format!(
                "{} accounts with signs of compromise within {} minutes (threshold {})",
                page.count, page.window_minutes, page.threshold
            ),
        ),
        Stage::Resolved => ("resolve", "No more accounts with signs of compromise".to_owned()),
    };
    json!({
        "routing_key": routing_key.0,
        "event_action": action,
        "dedup_key": page.incident_id,
        "payload": {
            "summary": summary.chars().take(MAX_SUMMARY_CHARS).collect::<String>(),
            "source": "session-revocation",
            "severity": "critical",
            "timestamp": EpochMillis::from(page.last_at).rfc3339(),
            "component": "compromise-counter",
            "class": "compromise threshold exceeded",
            "custom_details": page,
        },
    })
}

/// What the status says: accepted, try again, or never.
fn answered(status: u16) -> Result<(), PortError> {
    let code = format!("status_{status}");
    match status {
        200..=299 => Ok(()),
        TOO_MANY_REQUESTS | 500..=599 => Err(PortError::retry(ENQUEUE, code)),
        _ => Err(PortError::reject(ENQUEUE, code)),
    }
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::disposition::Disposition;
    use revocation_core::domain::time::EpochSeconds;

    use super::*;

    fn page(stage: Stage) -> Page {
        Page {
            version: "1".into(),
            incident_id: "inc-1769878800000-7".into(),
            stage,
            window_minutes: 60,
            threshold: 3,
            count: 4,
            subjects: vec!["sub-a".into(), "sub-b".into()],
            first_at: EpochSeconds(1_769_878_000),
            last_at: EpochSeconds(1_769_878_800),
            runbook_url: "https://runbook.example/compromise".into(),
        }
    }

    #[test]
    fn a_page_becomes_an_event_of_the_api() {
        let expected = json!({
            "routing_key": "0123456789abcdef0123456789abcdef",
            "event_action": "trigger",
            "dedup_key": "inc-1769878800000-7",
            "payload": {
                "summary": "4 accounts with signs of compromise within 60 minutes (threshold 3)",
                "source": "session-revocation",
                "severity": "critical",
                "timestamp": "2026-01-31T17:00:00.000Z",
                "component": "compromise-counter",
                "class": "compromise threshold exceeded",
                "custom_details": {
                    "version": "1",
                    "incident_id": "inc-1769878800000-7",
                    "stage": "triggered",
                    "window_minutes": 60,
                    "threshold": 3,
                    "count": 4,
                    "subjects": ["sub-a", "sub-b"],
                    "first_at": 1_769_878_000,
                    "last_at": 1_769_878_800,
                    "runbook_url": "https://runbook.example/compromise",
                },
            },
        });
        let key = RoutingKey("0123456789abcdef0123456789abcdef".into());
        assert_eq!(event(&page(Stage::Triggered), &key), expected);
    }

    #[test]
    fn a_resolution_names_the_same_incident() {
        let resolved = event(&page(Stage::Resolved), &RoutingKey("k".into()));
        assert_eq!(resolved["event_action"], "resolve");
        assert_eq!(resolved["dedup_key"], "inc-1769878800000-7");
        assert_eq!(resolved["payload"]["custom_details"]["stage"], "resolved");
    }

    #[test]
    fn a_status_says_whether_to_try_again() {
        assert_eq!(answered(202), Ok(()));
        for (status, disposition) in [
            (429, Disposition::Retry),
            (503, Disposition::Retry),
            (400, Disposition::Reject),
            (403, Disposition::Reject),
            (301, Disposition::Reject),
        ] {
            assert_eq!(answered(status).unwrap_err().disposition, disposition, "{status}");
        }
    }
}
