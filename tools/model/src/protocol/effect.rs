//! What a call does to the world: the other side of each port, by the product's own decisions.

use std::time::Duration;

use revocation_core::domain::audit::Step;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::domain::tombstone::{Cutoff, CutoffKind, Raised, Seal, Sealed};

use super::Protocol;
use super::calls::{Answer, Call, How, Noted, Steps};
use super::scenario::Broken;
use super::world::{Delivery, World};

impl Protocol {
    pub(super) fn effect(&self, world: &mut World, delivery: &mut Delivery, call: &Call) -> Option<Answer> {
        let request = usize::from(delivery.request);
        let now = world.now;
        Some(match call {
            Call::Begin { not_before } => self.begin(world, request, *not_before)?,
            Call::Raise(cutoff) if self.is(Broken::TombstoneSecond) => {
                delivery.put_off = Some(cutoff.at.0);
                Answer::Moved(true)
            }
            Call::Raise(cutoff) => self.raise(world, request, cutoff)?,
            Call::Wrote { step, how, at } => {
                let trail = world.trails.get_mut(request)?.as_mut()?;
                let (how, at) = *trail.steps.entry(*step).or_insert((*how, *at));
                if *step == Step::GlobalSignOut {
                    world.seen.latest = world.seen.latest.max(at.seconds().0 + self.scenario.skew);
                    self.catch_up(world, delivery);
                }
                Answer::Stands(how, at)
            }
            Call::Seal(seal) => {
                let sealed = if self.is(Broken::NoSeal) { true } else { self.seal(world, seal) };
                world.seen.sealed.get_mut(request)?.get_or_insert(now);
                Answer::Sealed(sealed)
            }
            Call::Completed => {
                let trail = world.trails.get_mut(request)?.as_mut()?;
                if let Some(standing) = &trail.completed {
                    Answer::Record(standing.clone())
                } else {
                    trail.completed = Some(trail.steps.clone());
                    Answer::Done
                }
            }
            Call::Resolved => {
                world.trails.get_mut(request)?.as_mut()?.resolved = true;
                Answer::Done
            }
            Call::Published => {
                world.trails.get_mut(request)?.as_mut()?.published = true;
                Answer::Done
            }
            Call::Finished => {
                world.trails.get_mut(request)?.as_mut()?.finished = true;
                Answer::Done
            }
            Call::Resolve | Call::Publish | Call::Disable | Call::SignOut | Call::Unforeseen(_) => Answer::Done,
        })
    }

    fn begin(&self, world: &mut World, request: usize, not_before: EpochSeconds) -> Option<Answer> {
        let trail = world.trails.get_mut(request)?;
        if let Some(noted) = trail {
            let mut noted = noted.clone();
            if self.is(Broken::CutoffAnew) {
                noted.not_before = not_before;
                (noted.steps, noted.completed, noted.published, noted.finished) = (Steps::new(), None, false, false);
            }
            return Some(Answer::Before(noted));
        }
        *trail = Some(Noted {
            not_before,
            resolved: false,
            steps: Steps::new(),
            completed: None,
            published: false,
            finished: false,
        });
        world.seen.latest = world.seen.latest.max(not_before.0);
        Some(Answer::New)
    }

    fn raise(&self, world: &mut World, request: usize, cutoff: &Cutoff) -> Option<Answer> {
        let mut row = world.row.0.clone();
        let moved = row.raise(cutoff) == Raised::Moved;
        if self.is(Broken::LastWriterWins) {
            row.not_before = Some(cutoff.at);
        }
        if self.is(Broken::ShortLife) {
            row.expires_at = Some(cutoff.at.plus(Duration::from_hours(25)));
        }
        world.write(row, self.lag());
        let trail = world.trails.get(request)?.as_ref()?;
        // While a lock fails, the cutoff is moved past each sign-out that is made meanwhile.
        if cutoff.at > trail.not_before && !self.is(Broken::CutoffAnew) {
            world.seen.latest = world.seen.latest.max(cutoff.at.0);
        }
        world.seen.locked_out.get_mut(request)?.get_or_insert(world.now);
        Some(Answer::Moved(moved))
    }

    fn seal(&self, world: &mut World, seal: &Seal) -> bool {
        let mut row = world.row.0.clone();
        let sealed = row.seal(seal) == Sealed::Sealed;
        world.write(row, self.lag());
        sealed
    }

    /// The broken variant that signs out first writes its tombstone now.
    pub(super) fn catch_up(&self, world: &mut World, delivery: &mut Delivery) {
        let Some(at) = delivery.put_off.take() else { return };
        let mut row = world.row.0.clone();
        let request = usize::from(delivery.request);
        let Some(revocation_id) = self.scenario.requests.get(request).map(RevocationRequest::id) else { return };
        row.raise(&Cutoff { revocation_id, at: EpochSeconds(at), kind: CutoffKind::Sessions });
        world.write(row, self.lag());
        if let Some(locked_out) = world.seen.locked_out.get_mut(request) {
            locked_out.get_or_insert(world.now);
        }
    }
}

/// When a step was written down.
pub(super) fn wrote(world: &World, request: usize, step: Step) -> Option<EpochMillis> {
    let (how, at) = world.trails.get(request)?.as_ref()?.steps.get(&step)?;
    (*how == How::Done).then_some(*at)
}
