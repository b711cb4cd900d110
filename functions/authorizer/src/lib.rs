//! Refuses revoked tokens at API Gateway (REST, WebSocket, HTTP) and AppSync.
//!
//! Whatever goes wrong is a denial (I6). What does not end in a [`Permit`] ends in a deny or in an error, and every front
//! takes an error for a denial. That holds for a panic too: the runtime catches it and reports an error.

mod answer;
pub mod config;
mod payload;

use lambda_runtime::Diagnostic;
use revocation_enforce::Enforcer;
use revocation_lambda::metrics;
use revocation_verify::{Denied, DenyClass, DenyReason, Permit};

pub use answer::Answer;
use payload::{Client, Front, NoToken, Request};

/// What the function may do at most: the actions of the ports it may hold (I14).
pub const IAM_ACTIONS: &[&[&str]] = Enforcer::IAM_ACTIONS;

/// Why there is no answer. The request is refused all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No token, to a REST or WebSocket API. API Gateway looks for exactly this text and answers 401 by the gateway
    /// response `UNAUTHORIZED`; any other text is `AUTHORIZER_FAILURE`, a 5xx.
    #[error("Unauthorized")]
    Unauthorized,
    /// The token could not be checked. Not a deny: the client would throw a good token away and stampede to sign in.
    #[error("the token could not be checked: {0}")]
    Unavailable(DenyReason),
    /// The event is of no shape known here.
    #[error("the event is not an authorization request")]
    UnknownEvent,
}

/// Decides about one API request.
pub async fn handle(enforcer: &Enforcer, event: &str) -> Result<Answer, Failure> {
    let Request { front, token, client } = payload::read(event).inspect_err(|_| denied("unknown_event"))?;
    let token = match token {
        Ok(token) => token,
        Err(no_token) => return without_token(front, no_token),
    };
    match enforcer.checker.check_and_tell(&token).await {
        Ok(permit) => {
            note(enforcer, &permit, &client);
            Ok(allow(front, &permit))
        }
        Err(refused) => {
            note_refused(enforcer, &refused);
            deny(front, refused.reason)
        }
    }
}

/// Notes the session, off the request's path.
fn note(enforcer: &Enforcer, permit: &Permit, client: &Client) {
    let Some(recorder) = &enforcer.recorder else { return };
    let seen_at = enforcer.checker.clock.now();
    if let Some(sighting) = permit.sighting(seen_at, client.source_ip.as_deref(), client.user_agent.as_deref()) {
        recorder.saw(&sighting);
    }
}

/// Notes that a session that was ended is refused: the proof that it was, off the request's path.
fn note_refused(enforcer: &Enforcer, refused: &Denied) {
    let Some(recorder) = &enforcer.recorder else { return };
    if let Some(sighting) = refused.ended_session(enforcer.checker.clock.now()) {
        recorder.refused(&sighting);
    }
}

fn allow(front: Front, permit: &Permit) -> Answer {
    if permit.unchecked {
        metrics::count("BestEffortPermit", "client_id", &permit.client_id);
    }
    Answer::allow(front, permit)
}

fn deny(front: Front, reason: DenyReason) -> Result<Answer, Failure> {
    denied(reason.code());
    match reason.class() {
        DenyClass::InvalidToken => Ok(Answer::deny(front, reason.code())),
        DenyClass::Unavailable => Err(Failure::Unavailable(reason)),
    }
}

fn without_token(front: Front, no_token: NoToken) -> Result<Answer, Failure> {
    let code = no_token.code();
    tracing::debug!(reason = code, "denied");
    denied(code);
    match (front, no_token) {
        (Front::Rest { .. }, NoToken::Missing) => Err(Failure::Unauthorized),
        // A deny becomes a 401 too (gateway response ACCESS_DENIED), without counting as a failed invocation: or anybody
        // could ring the alarm on those by sending `Authorization: x`.
        (front, _) => Ok(Answer::deny(front, code)),
    }
}

fn denied(code: &str) {
    metrics::count("Denied", "reason", code);
}

/// [`handle`] from bytes to bytes, as the Lambda runtime drives it: for benches and tests without one.
pub async fn handle_bytes(enforcer: &Enforcer, event: &[u8]) -> Result<Vec<u8>, Failure> {
    let event = std::str::from_utf8(event).map_err(|_| Failure::UnknownEvent)?;
    let answer = handle(enforcer, event).await?;
    // Strings and a number: it cannot fail; if it does, there is no answer.
    serde_json::to_vec(&answer).map_err(|_| Failure::UnknownEvent)
}

// === impl Failure ===

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match failure {
            Failure::Unauthorized => "Unauthorized",
            Failure::Unavailable(_) => "Unavailable",
            Failure::UnknownEvent => "UnknownEvent",
        };
        Self { error_type: error_type.to_owned(), error_message: failure.to_string() }
    }
}

#[cfg(test)]
mod tests;
