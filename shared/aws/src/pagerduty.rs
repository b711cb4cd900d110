//! `Pager` on PagerDuty's Events API v2 (<https://developer.pagerduty.com/docs/events-api-v2/trigger-events/>).

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use revocation_core::domain::incident::{Page, Stage};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Pager, PortError, TextReader};
use serde_json::{Value, json};

use crate::https::HttpsClient;

const ENQUEUE: &str = "pagerduty:enqueue";
/// Accounts in PagerDuty's EU service region have another one.
const DEFAULT_URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// What PagerDuty accepts as summary, in characters.
const MAX_SUMMARY_CHARS: usize = 1_024;
/// What it answers to a routing key it does not know, among others.
const MAYBE_THE_KEY: [u16; 2] = [400, 403];
const TOO_MANY_REQUESTS: u16 = 429;
/// How long a routing key is used without looking again: one page is told in several calls.
const KEPT: Duration = Duration::from_mins(1);

/// Pages the people on call of one PagerDuty service.
pub struct PagerDutyPager {
    https: HttpsClient,
    secrets: Arc<dyn TextReader>,
    /// Name or ARN of the secret.
    secret: String,
    kept: Mutex<Option<(Instant, RoutingKey)>>,
    url: String,
}

/// The integration key of a service: whoever holds it can page. Not `Debug`: it must not get into a log (I10).
#[derive(Clone, PartialEq, Eq)]
struct RoutingKey(String);

impl PagerDutyPager {
    /// A pager of the service whose routing key is in this secret.
    #[must_use]
    pub fn new(secrets: Arc<dyn TextReader>, secret: impl Into<String>) -> Self {
        let (https, secret, url) = (HttpsClient::new(), secret.into(), DEFAULT_URL.to_owned());
        Self { https, secrets, secret, kept: Mutex::new(None), url }
    }

    /// The pager with another address of the API.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The key used last, if it was read within [`KEPT`].
    fn kept(&self) -> Option<RoutingKey> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(read, _)| read.elapsed() < KEPT).map(|(_, key)| key.clone())
    }

    async fn read(&self) -> Result<RoutingKey, PortError> {
        let key = RoutingKey(self.secrets.read(&self.secret).await?);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), key.clone()));
        Ok(key)
    }

    /// The status of the answer. An event told twice is one alert: `PagerDuty` joins events by routing key and dedup key.
    async fn send(&self, page: &Page, key: &RoutingKey) -> Result<u16, PortError> {
        let sent = self.https.post_json(&self.url, event(page, key).to_string().into_bytes()).await;
        sent.map_err(|error| error.port_error(ENQUEUE))
    }
}

#[async_trait]
impl Pager for PagerDutyPager {
    fn name(&self) -> &'static str {
        "pagerduty"
    }

    async fn page(&self, page: &Page) -> Result<(), PortError> {
        if let Some(key) = self.kept() {
            let status = self.send(page, &key).await?;
            if !MAYBE_THE_KEY.contains(&status) {
                return answered(status);
            }
            // It may have been exchanged within the minute.
        }
        let key = self.read().await?;
        answered(self.send(page, &key).await?)
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
mod tests;
