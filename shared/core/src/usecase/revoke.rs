//! Ends the sessions of whomever a request means: the main job.
//!
//! ```text
//! begin ─▶ resolve ─▶ for each subject: tombstone ─▶ lock ─▶ sign out ─▶ seal ─▶ forget devices ─▶ record ─▶ publish
//!   └ fixes the cutoff, once                └ durable before Cognito is asked to act (I1)      └ past the gap (I3)
//! ```
//!
//! Every step is written to the audit trail when it ends, and skipped when the trail has it: that is what makes a
//! redelivery harmless and a crash resumable (I8).

use std::sync::Arc;
use std::time::Duration;

use crate::domain::audit::{AuditRecord, Outcome, Started, Trail};
use crate::domain::event::{Event, RevocationFailed, SessionsRevoked};
use crate::domain::policy::Policy;
use crate::domain::profile::{Profile, SubjectKey};
use crate::domain::request::{Effect, RevocationRequest};
use crate::domain::session::SessionScope;
use crate::domain::subject::SubjectIdentifier;
use crate::domain::time::EpochMillis;
use crate::domain::tombstone::{Cutoff, CutoffKind};
use crate::ports::{
    AccountLocker, AuditLog, Begun, Clock, DeviceForgetter, EventPublisher, PortError, SessionLedger,
    SessionTerminator, SubjectResolver, TombstoneWriter,
};

mod halves;
mod outcome;
mod pool;
mod sessions;
mod steps;
mod whom;

use outcome::Completed;
pub use outcome::{RevocationOutcome, RevokeError};
use steps::{Lockout, Steps};

/// The ports and settings of the revoker.
pub struct Revoker {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Finds whom an identifier means.
    pub resolver: Arc<dyn SubjectResolver>,
    /// Writes tombstones.
    pub tombstones: Arc<dyn TombstoneWriter>,
    /// Ends sessions.
    pub terminator: Arc<dyn SessionTerminator>,
    /// Prevents new ones.
    pub locker: Arc<dyn AccountLocker>,
    /// Forgets devices.
    pub devices: Arc<dyn DeviceForgetter>,
    /// Remembers and proves.
    pub audit: Arc<dyn AuditLog>,
    /// Knows which sessions there were; `None` where no ledger is kept.
    pub ledger: Option<Arc<dyn SessionLedger>>,
    /// Tells the rest of the pipeline.
    pub publisher: Arc<dyn EventPublisher>,
    /// What follows from a reason.
    pub policy: Policy,
    /// How far Cognito's clock and ours may differ.
    pub clock_skew: Duration,
}

// === impl Revoker ===

impl Revoker {
    /// Carries out `request`, which the queue first handed over at `received_at`.
    pub async fn revoke(
        &self,
        request: RevocationRequest,
        received_at: EpochMillis,
    ) -> Result<RevocationOutcome, RevokeError> {
        if request.sub_id.is_many() {
            return Err(RevokeError::ManySubjects);
        }
        if matches!(request.sub_id, SubjectIdentifier::Pool { .. }) {
            return self.revoke_pool(request, received_at).await;
        }
        let mut trail = self.begin(request, received_at).await?;
        if trail.finished {
            return Ok(RevocationOutcome::Repeated(trail.completed.into_values().collect()));
        }
        let search = self.lock_out_and_search(&mut trail).await?;
        let (profiles, mut ended, mut failure) = (search.found, Vec::new(), None);
        if profiles.is_empty() && search.failure.is_none() {
            ended.push(self.end_nobody(&trail).await?);
        }
        for profile in &profiles {
            match self.end_sessions(&trail, profile).await {
                Ok(completed) => ended.push(completed),
                // One subject's trouble must not keep the others' sessions alive.
                Err(error) => failure = Some(PortError::worth_retrying(failure, error)),
            }
        }
        if let Some(why) = failure {
            let why = PortError::worth_retrying(search.failure, why);
            let left = profiles.len().saturating_sub(ended.len());
            return Err(RevokeError::Unfinished { left, of: profiles.len(), why });
        }
        if let Some(why) = search.failure {
            return Err(why.into());
        }
        self.audit.finished(&trail.started.revocation_id, self.clock.now()).await?;
        Ok(RevocationOutcome::of(ended))
    }

    /// Writes the start, or finds the earlier delivery's trail with the cutoff it fixed (I2).
    async fn begin(&self, request: RevocationRequest, received_at: EpochMillis) -> Result<Trail, RevokeError> {
        // Now, not when it occurred: what was authenticated since then is the attacker's as much as what was before. By
        // Cognito's clock, which may be ahead of ours: a session begun a second ago may be dated in a second. Whoever signs
        // in during that time is signed out in a moment anyway. A refresh is not, and must be served at once.
        let now = self.clock.now();
        // Nor is who signs in anew while all sessions but one are ended.
        let ends_all = request.effect == Effect::SignOut && !matches!(request.session, Some(SessionScope::AllBut(_)));
        let by_cognito = if ends_all { now.plus(self.clock_skew) } else { now };
        let started = Started {
            revocation_id: request.id(),
            digest: request.digest(),
            not_before: by_cognito.seconds(),
            received_at,
            request,
        };
        match self.audit.begin(&started).await? {
            Begun::New => Ok(Trail::new(started)),
            Begun::Before(trail) if trail.started.digest == started.digest => Ok(*trail),
            Begun::Before(_) => Err(RevokeError::IdConflict(started.revocation_id)),
        }
    }

    /// One subject, from the first missing step to the publication.
    async fn end_sessions(&self, trail: &Trail, profile: &Profile) -> Result<Completed, PortError> {
        let mut steps = Steps::of(self, trail, &profile.key);
        if !trail.completed.contains_key(&Some(profile.key.clone())) {
            let actions = self.policy.actions(&trail.started.request, profile);
            steps.tombstone(&lockout(trail)).await?;
            // What was called off is not carried out, whoever delivers it once more.
            if !steps.are_called_off() {
                steps.act(profile, actions).await?;
            }
        }
        let mut trail = trail.clone();
        trail.steps.insert(profile.key.clone(), steps.into_records());
        self.complete(&trail, Some(&profile.key)).await
    }

    /// Nobody was found. Where the identifier was a key, its tombstone stands, and is sealed.
    async fn end_nobody(&self, trail: &Trail) -> Result<Completed, PortError> {
        let request = &trail.started.request;
        let key = self.key_of(request);
        let Some(key) = key.filter(|_| request.effect == Effect::SignOut && request.session.is_none()) else {
            return self.complete(trail, None).await;
        };
        let mut steps = Steps::of(self, trail, &key);
        steps.nobody().await?;
        let mut with_steps = trail.clone();
        with_steps.steps.insert(key.clone(), steps.into_records());
        self.complete(&with_steps, Some(&key)).await
    }

    /// Writes the subject's record, then publishes it. In this order, so that a crash in between is seen and mended.
    async fn complete(&self, trail: &Trail, subject: Option<&SubjectKey>) -> Result<Completed, PortError> {
        if let Some(standing) = trail.completed.get(&subject.cloned()) {
            if let Some(key) = subject {
                self.publish(trail, key).await?;
            }
            return Ok(Completed::Standing(standing.clone()));
        }
        let steps = subject.and_then(|key| trail.steps.get(key)).cloned().unwrap_or_default();
        let record = AuditRecord::sum_up(&trail.started, subject, &steps);
        let record = match subject {
            Some(key) => record.with_sessions(self.ended_sessions(&trail.started, key).await),
            None => record,
        };
        let standing = self.audit.completed(&record, self.clock.now()).await?;
        if let Some(key) = subject {
            let mut trail = trail.clone();
            trail.completed.insert(Some(key.clone()), standing.clone());
            self.publish(&trail, key).await?;
        }
        // Of two deliveries at work at once, only the one whose record stands reports it.
        Ok(if standing == record { Completed::Written(record) } else { Completed::Standing(standing) })
    }

    async fn publish(&self, trail: &Trail, subject: &SubjectKey) -> Result<(), PortError> {
        let Some(record) = trail.completed.get(&Some(subject.clone())) else { return Ok(()) };
        if trail.published.contains(subject) {
            return Ok(());
        }
        let events = events(record, &trail.started.request);
        if !events.is_empty() {
            self.publisher.publish(&events).await?;
        }
        self.audit.published(&record.revocation_id, subject, self.clock.now()).await
    }
}

fn lockout(trail: &Trail) -> Lockout {
    let (id, at) = (trail.started.revocation_id.clone(), trail.started.not_before);
    let kind = match (&trail.started.request.session, trail.started.request.effect) {
        (Some(session), _) => return Lockout::Sessions(session.cutoff(id, at)),
        (None, Effect::SignOut) => CutoffKind::Sessions,
        (None, Effect::Refresh) => CutoffKind::Claims,
    };
    Lockout::Everything(Cutoff { revocation_id: id, at, kind })
}

/// What the bus is told. A person is told of ended sessions only if they were ended; a failed step is always told.
fn events(record: &AuditRecord, request: &RevocationRequest) -> Vec<Event> {
    let mut events = Vec::new();
    if record.outcome == Outcome::NoSuchUser {
        return events;
    }
    let ended = record.has_ended();
    // Addresses and devices stay in the audit trail: whoever listens on the bus has no need of them.
    let record = AuditRecord { sessions: Vec::new(), ..record.clone() };
    if ended {
        let reason_user = request.reason_user.clone();
        events.push(Event::SessionsRevoked(SessionsRevoked { record: record.clone(), reason_user }));
    }
    if record.steps.iter().any(|step| step.outcome.is_failed()) {
        events.push(Event::RevocationFailed(RevocationFailed { record }));
    }
    events
}
