//! Reads `Sessions Revoked` from the bus. Whoever may put events there may have put this one: it is checked again.

use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::event::SessionsRevoked;
use revocation_core::domain::text::BadText;
use serde_json::error::Category;

/// The version of the record this build reads.
const VERSION: &str = "1";
/// A request has at most 64 KiB; its record adds steps and times to it, not more than as much again.
const MAX_DETAIL_BYTES: usize = 128 * 1024;

/// Why an event was refused. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEvent {
    /// More than [`MAX_DETAIL_BYTES`].
    #[error("the event is larger than 131072 bytes")]
    TooLarge,
    /// Not JSON, or not of the schema.
    #[error("not a Sessions Revoked of version 1: {0}")]
    Shape(&'static str),
    /// Another version.
    #[error("unknown version; this build reads version 1")]
    Version,
    /// The text for the person.
    #[error("`reason_user` {0}")]
    ReasonUser(#[from] BadText),
    /// The subject is in a pool that is not configured.
    #[error("the subject is in a pool that is not in USER_POOL_IDS")]
    ForeignPool,
}

impl Disposed for BadEvent {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

/// Reads and checks the `detail` of an event.
pub(crate) fn parse(detail: &str, user_pool_ids: &[String]) -> Result<SessionsRevoked, BadEvent> {
    if detail.len() > MAX_DETAIL_BYTES {
        return Err(BadEvent::TooLarge);
    }
    let event: SessionsRevoked = serde_json::from_str(detail).map_err(|error| shape(&error))?;
    if event.record.version != VERSION {
        return Err(BadEvent::Version);
    }
    event.reason_user.check()?;
    let foreign = |pool: &str| !user_pool_ids.iter().any(|id| id == pool);
    if event.record.subject.as_ref().is_some_and(|subject| foreign(&subject.user_pool_id.0)) {
        return Err(BadEvent::ForeignPool);
    }
    Ok(event)
}

/// serde's messages quote values, so only the kind of the mistake is passed on.
fn shape(error: &serde_json::Error) -> BadEvent {
    BadEvent::Shape(match error.classify() {
        Category::Data => "a member is missing or of the wrong type",
        Category::Eof => "the JSON ends too early",
        Category::Syntax | Category::Io => "not JSON",
    })
}
