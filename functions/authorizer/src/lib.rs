//! Refuses revoked tokens at API Gateway (REST, WebSocket, HTTP) and AppSync.
//!
//! Whatever goes wrong is a denial (I6). What does not end in a [`Permit`] ends in a deny or in an error, and every front
//! takes an error for a denial. That holds for a panic too: the runtime catches it and reports an error.

mod answer;
pub mod config;
mod payload;

use std::sync::Arc;
use std::time::Duration;

use lambda_runtime::Diagnostic;
use revocation_aws::dynamodb::DynamoTombstoneReader;
use revocation_aws::jwks::HttpsJwks;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::TombstoneReader;
use revocation_lambda::clock::SystemClock;
use revocation_lambda::metrics;
use revocation_verify::{BadVerifier, Checker, DenyClass, DenyReason, Permit, Verifier};

pub use answer::Answer;
use config::Config;
use payload::{Front, NoToken, Request};

/// What the function may do: the actions of the one port it holds (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[DynamoTombstoneReader::IAM_ACTIONS];

/// How long the init phase may spend on getting ready. AWS allows 10 s for all of it; a store that takes longer than
/// this is down, and then the first request's own timeouts shall tell.
const WARM_UP: Duration = Duration::from_secs(1);
/// A `sub` nobody has.
const NOBODY: &str = "warm-up";

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
pub async fn handle(checker: &Checker, event: &str) -> Result<Answer, Failure> {
    let Request { front, token } = payload::read(event).inspect_err(|_| denied("unknown_event"))?;
    let token = match token {
        Ok(token) => token,
        Err(no_token) => return without_token(front, no_token),
    };
    match checker.check(&token).await {
        Ok(permit) => Ok(allow(front, &permit)),
        Err(reason) => deny(front, reason),
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
pub async fn handle_bytes(checker: &Checker, event: &[u8]) -> Result<Vec<u8>, Failure> {
    let event = std::str::from_utf8(event).map_err(|_| Failure::UnknownEvent)?;
    let answer = handle(checker, event).await?;
    // Strings and a number: it cannot fail; if it does, there is no answer.
    serde_json::to_vec(&answer).map_err(|_| Failure::UnknownEvent)
}

/// The checker as configured, over the real clock and the pools' own key endpoints.
pub fn checker(config: Config, reader: Arc<dyn TombstoneReader>) -> Result<Checker, BadVerifier> {
    let verifier = Verifier::builder(Arc::new(HttpsJwks::default()), Arc::new(SystemClock))
        .pools(config.pools)
        .token_uses(config.token_uses)
        .cache_entries(config.signature_cache)
        .end_date_claim(config.end_date_claim)
        .build()?;
    Ok(Checker { verifier, reader, clock: Arc::new(SystemClock), store_outage: config.store_outage })
}

/// Fetches keys and opens the connection to DynamoDB in the init phase, where CPU is not throttled and no request waits.
pub async fn warm(checker: &Checker) {
    // A failure is ignored: what is needed and missing is fetched again by the first request, which is denied if it fails.
    let _ = tokio::time::timeout(WARM_UP, checker.warm(&SubjectKey::new(NOBODY, NOBODY))).await;
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
