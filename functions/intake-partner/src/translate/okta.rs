//! Okta's System Log, streamed to EventBridge.
//!
//! Shape: Okta, "System Log API", `LogEvent`. Okta delivers at least once and in any order; `uuid` is the same on every delivery.
//! Only `target[]` says whom an event concerns: `actor` is whoever did it, and for most of these events an
//! administrator, whose sessions must go on.

use revocation_core::domain::event::Envelope;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{EventSource, RevocationRequest};
use serde::Deserialize;
use serde_json::Value;

use super::parts::{self, said};
use super::{MalformedEvent, Origin, Settings, Verdict};

/// What a partner source of Okta begins with.
pub(super) const PARTNER: &str = "aws.partner/okta.com";

const RISK_DETECTED: &str = "user.risk.detect";
const BREACH_DETECTED: &str = "security.breached_credential.detected";

/// The members that are read of a System Log event.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LogEvent {
    uuid: Option<String>,
    published: Option<String>,
    event_type: Option<String>,
    display_message: Option<String>,
    actor: Option<Entity>,
    outcome: Option<Outcome>,
    target: Option<Vec<Option<Entity>>>,
    debug_context: Option<DebugContext>,
}

/// An `actor` or a `target`. `displayName` and an actor's `alternateId` are personal, and not needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entity {
    id: Option<String>,
    r#type: Option<String>,
    alternate_id: Option<String>,
}

#[derive(Deserialize)]
struct Outcome {
    result: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DebugContext {
    debug_data: Option<DebugData>,
}

/// Okta promises no form of what is in here.
#[derive(Deserialize)]
struct DebugData {
    #[serde(alias = "Risk")]
    risk: Option<Value>,
}

/// Translates an event of Okta's.
pub(super) fn translate(envelope: &Envelope<'_>, settings: &Settings) -> Result<Verdict, MalformedEvent> {
    let event: LogEvent = parts::read(envelope)?;
    let event_type = event.event_type.as_deref().unwrap_or_default();
    let Some(reason) = reason(event_type) else { return Ok(Verdict::Irrelevant("event_type")) };
    if event.outcome.as_ref().and_then(|outcome| outcome.result.as_deref()) != Some("SUCCESS") {
        return Ok(Verdict::Irrelevant("not_successful"));
    }
    if event_type == RISK_DETECTED && event.is_below_floor() {
        return Ok(Verdict::Irrelevant("risk_below_floor"));
    }
    let users = event.users();
    if users.is_empty() {
        return Err(MalformedEvent::NoUser);
    }
    let name = parts::source_name(Origin::Okta, parts::sender(&envelope.source));
    let mut requests = Vec::new();
    for user in &users {
        let source = EventSource { name: name.clone(), event_id: event.id_for(user, users.len())? };
        let named = said(user.alternate_id.as_deref()).map(parts::address_or_username);
        let federated = parts::federated(settings.okta_provider.as_deref(), user.id.as_deref());
        let initiator = event.initiator(event_type, user, &name);
        requests.push(RevocationRequest {
            reason_admin: parts::english(&event.text(event_type)),
            occurred_at: parts::occurred_at(event.published.as_deref()),
            ..parts::request(source, parts::subject([named, federated])?, reason, initiator)
        });
    }
    Ok(Verdict::Requests(requests))
}

/// Okta's event types, <https://developer.okta.com/docs/reference/api/event-types/>.
fn reason(event_type: &str) -> Option<ReasonCode> {
    match event_type {
        "user.lifecycle.deactivate" | "user.lifecycle.suspend" | "user.lifecycle.delete.initiated" => {
            Some(ReasonCode::Offboarding)
        }
        BREACH_DETECTED => Some(ReasonCode::Compromise),
        RISK_DETECTED | "user.account.report_suspicious_activity_by_enduser" => Some(ReasonCode::Anomaly),
        "user.account.privilege.revoke" | "group.user_membership.remove" => Some(ReasonCode::RoleChange),
        _ => None,
    }
}

// === impl LogEvent ===

impl LogEvent {
    /// The users concerned, each once.
    fn users(&self) -> Vec<&Entity> {
        let mut users: Vec<&Entity> = Vec::new();
        for target in self.target.iter().flatten().flatten() {
            let is_known = target.id.is_some() && users.iter().any(|user| user.id == target.id);
            if target.r#type.as_deref() == Some("User") && !is_known {
                users.push(target);
            }
        }
        users
    }

    /// One user's revocation is the event's; those of several are told apart by the user's id.
    fn id_for(&self, user: &Entity, of: usize) -> Result<String, MalformedEvent> {
        let uuid = said(self.uuid.as_deref()).ok_or(MalformedEvent::NoId)?;
        if of == 1 {
            return Ok(uuid.to_owned());
        }
        said(user.id.as_deref()).map(|id| format!("{uuid}/{id}")).ok_or(MalformedEvent::NoId)
    }

    fn initiator(&self, event_type: &str, user: &Entity, source: &str) -> Initiator {
        if matches!(event_type, RISK_DETECTED | BREACH_DETECTED) {
            return Initiator { kind: InitiatorKind::Policy, id: event_type.to_owned() };
        }
        let id = self.actor.as_ref().and_then(|actor| actor.id.as_deref());
        let kind = match self.actor.as_ref().and_then(|actor| actor.r#type.as_deref()) {
            Some("User") if id == user.id.as_deref() => InitiatorKind::User,
            Some("User") => InitiatorKind::Admin,
            _ => InitiatorKind::System,
        };
        parts::initiator(kind, id, source)
    }

    fn text(&self, event_type: &str) -> String {
        match said(self.display_message.as_deref()) {
            Some(message) => format!("Okta {event_type}: {message}"),
            None => format!("Okta {event_type}"),
        }
    }

    /// Whether Okta says that the risk is low or medium. One it does not say counts as high: the event alone says that
    /// something was detected.
    fn is_below_floor(&self) -> bool {
        let risk = self.debug_context.as_ref().and_then(|context| context.debug_data.as_ref()?.risk.as_ref());
        let level = match risk {
            Some(Value::String(text)) => level_of(text),
            Some(Value::Object(risk)) => risk.get("level").and_then(Value::as_str),
            _ => None,
        };
        level.is_some_and(|level| ["LOW", "MEDIUM"].iter().any(|low| level.eq_ignore_ascii_case(low)))
    }
}

/// The level in text such as `{previousLevel=LOW, level=HIGH, detectionName=…}`, which is not JSON.
/// <https://developer.okta.com/docs/reference/api/itp-et/>
fn level_of(risk: &str) -> Option<&str> {
    let members = risk.trim().trim_start_matches('{').trim_end_matches('}').split(',');
    members.filter_map(|member| member.split_once('=')).find(|(name, _)| name.trim() == "level").map(|(_, l)| l.trim())
}

#[cfg(test)]
mod tests;
