//! Threads that call the API without a pause, each with a session that nobody revokes.

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
    threads: Vec<JoinHandle<(Vec<Duration>, u64)>>,
}

/// What they got.
#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) per_s: f64,
    /// Median, p99 and the most, milliseconds.
    pub(super) ms: [f64; 3],
    /// Anything but 200 for a session that nobody revoked.
    pub(super) wrong: u64,
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
fn calls(facts: Facts, session: &Tokens, end: &AtomicBool) -> (Vec<Duration>, u64) {
    let Ok(probe) = Probe::connect(facts) else { return (Vec::new(), 1) };
    let (mut times, mut wrong) = (Vec::new(), 0);
    while !end.load(Ordering::Relaxed) {
        let start = Instant::now();
        let is_right = probe.call(&session.access).is_ok_and(|answer| answer.status == 200);
        times.push(start.elapsed());
        wrong += u64::from(!is_right);
    }
    (times, wrong)
}

// === impl Callers ===

impl Callers {
    pub(super) fn stop(self) -> Calls {
        self.end.store(true, Ordering::Relaxed);
        let took = self.began.elapsed();
        let (mut times, mut wrong) = (Vec::new(), 0);
        for thread in self.threads {
            // A thread that panicked answered nothing right.
            let (of_it, wrong_of_it) = thread.join().unwrap_or_else(|_| (Vec::new(), 1));
            times.extend(of_it);
            wrong += wrong_of_it;
        }
        times.sort_unstable();
        let at = |per_cent: usize| {
            let index = (times.len() * per_cent).div_ceil(100).saturating_sub(1);
            times.get(index).map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
        };
        let count = f64::from(u32::try_from(times.len()).unwrap_or(u32::MAX));
        Calls { per_s: count / took.as_secs_f64(), ms: [at(50), at(99), at(100)], wrong }
    }
}
