//! One call made of several attempts: a hedge against a slow answer, a retry after a failed one, one budget for all.

use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::{Again, Failure};

/// How long a call may take and how often it may be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// One attempt.
    pub(crate) attempt: Duration,
    /// When a second one joins the first; `None` for never.
    pub(crate) hedge_after: Option<Duration>,
    /// The whole call.
    pub(crate) total: Duration,
    /// Attempts at most.
    pub(crate) sends: u32,
}

/// On what an attempt is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Any open connection, or a new one.
    Any,
    /// A connection known to live, or a new one: something is wrong with another.
    Proven,
}

struct Attempt<'a, T> {
    answer: Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>,
    until: Instant,
}

/// The first good answer of attempts made by `start`; `may_hedge` is asked before a hedge. Attempts left behind are
/// dropped, and their connections with them.
pub(crate) async fn race<T, F>(
    patience: &Patience,
    may_hedge: impl Fn() -> bool + Send,
    start: impl Fn(Source) -> F + Send,
) -> Result<T, Failure>
where
    T: Send,
    F: Future<Output = Result<T, Failure>> + Send,
{
    let began = Instant::now();
    let mut first = pin!(start(Source::Any));
    let alone = patience.hedge_after.unwrap_or(patience.attempt).min(patience.total);
    // Nearly every call ends here, with one timer and nothing on the heap.
    let settled = match timeout(alone, first.as_mut()).await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(failure)) => Some(failure),
        Err(_) => None,
    };
    let mut rest = Rest { patience, sends: 1, repeated: false, next: None, failure: Failure::Timeout };
    let mut running = Vec::new();
    if let Some(failure) = settled {
        rest.failed(failure)?;
    } else {
        running.push(Attempt { answer: Box::pin(first), until: began + patience.attempt });
        if patience.hedge_after.is_some() && may_hedge() {
            rest.plan(Duration::ZERO);
        }
    }
    Box::pin(rest.run(running, began + patience.total, start)).await
}

/// What is left of a call whose first attempt did not answer at once.
struct Rest<'p> {
    patience: &'p Patience,
    sends: u32,
    /// Asked the store again after it had answered badly: done once.
    repeated: bool,
    /// When the next attempt begins.
    next: Option<Instant>,
    failure: Failure,
}

impl Rest<'_> {
    async fn run<'a, T, F>(
        mut self,
        mut running: Vec<Attempt<'a, T>>,
        end: Instant,
        start: impl Fn(Source) -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'a,
    {
        loop {
            let now = Instant::now();
            let before = running.len();
            running.retain(|attempt| attempt.until > now);
            if running.len() < before {
                self.failed(Failure::Timeout)?;
            }
            if now >= end {
                return Err(if running.is_empty() { self.failure } else { Failure::Timeout });
            }
            if self.next.is_some_and(|at| at <= now) {
                (self.next, self.sends) = (None, self.sends + 1);
                let until = now + self.patience.attempt;
                running.push(Attempt { answer: Box::pin(start(Source::Proven)), until });
            }
            if running.is_empty() && self.next.is_none() {
                return Err(self.failure);
            }
            let wake = running.iter().map(|attempt| attempt.until).chain(self.next).fold(end, Instant::min);
            match timeout_at(wake, first_of(&mut running)).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(failure)) => self.failed(failure)?,
                Err(_) => {}
            }
        }
    }

    /// An attempt failed: plans another if that can help, ends the call if nothing can.
    fn failed(&mut self, failure: Failure) -> Result<(), Failure> {
        let Some(pause) = failure.pause() else { return Err(failure) };
        let repeats = matches!(failure, Failure::BadResponse | Failure::Refused { again: Again::Later, .. });
        if !(repeats && self.repeated) {
            self.plan(jittered(pause));
        }
        self.repeated |= repeats;
        self.failure = failure;
        Ok(())
    }

    fn plan(&mut self, pause: Duration) {
        if self.sends < self.patience.sends && self.next.is_none() {
            self.next = Some(Instant::now() + pause);
        }
    }
}

/// Half to one and a half times as long, so that many clients do not come back at once.
fn jittered(pause: Duration) -> Duration {
    if pause.is_zero() {
        return pause;
    }
    let random = RandomState::new().hash_one(()) % 1024;
    pause / 2 + pause * u32::try_from(random).unwrap_or_default() / 1024
}

/// Waits for any of them and takes it out. With none it waits for ever.
async fn first_of<T>(running: &mut Vec<Attempt<'_, T>>) -> Result<T, Failure> {
    poll_fn(|context| {
        for (index, attempt) in running.iter_mut().enumerate() {
            if let Poll::Ready(result) = attempt.answer.as_mut().poll(context) {
                running.swap_remove(index);
                return Poll::Ready(result);
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
