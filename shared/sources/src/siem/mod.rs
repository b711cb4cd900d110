//! Alerts of a SIEM: from whatever JSON it sends to the requests it means, by configuration instead of code.

use std::time::Duration;

use revocation_core::domain::grant::{Grant, NotGranted};
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::request::{BadRequest, Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::subject::{BadSubject, SubjectIdentifier};
use revocation_core::domain::text::LocalizedText;
use serde_json::Value;

use crate::authenticate::Authentication;
use crate::expression::Alert;
use crate::text;

mod mapping;
mod preset;
mod severity;
mod subject;

pub use mapping::Mapping;
pub use preset::Preset;
pub use severity::{Severity, SeverityScale};
pub use subject::{MAX_SUBJECTS, SubjectFormat};

use subject::Subjects;

/// The core's bounds of `initiator.id` and of `txn`.
const MAX_INITIATOR_CHARS: usize = 512;
const MAX_TXN_CHARS: usize = 256;

/// One configured sender of alerts, `/hooks/siem/<name>`.
#[derive(Clone, Debug, PartialEq)]
pub struct SiemSource {
    /// `siem/<name>`: the `source.name` of its requests.
    pub name: String,
    /// The preset its mapping began with.
    pub preset: Preset,
    /// How it proves who it is.
    pub authentication: Authentication,
    /// What it may ask for.
    pub grant: Grant,
    /// Alerts below it are ignored.
    pub severity_floor: Option<Severity>,
    /// Whether accounts are to be disabled instead of reset (`compromise`).
    pub lockout: bool,
    /// How its alerts are read.
    pub mapping: Mapping,
    /// How long after it was heard of last it counts as silent; `None`: it may be as quiet as it likes.
    pub silent_after: Option<Duration>,
}

/// What an alert means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These revocations, one a subject; each has passed the grant and its own checks.
    Requests {
        /// The sender's id of the alert.
        event_id: String,
        /// One a subject, in an order that does not depend on the alert's.
        requests: Vec<RevocationRequest>,
        /// How many names in the alert could not be anybody's: they are left out, and to be reported.
        unusable: usize,
    },
    /// None, because of this stable code: `severity_below_floor`, `resolved`, `event_type`, `test`, `ignored`.
    Ignored(&'static str),
}

/// An alert that cannot be acted upon. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untranslatable {
    /// The expression found nobody.
    #[error("the alert names nobody: the source's `subject` expression finds nothing in it")]
    NoSubject,
    /// What it found is neither text nor a subject identifier.
    #[error("what the source's `subject` expression finds is neither a text nor a subject identifier")]
    SubjectShape,
    /// Not one of the names can be somebody's.
    #[error("the alert names nobody who could exist: {0}")]
    Subject(BadSubject),
    /// More than [`MAX_SUBJECTS`].
    #[error("the alert names more than 100 subjects")]
    TooManySubjects,
    /// Without an id a redelivery would be another revocation (I8).
    #[error("the alert has no id: neither the source's `event_id` expression nor a signed header gives one")]
    NoEventId,
    /// Outside the source's grant.
    #[error(transparent)]
    NotGranted(#[from] NotGranted),
    /// The result did not pass the request's own checks.
    #[error("the request made of the alert is refused: {0}")]
    Request(#[from] BadRequest),
}

// === impl Untranslatable ===

impl Untranslatable {
    /// Stable name for metrics and answers.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSubject => "no_subject",
            Self::SubjectShape | Self::Subject(_) => "bad_subject",
            Self::TooManySubjects => "too_many_subjects",
            Self::NoEventId => "no_event_id",
            Self::NotGranted(_) => "not_granted",
            Self::Request(_) => "bad_request",
        }
    }
}

// === impl SiemSource ===

impl SiemSource {
    /// Translates an alert. `envelope_id` is an id that the message's signature covers, if there is one.
    pub fn translate(&self, body: &Value, envelope_id: Option<&str>) -> Result<Verdict, Untranslatable> {
        let alert = Alert::of(body);
        if let Some(code) = self.mapping.ignored(&alert) {
            return Ok(Verdict::Ignored(code));
        }
        if self.severity_floor.is_some_and(|floor| self.mapping.severity(&alert) < floor) {
            return Ok(Verdict::Ignored("severity_below_floor"));
        }
        let subjects = Subjects::read(&self.mapping.subject.search(&alert), self.mapping.subject_format)?;
        let event_id = self.mapping.event_id(&alert, envelope_id).ok_or(Untranslatable::NoEventId)?;
        let is_one = subjects.good.len() == 1;
        let unusable = subjects.unusable;
        let template = self.template(&alert);
        let request = |(key, sub_id): (String, SubjectIdentifier)| -> Result<RevocationRequest, Untranslatable> {
            // The same subject gets the same id, whatever its place in the alert.
            let event_id = if is_one { event_id.clone() } else { format!("{event_id}/{key}") };
            let source = EventSource { name: self.name.clone(), event_id };
            let request = self.grant.fence(RevocationRequest { source, sub_id, ..template.clone() })?;
            request.check()?;
            Ok(request)
        };
        let requests = subjects.good.into_iter().map(request).collect::<Result<_, _>>()?;
        Ok(Verdict::Requests { event_id, requests, unusable })
    }

    /// Everything that is the same for every subject.
    fn template(&self, alert: &Alert) -> RevocationRequest {
        let clean = |said: Option<String>, max| said.and_then(|said| text::clean(&said, max));
        let rule = clean(self.mapping.rule(alert), MAX_INITIATOR_CHARS);
        RevocationRequest {
            version: VERSION.to_owned(),
            source: EventSource { name: String::new(), event_id: String::new() },
            sub_id: SubjectIdentifier::Opaque { id: String::new() },
            reason: self.mapping.reason(alert),
            initiator: Initiator { kind: InitiatorKind::Policy, id: rule.unwrap_or_else(|| self.name.clone()) },
            reason_admin: text::english(self.mapping.title(alert).as_deref()),
            reason_user: LocalizedText::default(),
            occurred_at: self.mapping.occurred_at(alert),
            effect: Effect::SignOut,
            lockout: self.lockout,
            session: None,
            approve_by: None,
            txn: clean(self.mapping.txn(alert), MAX_TXN_CHARS),
            pools: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
