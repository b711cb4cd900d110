//! Explores the scenarios, and counts.

use std::fmt::Debug;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::time::Instant;

use serde::Serialize;
use stateright::{Checker as _, Expectation, HasDiscoveries, Model, Path};

use crate::counter::{self, Counter, ONE_PAGE, PAGED};
use crate::protocol::Protocol;
use crate::protocol::properties::{
    FIXED_ONCE, LOCKED_OUT, LOCKED_OUT_FIRST, NEW_IS_SERVED, ONLY_FORWARD, OUTLIVES, OVER_IS_REFUSED,
};
use crate::protocol::scenario::{Broken, Scenario};
use crate::protocol::tale;

/// What an exploration came to.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Its name.
    pub name: &'static str,
    /// What it explores.
    pub about: &'static str,
    /// States generated, those met before included.
    pub states: usize,
    /// States that differ.
    pub unique: usize,
    /// The longest way.
    pub depth: usize,
    /// Places of the code that were reached.
    pub places: usize,
    /// How long it took, seconds.
    pub seconds: f64,
    /// Properties that do not hold, with a way there.
    pub broken: Vec<(&'static str, Vec<String>)>,
    /// What should be possible and was not met.
    pub not_met: Vec<&'static str>,
    /// How many properties hold in every state.
    pub held: usize,
}

/// A broken variant of the protocol, and what the checker found.
#[derive(Debug, Serialize)]
pub struct Refuted {
    /// What was taken away.
    pub about: &'static str,
    /// In which scenario.
    pub scenario: &'static str,
    /// The property that must break by it.
    pub property: &'static str,
    /// The shortest way there; empty if none was found.
    pub trace: Vec<String>,
    /// States that differ, until then.
    pub unique: usize,
}

/// Explores the scenarios of the small or the large set to their ends, one after the other; those named so, if any.
pub fn check(large: bool, names: &[String]) -> impl Iterator<Item = Checked> + use<'_> {
    let scenarios = if large { Scenario::large() } else { Scenario::small() };
    let is_meant = |name: &str| names.is_empty() || names.iter().any(|meant| meant == name);
    let (accounts, deliveries) = if large { (3, 1) } else { (2, 2) };
    let counting = is_meant("counter").then(|| {
        let about = "signs of compromise counted at once, delivered twice, the function dies; the tick looks after it";
        explore("counter", about, Counter::of(accounts, deliveries, 1, None))
    });
    scenarios
        .into_iter()
        .filter(move |scenario| is_meant(scenario.name))
        .map(|scenario| explore(scenario.name, scenario.about, Protocol::of(scenario, None)))
        .chain(counting)
}

fn explore<M: Told>(name: &'static str, about: &'static str, model: M) -> Checked {
    let began = Instant::now();
    let search = model.checker().threads(threads()).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let model = search.model();
    let mut discoveries = search.discoveries();
    let mut checked = Checked {
        name,
        about,
        states: search.state_count(),
        unique: search.unique_state_count(),
        depth: search.max_depth(),
        places: model.places(),
        seconds: began.elapsed().as_secs_f64(),
        broken: Vec::new(),
        not_met: Vec::new(),
        held: 0,
    };
    for property in model.properties() {
        match (discoveries.remove(property.name), property.expectation) {
            (Some(path), Expectation::Always) => checked.broken.push((property.name, model.tell(path))),
            (None, Expectation::Always) => checked.held += 1,
            (None, _) => checked.not_met.push(property.name),
            (Some(_), _) => {}
        }
    }
    checked
}

/// Takes away one part at a time, and finds what breaks.
pub fn refute() -> impl Iterator<Item = Refuted> {
    let protocol = [
        (Scenario::retry(), Broken::NoSeal, OVER_IS_REFUSED),
        (Scenario::remint(), Broken::NoSeal, OVER_IS_REFUSED),
        (Scenario::retry(), Broken::TombstoneSecond, LOCKED_OUT_FIRST),
        (Scenario::retry(), Broken::OnlyIat, LOCKED_OUT),
        (Scenario::retry(), Broken::CutoffAnew, NEW_IS_SERVED),
        (Scenario::retry(), Broken::CutoffAnew, FIXED_ONCE),
        (Scenario::two(), Broken::LastWriterWins, ONLY_FORWARD),
        (Scenario::retry(), Broken::ShortLife, OUTLIVES),
        (Scenario::lag(), Broken::LaterReaders, LOCKED_OUT),
    ];
    let counter = [(counter::Broken::BlindSave, ONE_PAGE), (counter::Broken::StaleSigns, PAGED)];
    protocol
        .into_iter()
        .map(|(scenario, broken, property)| {
            refute_one(broken.about(), scenario.name, Protocol::of(scenario, Some(broken)), property)
        })
        .chain(counter.into_iter().map(|(broken, property)| {
            refute_one(broken.about(), "counter", Counter::of(2, 1, 0, Some(broken)), property)
        }))
}

fn refute_one<M: Told>(about: &'static str, scenario: &'static str, model: M, property: &'static str) -> Refuted {
    // One thread: breadth first then finds a shortest way.
    let until = HasDiscoveries::AnyOf([property].into());
    let checker = model.checker().finish_when(until).spawn_bfs().join();
    let path = checker.discoveries().remove(property);
    let trace = path.map(|path| checker.model().tell(path)).unwrap_or_default();
    Refuted { about, scenario, property, trace, unique: checker.unique_state_count() }
}

/// A model whose paths can be told.
trait Told:
    Model<State: Hash + Send + Sync + Debug + Clone + PartialEq, Action: Debug + Clone + PartialEq + Send>
    + Send
    + Sync
    + 'static
{
    fn tell(&self, path: Path<Self::State, Self::Action>) -> Vec<String>;
    fn places(&self) -> usize;
}

impl Told for Protocol {
    fn tell(&self, path: Path<Self::State, Self::Action>) -> Vec<String> {
        tale::tell(self, path)
    }

    fn places(&self) -> usize {
        self.places.count()
    }
}

impl Told for Counter {
    fn tell(&self, path: Path<Self::State, Self::Action>) -> Vec<String> {
        counter::tell(self, path)
    }

    fn places(&self) -> usize {
        self.places.count()
    }
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

#[cfg(test)]
mod tests;
