//! The protocol of a revocation, as a model: the product's own code and values in a world where anything may happen
//! between any two calls.

pub(crate) mod calls;
pub(crate) mod code;
mod effect;
pub(crate) mod properties;
pub(crate) mod scenario;
pub(crate) mod tale;
pub(crate) mod world;

use std::time::Duration;

use revocation_core::domain::tombstone::Tombstone;
use stateright::{Model, Property};

use crate::replay::{Next, Places};
use calls::{Answer, Call, End};
use code::Revocations;
use scenario::{Broken, Scenario};
use world::{Delivery, Left, Row, Seen, World};

/// The protocol, within the bounds of a scenario.
pub(crate) struct Protocol {
    pub(crate) scenario: Scenario,
    pub(crate) broken: Option<Broken>,
    pub(crate) places: Places<Revocations>,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happens {
    /// A second passes.
    Second,
    /// An hour passes: the queue waits, a dead letter lies.
    Hour,
    /// Somebody signs in.
    SignIn,
    /// A session obtains another token.
    Refresh(usize),
    /// The queue delivers a request; once more, if it did before.
    Deliver(u8),
    /// A delivery's call takes effect, and the code goes on to its next one.
    GoOn(usize),
    /// A delivery hears that Cognito has signed out, and looks at the clock.
    Hear(usize),
    /// A delivery's call fails without effect, by an error that may pass.
    Fail(usize),
    /// A delivery's function dies.
    Die(usize),
}

impl Protocol {
    pub(crate) fn of(scenario: Scenario, broken: Option<Broken>) -> Self {
        let clock_skew = Duration::from_secs(scenario.skew.unsigned_abs());
        let places = Places::of(Revocations { requests: scenario.requests.clone(), clock_skew });
        Self { scenario, broken, places }
    }

    pub(crate) fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    /// What a delivery is about to do.
    pub(crate) fn call(&self, delivery: &Delivery) -> Option<Call> {
        match self.places.next(delivery.place) {
            Some(Next::Call(call)) => Some(call),
            _ => None,
        }
    }

    fn lag(&self) -> Option<i64> {
        let more = i64::from(self.is(Broken::LaterReaders));
        (self.scenario.lag > 0).then_some(self.scenario.lag + more)
    }

    fn deliver(&self, world: &mut World, request: u8) {
        let n = usize::from(request);
        if world.delivered.get(n) == Some(&0) {
            world.first_delivered(request);
        }
        if let Some(delivered) = world.delivered.get_mut(n) {
            *delivered += 1;
        }
        let is_late = world.trails.get(n).and_then(Option::as_ref).is_some_and(|trail| trail.finished);
        let place = self.places.start(request, world.clock());
        world.deliveries.push(Delivery { request, place, is_answered: false, is_late, put_off: None });
    }

    /// The call of a delivery takes effect, and those after it that nobody else sees.
    fn go_on(&self, world: &mut World, n: usize) -> Option<()> {
        let at_work = world.deliveries.len();
        self.take(world, n)?;
        let is_private = |world: &World| {
            let call = world.deliveries.get(n).filter(|delivery| !delivery.is_answered).and_then(|it| self.call(it));
            world.deliveries.len() == at_work && call.is_some_and(|call| call.is_private())
        };
        while self.scenario.is_coarse && is_private(world) {
            self.take(world, n)?;
        }
        Some(())
    }

    fn take(&self, world: &mut World, n: usize) -> Option<()> {
        let mut delivery = world.deliveries.get(n)?.clone();
        let call = self.call(&delivery)?;
        if call == Call::SignOut {
            let cutoff = world.trails.get(usize::from(delivery.request))?.as_ref()?.not_before;
            world.seen.called_out_first |= world.row.0.not_before.is_none_or(|standing| standing < cutoff);
            world.sign_out();
            delivery.is_answered = true;
            *world.deliveries.get_mut(n)? = delivery;
            return Some(());
        }
        let answer = self.effect(world, &mut delivery, &call)?;
        self.hear(world, n, delivery, answer)
    }

    /// The code hears an answer and goes on to its next call, or to its end.
    fn hear(&self, world: &mut World, n: usize, mut delivery: Delivery, answer: Answer) -> Option<()> {
        delivery.is_answered = false;
        delivery.place = self.places.hear(delivery.request, delivery.place, answer, world.clock());
        if let Some(Next::Ended(end)) = self.places.next(delivery.place) {
            if let (End::Done { reports: true }, Some(reports)) =
                (end, world.seen.reports.get_mut(usize::from(delivery.request)))
            {
                *reports += 1;
            }
            world.deliveries.remove(n);
        } else {
            *world.deliveries.get_mut(n)? = delivery;
        }
        Some(())
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Happens;

    fn init_states(&self) -> Vec<World> {
        let of_each = self.scenario.requests.len();
        let world = |ahead: &i64| {
            let mut world = World {
                now: 0,
                ahead: *ahead,
                row: Row(Tombstone::default()),
                stale: Vec::new(),
                sessions: Vec::new(),
                trails: vec![None; of_each],
                deliveries: Vec::new(),
                delivered: vec![0; of_each],
                left: Left {
                    sign_ins: self.scenario.sign_ins,
                    refreshes: self.scenario.refreshes,
                    crashes: self.scenario.crashes,
                    failures: self.scenario.failures,
                    hours: self.scenario.hours,
                },
                seen: Seen {
                    locked_out: vec![None; of_each],
                    sealed: vec![None; of_each],
                    latest: i64::MIN,
                    reports: vec![0; of_each],
                    ..Seen::default()
                },
            };
            world.sign_in();
            world
        };
        self.scenario.ahead.iter().map(world).collect()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happens>) {
        if world.now < self.scenario.seconds {
            actions.push(Happens::Second);
        }
        if world.left.hours > 0 {
            actions.push(Happens::Hour);
        }
        if world.left.sign_ins > 0 {
            actions.push(Happens::SignIn);
        }
        if world.left.refreshes > 0 {
            let may =
                |(n, session): (usize, &world::Session)| session.ended_at.is_none().then_some(Happens::Refresh(n));
            actions.extend(world.sessions.iter().enumerate().filter_map(may));
        }
        for (request, delivered) in (0..).zip(&world.delivered) {
            let at_work = world.deliveries.iter().filter(|delivery| delivery.request == request).count();
            if *delivered < self.scenario.deliveries && at_work < self.scenario.at_once {
                actions.push(Happens::Deliver(request));
            }
        }
        for (n, delivery) in world.deliveries.iter().enumerate() {
            actions.push(if delivery.is_answered { Happens::Hear(n) } else { Happens::GoOn(n) });
            if world.left.failures > 0 && !delivery.is_answered && self.call(delivery) == Some(Call::Disable) {
                actions.push(Happens::Fail(n));
            }
            if world.left.crashes > 0 {
                actions.push(Happens::Die(n));
            }
        }
    }

    fn next_state(&self, last: &World, action: Happens) -> Option<World> {
        let mut world = last.clone();
        match action {
            Happens::Second => world.now += 1,
            Happens::Hour => {
                world.left.hours -= 1;
                world.now += 3_600;
            }
            Happens::SignIn => {
                world.left.sign_ins -= 1;
                world.sign_in();
            }
            Happens::Refresh(n) => {
                world.left.refreshes -= 1;
                world.refresh(n, self.scenario.remints);
            }
            Happens::Deliver(request) => self.deliver(&mut world, request),
            Happens::GoOn(n) => self.go_on(&mut world, n)?,
            Happens::Hear(n) => {
                let delivery = world.deliveries.get(n)?.clone();
                self.hear(&mut world, n, delivery, Answer::Done)?;
            }
            Happens::Fail(n) => {
                world.left.failures -= 1;
                let delivery = world.deliveries.get(n)?.clone();
                self.hear(&mut world, n, delivery, Answer::Failed)?;
            }
            Happens::Die(n) => {
                world.left.crashes -= 1;
                world.deliveries.remove(n);
            }
        }
        world.forget(self.lag());
        // Which of two deliveries of one request is which makes no difference.
        world.deliveries.sort();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all(self)
    }
}
