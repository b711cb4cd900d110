//! The tombstones of whole pools, kept for a second. They are looked at with every request and change once in years, so a read
//! each time would double what a check costs.
//!
//! ```text
//!  0 ─────────── 0.5 s ──────────── 1 s ──────▶ since the read that is kept began
//!   from memory  │ from memory,     │ read, and waited for
//!                │ read behind it   │
//! ```
//!
//! So under load no request waits, and there are two reads a second and pool; an instance with less than a request a second
//! reads with each, beside the person's own. All instances read one item: its partition takes 3,000 strongly consistent
//! reads a second (DynamoDB, "Best practices for designing and using partition keys"), which is 1,500 busy instances.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, POOL_CUTOFF_WITHIN, PortError};

use crate::moment::Moment;

/// From this age on what is kept is read anew, behind the requests' back: half of [`POOL_CUTOFF_WITHIN`], so that a slow read,
/// and one more after a failure, come in time.
const READ_ANEW_AFTER: Duration = Duration::from_millis(500);

/// What is known of everybody, by pool.
pub(crate) struct Everyone {
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<UserPoolId, Known>>,
}

struct Known {
    /// When the read began.
    began: Moment,
    tombstone: Option<Tombstone>,
    /// Whether it is being read anew.
    reading: bool,
}

impl Everyone {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, known: Mutex::default() }
    }

    /// The pool's tombstone as it stood within the last second, by `read` where that is not known.
    pub(crate) async fn answer<R>(
        self: &Arc<Self>,
        pool: &UserPoolId,
        read: impl FnOnce() -> R,
    ) -> Result<Option<Tombstone>, PortError>
    where
        R: Future<Output = Result<Option<Tombstone>, PortError>> + Send + 'static,
    {
        let Some((tombstone, anew)) = self.recall(pool) else {
            return self.learn(pool, read()).await;
        };
        if anew {
            let (this, pool, read) = (Arc::clone(self), pool.clone(), read());
            tokio::spawn(async move {
                let _done = Reading { of: &this, pool: &pool };
                if let Err(error) = this.learn(&pool, read).await {
                    tracing::debug!(%error, "a pool's tombstone was not read anew");
                }
            });
        }
        Ok(tombstone)
    }

    /// What is known and fresh enough, and whether whoever asks must have it read anew.
    fn recall(&self, pool: &UserPoolId) -> Option<(Option<Tombstone>, bool)> {
        let mut known = self.lock();
        let known = known.get_mut(pool)?;
        let age = known.began.age(self.clock.now()).filter(|age| *age < POOL_CUTOFF_WITHIN)?;
        let anew = age >= READ_ANEW_AFTER && !known.reading;
        known.reading |= anew;
        Some((known.tombstone.clone(), anew))
    }

    /// Keeps what `read` finds, as of now. An error leaves what is known, until it is too old.
    async fn learn(
        &self,
        pool: &UserPoolId,
        read: impl Future<Output = Result<Option<Tombstone>, PortError>>,
    ) -> Result<Option<Tombstone>, PortError> {
        let began = Moment::now(&*self.clock);
        let tombstone = read.await?;
        let mut known = self.lock();
        match known.get_mut(pool) {
            // Another read began later: what it found stands.
            Some(known) if known.began.monotonic > began.monotonic => {}
            Some(known) => (known.began, known.tombstone) = (began, tombstone.clone()),
            None => {
                known.insert(pool.clone(), Known { began, tombstone: tombstone.clone(), reading: false });
            }
        }
        Ok(tombstone)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<UserPoolId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says at its end, however it comes, that nobody reads anew any more.
struct Reading<'a> {
    of: &'a Everyone,
    pool: &'a UserPoolId,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Some(known) = self.of.lock().get_mut(self.pool) {
            known.reading = false;
        }
    }
}

#[cfg(test)]
mod tests;
