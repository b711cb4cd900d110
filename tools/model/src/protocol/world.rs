//! Everything around the code: one person's sessions in Cognito, the tombstone, the audit trails, the queue.

use std::hash::{Hash, Hasher};

use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{TokenStamp, Tombstone};

use super::calls::Noted;
use crate::replay::Place;

/// A set of requests, by number.
pub(crate) type Requests = u8;

/// One state of the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    /// By our clock, seconds.
    pub(crate) now: i64,
    /// Seconds by which Cognito's clock is ahead of ours.
    pub(crate) ahead: i64,
    /// The tombstone.
    pub(crate) row: Row,
    /// What it was, and until when: what a reader that lags may still see.
    pub(crate) stale: Vec<(i64, Row)>,
    /// The sessions, in the order in which they began.
    pub(crate) sessions: Vec<Session>,
    /// The audit trail of each request.
    pub(crate) trails: Vec<Option<Noted>>,
    /// The deliveries at work.
    pub(crate) deliveries: Vec<Delivery>,
    /// How often each request was delivered.
    pub(crate) delivered: Vec<u8>,
    /// What may still happen.
    pub(crate) left: Left,
    /// What was promised, and what went wrong.
    pub(crate) seen: Seen,
}

/// A tombstone as a part of a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row(pub(crate) Tombstone);

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Session {
    /// `auth_time` and `iat` of every token it got.
    pub(crate) tokens: Vec<(i64, i64)>,
    /// When Cognito ended its refresh token, by our clock.
    pub(crate) ended_at: Option<i64>,
    /// The requests that were first delivered after it had begun.
    pub(crate) before: Requests,
    /// It began when nothing was under way, was served, and nothing was asked for since: nobody may refuse it.
    pub(crate) is_owed: bool,
}

/// A delivery at work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Delivery {
    pub(crate) request: u8,
    /// Where the code is.
    pub(crate) place: Place,
    /// Cognito has signed out, and the code has not heard it yet.
    pub(crate) is_answered: bool,
    /// Everything was done before it began.
    pub(crate) is_late: bool,
    /// A cutoff that a broken variant keeps for after the sign-out.
    pub(crate) put_off: Option<i64>,
}

/// What may still happen, so that there is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Left {
    pub(crate) sign_ins: u8,
    pub(crate) refreshes: u8,
    pub(crate) crashes: u8,
    pub(crate) failures: u8,
    pub(crate) hours: u8,
}

/// What must be remembered to say whether a promise was kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    /// The requests whose cutoff was acknowledged, and when.
    pub(crate) locked_out: Vec<Option<i64>>,
    /// The requests whose seal was acknowledged, and when.
    pub(crate) sealed: Vec<Option<i64>>,
    /// The latest cutoff that may rightly stand.
    pub(crate) latest: i64,
    /// Cognito was asked before the tombstone stood.
    pub(crate) called_out_first: bool,
    /// A cutoff was moved back.
    pub(crate) moved_back: bool,
    /// Deliveries that told of a record as theirs.
    pub(crate) reports: Vec<u8>,
}

// === impl World ===

impl World {
    /// The time by our clock.
    pub(crate) fn clock(&self) -> EpochMillis {
        EpochMillis(self.now * 1_000)
    }

    /// The second Cognito writes into a token.
    pub(crate) fn by_cognito(&self) -> i64 {
        self.now + self.ahead
    }

    /// Somebody signs in.
    pub(crate) fn sign_in(&mut self) {
        let at = self.by_cognito();
        let under_way = self
            .delivered
            .iter()
            .zip(&self.trails)
            .any(|(delivered, trail)| *delivered > 0 && !trail.as_ref().is_some_and(|trail| trail.finished));
        let mut session = Session { tokens: vec![(at, at)], ended_at: None, before: 0, is_owed: false };
        session.is_owed = !under_way && !self.row.refuses((at, at), self.now, false);
        self.sessions.push(session);
    }

    /// A session obtains another token; `remints` if Cognito dates the authentication anew.
    pub(crate) fn refresh(&mut self, n: usize, remints: bool) {
        let now = self.by_cognito();
        if let Some(session) = self.sessions.get_mut(n) {
            let auth_time = session.tokens.first().filter(|_| !remints).map_or(now, |token| token.0);
            session.tokens.push((auth_time, now));
        }
    }

    /// Cognito ends every refresh token.
    pub(crate) fn sign_out(&mut self) {
        for session in &mut self.sessions {
            session.ended_at.get_or_insert(self.now);
        }
    }

    /// A request is delivered for the first time: what began before is to end.
    pub(crate) fn first_delivered(&mut self, request: u8) {
        for session in &mut self.sessions {
            session.before |= 1 << request;
            session.is_owed = false;
        }
    }

    /// Writes the tombstone. What stood may be seen by whoever lags behind.
    pub(crate) fn write(&mut self, row: Tombstone, lag: Option<i64>) {
        self.seen.moved_back |= row.not_before < self.row.0.not_before;
        if lag.is_some() && row != self.row.0 {
            self.stale.push((self.now, self.row.clone()));
        }
        self.row = Row(row);
    }

    /// Forgets what nobody can see any more.
    pub(crate) fn forget(&mut self, lag: Option<i64>) {
        let now = self.now;
        self.stale.retain(|(until, _)| lag.is_some_and(|lag| now - until <= lag));
    }
}

// === impl Row ===

impl Row {
    /// Whether a token is refused; by its `iat` alone if the reader is the broken one.
    pub(crate) fn refuses(&self, (auth_time, iat): (i64, i64), now: i64, only_iat: bool) -> bool {
        let auth_time = (!only_iat).then_some(EpochSeconds(auth_time));
        let stamp =
            TokenStamp { auth_time, iat: Some(EpochSeconds(iat)), origin_jti: Some("session"), jti: Some("token") };
        self.0.refusal(&stamp, EpochSeconds(now)).is_some()
    }

    /// The cutoff for sessions.
    pub(crate) fn cutoff(&self) -> i64 {
        self.0.not_before.map_or(i64::MIN, |cutoff| cutoff.0)
    }
}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Named one by one, so that a member that is added must be added here.
        let Tombstone {
            not_before,
            claims_not_before,
            sealed,
            sessions,
            others,
            hold,
            hold_changed,
            revocation_id,
            expires_at,
        } = &self.0;
        (not_before, claims_not_before, sealed, sessions, revocation_id, expires_at).hash(state);
        // No scenario has these: that they are there is all there is to tell.
        (others.is_some(), hold.is_some(), hold_changed.is_some()).hash(state);
    }
}
