//! Requests that have a start in the audit trail and no end: whose they are, and when one is put on the queue again.
//!
//! A delivery takes 20 s at most and is followed by a wait of 120 s at most, 17 times (revoke's `Timeout`, `maxReceiveCount`
//! and `VisibilityTimeout` in the template): 40 minutes after the first one a request has ended or lies in the dead-letter
//! queue. One that is older and has done neither has lost its message, and nobody else will notice
//! (docs/adr/0010).

use std::collections::BTreeMap;
use std::time::Duration;

use super::action::ActionTrail;
use super::audit::{Step, Trail};
use super::bulk::{BULK_SOURCE, member_revocation_id};
use super::profile::{SubjectKey, UserPoolId};
use super::request::RevocationRequest;
use super::revocation_id::RevocationId;
use super::subject::SubjectIdentifier;
use super::time::EpochMillis;

/// The longest a message of revoke's queue is tried before SQS parks it: 17 deliveries, 140 s apart at most.
pub const LONGEST_DELIVERY: Duration = Duration::from_mins(40);
/// A request is put on the queue again so often at most.
pub const MOST_REDELIVERIES: usize = 5;

/// A request that has begun, and was not finished when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// What is written down of it.
    pub trail: OpenTrail,
    /// When the sweeper put it on the queue again, the earliest first.
    pub redeliveries: Vec<EpochMillis>,
    /// Whether it was given up: by the sweeper, or by an operator who discarded its message.
    pub given_up: bool,
}

/// A trail that may have no end yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenTrail {
    /// Of a revocation.
    Revocation(Box<Trail>),
    /// Of an action on an account.
    Action(Box<ActionTrail>),
}

/// What is to be done about an open request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: a redelivery may still be at work, or it was given up.
    Wait,
    /// It goes on the queue again, for the time of this number, from 1.
    Redeliver(usize),
    /// It was put there as often as may be: somebody is told, once.
    GiveUp,
}

// === impl OpenTrail ===

impl OpenTrail {
    /// The request's id.
    #[must_use]
    pub fn id(&self) -> &RevocationId {
        match self {
            Self::Revocation(trail) => &trail.started.revocation_id,
            Self::Action(trail) => &trail.started.id,
        }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match self {
            Self::Revocation(trail) => trail.finished,
            Self::Action(trail) => trail.finished,
        }
    }

    /// The last sign of life in the trail. `received_at` alone would make a request look old that waited on the queue for
    /// hours: the cutoff is fixed when it is begun, and each step has its time.
    #[must_use]
    pub fn last_heard_of(&self) -> EpochMillis {
        match self {
            Self::Revocation(trail) => {
                let steps = trail.steps.values().flat_map(|steps| steps.values()).map(|record| record.at);
                let begun = EpochMillis::from(trail.started.not_before).max(trail.started.received_at);
                steps.max().map_or(begun, |last| last.max(begun))
            }
            Self::Action(trail) => {
                let records = trail.completed.values().map(|record| record.at);
                records.max().map_or(trail.started.received_at, |last| last.max(trail.started.received_at))
            }
        }
    }

    /// Whom it is known to concern, with the time at which a tombstone was written, or else the request begun. An action's hold
    /// is no cutoff, and has no seal.
    #[must_use]
    pub fn subjects(&self) -> BTreeMap<SubjectKey, EpochMillis> {
        let Self::Revocation(trail) = self else { return BTreeMap::new() };
        let resolved = trail.resolved.iter().flatten().map(|profile| (profile.key.clone(), trail.started.received_at));
        let tombstoned =
            trail.steps.iter().filter_map(|(key, steps)| Some((key.clone(), steps.get(&Step::Tombstone)?.at)));
        resolved.chain(tombstoned).collect()
    }

    /// The bulk revocation it is a member's part of. What only says so is not believed: whoever may put events on the bus
    /// could keep a request of theirs from being looked after.
    #[must_use]
    pub fn job(&self) -> Option<RevocationId> {
        let Self::Revocation(trail) = self else { return None };
        let RevocationRequest { source, txn, sub_id, pools, .. } = &trail.started.request;
        let job = RevocationId(txn.clone().filter(|_| source.name == BULK_SOURCE)?);
        let SubjectIdentifier::IssSub { sub, .. } = sub_id else { return None };
        let is_member = |pool: &UserPoolId| {
            member_revocation_id(&job, &SubjectKey::new(pool.0.clone(), sub.clone())) == trail.started.revocation_id
        };
        pools.iter().any(is_member).then_some(job)
    }
}

// === impl OpenRequest ===

impl OpenRequest {
    /// What is to be done at `now` about a request that has been quiet for longer than `quiet`. A redelivery may be tried for
    /// as long as the first delivery was, so the next one comes no sooner, and then twice as late each time.
    #[must_use]
    pub fn remedy(&self, now: EpochMillis, quiet: Duration) -> Remedy {
        let done = self.redeliveries.len();
        let wait = quiet.saturating_mul(1 << done.saturating_sub(1).min(16));
        if self.given_up || self.redeliveries.last().is_some_and(|last| now.since(*last) < wait) {
            Remedy::Wait
        } else if done < MOST_REDELIVERIES {
            Remedy::Redeliver(done + 1)
        } else {
            Remedy::GiveUp
        }
    }
}

#[cfg(test)]
mod tests;
