//! What members of a request must be to one another.

use super::{BadRequest, MAX_INITIATOR_CHARS, RevocationRequest};
use crate::domain::reason::ReasonCode;
use crate::domain::session::{self, SessionScope};
use crate::domain::text;

/// A reason that says something of the person, and not of one device, ends every session.
pub(super) fn check_session(session: &SessionScope, reason: ReasonCode) -> Result<(), BadRequest> {
    if !session::is_origin_jti(session.origin_jti()) {
        return Err(BadRequest::Session("is not 1 to 128 visible ASCII characters"));
    }
    if !matches!(reason, ReasonCode::UserRequest | ReasonCode::Anomaly | ReasonCode::Canary) {
        return Err(BadRequest::Session("is for user_request, anomaly and canary only"));
    }
    Ok(())
}

/// Only what many people are concerned by waits, and nobody approves what they ask for.
pub(super) fn check_approver(approver: &str, request: &RevocationRequest) -> Result<(), BadRequest> {
    text::check(approver, MAX_INITIATOR_CHARS).map_err(|e| BadRequest::Text("approve_by", e))?;
    if !request.sub_id.is_many() {
        return Err(BadRequest::ApproveBy("is for a group, a list, or whoever's end date has passed"));
    }
    if approver == request.initiator.id {
        return Err(BadRequest::ApproveBy("must be somebody else than the initiator"));
    }
    Ok(())
}

/// Everybody's sessions end for what concerns everybody, and nothing is done to an account.
pub(super) fn check_whole_pool(request: &RevocationRequest) -> Result<(), BadRequest> {
    if !matches!(request.reason, ReasonCode::Compromise | ReasonCode::PolicyViolation) {
        return Err(BadRequest::WholePool("is for compromise and policy_violation only"));
    }
    if request.lockout {
        return Err(BadRequest::WholePool("cannot be locked out"));
    }
    Ok(())
}
