//! `role.updated`: a role system says what somebody had and what they have now.
//!
//! Wire form: `events/schemas/role-updated.v1.json`.

use std::collections::BTreeSet;
use std::time::Duration;

use revocation_core::domain::grant::{Grant, NotGranted};
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{BadRequest, Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::role_change::{RoleMove, RoleOrder};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::{self as core_text, LocalizedText};
use revocation_core::domain::time::EpochMillis;
use serde::Deserialize;
use serde_json::Value;

use crate::authenticate::Authentication;
use crate::text;

/// The one type that is understood.
pub const ROLE_UPDATED: &str = "role.updated";
/// Most roles or permissions before or after.
pub const MAX_ROLES: usize = 1_000;
/// Longest name of a role, in characters.
pub const MAX_ROLE_CHARS: usize = 256;
const MAX_INITIATOR_CHARS: usize = 512;
const MAX_EVENT_ID_CHARS: usize = 256;

/// One configured role system, `/hooks/role-change/<name>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSource {
    /// `role-change/<name>`: the `source.name` of its requests.
    pub name: String,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// What it may ask for; the reason is always `role_change`.
    pub grant: Grant,
    /// What counts as a downgrade.
    pub compare: RoleOrder,
    /// What follows from one.
    pub effect: Effect,
    /// How long after it was heard of last it counts as silent; `None`: it may be as quiet as it likes.
    pub silent_after: Option<Duration>,
}

/// A change of roles.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleEvent {
    /// The event's own id, if it has one; else the message's is used.
    pub id: Option<String>,
    /// When it happened, RFC 3339.
    pub timestamp: String,
    /// Whose roles.
    pub subject: SubjectIdentifier,
    /// What they had.
    pub old: BTreeSet<String>,
    /// What they have.
    pub new: BTreeSet<String>,
    /// Who changed it.
    pub actor: Option<String>,
}

/// What a change means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoleVerdict {
    /// Something was taken away.
    Request(Box<RevocationRequest>),
    /// Nothing was; no tokens need to be refused.
    NotADowngrade(RoleMove),
}

/// Why an event was refused. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRoleEvent {
    /// Another type, or none.
    #[error("the event's `type` is not `role.updated`, the only one that is understood")]
    Type,
    /// Not of the form.
    #[error("the event is not a role.updated as its schema has it: {0}")]
    Shape(&'static str),
    /// Roles on one side and permissions on the other, both, or neither.
    #[error("`old` and `new` must both have `roles` or both have `permissions`")]
    Sides,
    /// Too many, or a name that is empty, too long or has control characters.
    #[error("`{0}` has more than 1000 names, or one that is not 1 to 256 printable characters")]
    Names(&'static str),
    /// Neither the event nor the message has an id (I8).
    #[error("the event has no id: neither a member `id` nor a signed `webhook-id`")]
    NoEventId,
    /// Outside the source's grant.
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
    /// The result did not pass the request's own checks.
    #[error("the request made of the event is refused: {0}")]
    Request(#[from] BadRequest),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    #[serde(rename = "type")]
    _type: String,
    #[serde(default)]
    id: Option<String>,
    timestamp: String,
    data: Data,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Data {
    subject: SubjectIdentifier,
    old: Held,
    new: Held,
    #[serde(default)]
    actor: Option<Actor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    roles: Option<Vec<String>>,
    permissions: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Actor {
    id: String,
}

// === impl BadRoleEvent ===

impl BadRoleEvent {
    /// Stable name for metrics and answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Type => "event_type",
            Self::Shape(_) | Self::Sides | Self::Names(_) => "bad_event",
            Self::NoEventId => "no_event_id",
            Self::NotGranted(_) => "not_granted",
            Self::Request(_) => "bad_request",
        }
    }
}

// === impl RoleEvent ===

impl RoleEvent {
    /// Reads and bounds an event.
    pub fn parse(body: Value) -> Result<Self, BadRoleEvent> {
        // The type first: an event of another type may have any other form.
        if body.get("type").and_then(Value::as_str) != Some(ROLE_UPDATED) {
            return Err(BadRoleEvent::Type);
        }
        let wire: Wire = serde_json::from_value(body).map_err(|error| BadRoleEvent::Shape(mismatch(&error)))?;
        if EpochMillis::parse_rfc3339(&wire.timestamp).is_err() {
            return Err(BadRoleEvent::Shape("`timestamp` is not an RFC 3339 timestamp"));
        }
        if wire.id.as_ref().is_some_and(|id| core_text::check(id, MAX_EVENT_ID_CHARS).is_err()) {
            return Err(BadRoleEvent::Shape("`id` is not 1 to 256 printable characters"));
        }
        let (old, new) = sides(wire.data.old, wire.data.new)?;
        Ok(Self {
            id: wire.id,
            timestamp: wire.timestamp,
            subject: wire.data.subject,
            old: names("old", old)?,
            new: names("new", new)?,
            actor: wire.data.actor.map(|actor| actor.id),
        })
    }
}

// === impl RoleSource ===

impl RoleSource {
    /// Decides what a change means. `envelope_id` is an id that the message's signature covers, if there is one.
    pub fn translate(&self, event: &RoleEvent, envelope_id: Option<&str>) -> Result<RoleVerdict, BadRoleEvent> {
        let change = self.compare.compare(&event.old, &event.new);
        if change != RoleMove::Downgrade {
            return Ok(RoleVerdict::NotADowngrade(change));
        }
        let event_id = event.id.as_deref().or(envelope_id).ok_or(BadRoleEvent::NoEventId)?;
        let actor = event.actor.as_deref().and_then(|id| text::clean(id, MAX_INITIATOR_CHARS));
        let initiator = match actor {
            Some(id) => Initiator { kind: InitiatorKind::Admin, id },
            None => Initiator { kind: InitiatorKind::System, id: self.name.clone() },
        };
        let request = self.grant.fence(RevocationRequest {
            version: VERSION.to_owned(),
            source: EventSource { name: self.name.clone(), event_id: event_id.to_owned() },
            sub_id: event.subject.clone(),
            reason: ReasonCode::RoleChange,
            initiator,
            reason_admin: text::english(Some(&lost(event))),
            reason_user: LocalizedText::default(),
            occurred_at: Some(event.timestamp.clone()),
            effect: self.effect,
            lockout: false,
            session: None,
            approve_by: None,
            txn: None,
            pools: Vec::new(),
        })?;
        request.check()?;
        Ok(RoleVerdict::Request(Box::new(request)))
    }
}

/// For the record: what was taken away.
fn lost(event: &RoleEvent) -> String {
    let lost: Vec<&str> = event.old.difference(&event.new).map(String::as_str).collect();
    format!("Lost: {}", lost.join(", "))
}

fn sides(old: Held, new: Held) -> Result<(Vec<String>, Vec<String>), BadRoleEvent> {
    match (old, new) {
        (Held { roles: Some(old), permissions: None }, Held { roles: Some(new), permissions: None })
        | (Held { roles: None, permissions: Some(old) }, Held { roles: None, permissions: Some(new) }) => {
            Ok((old, new))
        }
        _ => Err(BadRoleEvent::Sides),
    }
}

fn names(side: &'static str, names: Vec<String>) -> Result<BTreeSet<String>, BadRoleEvent> {
    let is_fine = |name: &String| core_text::check(name, MAX_ROLE_CHARS).is_ok();
    let all_fine = names.len() <= MAX_ROLES && names.iter().all(is_fine);
    if all_fine { Ok(names.into_iter().collect()) } else { Err(BadRoleEvent::Names(side)) }
}

/// serde's messages quote values, so only the kind is passed on.
fn mismatch(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    if text.starts_with("missing field") {
        "a member is missing"
    } else if text.starts_with("unknown field") {
        "an unknown member"
    } else if text.starts_with("unknown variant") {
        "an unknown subject format"
    } else {
        "a value of the wrong type"
    }
}

#[cfg(test)]
mod tests;
