//! Connections waiting for their next request: few, bounded, the one used last first.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use revocation_core::domain::time::EpochMillis;
use tokio::time::Instant;

use crate::tls::Sender;

/// Connections kept open while idle. A Lambda function needs one; a server's bursts beyond these open more for a while.
const MOST_IDLE: usize = 32;
/// Idle for longer, a connection is not tried any more: the store or a NAT gateway (350 s) has dropped it by then.
pub(crate) const LONGEST_IDLE: Duration = Duration::from_mins(5);
/// A connection used so lately is very likely alive: what a hedge or a retry is sent on.
pub(crate) const LATELY: Duration = Duration::from_secs(2);

/// Idle connections.
#[derive(Default)]
pub(crate) struct Pool(Mutex<Vec<Idle>>);

struct Idle {
    sender: Sender,
    /// By both clocks: the monotonic one may stand still while a Lambda function is frozen.
    since: (Instant, EpochMillis),
}

impl Pool {
    /// An open connection used within `age`.
    pub(crate) async fn take(&self, now: EpochMillis, age: Duration) -> Option<Sender> {
        loop {
            let mut idle = self.lock().pop()?;
            let (since, at) = idle.since;
            // What is older lies below it; a clock set back makes one look new, which an attempt then finds out.
            if since.elapsed().max(now.since(at)) > age {
                if age >= LONGEST_IDLE {
                    self.lock().clear();
                } else {
                    self.lock().push(idle);
                }
                return None;
            }
            // Just after an answer the connection's task may not have come round yet.
            if !idle.sender.is_closed() && idle.sender.ready().await.is_ok() {
                return Some(idle.sender);
            }
        }
    }

    /// Whether one waits.
    pub(crate) fn has_idle(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Keeps a connection whose answer was read to its end.
    pub(crate) fn put(&self, sender: Sender, now: EpochMillis) {
        if sender.is_closed() {
            return;
        }
        let mut idle = self.lock();
        if idle.len() < MOST_IDLE {
            idle.push(Idle { sender, since: (Instant::now(), now) });
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
