//! The compromise counter, as a model: the product's own code, several at once, on a log that is saved if nobody else has.

pub(crate) mod code;

use std::collections::BTreeSet;

use revocation_core::domain::incident::{IncidentLog, Sign, Stage, TELLING_LEASE};
use revocation_core::domain::time::EpochMillis;
use stateright::{Model, Path, Property};

use crate::protocol::scenario::compromise;
use crate::replay::{Next, Place, Places};
use code::{Answer, Call, Counting, Log};

/// The event source mapping runs so many at a time (`MaximumConcurrency` in the template).
const AT_ONCE: usize = 2;

const ONE_INCIDENT: &str = "I9 one incident is paged, whoever opens it";
pub(crate) const ONE_PAGE: &str = "I9 one page, and one more for each function that died between sending and saying so";
pub(crate) const PAGED: &str = "I9 when all signs are counted and the tick has looked, somebody was paged";

/// The counter, within bounds.
pub(crate) struct Counter {
    /// How many accounts show a sign; more than the threshold of one.
    accounts: u8,
    /// How often each sign is delivered.
    deliveries: u8,
    crashes: u8,
    broken: Option<Broken>,
    pub(crate) places: Places<Counting>,
}

/// A way to get it wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The log is saved without a condition.
    BlindSave,
    /// Signs are read before they are known to be written (an eventually consistent read).
    StaleSigns,
}

/// One state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    now: i64,
    log: Log,
    signs: BTreeSet<Sign>,
    at_work: Vec<(u8, Place)>,
    delivered: Vec<u8>,
    /// Which deliveries have come to their end.
    counted: Vec<bool>,
    pages: Vec<String>,
    crashes: u8,
    deaths: u8,
    /// The tick began when everything was counted and nobody held the page; it ended.
    has_looked: bool,
    looks: bool,
}

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Happens {
    Deliver(u8),
    GoOn(usize),
    Die(usize),
    /// The lease on the page runs out. Whoever was at work has met the time limit of its function.
    Lease,
}

impl Broken {
    /// What was taken away.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::BlindSave => "the incident log saved without a condition",
            Self::StaleSigns => "signs read with an eventually consistent read",
        }
    }
}

impl Counter {
    pub(crate) fn of(accounts: u8, deliveries: u8, crashes: u8, broken: Option<Broken>) -> Self {
        let places = Places::of(Counting { requests: (0..accounts).map(compromise).collect() });
        Self { accounts, deliveries, crashes, broken, places }
    }

    fn call(&self, place: Place) -> Option<Call> {
        match self.places.next(place) {
            Some(Next::Call(call)) => Some(call),
            _ => None,
        }
    }

    fn deliver(&self, world: &mut World, job: u8) -> Option<()> {
        *world.delivered.get_mut(usize::from(job))? += 1;
        world.at_work.push((job, self.places.start(job, EpochMillis(world.now * 1_000))));
        if job == self.accounts {
            let now = EpochMillis(world.now * 1_000);
            let is_free = world.log.0.incidents.iter().all(|incident| incident.telling_until <= now);
            world.looks = is_free && world.at_work.len() == 1 && world.counted.iter().all(|counted| *counted);
        } else {
            world.looks = false;
        }
        Some(())
    }

    fn go_on(&self, world: &mut World, n: usize) -> Option<()> {
        let (job, place) = *world.at_work.get(n)?;
        let answer = match self.call(place)? {
            Call::Record(sign) => {
                // Each account has one sign here, and its first stands.
                let standing = world.signs.iter().find(|other| other.account == sign.account).cloned();
                let sign = standing.unwrap_or(sign);
                world.signs.insert(sign.clone());
                Answer::Recorded(sign)
            }
            Call::Between if self.broken == Some(Broken::StaleSigns) => {
                let own = format!("account-{job}");
                Answer::Signs(world.signs.iter().filter(|sign| sign.account.ends_with(&own)).cloned().collect())
            }
            Call::Between => Answer::Signs(world.signs.clone()),
            Call::Load => Answer::Loaded(world.log.clone()),
            Call::Save(log) => {
                let is_ours = log.0.version == world.log.0.version || self.broken == Some(Broken::BlindSave);
                if is_ours {
                    world.log = Log(IncidentLog { version: world.log.0.version + 1, ..log.0 });
                }
                Answer::Saved(is_ours)
            }
            Call::Page { incident, stage } => {
                if stage == Stage::Triggered {
                    world.pages.push(incident);
                }
                Answer::Paged
            }
        };
        let place = self.places.hear(job, place, answer, EpochMillis(world.now * 1_000));
        if let Some(Next::Ended(ended_well)) = self.places.next(place) {
            world.at_work.remove(n);
            if let Some(counted) = world.counted.get_mut(usize::from(job)) {
                *counted |= ended_well;
            } else {
                world.has_looked |= world.looks && ended_well;
            }
        } else {
            *world.at_work.get_mut(n)? = (job, place);
        }
        Some(())
    }
}

impl Model for Counter {
    type State = World;
    type Action = Happens;

    fn init_states(&self) -> Vec<World> {
        vec![World {
            now: 0,
            log: Log::default(),
            signs: BTreeSet::new(),
            at_work: Vec::new(),
            delivered: vec![0; usize::from(self.accounts) + 1],
            counted: vec![false; usize::from(self.accounts)],
            pages: Vec::new(),
            crashes: self.crashes,
            deaths: 0,
            has_looked: false,
            looks: false,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happens>) {
        for (job, delivered) in (0..).zip(&world.delivered) {
            let limit = if job == self.accounts { 1 } else { self.deliveries };
            if *delivered < limit && world.at_work.len() < AT_ONCE {
                actions.push(Happens::Deliver(job));
            }
        }
        for n in 0..world.at_work.len() {
            actions.push(Happens::GoOn(n));
            if world.crashes > 0 {
                actions.push(Happens::Die(n));
            }
        }
        if world.now == 0 {
            actions.push(Happens::Lease);
        }
    }

    fn next_state(&self, last: &World, action: Happens) -> Option<World> {
        let mut world = last.clone();
        match action {
            Happens::Deliver(job) => self.deliver(&mut world, job)?,
            Happens::GoOn(n) => self.go_on(&mut world, n)?,
            Happens::Die(n) => {
                world.crashes -= 1;
                world.deaths += 1;
                world.at_work.remove(n);
            }
            Happens::Lease => {
                world.now += i64::try_from(TELLING_LEASE.as_secs()).unwrap_or(i64::MAX) + 1;
                world.deaths += u8::try_from(world.at_work.len()).unwrap_or(u8::MAX);
                world.at_work.clear();
            }
        }
        world.at_work.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut all = vec![
            Property::always(ONE_INCIDENT, |_, world: &World| {
                world.pages.iter().collect::<BTreeSet<_>>().len() <= 1 && world.log.0.incidents.len() <= 1
            }),
            Property::always(ONE_PAGE, |_, world: &World| world.pages.len() <= 1 + usize::from(world.deaths)),
            Property::always(PAGED, |_, world: &World| !world.has_looked || !world.pages.is_empty()),
        ];
        if self.broken.is_none() {
            let example = "one page although every sign was delivered and counted at once with another";
            all.push(Property::sometimes(example, |counter: &Counter, world: &World| {
                let signs = || world.delivered.iter().take(usize::from(counter.accounts));
                world.has_looked && world.pages.len() == 1 && signs().all(|times| *times == counter.deliveries)
            }));
        }
        all
    }
}

/// A path, line by line.
pub(crate) fn tell(counter: &Counter, path: Path<World, Happens>) -> Vec<String> {
    let mut lines = Vec::new();
    for (world, happens) in path.into_vec() {
        let name = |job: u8| {
            if job == counter.accounts { "the tick".to_owned() } else { format!("the counter of account {}", job + 1) }
        };
        let of = |n: usize| world.at_work.get(n).copied();
        lines.push(match happens {
            Some(Happens::Deliver(job)) => format!("{} starts", name(job)),
            Some(Happens::GoOn(n)) => {
                let call =
                    of(n).and_then(|(_, place)| counter.call(place)).map_or_else(String::new, |call| words(&call));
                format!("{}: {call}", of(n).map(|(job, _)| name(job)).unwrap_or_default())
            }
            Some(Happens::Die(n)) => format!("{} dies", of(n).map(|(job, _)| name(job)).unwrap_or_default()),
            Some(Happens::Lease) => "(the lease on the page runs out)".to_owned(),
            None => {
                format!("=> {} incident(s) in the log, {} page(s) sent", world.log.0.incidents.len(), world.pages.len())
            }
        });
    }
    lines
}

fn words(call: &Call) -> String {
    match call {
        Call::Record(sign) => format!("records the sign of {}", sign.account),
        Call::Between => "reads the signs of the window".to_owned(),
        Call::Load => "loads the incident log".to_owned(),
        Call::Save(log) => {
            format!("saves the log, {} incident(s), over version {}", log.0.incidents.len(), log.0.version)
        }
        Call::Page { incident, stage } => format!("pages {incident}, {stage:?}"),
    }
}
