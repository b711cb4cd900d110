//! Which call meets which fault: the cases, their rules, and what was seen of each.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::call::Call;
use crate::fault::Fault;

/// How long a rule holds once it was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasting {
    /// For so many calls, repetitions included.
    Calls(u32),
    /// For so long.
    For(Duration),
}

/// One fault of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The function that calls; empty for every function.
    pub function: &'static str,
    /// The action, such as `dynamodb:PutItem`; `dynamodb:*` is every action of a service.
    pub action: String,
    /// The how many-th such call of the case; the first is 1.
    pub nth: u32,
    /// What happens to it.
    pub fault: Fault,
    /// And to those after it.
    pub lasting: Lasting,
}

/// A case: what belongs to it, and its faults.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Texts that only calls of this case contain: a user name, a `sub`, a revocation's id.
    pub markers: Vec<String>,
    /// Functions that work for this case alone.
    pub owns: Vec<&'static str>,
    /// The faults.
    pub rules: Vec<Rule>,
}

/// A call of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Who called.
    pub function: &'static str,
    /// What.
    pub action: String,
    /// The how many-th of this function and action in the case.
    pub nth: u32,
    /// For people: the item, event or step.
    pub about: String,
    /// Whether it is a read that may be behind.
    pub eventually_consistent: bool,
    /// What was done to it.
    pub fault: Option<Fault>,
}

/// By what calls that name nobody are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    /// A process.
    Process(u32),
    /// A connection, which is one process's.
    Connection(u64),
}

/// What the proxy knows.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    open: BTreeMap<u64, Open>,
    next: u64,
    /// What a caller was last at work for. A function handles one message at a time here.
    by_caller: HashMap<Caller, u64>,
}

#[derive(Debug)]
struct Open {
    script: Script,
    counts: HashMap<(&'static str, String), u32>,
    /// By the index of the rule: how often it was met, and when first.
    met: Vec<Option<(u32, Instant)>>,
    seen: Vec<Seen>,
}

// === impl Cases ===

impl Cases {
    pub(crate) fn open(&mut self, script: Script) -> u64 {
        self.next += 1;
        let met = vec![None; script.rules.len()];
        self.open.insert(self.next, Open { script, counts: HashMap::new(), met, seen: Vec::new() });
        self.next
    }

    pub(crate) fn close(&mut self, case: u64) {
        self.open.remove(&case);
        self.by_caller.retain(|_, owner| *owner != case);
    }

    /// Names learnt later, such as a user's `sub`.
    pub(crate) fn mark(&mut self, case: u64, marker: String) {
        if let Some(open) = self.open.get_mut(&case) {
            open.script.markers.push(marker);
        }
    }

    /// Ends the faults of a case; it stays open.
    pub(crate) fn heal(&mut self, case: u64) {
        if let Some(open) = self.open.get_mut(&case) {
            open.script.rules.clear();
            open.met.clear();
        }
    }

    /// Adds a fault to a case that is at work.
    pub(crate) fn add(&mut self, case: u64, rule: Rule) {
        if let Some(open) = self.open.get_mut(&case) {
            open.script.rules.push(rule);
            open.met.push(None);
        }
    }

    pub(crate) fn seen(&self, case: u64) -> Vec<Seen> {
        self.open.get(&case).map(|open| open.seen.clone()).unwrap_or_default()
    }

    /// Writes a call down under its case; answers what happens to it.
    pub(crate) fn meet(&mut self, function: &'static str, call: &Call, caller: Caller, now: Instant) -> Option<Fault> {
        let Some(case) = self.owner(function, call, caller) else {
            // It is at work for somebody who is no case.
            self.by_caller.remove(&caller);
            return None;
        };
        self.by_caller.insert(caller, case);
        self.open.get_mut(&case)?.meet(function, call, now)
    }

    /// The fault of the last such call did not come to pass.
    pub(crate) fn take_back(&mut self, function: &'static str, call: &Call, caller: Caller) {
        let Some(case) = self.owner(function, call, caller) else { return };
        let seen = self.open.get_mut(&case).map(|open| &mut open.seen);
        let last =
            seen.and_then(|seen| seen.iter_mut().rfind(|seen| seen.action == call.action && seen.fault.is_some()));
        if let Some(last) = last {
            last.fault = None;
        }
    }

    fn owner(&self, function: &'static str, call: &Call, caller: Caller) -> Option<u64> {
        if let Some((case, _)) = self.open.iter().find(|(_, open)| open.script.owns.contains(&function)) {
            return Some(*case);
        }
        let last = self.by_caller.get(&caller).copied();
        let is_named = |case: &u64| self.open.get(case).is_some_and(|open| open.is_named_in(&call.text));
        if last.is_some_and(|last| is_named(&last)) {
            return last;
        }
        self.open.keys().copied().find(is_named).or(last.filter(|_| names_nobody(function, &call.action)))
    }
}

/// Whether such a call is about whatever the caller is at work for. The counter's are about all accounts, once it has found out
/// whom a message means.
fn names_nobody(function: &str, action: &str) -> bool {
    let looks_up = action == "cognito-idp:ListUsers";
    action == "sqs:ChangeMessageVisibility" || function == "compromise-counter" && !looks_up
}

// === impl Open ===

impl Open {
    fn is_named_in(&self, text: &str) -> bool {
        self.script.markers.iter().any(|marker| text.contains(marker.as_str()))
    }

    fn meet(&mut self, function: &'static str, call: &Call, now: Instant) -> Option<Fault> {
        let count = self.counts.entry((function, call.action.clone())).or_default();
        *count += 1;
        let nth = *count;
        let mut fault = None;
        for (rule, met) in self.script.rules.iter().zip(&mut self.met) {
            if fault.is_none() && rule.concerns(function, &call.action) && nth >= rule.nth {
                let (times, since) = met.unwrap_or((0, now));
                let holds = match rule.lasting {
                    Lasting::Calls(calls) => times < calls,
                    Lasting::For(time) => now.duration_since(since) < time,
                };
                if holds {
                    *met = Some((times + 1, since));
                    fault = Some(rule.fault);
                }
            }
        }
        self.seen.push(Seen {
            function,
            action: call.action.clone(),
            nth,
            about: call.about.clone(),
            eventually_consistent: call.eventually_consistent,
            fault,
        });
        fault
    }
}

// === impl Rule ===

impl Rule {
    fn concerns(&self, function: &str, action: &str) -> bool {
        let by = self.function.is_empty() || self.function == function;
        let what = match self.action.strip_suffix('*') {
            Some(service) => action.starts_with(service),
            None => self.action == action,
        };
        by && what
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Caller = Caller::Connection(1);

    fn call(action: &str, text: &str) -> Call {
        Call { action: action.into(), text: text.into(), about: String::new(), eventually_consistent: false }
    }

    fn rule(action: &str, nth: u32, lasting: Lasting) -> Rule {
        Rule { function: "revoke", action: action.into(), nth, fault: Fault::Reset, lasting }
    }

    fn script(marker: &str, rules: Vec<Rule>) -> Script {
        Script { markers: vec![marker.into()], owns: Vec::new(), rules }
    }

    #[test]
    fn the_second_call_and_its_repetition_fail_and_no_other() {
        let (mut cases, now) = (Cases::default(), Instant::now());
        let case = cases.open(script("ada", vec![rule("dynamodb:PutItem", 2, Lasting::Calls(2))]));
        let mut put = |action| cases.meet("revoke", &call(action, "of ada"), ONE, now);
        assert_eq!(put("dynamodb:PutItem"), None);
        assert_eq!(put("dynamodb:GetItem"), None);
        assert_eq!(put("dynamodb:PutItem"), Some(Fault::Reset));
        assert_eq!(put("dynamodb:PutItem"), Some(Fault::Reset));
        assert_eq!(put("dynamodb:PutItem"), None);
        assert_eq!(cases.meet("notify", &call("dynamodb:PutItem", "of ada"), ONE, now), None, "another function's");
        let met = |cases: &Cases| cases.seen(case).iter().filter(|seen| seen.fault.is_some()).count();
        assert_eq!(met(&cases), 2);
        cases.take_back("revoke", &call("dynamodb:PutItem", "of ada"), ONE);
        assert_eq!(met(&cases), 1);
    }

    #[test]
    fn an_outage_is_over_after_its_time() {
        let (mut cases, now) = (Cases::default(), Instant::now());
        cases.open(script("ada", vec![rule("dynamodb:*", 1, Lasting::For(Duration::from_secs(9)))]));
        let mut at =
            |seconds| cases.meet("revoke", &call("dynamodb:X", "ada"), ONE, now + Duration::from_secs(seconds));
        assert_eq!(at(0), Some(Fault::Reset));
        assert_eq!(at(8), Some(Fault::Reset));
        assert_eq!(at(9), None);
    }

    #[test]
    fn what_names_nobody_belongs_to_the_case_its_caller_works_for() {
        let (mut cases, now) = (Cases::default(), Instant::now());
        let (ada, ben) = (cases.open(script("ada", vec![])), cases.open(script("ben", vec![])));
        cases.meet("revoke", &call("cognito-idp:ListUsers", "ada"), Caller::Process(7), now);
        cases.meet("revoke", &call("cognito-idp:ListUsers", "ben"), Caller::Process(8), now);
        cases.meet("revoke", &call("sqs:ChangeMessageVisibility", "handle"), Caller::Process(7), now);
        cases.meet("revoke", &call("sqs:ChangeMessageVisibility", "handle"), Caller::Process(9), now);
        assert_eq!((cases.seen(ada).len(), cases.seen(ben).len()), (2, 1));
        // Ben's process goes on with somebody who is no case.
        cases.meet("revoke", &call("cognito-idp:ListUsers", "cyd"), Caller::Process(8), now);
        cases.meet("revoke", &call("sqs:ChangeMessageVisibility", "handle"), Caller::Process(8), now);
        assert_eq!(cases.seen(ben).len(), 1);
        // The counter reads about everybody.
        cases.meet("compromise-counter", &call("cognito-idp:ListUsers", "ben"), Caller::Process(5), now);
        cases.meet("compromise-counter", &call("dynamodb:GetItem", "incidents"), Caller::Process(5), now);
        assert_eq!(cases.seen(ben).len(), 3);
        cases.close(ada);
        assert_eq!(cases.meet("revoke", &call("x:Y", ""), Caller::Process(7), now), None);
    }
}
