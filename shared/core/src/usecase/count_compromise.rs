//! Counts an account with a sign of compromise, and pages when there are too many (I9).
//!
//! It hangs on the *request*, beside the revocation and not after it: an outage of Cognito must not silence the page.

use std::collections::HashSet;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::incident::{
    Exceedance, Incident, IncidentLog, Page, Rule, STALE_AFTER, SUBJECTS_NAMED, Sign, Stage, TELLING_LEASE,
};
use crate::domain::policy::Policy;
use crate::domain::request::RevocationRequest;
use crate::domain::revocation_id::hex;
use crate::domain::time::{EpochMillis, EpochSeconds};
use crate::ports::{
    Clock, CompromiseLedger, Conflict, IncidentStore, MEANS_NO_ACCOUNT, Pager, PortError, Recorded, SubjectResolver,
};

/// How often a save is tried against concurrent ones. With two invocations at a time (the template's limit) more than
/// two conflicts in a row are unheard of; beyond this the queue tries again.
const MOST_CONFLICTS: usize = 10;

/// The ports and settings of the counter.
pub struct CompromiseCounter {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Finds the account an identifier means, so that two names of one account count once.
    pub resolver: Arc<dyn SubjectResolver>,
    /// Signs.
    pub ledger: Arc<dyn CompromiseLedger>,
    /// Incidents.
    pub incidents: Arc<dyn IncidentStore>,
    /// Everyone to be told. One that fails does not keep the others from being told.
    pub pagers: Vec<Arc<dyn Pager>>,
    /// Which reasons count.
    pub policy: Policy,
    /// When many are too many.
    pub rule: Rule,
    /// Named in the page.
    pub runbook_url: String,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Its reason does not count.
    NotASign,
    /// It means nobody in the configured pools, so that no account of ours is affected.
    NoSuchUser,
    /// Another request was counted under the same id.
    IdConflict,
    /// It occurred too long ago to page.
    Stale,
    /// Counted; too few so far.
    BelowThreshold,
    /// Counted towards this incident, which was known before.
    Joined(String),
    /// It opened this incident.
    Opened(String),
}

/// The counter failed; the sign may be recorded already, which is harmless.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// A page was not sent to this pager; every other one was told, and the next tick tells again.
    #[error("{pager} was not told: {why}")]
    NotTold {
        /// Its name.
        pager: &'static str,
        /// Why not.
        why: PortError,
    },
    /// Concurrent invocations kept saving first.
    #[error("the incident log was saved by somebody else 10 times in a row")]
    Contended,
}

// === impl CompromiseCounter ===

impl CompromiseCounter {
    /// Counts the account a request concerns. `sent_at` is when the event was put on the bus: the same for every
    /// delivery, which keeps a duplicate the same sign.
    pub async fn observe(&self, request: &RevocationRequest, sent_at: EpochMillis) -> Result<Counted, CountError> {
        if !self.policy.row(request.reason).counts_as_compromise {
            return Ok(Counted::NotASign);
        }
        let now = self.clock.now();
        let Some(account) = self.account(request).await else { return Ok(Counted::NoSuchUser) };
        let sign = Sign { at: request.occurred_or(sent_at.min(now)).seconds(), account };
        let sign = match self.ledger.record(&request.id(), &request.digest(), &sign).await? {
            Recorded::As(sign) => sign,
            // `revoke` parks it, with the reason.
            Recorded::Conflict => return Ok(Counted::IdConflict),
        };
        if sign.at.plus(STALE_AFTER) < now.seconds() {
            return Ok(Counted::Stale);
        }
        let counted = self.place(&sign).await?;
        if matches!(counted, Counted::Joined(_) | Counted::Opened(_)) {
            self.tell().await?;
        }
        Ok(counted)
    }

    /// Resolves incidents that are over, and tells whoever was not told because of a crash.
    pub async fn tick(&self) -> Result<(), CountError> {
        let now = self.clock.now();
        self.change(|log| log.age(&self.rule, now)).await?;
        self.tell().await
    }

    /// One key for one person, however the source names them. If the resolver is down, a hash of the identifier:
    /// better to page once too often than not at all.
    async fn account(&self, request: &RevocationRequest) -> Option<String> {
        match self.resolver.resolve(&request.sub_id).await {
            Ok(profiles) => profiles.iter().map(|profile| profile.key.to_string()).min(),
            Err(error) if MEANS_NO_ACCOUNT.contains(&error.code.as_str()) => None,
            Err(error) => {
                tracing::warn!(%error, revocation_id = %request.id(), "counting an unresolved subject by its hash");
                let name = serde_json::to_string(&request.sub_id).unwrap_or_default().to_lowercase();
                let hash = hex(Sha256::digest(name).iter().take(8));
                Some(format!("unresolved#{hash}"))
            }
        }
    }

    /// Finds the incident the sign belongs to, or opens one. Only the invocation whose save succeeds has opened it.
    async fn place(&self, sign: &Sign) -> Result<Counted, CountError> {
        for _ in 0..MOST_CONFLICTS {
            let mut log = self.incidents.load().await?;
            let (counted, changed) = if let Some(incident) = log.covering(sign.at, &self.rule) {
                let goes_on = if incident.may_go_on(sign.at) { self.exceedance(sign).await? } else { None };
                let changed = incident.join(sign.at, goes_on.as_ref(), &self.rule, self.clock.now());
                (Counted::Joined(incident.id.clone()), changed)
            } else {
                let Some(exceedance) = self.exceedance(sign).await? else { return Ok(Counted::BelowThreshold) };
                (Counted::Opened(log.open(&exceedance, self.clock.now()).id.clone()), true)
            };
            if !changed || self.incidents.save(&log).await?.is_ok() {
                return Ok(counted);
            }
        }
        Err(CountError::Contended)
    }

    /// Read after our own sign was written: of concurrent invocations, the last to write sees all signs.
    async fn exceedance(&self, sign: &Sign) -> Result<Option<Exceedance>, PortError> {
        let window = i64::try_from(self.rule.window.as_secs()).unwrap_or(i64::MAX);
        let from = EpochSeconds(sign.at.0.saturating_sub(window));
        let signs = self.ledger.between(from, sign.at.plus(self.rule.window)).await?;
        Ok(self.rule.exceedance(sign, &signs))
    }

    /// Tells every pager what it has not been told. One invocation at a time: whoever takes the incident's lease.
    /// The failure of one pager or incident is returned only after all others were told.
    async fn tell(&self) -> Result<(), CountError> {
        let log = self.incidents.load().await?;
        let mut all = Ok(());
        for incident in log.incidents.iter().filter(|incident| self.is_untold(incident)) {
            if self.take_lease(&incident.id).await? {
                let told = self.tell_of(&incident.id).await;
                self.end_lease(&incident.id).await?;
                all = worth_retrying(all, told);
            }
        }
        all
    }

    fn is_untold(&self, incident: &Incident) -> bool {
        self.pagers.iter().any(|pager| incident.untold(pager.name()).is_some())
    }

    async fn take_lease(&self, id: &str) -> Result<bool, CountError> {
        let now = self.clock.now();
        let mut taken = false;
        self.change(|log| {
            let free = log.incidents.iter_mut().find(|incident| incident.id == id && incident.telling_until <= now);
            taken = free.map(|incident| incident.telling_until = now.plus(TELLING_LEASE)).is_some();
            taken
        })
        .await?;
        Ok(taken)
    }

    async fn tell_of(&self, id: &str) -> Result<(), CountError> {
        let mut all = Ok(());
        for pager in &self.pagers {
            while let Some((incident, stage)) = self.untold(id, pager.name()).await? {
                let page = self.page(&incident, stage).await?;
                if let Err(why) = pager.page(&page).await {
                    let pager = pager.name();
                    tracing::error!(error = %why, pager, incident = id, "a page was not sent");
                    all = worth_retrying(all, Err(CountError::NotTold { pager, why }));
                    break;
                }
                self.mark_told(id, stage, pager.name()).await?;
            }
        }
        all
    }

    async fn untold(&self, id: &str, pager: &str) -> Result<Option<(Incident, Stage)>, CountError> {
        let log = self.incidents.load().await?;
        let incident = log.incidents.into_iter().find(|incident| incident.id == id);
        Ok(incident.and_then(|incident| incident.untold(pager).map(|stage| (incident, stage))))
    }

    async fn page(&self, incident: &Incident, stage: Stage) -> Result<Page, CountError> {
        let mut signs = self.ledger.between(incident.first, incident.last).await?;
        signs.sort();
        let mut seen = HashSet::new();
        signs.retain(|sign| seen.insert(sign.account.clone()));
        let sub = |sign: &Sign| sign.account.rsplit('#').next().unwrap_or_default().to_owned();
        Ok(Page {
            version: "1".into(),
            incident_id: incident.id.clone(),
            stage,
            window_minutes: self.rule.window.as_secs() / 60,
            threshold: self.rule.threshold,
            count: signs.len(),
            subjects: signs.iter().take(SUBJECTS_NAMED).map(sub).collect(),
            first_at: incident.first,
            last_at: incident.last,
            runbook_url: self.runbook_url.clone(),
        })
    }

    async fn mark_told(&self, id: &str, stage: Stage, pager: &str) -> Result<(), CountError> {
        self.change(|log| {
            let incident = log.incidents.iter_mut().find(|incident| incident.id == id);
            incident.is_some_and(|incident| incident.told.entry(stage).or_default().insert(pager.to_owned()))
        })
        .await
    }

    async fn end_lease(&self, id: &str) -> Result<(), CountError> {
        let now = self.clock.now();
        self.change(|log| {
            let incident = log.incidents.iter_mut().find(|incident| incident.id == id);
            incident.is_some_and(|incident| std::mem::replace(&mut incident.telling_until, now) != now)
        })
        .await
    }

    /// Loads, changes and saves the log until no one else got in between. `change` returns whether it changed anything.
    async fn change(&self, mut change: impl FnMut(&mut IncidentLog) -> bool) -> Result<(), CountError> {
        for _ in 0..MOST_CONFLICTS {
            let mut log = self.incidents.load().await?;
            if !change(&mut log) {
                return Ok(());
            }
            if let Err(Conflict) = self.incidents.save(&log).await? {
                continue;
            }
            return Ok(());
        }
        Err(CountError::Contended)
    }
}

/// Of several failures, one that may pass decides.
fn worth_retrying(before: Result<(), CountError>, then: Result<(), CountError>) -> Result<(), CountError> {
    match before {
        Err(error) if then.is_ok() || error.disposition() == Disposition::Retry => Err(error),
        _ => then,
    }
}

// === impl CountError ===

impl Disposed for CountError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) | Self::NotTold { why: error, .. } => error.disposition,
            Self::Contended => Disposition::Retry,
        }
    }
}
