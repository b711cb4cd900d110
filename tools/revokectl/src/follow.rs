//! What following a request to its end says, whatever was requested, when it cannot be seen to the end.

use revocation_core::domain::revocation_id::RevocationId;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::moment::span;

/// It is not over within the time that is waited; `state` says how far it is.
pub(crate) fn too_late(context: &Context, id: &RevocationId, state: &str) -> Failure {
    context.pending(None);
    let limit = span(context.globals.timeout);
    Failure::new(Exit::TimedOut, format!("{id} is requested, but not finished after {limit}; {state}")).next(format!(
        "it goes on without us: revokectl audit show {id}\nwhat holds it up: revokectl status; was it parked: revokectl dlq show revoke"
    ))
}

/// It was requested; only the looking failed.
pub(crate) fn lost_sight(context: &Context, id: &RevocationId, failure: Failure) -> Failure {
    context.pending(None);
    let failure = context.explain(failure);
    let what = format!("{id} is requested and goes on without us, but it cannot be followed: {}", failure.what);
    Failure { what, ..failure }
}
