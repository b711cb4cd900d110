//! A request on the intake queue: it went through an intake's fence already and is published as it stands.
//!
//! It comes from the queue of parked requests, moved here by an operator, or from an intake that made sure of it before
//! it changed something itself. Its id is its own, so that what was published meanwhile has no second effect (I8).

use revocation_core::domain::event::Envelope;
use revocation_core::domain::request::RevocationRequest;

use super::{MalformedEvent, Verdict};

/// Reads the request.
pub(super) fn read(envelope: &Envelope<'_>) -> Result<Verdict, MalformedEvent> {
    Ok(Verdict::Requests(vec![RevocationRequest::parse(envelope.detail.get())?]))
}
