//! Alert webhooks become `Revocation Requested`.
//!
//! `POST /hooks/siem/{source}[/{secret}] ─▶ authenticate ─▶ read ─▶ translate by the source's configuration ─▶ submit`.
//! The raw bytes are authenticated before anything parses them; 2xx is said only of what is durable.

use async_trait::async_trait;
use revocation_core::usecase::intake::Submission;
use revocation_edge::webhook::{self, WebhookReceiver};
use revocation_edge::{Handler, Problem, Request, Response, SourceBook};
use revocation_lambda::metrics;
use revocation_sources::authenticate::{Authentic, Authentication, okta_verification};
use revocation_sources::siem::{SiemSource, Untranslatable, Verdict};

pub use revocation_edge::IAM_ACTIONS;

/// Receives alerts.
pub struct SiemIntake {
    /// The sources in force.
    pub sources: SourceBook,
    /// What every webhook goes through.
    pub receiver: WebhookReceiver,
}

#[async_trait]
impl Handler for SiemIntake {
    async fn handle(&self, request: Request) -> Response {
        let answer = match (request.method.as_str(), request.segments().as_slice()) {
            (method, ["hooks", "siem", source, rest @ ..]) if rest.len() <= 1 => {
                let (source, path_secret) = (*source, rest.first().copied());
                match method {
                    "POST" => self.receive(source, path_secret, &request).await,
                    "GET" => self.verify(source, &request).await,
                    _ => return not_allowed(),
                }
            }
            _ => Err(nothing_here()),
        };
        answer.unwrap_or_else(|problem| problem.response())
    }
}

// === impl SiemIntake ===

impl SiemIntake {
    async fn receive(&self, name: &str, path_secret: Option<&str>, request: &Request) -> Result<Response, Problem> {
        let sources = self.sources.current().await;
        let source = sources.siem.get(name).ok_or_else(nothing_here)?;
        let sender = self.receiver.authenticate(&source.name, &source.authentication, request, path_secret).await?;
        tracing::info!(source = source.name, secret = sender.secret_name, "authenticated");
        let work = self.translate(source, &sender, request);
        self.receiver.last_heard.beside(&source.name, source.silent_after, work).await
    }

    /// What an authentic request comes to.
    async fn translate(&self, source: &SiemSource, sender: &Authentic, request: &Request) -> Result<Response, Problem> {
        let alert = self.receiver.json(&source.name, &request.body)?;
        let verdict = source.translate(&alert, sender.event_id.as_deref());
        match verdict.map_err(|error| refused(source, &error))? {
            Verdict::Ignored(why) => Ok(webhook::ignored(&source.name, why)),
            Verdict::Requests { event_id, requests, unusable } => {
                for _ in 0..unusable {
                    metrics::count("SubjectUnusable", "source", &source.name);
                }
                let subjects_per_hour = source.grant.subjects_per_hour;
                let submission = Submission { source: &source.name, event_id: &event_id, requests, subjects_per_hour };
                Ok(self.receiver.submit(submission).await)
            }
        }
    }

    /// Okta's one-time verification of an event hook: it wants its challenge back.
    async fn verify(&self, name: &str, request: &Request) -> Result<Response, Problem> {
        let sources = self.sources.current().await;
        let source = sources.siem.get(name).ok_or_else(nothing_here)?;
        let challenge = request.header("x-okta-verification-challenge");
        let (Authentication::OktaEventHook { .. }, Some(challenge)) = (&source.authentication, challenge) else {
            return Ok(not_allowed());
        };
        self.receiver.authenticate(&source.name, &source.authentication, request, None).await?;
        let answer =
            okta_verification(challenge).map_err(|error| Problem::new(400, error.code(), error.to_string()))?;
        Ok(Response { body: answer, ..Response::empty(200) }.with("content-type", "application/json"))
    }
}

/// 403: authentic, but not granted. 422: authentic, but it cannot be acted upon as it is configured.
fn refused(source: &SiemSource, error: &Untranslatable) -> Problem {
    let status = if matches!(error, Untranslatable::NotGranted(_)) { 403 } else { 422 };
    webhook::untranslatable(&source.name, status, error.code(), &error.to_string())
}

fn nothing_here() -> Problem {
    let detail = "no source is configured at this address; alerts go to /hooks/siem/<source>";
    Problem::new(404, "unknown_source", detail)
}

fn not_allowed() -> Response {
    Problem::new(405, "method_not_allowed", "alerts are sent with POST").response().with("allow", "POST")
}

#[cfg(test)]
mod tests;
