//! What is configured: the checker, what is required, and who is told.

use std::sync::Arc;

use http::header::USER_AGENT;
use http::request::Parts;
use revocation_core::ports::SessionRecorder;
use revocation_verify::{Checker, Denied, Permit};
use tower_layer::Layer;

use crate::answer::Denial;
use crate::bearer;
use crate::client_ip::ClientIp;
use crate::requirement::Requirement;
use crate::service::Revocation;

/// Lets only requests through whose token is good and not revoked, and puts the [`Permit`] into their extensions.
#[derive(Clone)]
#[must_use]
pub struct RevocationLayer(Guard);

/// What was decided about a request, for a metric or a log.
#[derive(Clone, Copy, Debug)]
pub enum Decision<'a> {
    /// It goes on.
    Permitted(&'a Permit),
    /// It was refused.
    Denied(Denial),
}

type Hook = dyn Fn(&Decision<'_>) + Send + Sync;

/// Decides about requests. Cheap to clone: every connection has one.
#[derive(Clone)]
pub(crate) struct Guard {
    checker: Arc<Checker>,
    requirement: Arc<Requirement>,
    on_decision: Option<Arc<Hook>>,
    recorder: Option<Arc<dyn SessionRecorder>>,
    client_ip: ClientIp,
}

// === impl RevocationLayer ===

impl RevocationLayer {
    /// A layer that asks this checker about every request.
    pub fn new(checker: Arc<Checker>) -> Self {
        let requirement = Arc::default();
        Self(Guard { checker, requirement, on_decision: None, recorder: None, client_ip: ClientIp::Unknown })
    }

    /// Requires all of these scopes, or answers 403. A token that has none, such as an ID token, lacks them.
    pub fn require_scopes<T: Into<String>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        Arc::make_mut(&mut self.0.requirement).scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Requires membership in at least one of these groups (`cognito:groups`), or answers 403.
    pub fn require_any_group<T: Into<String>>(mut self, groups: impl IntoIterator<Item = T>) -> Self {
        let requirement = Arc::make_mut(&mut self.0.requirement);
        requirement.groups.get_or_insert_default().extend(groups.into_iter().map(Into::into));
        self
    }

    /// Tells of every decision, before it takes effect. To be quick: the request waits. To be counted above all is
    /// [`Permit::unchecked`].
    pub fn on_decision(mut self, hook: impl Fn(&Decision<'_>) + Send + Sync + 'static) -> Self {
        self.0.on_decision = Some(Arc::new(hook));
        self
    }

    /// Notes the sessions in use, with the address as [`Self::client_ip`] has it, and the user agent.
    pub fn recorder(mut self, recorder: Arc<dyn SessionRecorder>) -> Self {
        self.0.recorder = Some(recorder);
        self
    }

    /// How the client's address is known; it is not, unless this is said.
    pub fn client_ip(mut self, client_ip: ClientIp) -> Self {
        self.0.client_ip = client_ip;
        self
    }
}

impl<S> Layer<S> for RevocationLayer {
    type Service = Revocation<S>;

    fn layer(&self, inner: S) -> Revocation<S> {
        Revocation::new(inner, self.0.clone())
    }
}

// === impl Guard ===

impl Guard {
    /// Decides about a request, notes its session and tells of the decision.
    pub(crate) async fn decide(&self, parts: &Parts) -> Result<Permit, Denial> {
        let decision = self.permit(parts).await;
        self.tell(decision.as_ref().map_err(|denial| *denial));
        decision
    }

    pub(crate) fn tell(&self, decision: Result<&Permit, Denial>) {
        if let Some(hook) = &self.on_decision {
            hook(&decision.map_or_else(Decision::Denied, Decision::Permitted));
        }
    }

    async fn permit(&self, parts: &Parts) -> Result<Permit, Denial> {
        let token = bearer::token(&parts.headers)?;
        let permit = self.checker.check_and_tell(token).await.map_err(|denied| self.refused(&denied))?;
        self.record(&permit, parts);
        if self.requirement.is_met_by(&permit) { Ok(permit) } else { Err(Denial::Insufficient) }
    }

    /// Notes that a session that was ended is refused: the proof that it was.
    fn refused(&self, denied: &Denied) -> Denial {
        if let Some(recorder) = &self.recorder
            && let Some(sighting) = denied.ended_session(self.checker.clock.now())
        {
            recorder.refused(&sighting);
        }
        Denial::Token(denied.reason)
    }

    fn record(&self, permit: &Permit, parts: &Parts) {
        let Some(recorder) = &self.recorder else { return };
        let ip = self.client_ip.of(parts).map(|ip| ip.to_string());
        let user_agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
        if let Some(sighting) = permit.sighting(self.checker.clock.now(), ip.as_deref(), user_agent) {
            recorder.saw(&sighting);
        }
    }
}
