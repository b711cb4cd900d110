//! A case of the matrix, and what came of it.

use std::time::Duration;

use fault_proxy::{Fault, Lasting, Rule, Seen};
use serde::Serialize;

use super::delivery::Delivery;

/// What is played while the fault is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Story {
    /// A revocation for compromise from the bus, faults of `revoke`.
    Revoke,
    /// The same, faults of `notify`.
    Notify,
    /// The same from a SIEM, faults of `intake-siem`.
    Siem,
    /// A deactivation over SCIM, faults of `intake-scim`.
    Scim,
    /// Four accounts within an hour, faults of `compromise-counter`.
    Page,
    /// A revoked and an honest user call the API, faults of `authorizer`.
    Authorizer,
    /// A group, faults of `bulk`.
    Bulk,
    /// What queues, buses, clocks and whole services do.
    Delivery(Delivery),
}

/// A step at which a fault is injected: a call that a function makes when all goes well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) function: &'static str,
    pub(super) action: String,
    pub(super) nth: u32,
    pub(super) about: String,
    pub(super) eventually_consistent: bool,
}

/// A case.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// `<function>/<step>/<fault>`.
    pub(super) name: String,
    pub(super) story: Story,
    /// `None` where all goes well, or the story itself is the fault.
    pub(super) at: Option<(Step, Fault)>,
}

/// Said of a case that shows nothing.
const NOT_MET: &str = "the fault was never met";

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Problem {
    /// Not enforced, not recorded, not told, or not paged in time.
    Lost(String),
    /// A token was permitted that must be refused.
    WronglyPermitted(String),
    /// More than one page for an incident.
    DoublePage(String),
    /// Anything else: parked without need, two records, an honest session refused, a fault that was never met.
    Other(String),
}

/// What came of a case.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Told {
    /// The case.
    pub(super) name: String,
    /// What whoever asked for the revocation saw.
    pub(super) caller: String,
    /// From asking to the first refusal, milliseconds.
    pub(super) refused_ms: Option<u128>,
    /// From asking to the end of the case's work, milliseconds.
    pub(super) ended_ms: Option<u128>,
    /// Calls that met the fault.
    pub(super) injected: usize,
    /// Deliveries after the first.
    pub(super) redelivered: usize,
    /// Messages that were parked and sent back.
    pub(super) redriven: usize,
    /// Notices or pages sent again because nobody could know that they had arrived.
    pub(super) sent_again: usize,
    /// The time of the case's incident, by which its pages are found: epoch seconds.
    #[serde(skip)]
    pub(super) window: Option<i64>,
    /// Whether a page may be sent again.
    #[serde(skip)]
    pub(super) may_tell_twice: bool,
    /// What must not be; empty for a case that is well.
    pub(super) problems: Vec<Problem>,
}

// === impl Story ===

impl Story {
    /// Whether it changes the clock for everybody.
    pub(super) fn has_the_clock(self) -> bool {
        matches!(self, Self::Delivery(Delivery::Clock(_)))
    }
}

// === impl Step ===

impl Step {
    /// The calls one function made, in order.
    pub(super) fn all(seen: &[Seen], function: &str) -> Vec<Self> {
        let of = |seen: &Seen| Self {
            function: seen.function,
            action: seen.action.clone(),
            nth: seen.nth,
            about: seen.about.clone(),
            eventually_consistent: seen.eventually_consistent,
        };
        seen.iter().filter(|seen| seen.function == function).map(of).collect()
    }

    fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }

    /// `PutItem#3 seal`
    fn label(&self) -> String {
        let operation = self.action.rsplit(':').next().unwrap_or_default();
        let about = if self.about.is_empty() { String::new() } else { format!(".{}", self.about.replace(' ', "-")) };
        format!("{operation}{}{about}", self.nth)
    }
}

// === impl Case ===

impl Case {
    /// A fault at a step.
    pub(super) fn at(story: Story, step: Step, fault: Fault) -> Self {
        let name = format!("{}/{}/{}", step.function, step.label(), fault.name());
        Self { name, story, at: Some((step, fault)) }
    }

    /// Nothing goes wrong.
    pub(super) fn well(story: Story, name: &str) -> Self {
        Self { name: format!("{name}/well"), story, at: None }
    }

    /// The fault as the proxy is told of it.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let rule = |(step, fault): &(Step, Fault)| Rule {
            function: step.function,
            action: step.action.clone(),
            nth: step.nth,
            fault: *fault,
            lasting: lasting(*fault, step.service()),
        };
        self.at.iter().map(rule).collect()
    }

    /// Whether the message is parked until somebody mends the role and redrives it.
    pub(super) fn parks(&self) -> bool {
        matches!(self.at, Some((_, Fault::Denied)))
    }
}

/// Whether people may be told a second time: they were told, and the function could not know it, because the answer was lost, or
/// because it failed before it had written it down. Neither SNS nor SES has a key by which they would notice, and told twice is better
/// than never.
pub(super) fn may_tell_twice(seen: &[Seen]) -> bool {
    let mut told = Vec::new();
    for seen in seen {
        let before = told.contains(&seen.function);
        let tells = tells_people(&seen.action);
        // These are mended by the SDK within the delivery.
        let is_mended = |fault| matches!(fault, Fault::Slow | Fault::Throttled | Fault::Timeout | Fault::Reset);
        if before && seen.fault.is_some_and(|fault| !is_mended(fault))
            || tells && seen.fault.is_some_and(Fault::hides_success)
        {
            return true;
        }
        if tells && seen.fault.is_none_or(is_mended) {
            told.push(seen.function);
        }
    }
    false
}

/// Whether it makes people hear of something.
fn tells_people(action: &str) -> bool {
    matches!(action, "sns:Publish" | "ses:SendEmail")
}

/// One call where the SDK mends it, more than its four attempts where the queue must.
fn lasting(fault: Fault, service: &str) -> Lasting {
    match fault {
        // SNS and SES are called without repetitions; PutEvents in two rounds.
        Fault::ServerError if matches!(service, "sns" | "ses") => Lasting::Calls(2),
        Fault::Throttled | Fault::Partial => Lasting::Calls(2),
        Fault::ServerError => Lasting::Calls(5),
        // Until somebody mends the role.
        Fault::Denied => Lasting::For(Duration::from_mins(10)),
        _ => Lasting::Calls(1),
    }
}

// === impl Told ===

impl Told {
    pub(super) fn lost(&mut self, what: impl Into<String>) {
        self.problems.push(Problem::Lost(what.into()));
    }

    pub(super) fn permitted(&mut self, what: impl Into<String>) {
        self.problems.push(Problem::WronglyPermitted(what.into()));
    }

    pub(super) fn other(&mut self, what: impl Into<String>) {
        self.problems.push(Problem::Other(what.into()));
    }

    pub(super) fn not_met(&mut self) {
        self.other(NOT_MET);
    }

    /// Whether nothing is wrong but that.
    pub(super) fn was_not_met(&self) -> bool {
        self.problems == [Problem::Other(NOT_MET.to_owned())]
    }

    /// Reads off the proxy what the case met.
    pub(super) fn count(&mut self, seen: &[Seen]) {
        self.injected = seen.iter().filter(|seen| seen.fault.is_some()).count();
        let killed =
            seen.iter().filter(|seen| matches!(seen.fault, Some(Fault::KillBefore | Fault::KillAfter))).count();
        let delayed = seen.iter().filter(|seen| seen.action == "sqs:ChangeMessageVisibility").count();
        self.redelivered = killed + delayed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(function: &'static str, action: &str, fault: Option<Fault>) -> Seen {
        Seen { function, action: action.into(), nth: 1, about: String::new(), eventually_consistent: false, fault }
    }

    #[test]
    fn told_twice_is_allowed_only_where_nobody_could_know() {
        let publish = |fault| seen("notify", "sns:Publish", fault);
        let put = |fault| seen("notify", "dynamodb:PutItem", fault);
        assert!(may_tell_twice(&[publish(Some(Fault::Lost))]));
        assert!(may_tell_twice(&[publish(None), put(Some(Fault::KillBefore))]), "the note of it");
        assert!(!may_tell_twice(&[publish(Some(Fault::KillBefore)), publish(None)]), "it was not sent");
        assert!(!may_tell_twice(&[put(Some(Fault::KillAfter)), publish(None)]), "before it was sent");
        assert!(!may_tell_twice(&[publish(None), put(Some(Fault::Reset))]), "the SDK mends it");
        let page = seen("compromise-counter", "sns:Publish", None);
        assert!(!may_tell_twice(&[page, put(Some(Fault::KillBefore))]), "another function's");
    }
}
