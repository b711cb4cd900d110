//! `role.updated` of internal role systems: a downgrade becomes `Revocation Requested`; an upgrade, or a move between
//! roles of the same power, changes nothing and is told so.
//!
//! `POST /hooks/role-change/{source} ─▶ authenticate ─▶ read ─▶ compare ─▶ submit`.

use async_trait::async_trait;
use revocation_core::usecase::intake::Submission;
use revocation_edge::webhook::{self, WebhookReceiver};
use revocation_edge::{Handler, Problem, Request, Response, SourceBook};
use revocation_lambda::metrics;
use revocation_sources::authenticate::Authentic;
use revocation_sources::role_event::{BadRoleEvent, RoleEvent, RoleSource, RoleVerdict};
use serde_json::json;

pub use revocation_edge::IAM_ACTIONS;

/// Receives changes of roles.
pub struct RoleChangeIntake {
    /// The sources in force.
    pub sources: SourceBook,
    /// What every webhook goes through.
    pub receiver: WebhookReceiver,
}

#[async_trait]
impl Handler for RoleChangeIntake {
    async fn handle(&self, request: Request) -> Response {
        let answer = match (request.method.as_str(), request.segments().as_slice()) {
            ("POST", ["hooks", "role-change", source]) => self.receive(source, &request).await,
            (_, ["hooks", "role-change", _]) => {
                let problem = Problem::new(405, "method_not_allowed", "changes of roles are sent with POST");
                return problem.response().with("allow", "POST");
            }
            _ => Err(nothing_here()),
        };
        answer.unwrap_or_else(|problem| problem.response())
    }
}

// === impl RoleChangeIntake ===

impl RoleChangeIntake {
    async fn receive(&self, name: &str, request: &Request) -> Result<Response, Problem> {
        let sources = self.sources.current().await;
        let source = sources.role_change.get(name).ok_or_else(nothing_here)?;
        let sender = self.receiver.authenticate(&source.name, &source.authentication, request, None).await?;
        tracing::info!(source = source.name, secret = sender.secret_name, "authenticated");
        let work = self.compare(source, &sender, request);
        self.receiver.last_heard.beside(&source.name, source.silent_after, work).await
    }

    /// What an authentic request comes to.
    async fn compare(&self, source: &RoleSource, sender: &Authentic, request: &Request) -> Result<Response, Problem> {
        let body = self.receiver.json(&source.name, &request.body)?;
        let event = RoleEvent::parse(body).map_err(|error| refused(source, &error))?;
        let verdict = source.translate(&event, sender.event_id.as_deref());
        match verdict.map_err(|error| refused(source, &error))? {
            RoleVerdict::NotADowngrade(change) => {
                metrics::count("NotADowngrade", "change", change.as_str());
                tracing::info!(source = source.name, change = change.as_str(), "nothing to revoke");
                let body = json!({ "status": "no_effect", "change": change.as_str() });
                Ok(Response::json(200, "application/json", &body))
            }
            RoleVerdict::Request(request) => {
                let event_id = request.source.event_id.clone();
                let submission = Submission {
                    source: &source.name,
                    event_id: &event_id,
                    subjects_per_hour: source.grant.subjects_per_hour,
                    requests: vec![*request],
                };
                Ok(self.receiver.submit(submission).await)
            }
        }
    }
}

/// 403: authentic, but not granted. 422: authentic, but not an event that can be acted upon.
fn refused(source: &RoleSource, error: &BadRoleEvent) -> Problem {
    let status = if matches!(error, BadRoleEvent::NotGranted(_)) { 403 } else { 422 };
    webhook::untranslatable(&source.name, status, error.code(), &error.to_string())
}

fn nothing_here() -> Problem {
    let detail = "no source is configured at this address; changes of roles go to /hooks/role-change/<source>";
    Problem::new(404, "unknown_source", detail)
}

#[cfg(test)]
mod tests;
