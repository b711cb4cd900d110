//! From the bus to OCSF: pure, one module for each kind of event. A new kind is a module, an arm here, and the rule's pattern.

mod account_action;
mod bulk;
mod incident;
mod parts;
mod revocation;

use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::bulk::BulkRevocationCompleted;
use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::event::{
    ACCOUNT_ACTION_COMPLETED, BULK_REVOCATION_COMPLETED, COMPROMISE_THRESHOLD_EXCEEDED, Envelope, REVOCATION_FAILED,
    RevocationFailed, SESSIONS_REVOKED, SessionsRevoked,
};
use revocation_core::domain::incident::Page;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::SiemEvent;
use serde::Deserialize;
use serde_json::error::Category;

use crate::ocsf::{Draft, Origin};

/// The version of the events this build reads.
const READS: &str = "1";

/// Why an event was refused. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEvent {
    /// Not JSON, or not of the schema.
    #[error("not an event of version 1: {0}")]
    Shape(&'static str),
    /// Another version.
    #[error("unknown version; this build reads version 1")]
    Version,
}

impl Disposed for BadEvent {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

/// The events a SIEM is told for one event on the bus, received at `received_at`; `None` for one that is none of its business.
pub fn translate(envelope: &Envelope<'_>, received_at: EpochMillis) -> Result<Option<Vec<SiemEvent>>, BadEvent> {
    let put = envelope.time.as_deref().and_then(|time| EpochMillis::parse_rfc3339(time).ok());
    let origin = Origin {
        detail_type: &envelope.detail_type,
        account: envelope.account.as_deref(),
        region: envelope.region.as_deref(),
        logged_at: put.unwrap_or(received_at),
    };
    let Some(drafts) = drafts(envelope, &origin)? else { return Ok(None) };
    Ok(Some(drafts.into_iter().map(|draft| draft.finish(&origin)).collect()))
}

fn drafts(envelope: &Envelope<'_>, origin: &Origin<'_>) -> Result<Option<Vec<Draft>>, BadEvent> {
    let detail = envelope.detail.get();
    Ok(Some(match envelope.detail_type.as_str() {
        SESSIONS_REVOKED => revocation::ended(&read::<SessionsRevoked>(detail)?.record),
        REVOCATION_FAILED => revocation::failed(&read::<RevocationFailed>(detail)?.record),
        ACCOUNT_ACTION_COMPLETED => account_action::completed(&read::<ActionRecord>(detail)?).into_iter().collect(),
        BULK_REVOCATION_COMPLETED => vec![bulk::completed(&read::<BulkRevocationCompleted>(detail)?, origin)],
        COMPROMISE_THRESHOLD_EXCEEDED => vec![incident::page(&read::<Page>(detail)?, origin)],
        _ => return Ok(None),
    }))
}

#[derive(Deserialize)]
struct Versioned {
    version: String,
}

fn read<'a, T: Deserialize<'a>>(detail: &'a str) -> Result<T, BadEvent> {
    let versioned: Versioned = serde_json::from_str(detail).map_err(|error| shape(&error))?;
    if versioned.version != READS {
        return Err(BadEvent::Version);
    }
    serde_json::from_str(detail).map_err(|error| shape(&error))
}

/// serde's messages quote values, so only the kind of the mistake is passed on.
fn shape(error: &serde_json::Error) -> BadEvent {
    BadEvent::Shape(match error.classify() {
        Category::Data => "a member is missing or of the wrong type",
        Category::Eof => "the JSON ends too early",
        Category::Syntax | Category::Io => "not JSON",
    })
}
