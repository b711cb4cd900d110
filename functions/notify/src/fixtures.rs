//! Events for tests.

use revocation_core::domain::audit::{AuditRecord, Outcome};
use revocation_core::domain::event::SessionsRevoked;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};

pub(crate) const POOL: &str = "eu-central-1_TEST";

/// Sessions ended on 2026-07-31T16:00:00Z.
pub(crate) fn event(reason: ReasonCode) -> SessionsRevoked {
    let record = AuditRecord {
        version: "1".into(),
        revocation_id: RevocationId("rv_1".into()),
        source: EventSource { name: "okta/acme".into(), event_id: "e1".into() },
        initiator: Initiator { kind: InitiatorKind::System, id: "okta".into() },
        subject: Some(SubjectKey::new(POOL, "sub-1")),
        reason,
        reason_admin: LocalizedText::default(),
        effect: Effect::SignOut,
        outcome: Outcome::Complete,
        steps: Vec::new(),
        session: None,
        sessions_ended: None,
        sessions: Vec::new(),
        received_at: EpochMillis(0),
        tombstoned_at: Some(EpochMillis(1_785_513_600_000)),
        sealed_at: None,
        not_before: EpochSeconds(1_785_513_600),
        elapsed_to_tombstone_ms: None,
        elapsed_to_seal_ms: None,
    };
    SessionsRevoked { record, reason_user: LocalizedText::default() }
}
