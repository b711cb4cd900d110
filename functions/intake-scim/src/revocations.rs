//! What a change in the directory means for sessions, and in which order the two are done.
//!
//! - Deactivation and deletion: the revocation is on the bus *first*. If it cannot be put there, nothing is changed.
//! - Loss of a role or a group: a token refreshed between revocation and loss would carry the role still, so the loss comes
//!   first. That nothing is lost by a crash in between, the request is sent ahead with a delay: whichever copy comes second
//!   has the same id and content, and no effect (I8).

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::Sub;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::LocalizedText;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::RequestQueue;
use revocation_core::usecase::intake::Gate;
use revocation_lambda::metrics;
use revocation_scim::ScimError;
use revocation_sources::scim::{OnRoleLoss, ScimSource};

use crate::answer::failed;
use crate::at_once::at_once;

/// Longer than any request takes: the copy sent ahead finds the directory changed.
const AHEAD: Duration = Duration::from_secs(30);
const AHEAD_NOTE: &str = "sent ahead of a change in the directory, in case the function ends before its own copy";

/// Makes and sends the revocations of one request.
pub(crate) struct Revocations<'a> {
    pub(crate) gate: &'a Gate,
    pub(crate) ahead: &'a Arc<dyn RequestQueue>,
    pub(crate) source: &'a ScimSource,
    /// `scim/<source>/<token>`.
    pub(crate) initiator: String,
    /// Id of the HTTP request.
    pub(crate) request_id: &'a str,
    /// When it arrived.
    pub(crate) at: EpochMillis,
}

/// Revocations that are durable and will be on the bus within [`AHEAD`]; after the change they are put there at once.
#[must_use = "the change in the directory comes next, then `keep`"]
pub(crate) struct Promised(Vec<RevocationRequest>);

// === impl Revocations ===

impl Revocations<'_> {
    /// The user is about to be deactivated or deleted. On the bus when it returns; on error the account must stay as it is.
    pub(crate) async fn before_leaving(&self, sub: &Sub) -> Result<(), ScimError> {
        let request = self.request(sub, self.source.leaving_reason, Effect::SignOut)?;
        let sorted = self.gate.sort(vec![request], self.limit()).await.map_err(|error| failed(&error))?;
        if sorted.admitted.is_empty() {
            self.park(&sorted.over_limit).await?;
            return Err(ScimError::status(
                429,
                "this client has deactivated as many users this hour as it may; the revocation waits for an operator, and \
                 the account is as it was. Repeat the request later",
            ));
        }
        self.gate.publish(&sorted.admitted).await.map_err(|error| failed(&error))?;
        self.note(&sorted.admitted);
        Ok(())
    }

    /// The users are about to lose a role or a group. Durable when it returns; on error the change must not be made.
    pub(crate) async fn before_losing(&self, subs: &[Sub]) -> Result<Promised, ScimError> {
        let effect = match self.source.on_role_loss {
            OnRoleLoss::SignOut => Effect::SignOut,
            OnRoleLoss::Refresh => Effect::Refresh,
            OnRoleLoss::None => return Ok(Promised(Vec::new())),
        };
        let requests: Result<Vec<_>, _> =
            subs.iter().map(|sub| self.request(sub, ReasonCode::RoleChange, effect)).collect();
        let sorted = self.gate.sort(requests?, self.limit()).await.map_err(|error| failed(&error))?;
        // A loss is carried out in any case: it takes something away, it locks nobody out.
        self.park(&sorted.over_limit).await?;
        let send = |request: RevocationRequest| {
            let ahead = Arc::clone(self.ahead);
            async move { ahead.send(&request, AHEAD, AHEAD_NOTE).await }
        };
        for sent in at_once(sorted.admitted.clone(), send).await {
            sent.map_err(|error| failed(&error))?;
        }
        Ok(Promised(sorted.admitted))
    }

    /// The change is made: no need to wait for the copies sent ahead.
    pub(crate) async fn keep(&self, promised: Promised) {
        match self.gate.publish(&promised.0).await {
            Ok(()) => self.note(&promised.0),
            Err(error) => tracing::warn!(%error, "revocations come by the copies sent ahead"),
        }
    }

    fn request(&self, sub: &Sub, reason: ReasonCode, effect: Effect) -> Result<RevocationRequest, ScimError> {
        let text = match reason {
            ReasonCode::RoleChange => "lost a role or a group over SCIM",
            _ => "deactivated or deleted over SCIM",
        };
        let request = RevocationRequest {
            version: VERSION.to_owned(),
            source: EventSource {
                name: self.source.name.clone(),
                // A command has no id of its own; a repetition is another command with the same effect.
                event_id: format!("{}/{sub}", self.request_id),
            },
            sub_id: SubjectIdentifier::IssSub { iss: self.source.pool.issuer(), sub: sub.0.clone() },
            reason,
            initiator: Initiator { kind: InitiatorKind::System, id: self.initiator.clone() },
            reason_admin: LocalizedText::english(text),
            reason_user: LocalizedText::default(),
            occurred_at: Some(self.at.rfc3339()),
            effect,
            lockout: false,
            session: None,
            approve_by: None,
            txn: Some(self.request_id.to_owned()),
            pools: vec![self.source.pool.clone()],
        };
        self.source.grant.fence(request).map_err(|error| {
            tracing::error!(source = self.source.name, %error, "refused");
            ScimError::status(403, "this client is not granted the revocation that this change means")
        })
    }

    async fn park(&self, requests: &[RevocationRequest]) -> Result<(), ScimError> {
        self.gate.park(requests).await.map_err(|error| failed(&error))?;
        for request in requests {
            let source = &self.source.name;
            tracing::warn!(source, revocation_id = %request.id(), "parked: beyond the source's blast radius");
            metrics::count("OverBlastRadius", "source", source);
        }
        Ok(())
    }

    fn note(&self, requests: &[RevocationRequest]) {
        for request in requests {
            let source = &self.source.name;
            tracing::info!(source, revocation_id = %request.id(), reason = %request.reason, "requested");
            metrics::count("Translated", "source", source);
        }
    }

    fn limit(&self) -> u32 {
        self.source.grant.subjects_per_hour
    }
}
