//! Threads that call the API without a pause, each with a session that nobody revokes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use revocation_probe::{Facts, Probe, Tokens};
use serde::Serialize;

/// Callers at work.
pub(super) struct Callers {
    end: Arc<AtomicBool>,
    began: Instant,
    threads: Vec<JoinHandle<Got>>,
}

/// What they got.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) per_s: f64,
    /// Median, p99 and the most, milliseconds.
    pub(super) ms: [f64; 3],
    /// Answers by status; 0 stands for none at all.
    pub(super) statuses: BTreeMap<u16, u64>,
    /// Answers that say of a session that nobody revoked that it is over (401). One that says that the check could not be
    /// made is no wrong answer: closed is how it fails (I6).
    pub(super) wrong: u64,
}

/// What one caller got.
#[derive(Default)]
struct Got {
    times: Vec<Duration>,
    statuses: BTreeMap<u16, u64>,
}

pub(super) fn start(probe: &Probe, sessions: Vec<Tokens>) -> Callers {
    let end = Arc::new(AtomicBool::new(false));
    let call = |session: Tokens| {
        let (facts, end) = (probe.facts.clone(), end.clone());
        thread::spawn(move || calls(facts, &session, &end))
    };
    Callers { threads: sessions.into_iter().map(call).collect(), end, began: Instant::now() }
}

/// A connection of its own each.
fn calls(facts: Facts, session: &Tokens, end: &AtomicBool) -> Got {
    let mut got = Got::default();
    let Ok(probe) = Probe::connect(facts) else { return got };
    while !end.load(Ordering::Relaxed) {
        let start = Instant::now();
        let status = probe.call(&session.access).map_or(0, |answer| answer.status);
        got.times.push(start.elapsed());
        *got.statuses.entry(status).or_default() += 1;
    }
    got
}

// === impl Callers ===

impl Callers {
    pub(super) fn stop(self) -> Calls {
        self.end.store(true, Ordering::Relaxed);
        let took = self.began.elapsed();
        let mut all = Got::default();
        for thread in self.threads {
            // A thread that panicked has got nothing.
            let got = thread.join().unwrap_or_default();
            all.times.extend(got.times);
            for (status, count) in got.statuses {
                *all.statuses.entry(status).or_default() += count;
            }
        }
        let Got { mut times, statuses } = all;
        times.sort_unstable();
        let at = |per_cent: usize| {
            let index = (times.len() * per_cent).div_ceil(100).saturating_sub(1);
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        let count = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX));
        let wrong = statuses.get(&401).copied().unwrap_or(0);
        Calls { per_s: count / took.as_secs_f64(), ms: [at(50), at(99), at(100)], statuses, wrong }
    }
}
