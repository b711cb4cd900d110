//! Runs asynchronous code one call at a time, so that a checker can decide what happens between any two of them.
//!
//! A use case is run from its start with the answers it got so far, until it makes a call that has not been answered yet.
//! What it has heard is all there is to know of it: a place in the code is a node in the tree of answers, and running the
//! same code through the same answers always leads to the same next call. Nothing of the use case is written twice.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};

use revocation_core::domain::time::EpochMillis;

/// What code does next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Next<C, E> {
    /// It calls a port.
    Call(C),
    /// It has ended.
    Ended(E),
}

/// What code hears: an answer (none, when it is started), and by its clock when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Heard<A> {
    pub(crate) at: EpochMillis,
    pub(crate) answer: Option<A>,
}

/// Code that can be run so.
pub(crate) trait Code: Send + Sync {
    type Call: Clone + Debug + Send + Sync;
    type Answer: Clone + Debug + Eq + Hash + Send + Sync;
    type End: Clone + Debug + Send + Sync;

    /// Runs `job` through `heard`.
    fn run(&self, job: u8, heard: &[Heard<Self::Answer>]) -> Next<Self::Call, Self::End>;

    /// Whether what it does next would have been the same at another time. Then the time is forgotten, which makes places
    /// in the code alike that differ in nothing that is ever looked at again.
    fn is_timeless(next: &Next<Self::Call, Self::End>) -> bool;
}

/// The part of the ports in which all of them are alike: either the answer is known, or the code has come to its place.
pub(crate) struct Script<C, A> {
    heard: Vec<Heard<A>>,
    place: Mutex<(usize, Option<C>)>,
}

/// A place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place(u32);

struct Node<K: Code> {
    job: u8,
    before: Option<Place>,
    heard: Heard<K::Answer>,
    next: Next<K::Call, K::End>,
}

type Key<A> = (u8, Option<Place>, Option<A>, Option<EpochMillis>);

/// Each place by how one came there, and all of them in the order they were found.
type Found<K> = (HashMap<Key<<K as Code>::Answer>, Place>, Vec<Node<K>>);

/// The places found so far.
pub(crate) struct Places<K: Code> {
    code: K,
    found: RwLock<Found<K>>,
}

// === impl Script ===

impl<C, A: Clone> Script<C, A> {
    pub(crate) fn new(heard: &[Heard<A>]) -> Self {
        Self { heard: heard.to_vec(), place: Mutex::new((0, None)) }
    }

    /// The time by the clock of the code.
    pub(crate) fn now(&self) -> EpochMillis {
        let place = self.place.lock().unwrap_or_else(PoisonError::into_inner).0;
        self.heard.get(place).map_or(EpochMillis(0), |heard| heard.at)
    }

    /// A call: answered, or the last thing the code does.
    pub(crate) async fn ask(&self, call: C) -> A {
        let answer = {
            let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
            place.0 += 1;
            let answer = self.heard.get(place.0).and_then(|heard| heard.answer.clone());
            if answer.is_none() {
                place.1 = Some(call);
            }
            answer
        };
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }

    /// Runs `code` as far as the answers reach. `None`: it waits for something that is no call.
    pub(crate) fn run<T>(&self, code: impl Future<Output = T>) -> Option<Next<C, T>> {
        let mut code = std::pin::pin!(code);
        match code.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(end) => Some(Next::Ended(end)),
            Poll::Pending => self.place.lock().unwrap_or_else(PoisonError::into_inner).1.take().map(Next::Call),
        }
    }
}

// === impl Places ===

impl<K: Code> Places<K> {
    pub(crate) fn of(code: K) -> Self {
        Self { code, found: RwLock::new((HashMap::new(), Vec::new())) }
    }

    /// How many were found.
    pub(crate) fn count(&self) -> usize {
        self.found.read().unwrap_or_else(PoisonError::into_inner).1.len()
    }

    /// Where `job` is when it is started at `now`.
    pub(crate) fn start(&self, job: u8, now: EpochMillis) -> Place {
        self.goes_on(job, None, Heard { at: now, answer: None })
    }

    /// Where the code is after it has heard `answer` at `now`.
    pub(crate) fn hear(&self, job: u8, place: Place, answer: K::Answer, now: EpochMillis) -> Place {
        self.goes_on(job, Some(place), Heard { at: now, answer: Some(answer) })
    }

    /// What the code does next.
    pub(crate) fn next(&self, place: Place) -> Option<Next<K::Call, K::End>> {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        found.1.get(place.0 as usize).map(|node| node.next.clone())
    }

    fn goes_on(&self, job: u8, before: Option<Place>, heard: Heard<K::Answer>) -> Place {
        let timeless = (job, before, heard.answer.clone(), None);
        let timed = (job, before, heard.answer.clone(), Some(heard.at));
        let mut way = {
            let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(place) = found.0.get(&timeless).or_else(|| found.0.get(&timed)) {
                return *place;
            }
            way(&found.1, before)
        };
        way.push(heard.clone());
        let mut next = self.code.run(job, &way);
        let is_timeless = K::is_timeless(&next);
        let at = if is_timeless { EpochMillis(0) } else { heard.at };
        if let (true, Some(last)) = (is_timeless, way.last_mut()) {
            // Once more, as if at time zero: nothing of the time may be left in what it does.
            last.at = at;
            next = self.code.run(job, &way);
        }
        let key = if is_timeless { timeless } else { timed };
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = found.0.get(&key) {
            return *place;
        }
        let place = Place(u32::try_from(found.1.len()).unwrap_or(u32::MAX));
        found.1.push(Node { job, before, heard: Heard { at, ..heard }, next });
        found.0.insert(key, place);
        place
    }
}

/// All that was heard on the way to a place.
fn way<K: Code>(nodes: &[Node<K>], mut place: Option<Place>) -> Vec<Heard<K::Answer>> {
    let mut way = Vec::new();
    while let Some(node) = place.and_then(|place| nodes.get(place.0 as usize)) {
        debug_assert!(node.before.is_some() || node.heard.answer.is_none(), "job {} begins with its start", node.job);
        way.push(node.heard.clone());
        place = node.before;
    }
    way.reverse();
    way
}
