//! Chains what the audit trail has gained, and keeps digests of the chain. It runs every minute; two runs at once are as
//! good as one, because a link is written only where none is.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::audit_chain::{CHAINED_WITHIN, Chained, Digest, Link, Listed, RecordKey, Span, day_plus};
use crate::domain::disposition::{Disposed, Disposition};
use crate::domain::time::EpochMillis;
use crate::ports::{AuditChain, Clock, Conflict, DigestSigner, DigestStore, PortError, RecordIndex, RecordReader};

/// An ordinary run looks so far back, from now or from the latest record chained (after an outage); the first one of an hour
/// looks at the whole day. Longer than an index lags.
const LOOK_BACK: Duration = Duration::from_mins(20);
/// Clocks of two instances differ by no more than this.
const SKEW: Duration = Duration::from_mins(2);
/// So long after midnight a day's records are all there, and its digest is made.
const DAY_SETTLES_IN: Duration = Duration::from_mins(15);
/// An outage of so many days is caught up with; after a longer one the chain begins anew, which a verification tells.
const MOST_DAYS_BACK: i64 = 60;
/// Before this there are no records.
const EVER: EpochMillis = EpochMillis(0);

/// The ports of the chain.
pub struct AuditChainer {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Which records a day has.
    pub index: Arc<dyn RecordIndex>,
    /// What they are.
    pub records: Arc<dyn RecordReader>,
    /// The chain.
    pub chain: Arc<dyn AuditChain>,
    /// The digests.
    pub digests: Arc<dyn DigestStore>,
    /// Signs them, where a key is configured.
    pub signer: Option<Arc<dyn DigestSigner>>,
    /// A run ends by itself after so long, and the next one goes on: a function is stopped in the middle otherwise.
    pub budget: Duration,
}

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainRun {
    /// Records chained.
    pub chained: u64,
    /// Of these, those that were chained more than ten minutes after their own time: an outage, or somebody's insertion.
    pub late: u64,
    /// Digests written.
    pub digests: u64,
    /// Whether it ran out of time and left something for the next one.
    pub unfinished: bool,
}

/// A run failed; the links it wrote stand.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Another run is at it.
    #[error("another run appends to the same day")]
    Contended,
}

impl Disposed for ChainError {
    fn disposition(&self) -> Disposition {
        match self {
            Self::Port(error) => error.disposition,
            Self::Contended => Disposition::Retry,
        }
    }
}

impl AuditChainer {
    /// Chains what is new, from the day before the last one that was opened up to today. A day is opened only when the one
    /// before it is done with, so that a run that ends early leaves nothing behind it undone.
    pub async fn run(&self) -> Result<ChainRun, ChainError> {
        let began = self.clock.now();
        let today = began.utc_day();
        let hour = Span::Hour(u8::try_from(began.seconds().0.div_euclid(3_600).rem_euclid(24)).unwrap_or(0));
        let first_of_hour = self.digests.latest(&today, hour).await?.is_none();
        let mut run = ChainRun::default();
        let mut earlier: Option<Link> = None;
        for day in self.days(&today).await? {
            self.open(&day, earlier.as_ref()).await?;
            let since = if first_of_hour { EVER } else { self.since(&day, &today, began).await? };
            let Some(last) = self.extend(&day, since, began, &mut run).await? else {
                return Err(ChainError::Contended);
            };
            if run.unfinished {
                break;
            }
            if day != today && self.has_settled(&day) {
                self.digest(&last, Span::Day, &mut run).await?;
            }
            if day == today && first_of_hour {
                self.digest(&last, hour, &mut run).await?;
            }
            earlier = Some(last);
        }
        Ok(run)
    }

    /// The days to look at, the oldest first: from the last one that was opened, and the one before it, for which a record
    /// may have been late.
    async fn days(&self, today: &str) -> Result<Vec<String>, ChainError> {
        let mut days = VecDeque::new();
        for day in (0..MOST_DAYS_BACK).map_while(|n| day_plus(today, -n)) {
            let opened = self.chain.last(&day).await?.is_some();
            days.push_front(day);
            if opened {
                let before = days.front().and_then(|day| day_plus(day, -1));
                if let Some(before) = before
                    && self.chain.last(&before).await?.is_some()
                {
                    days.push_front(before);
                }
                return Ok(days.into());
            }
        }
        Ok(vec![today.to_owned()])
    }

    /// From when on an ordinary run looks: nothing that came in an outage is passed over, or it would be chained out of turn
    /// at the next full hour, which looks like an insertion.
    async fn since(&self, day: &str, today: &str, began: EpochMillis) -> Result<EpochMillis, ChainError> {
        let usual = before(began, LOOK_BACK);
        if day != today {
            // The day before was caught up with when this one was opened.
            return Ok(usual);
        }
        let last = self.chain.last(day).await?;
        Ok(match last.map(|last| last.chained) {
            Some(Chained::Record { recorded_at, .. }) => usual.min(before(recorded_at, LOOK_BACK)),
            Some(Chained::Opening) | None => EVER,
        })
    }

    /// Makes the day's opening link, unless it is there.
    async fn open(&self, day: &str, before: Option<&Link>) -> Result<(), ChainError> {
        if self.chain.last(day).await?.is_none() {
            let opening = Link::opening(day, before, self.clock.now());
            // A conflict: another run was faster.
            let _ = self.chain.append(std::slice::from_ref(&opening)).await?;
        }
        Ok(())
    }

    /// Appends the day's records that no link names; answers the last link.
    async fn extend(
        &self,
        day: &str,
        since: EpochMillis,
        began: EpochMillis,
        run: &mut ChainRun,
    ) -> Result<Option<Link>, ChainError> {
        // The index first: what it lists was written before the chain is read, so a record chained meanwhile is seen there.
        let mut listed = self.index.listed(day, since).await?;
        let links = self.chain.links(day, before(since, SKEW)).await?;
        let chained: BTreeSet<&RecordKey> = links.iter().filter_map(Link::record).collect();
        listed.retain(|listed| listed.key.is_chained() && !chained.contains(&listed.key));
        let Some(mut last) = links.last().cloned() else { return Ok(None) };
        for batch in listed.chunks(self.chain.most_appended().max(1)) {
            let now = self.clock.now();
            if now.since(began) >= self.budget {
                run.unfinished = true;
                break;
            }
            let links = self.links_after(&last, batch, now).await?;
            let Some(newest) = links.last().cloned() else { continue };
            if let Err(Conflict) = self.chain.append(&links).await? {
                return Err(ChainError::Contended);
            }
            run.chained += links.len() as u64;
            run.late += batch.iter().filter(|one| one.recorded_at.plus(CHAINED_WITHIN) < now).count() as u64;
            last = newest;
        }
        Ok(Some(last))
    }

    /// A link for each record of the batch that is still there, in its order.
    async fn links_after(&self, last: &Link, batch: &[Listed], now: EpochMillis) -> Result<Vec<Link>, ChainError> {
        let keys: Vec<RecordKey> = batch.iter().map(|listed| listed.key.clone()).collect();
        let stored = self.records.stored(&keys).await?;
        let mut links: Vec<Link> = Vec::new();
        for key in &keys {
            let Some(record) = stored.iter().find(|record| record.key == *key) else { continue };
            links.push(links.last().unwrap_or(last).then(record, now));
        }
        Ok(links)
    }

    fn has_settled(&self, day: &str) -> bool {
        let next = day_plus(day, 1).and_then(|next| EpochMillis::parse_rfc3339(&format!("{next}T00:00:00Z")).ok());
        next.is_some_and(|midnight| self.clock.now() >= midnight.plus(DAY_SETTLES_IN))
    }

    /// Keeps a digest of the chain up to `last`, unless the newest one says the same.
    async fn digest(&self, last: &Link, span: Span, run: &mut ChainRun) -> Result<(), ChainError> {
        let kept = self.digests.latest(&last.day, span).await?;
        if kept.is_some_and(|kept| kept.head == last.hash && kept.records == last.n) {
            return Ok(());
        }
        let Some(opening) = self.chain.opening(&last.day).await? else { return Ok(()) };
        let mut digest = Digest::of(span, &opening, last, self.clock.now());
        if let Some(signer) = &self.signer {
            digest.signature = Some(signer.sign(&digest).await?);
        }
        self.digests.put(&digest).await?;
        run.digests += 1;
        Ok(())
    }
}

fn before(at: EpochMillis, by: Duration) -> EpochMillis {
    EpochMillis(at.0.saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)).max(0))
}
