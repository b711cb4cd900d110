//! Amazon Cognito's threat protection log, one entry an event.
//!
//! Shape: Cognito developer guide, "Exporting user activity from user pools". Cognito exports the log to CloudWatch Logs, Firehose or S3 only; whoever reads it
//! there puts the entries on the bus. It is best effort, its schema may change, booleans are strings and any member may
//! be `null`.

use revocation_core::domain::event::Envelope;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{EventSource, RevocationRequest};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::EpochMillis;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::parts::{self, said};
use super::{MalformedEvent, Origin, Settings, Verdict};

/// `eventSource` of an entry.
pub(super) const EVENT_SOURCE: &str = "USER_ACTIVITY";

/// The version of `message` that the notes describe.
const MESSAGE_VERSION: &str = "1";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    event_timestamp: Option<Timestamp>,
    message: Option<Message>,
    log_source_id: Option<LogSource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    version: Option<String>,
    event_id: Option<String>,
    event_type: Option<String>,
    user_sub: Option<String>,
    user_name: Option<String>,
    user_pool_id: Option<String>,
    risk_level: Option<String>,
    compromised_credential_detected: Option<Flag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogSource {
    user_pool_id: Option<String>,
}

/// Epoch milliseconds: a string in the documentation, a number from forwarders that convert it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Timestamp {
    Number(i64),
    Text(String),
    Other(IgnoredAny),
}

/// `true`, `"true"`, `"True"`. A value of another type is a changed schema, and an error.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Bool(bool),
    Text(String),
}

/// Translates an entry of the log.
pub(super) fn translate(envelope: &Envelope<'_>, settings: &Settings) -> Result<Verdict, MalformedEvent> {
    let entry: Entry = parts::read(envelope)?;
    let Some(message) = entry.message else { return Err(MalformedEvent::NoUser) };
    if message.version.as_deref().is_some_and(|version| version != MESSAGE_VERSION) {
        return Err(MalformedEvent::Version);
    }
    let named_pool = entry.log_source_id.and_then(|log| log.user_pool_id).or(message.user_pool_id);
    let Some(pool) = settings.user_pools.iter().find(|pool| Some(&pool.0) == named_pool.as_ref()) else {
        return Ok(Verdict::Irrelevant("other_pool"));
    };
    let (reason, what) = match (message.compromised_credential_detected, said(message.risk_level.as_deref())) {
        (Some(flag), _) if flag.is_true() => (ReasonCode::Compromise, "compromised credentials"),
        (_, Some(level)) if level.eq_ignore_ascii_case("high") => (ReasonCode::Anomaly, "high risk"),
        _ => return Ok(Verdict::Irrelevant("risk_below_floor")),
    };
    let sub = said(message.user_sub.as_deref()).map(|sub| parts::pool_user(pool, sub));
    let named = said(message.user_name.as_deref()).map(|name| SubjectIdentifier::Username { username: name.into() });
    // The `sub` says all there is to say; the name beside it would only be looked up in every pool.
    let sub_id = parts::subject([sub.or(named)])?;
    let origin = Origin::ThreatProtection.as_str().to_owned();
    let event_id = said(message.event_id.as_deref()).unwrap_or(&envelope.id).to_owned();
    let initiator = Initiator { kind: InitiatorKind::Policy, id: origin.clone() };
    let occasion = said(message.event_type.as_deref()).unwrap_or("an unnamed event");
    Ok(Verdict::Requests(vec![RevocationRequest {
        reason_admin: parts::english(&format!("Cognito threat protection: {what} at {occasion}")),
        occurred_at: entry.event_timestamp.and_then(|stamp| stamp.rfc3339()),
        ..parts::request(EventSource { name: origin, event_id }, sub_id, reason, initiator)
    }]))
}

// === impl Timestamp ===

impl Timestamp {
    fn rfc3339(&self) -> Option<String> {
        let millis = match self {
            Self::Number(millis) => Some(*millis),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Other(_) => None,
        };
        millis.and_then(|millis| parts::occurred_at_millis(EpochMillis(millis)))
    }
}

// === impl Flag ===

impl Flag {
    fn is_true(&self) -> bool {
        match self {
            Self::Bool(flag) => *flag,
            Self::Text(text) => text.trim().eq_ignore_ascii_case("true"),
        }
    }
}

#[cfg(test)]
mod tests;
