//! What every webhook intake does alike: authenticate the sender, read the body strictly, and answer what came of it.

use std::sync::Arc;

use revocation_core::domain::disposition::{Disposed as _, Disposition};
use revocation_core::ports::{Clock, PortError};
use revocation_core::usecase::intake::{Acceptance, Intake, IntakeError, Passed, Submission};
use revocation_lambda::metrics;
use revocation_sources::authenticate::{Authentic, Authentication, Presented, SecretList, authenticate};
use revocation_sources::json;
use serde_json::{Value, json};

use crate::keyring::Keyring;
use crate::last_heard::LastHeard;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;

/// Receives webhooks of configured sources.
pub struct WebhookReceiver {
    /// The senders' secrets.
    pub keyring: Keyring,
    /// Who was heard of.
    pub last_heard: LastHeard,
    /// Time, for signatures that carry one.
    pub clock: Arc<dyn Clock>,
    /// The way to the bus.
    pub intake: Intake,
}

// === impl WebhookReceiver ===

impl WebhookReceiver {
    /// Who sent the request; `source` is the name of the one it claims to be.
    pub async fn authenticate(
        &self,
        source: &str,
        how: &Authentication,
        request: &Request,
        path_secret: Option<&str>,
    ) -> Result<Authentic, Problem> {
        let now = self.clock.now().seconds();
        let attempt = |secrets: &SecretList| {
            let headers = |name: &str| request.header(name);
            let presented = Presented { headers: &headers, body: &request.body, path_secret };
            authenticate(how, &presented, secrets, now)
        };
        let attempt = self.keyring.try_with(how.secret(), |text| how.secrets(text), attempt).await;
        attempt.map_err(|error| unavailable(&error))?.map_err(|error| {
            metrics::count("Unauthenticated", "source", source);
            tracing::warn!(source, reason = error.code(), "turned away");
            Problem::new(401, error.code(), error.to_string())
        })
    }

    /// The body as JSON.
    pub fn json(&self, source: &str, body: &[u8]) -> Result<Value, Problem> {
        json::parse_json(body).map_err(|error| untranslatable(source, 400, error.code(), &error.to_string()))
    }

    /// Carries out what an event asks for, and answers.
    pub async fn submit(&self, submission: Submission<'_>) -> Response {
        let source = submission.source;
        match self.intake.submit(submission).await {
            Ok(Acceptance::Accepted(passed)) => accepted(source, &passed),
            Ok(Acceptance::Repeated) => {
                metrics::count("Repeated", "source", source);
                Response::json(200, "application/json", &json!({ "status": "repeated" }))
            }
            Err(IntakeError::Port(error)) => unavailable(&error).response(),
            Err(error) => {
                metrics::count("Conflicting", "source", source);
                tracing::warn!(source, %error, "refused");
                Problem::new(409, "id_conflict", error.to_string()).response()
            }
        }
    }
}

/// The event is authentic, but means nothing that could be carried out. It is counted, so that a feed that has changed
/// its form is noticed.
#[must_use]
pub fn untranslatable(source: &str, status: u16, code: &'static str, detail: &str) -> Problem {
    metrics::count("Untranslatable", "source", source);
    tracing::warn!(source, code, detail, "refused");
    Problem::new(status, code, detail)
}

/// The event is understood, and there is nothing to do.
#[must_use]
pub fn ignored(source: &str, why: &'static str) -> Response {
    metrics::count("Ignored", "source", source);
    tracing::info!(source, why, "ignored");
    Response::json(200, "application/json", &json!({ "status": "ignored", "why": why }))
}

/// 202: durable, and acted upon within seconds, or when an operator releases it.
fn accepted(source: &str, passed: &Passed) -> Response {
    for id in &passed.published {
        tracing::info!(source, revocation_id = %id, "accepted");
        metrics::count("Translated", "source", source);
    }
    for id in &passed.parked {
        tracing::warn!(source, revocation_id = %id, "parked: beyond the source's blast radius");
        metrics::count("OverBlastRadius", "source", source);
    }
    let status = if passed.parked.is_empty() { "accepted" } else { "parked" };
    let body = json!({ "status": status, "revocations": passed.published, "parked": passed.parked });
    Response::json(202, "application/json", &body)
}

/// The sender is to come again. What will not pass by trying again is an alarm of ours, not a matter of the sender's: it
/// gets the same answer, and its retries bridge the repair.
fn unavailable(error: &PortError) -> Problem {
    let for_good = error.disposition() == Disposition::Reject;
    tracing::error!(%error, for_good, "the event could not be accepted");
    Problem::new(503, "unavailable", "the event could not be made durable; send it again")
}
