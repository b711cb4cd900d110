//! The ports of a delivery that can be interrupted, or die, before and after each call; and a Cognito with sessions, whose
//! clock differs from ours.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use revocation_core::domain::audit::{AuditRecord, Started, Step, StepRecord};
use revocation_core::domain::event::Event;
use revocation_core::domain::policy::Policy;
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionCutoff;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Cutoff, Raised, Seal, Sealed, TokenStamp};
use revocation_core::ports::{
    AccountLocker, Acted, AuditLog, Begun, Clock as _, DeviceForgetter, EventPublisher, PortError, SessionTerminator,
    SubjectResolver, TombstoneWriter,
};
use revocation_core::usecase::revoke::Revoker;
use revocation_testkit::cloud::FakeCloud;
use tokio::sync::Notify;

use crate::world::SKEW;

/// A session, by true time (our clock's) and by Cognito's.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) origin_jti: String,
    pub(crate) began: EpochMillis,
    pub(crate) may_refresh: bool,
    /// `auth_time` and `iat` of every token it got.
    pub(crate) tokens: Vec<(EpochSeconds, EpochSeconds)>,
}

/// What was promised, and when, by true time.
#[derive(Debug, Default)]
pub(crate) struct Promises {
    /// Sessions begun until then are refused: a tombstone's acknowledgement, with when its delivery first began.
    pub(crate) locked_out: Option<EpochMillis>,
    /// … a seal's, with when Cognito signed out.
    pub(crate) signed_out: Option<EpochMillis>,
    /// The latest cutoff anybody wrote.
    pub(crate) latest_cutoff: Option<EpochSeconds>,
    /// Sessions ended by themselves.
    pub(crate) ended: Vec<String>,
    /// When each revocation was begun.
    begun: BTreeMap<RevocationId, EpochMillis>,
    /// When Cognito signed out.
    effects: Vec<EpochMillis>,
}

pub(crate) struct Cognito {
    pub(crate) cloud: Arc<FakeCloud>,
    /// Milliseconds its clock is ahead of ours.
    pub(crate) ahead: i64,
    /// Whether a refresh re-mints `auth_time`, as was reported of refresh-token rotation.
    pub(crate) remints: bool,
    pub(crate) sessions: Mutex<Vec<Session>>,
    pub(crate) promises: Mutex<Promises>,
}

impl Cognito {
    fn now(&self) -> EpochSeconds {
        EpochMillis(self.cloud.clock.now().0 + self.ahead).seconds()
    }

    pub(crate) fn sign_in(&self) {
        let mut sessions = self.sessions.lock().unwrap();
        let origin_jti = format!("session-{}", sessions.len());
        let tokens = vec![(self.now(), self.now())];
        sessions.push(Session { origin_jti, began: self.cloud.clock.now(), may_refresh: true, tokens });
    }

    pub(crate) fn refresh(&self, n: usize) {
        let mut sessions = self.sessions.lock().unwrap();
        let count = sessions.len();
        let Some(session) = sessions.get_mut(n % count.max(1)).filter(|session| session.may_refresh) else { return };
        let auth_time = if self.remints { self.now() } else { session.tokens[0].0 };
        session.tokens.push((auth_time, self.now()));
    }

    fn sign_out(&self) {
        self.sessions.lock().unwrap().iter_mut().for_each(|session| session.may_refresh = false);
        // Who signs in during the same millisecond does so after it.
        self.promises().effects.push(EpochMillis(self.cloud.clock.now().0 - 1));
    }

    pub(crate) fn promises(&self) -> MutexGuard<'_, Promises> {
        self.promises.lock().unwrap()
    }

    /// Presents every token there is, as an API gets them, and compares the answers with what was promised.
    pub(crate) fn present_everything(&self, subject: &SubjectKey) -> Result<(), String> {
        let now = self.cloud.clock.now().seconds();
        let tombstone = self.cloud.tombstone(subject).unwrap_or_default();
        let promises = self.promises();
        for session in self.sessions.lock().unwrap().iter() {
            let is_over = promises.signed_out.is_some_and(|at| session.began <= at)
                || promises.ended.contains(&session.origin_jti);
            let is_locked_out = promises.locked_out.is_some_and(|at| session.began <= at);
            // By Cognito's clock, in a second after every cutoff that was ever written.
            let is_new = promises.latest_cutoff.is_none_or(|cutoff| session.tokens[0].0 > cutoff)
                && !promises.ended.contains(&session.origin_jti);
            for (n, (auth_time, iat)) in session.tokens.iter().enumerate() {
                // What a refresh mints in the gap is told from a new session by `auth_time` alone; where Cognito re-mints
                // that, the gap is closed by the seal (I3), and by `token-gate`.
                let is_over = is_over || (is_locked_out && (n == 0 || !self.remints));
                let stamp = TokenStamp {
                    auth_time: Some(*auth_time),
                    iat: Some(*iat),
                    origin_jti: Some(&session.origin_jti),
                    jti: None,
                };
                let refusal = tombstone.refusal(&stamp, now);
                if is_over && refusal.is_none() {
                    return Err(format!("permitted although over: {session:?}, {tombstone:?}, {promises:?}"));
                }
                if is_new && refusal.is_some() {
                    return Err(format!("refused although new: {session:?}, {tombstone:?}, {promises:?}"));
                }
            }
        }
        Ok(())
    }
}

/// One delivery's way through the ports.
pub(crate) struct Stepping {
    pub(crate) cognito: Arc<Cognito>,
    pub(crate) subject: SubjectKey,
    /// What happens at each gate: 0 is death, any other number lets others go first that often.
    pub(crate) fate: Mutex<Vec<u8>>,
    pub(crate) died: Notify,
    /// When the delivery came.
    pub(crate) came_at: EpochMillis,
    /// When the delivery came whose cutoff stands.
    pub(crate) began: Mutex<Option<EpochMillis>>,
    pub(crate) broken: Mutex<Option<String>>,
}

impl Stepping {
    async fn gate(&self) {
        let next = self.fate.lock().unwrap().pop();
        match next {
            Some(0) => {
                self.died.notify_one();
                std::future::pending::<()>().await;
            }
            times => {
                for _ in 0..times.unwrap_or(1) % 8 {
                    tokio::task::yield_now().await;
                }
            }
        }
        let checked = self.cognito.present_everything(&self.subject);
        if let Err(why) = checked {
            self.broken.lock().unwrap().get_or_insert(why);
        }
    }

    async fn around<T>(&self, call: impl Future<Output = T>) -> T {
        self.gate().await;
        let done = call.await;
        self.gate().await;
        done
    }

    fn confirmed(&self, id: &RevocationId) -> Option<EpochMillis> {
        let state = self.cloud().state();
        state.trails.get(id)?.steps.get(&self.subject)?.get(&Step::GlobalSignOut).map(|record| record.at)
    }

    fn cloud(&self) -> &FakeCloud {
        &self.cognito.cloud
    }

    pub(crate) fn revoker(self: &Arc<Self>) -> Revoker {
        Revoker {
            clock: self.cognito.cloud.clock.clone(),
            resolver: self.clone(),
            tombstones: self.clone(),
            terminator: self.clone(),
            locker: self.clone(),
            devices: self.clone(),
            audit: self.clone(),
            ledger: None,
            publisher: self.clone(),
            policy: Policy::default(),
            clock_skew: SKEW,
        }
    }
}

#[async_trait]
impl TombstoneWriter for Stepping {
    async fn raise(&self, subject: &SubjectKey, cutoff: &Cutoff) -> Result<Raised, PortError> {
        self.gate().await;
        // Durable before it is acknowledged: it may refuse from here on.
        let latest = self.cognito.promises().latest_cutoff.max(Some(cutoff.at));
        self.cognito.promises().latest_cutoff = latest;
        let done = self.cloud().raise(subject, cutoff).await;
        self.gate().await;
        let began = *self.began.lock().unwrap();
        let mut promises = self.cognito.promises();
        promises.locked_out = promises.locked_out.max(began);
        done
    }

    async fn seal(&self, subject: &SubjectKey, seal: &Seal) -> Result<Sealed, PortError> {
        self.gate().await;
        let latest = self.cognito.promises().latest_cutoff.max(Some(seal.at));
        self.cognito.promises().latest_cutoff = latest;
        let done = self.cloud().seal(subject, seal).await;
        // A seal covers what was confirmed by the time that stands in the trail.
        let confirmed = self.confirmed(&seal.revocation_id);
        self.gate().await;
        let mut promises = self.cognito.promises();
        let covered = promises.effects.iter().copied().filter(|effect| Some(*effect) <= confirmed).max();
        promises.signed_out = promises.signed_out.max(covered);
        done
    }

    async fn end_sessions(&self, subject: &SubjectKey, cutoff: &SessionCutoff) -> Result<(), PortError> {
        use revocation_core::domain::session::EndedSessions;
        self.gate().await;
        if let EndedSessions::One(id) = &cutoff.ended {
            // May refuse from here on, and must as soon as it is acknowledged: nothing is claimed in between.
            self.cloud().end_sessions(subject, cutoff).await?;
            self.cognito.promises().ended.push(id.clone());
        }
        self.gate().await;
        Ok(())
    }
}

#[async_trait]
impl SessionTerminator for Stepping {
    async fn sign_out_everywhere(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.gate().await;
        self.cognito.sign_out();
        // The answer is lost now and then, or comes late.
        self.gate().await;
        self.cloud().sign_out_everywhere(profile).await
    }
}

#[async_trait]
impl SubjectResolver for Stepping {
    async fn resolve(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        self.around(self.cloud().resolve(subject)).await
    }

    fn key_of(&self, subject: &SubjectIdentifier) -> Option<SubjectKey> {
        self.cloud().key_of(subject)
    }
}

#[async_trait]
impl AccountLocker for Stepping {
    async fn disable(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.around(self.cloud().disable(profile)).await
    }

    async fn reset_password(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.around(self.cloud().reset_password(profile)).await
    }
}

#[async_trait]
impl DeviceForgetter for Stepping {
    async fn forget_devices(&self, profile: &Profile) -> Result<Acted, PortError> {
        self.around(self.cloud().forget_devices(profile)).await
    }
}

#[async_trait]
impl AuditLog for Stepping {
    async fn begin(&self, started: &Started) -> Result<Begun, PortError> {
        self.gate().await;
        let begun = self.cloud().begin(started).await?;
        // Every session begun before the first delivery came is to be refused, whatever cutoff is written for it.
        let fixed = *self.cognito.promises().begun.entry(started.revocation_id.clone()).or_insert(self.came_at);
        *self.began.lock().unwrap() = Some(fixed);
        self.gate().await;
        Ok(begun)
    }

    async fn resolved(&self, id: &RevocationId, profiles: &[Profile], at: EpochMillis) -> Result<(), PortError> {
        self.around(self.cloud().resolved(id, profiles, at)).await
    }

    async fn step(
        &self,
        id: &RevocationId,
        subject: &SubjectKey,
        record: &StepRecord,
    ) -> Result<StepRecord, PortError> {
        self.around(self.cloud().step(id, subject, record)).await
    }

    async fn completed(&self, record: &AuditRecord, at: EpochMillis) -> Result<AuditRecord, PortError> {
        self.around(self.cloud().completed(record, at)).await
    }

    async fn published(&self, id: &RevocationId, subject: &SubjectKey, at: EpochMillis) -> Result<(), PortError> {
        self.around(self.cloud().published(id, subject, at)).await
    }

    async fn finished(&self, id: &RevocationId, at: EpochMillis) -> Result<(), PortError> {
        self.around(self.cloud().finished(id, at)).await
    }
}

#[async_trait]
impl EventPublisher for Stepping {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        self.around(self.cloud().publish(events)).await
    }
}
