//! The matrix: each fault at each step that a function takes when all goes well.

use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use fault_proxy::{Fault, Seen};

use super::case::{Case, Step, Story, Told};
use super::world::World;
use super::{delivery, play};
use crate::say;

/// What may happen to any call.
const ANY: [Fault; 9] = [
    Fault::Throttled,
    Fault::ServerError,
    Fault::Timeout,
    Fault::Reset,
    Fault::Slow,
    Fault::Lost,
    Fault::Garbage,
    Fault::KillBefore,
    Fault::KillAfter,
];
/// The counter's times must fit into a week ([`World::window`]), so it is spared what only takes longer.
const COUNTER: [Fault; 4] = [Fault::ServerError, Fault::Lost, Fault::KillBefore, Fault::KillAfter];
/// A few for the bulk engine, whose steps are many.
const BULK: [Fault; 3] = [Fault::ServerError, Fault::Lost, Fault::KillAfter];
/// Every so many-th step of the bulk engine.
const BULK_STRIDE: usize = 12;
/// Seconds of a short run are few: one case in so many, and none that waits for a lease.
const SHORT_STRIDE: usize = 17;
/// One of so many deliveries is.
const SHORT_DELIVERIES: usize = 4;
/// How often a story is played to see what it calls.
const MOST_TRIES: u32 = 8;

/// Plays what goes well for each story, and lists the cases from the calls that were made.
pub(super) async fn plan(world: &Arc<World>, show: bool) -> Result<Vec<Case>> {
    let (revoke, intakes, page, authorizer, bulk) = futures_util::try_join!(
        calls(world, Story::Revoke, "revocation"),
        async { Ok((calls(world, Story::Siem, "siem").await?, calls(world, Story::Scim, "scim").await?)) },
        calls(world, Story::Page, "page"),
        calls(world, Story::Authorizer, "authorizer"),
        calls(world, Story::Bulk, "bulk"),
    )?;
    let (siem, scim) = intakes;
    if show {
        for (story, calls) in [
            ("revocation", &revoke),
            ("siem", &siem),
            ("scim", &scim),
            ("page", &page),
            ("authorizer", &authorizer),
            ("bulk", &bulk),
        ] {
            for seen in calls {
                let late = if seen.eventually_consistent { ", may be behind" } else { "" };
                say::line(format_args!("{story}: {} {}#{} {}{late}", seen.function, seen.action, seen.nth, seen.about));
            }
        }
    }
    let mut cases = Vec::new();
    cases.extend(matrix(Story::Revoke, &Step::all(&revoke, "revoke"), &ANY));
    cases.extend(matrix(Story::Notify, &Step::all(&revoke, "notify"), &ANY));
    cases.extend(matrix(Story::Siem, &Step::all(&siem, "intake-siem"), &ANY));
    cases.extend(matrix(Story::Scim, &Step::all(&scim, "intake-scim"), &ANY));
    cases.extend(matrix(Story::Page, &decisive(Step::all(&page, "compromise-counter")), &COUNTER));
    cases.extend(matrix(Story::Authorizer, &kinds(Step::all(&authorizer, "authorizer")), &ANY));
    let bulk: Vec<Step> = Step::all(&bulk, "bulk").into_iter().step_by(BULK_STRIDE).collect();
    cases.extend(matrix(Story::Bulk, &bulk, &BULK));
    for (name, delivery) in delivery::all() {
        cases.push(Case { name, story: Story::Delivery(delivery), at: None });
    }
    Ok(cases)
}

/// Three times and more: the first also warms up what is read once; of two others the one with fewer calls counts, since a
/// delivery that came twice by chance would add steps that no other run has.
async fn calls(world: &Arc<World>, story: Story, name: &str) -> Result<Vec<Seen>> {
    let case = Case::well(story, name);
    let (mut shortest, mut whole): (Option<Vec<Seen>>, u32) = (None, 0);
    play(world, &case).await.with_context(|| case.name.clone())?;
    for _ in 0..MOST_TRIES {
        let (Told { problems, .. }, calls) = play(world, &case).await.with_context(|| case.name.clone())?;
        ensure!(problems.is_empty(), "{} is not well without any fault: {problems:?}", case.name);
        if !is_whole(&case.story, &calls) {
            continue;
        }
        let pipeline = |calls: &[Seen]| calls.iter().filter(|seen| seen.function != "authorizer").count();
        if shortest.as_deref().is_none_or(|shortest| pipeline(&calls) < pipeline(shortest)) {
            shortest = Some(calls);
        }
        whole += 1;
        if whole == 2 {
            break;
        }
    }
    shortest.with_context(|| format!("{}: no run made all of its calls itself", case.name))
}

/// Whoever counts next, for whatever account, tells of every incident: the page may be somebody else's call.
fn is_whole(story: &Story, calls: &[Seen]) -> bool {
    !matches!(story, Story::Page) || calls.iter().any(|seen| seen.action == "sns:Publish")
}

fn matrix(story: Story, steps: &[Step], faults: &[Fault]) -> Vec<Case> {
    let mut cases = Vec::new();
    for step in steps {
        let mut faults = faults.to_vec();
        if step.action == "events:PutEvents" {
            faults.push(Fault::Partial);
        }
        if step.eventually_consistent {
            faults.push(Fault::Stale);
        }
        // Once for each function that parks: at the first thing it writes, and where it publishes.
        let queued = matches!(story, Story::Revoke | Story::Notify);
        if queued
            && (step.action == "dynamodb:PutItem" && step.nth == 1
                || step.action == "events:PutEvents"
                || step.about == "tombstone" && step.nth == 1)
        {
            faults.push(Fault::Denied);
        }
        cases.extend(faults.into_iter().map(|fault| Case::at(story, step.clone(), fault)));
    }
    cases
}

/// One of each action: the authorizer answers many requests in a case, and all of them meet the fault.
fn kinds(steps: Vec<Step>) -> Vec<Step> {
    let mut kinds: Vec<Step> = Vec::new();
    for step in steps {
        if !kinds.iter().any(|kind| kind.action == step.action && kind.about == step.about) {
            kinds.push(step);
        }
    }
    kinds
}

/// Every call that changes or tells something, and the first of each kind of read.
fn decisive(steps: Vec<Step>) -> Vec<Step> {
    let mut reads: Vec<String> = Vec::new();
    let mut decisive = Vec::new();
    for step in steps {
        let is_read = step.action.ends_with(":GetItem") || step.action.ends_with(":Query");
        if !is_read || !reads.contains(&step.action) {
            reads.push(step.action.clone());
            decisive.push(step);
        }
    }
    decisive
}

/// A few of every story, none of which waits for a lease.
pub(super) fn shorten(cases: Vec<Case>) -> Vec<Case> {
    let quick = |case: &Case| match (&case.story, &case.at) {
        (Story::Notify | Story::Page | Story::Bulk, Some((_, fault))) => {
            matches!(fault, Fault::Reset | Fault::Throttled | Fault::ServerError)
        }
        (Story::Delivery(delivery), _) => !delivery.is_long(),
        _ => true,
    };
    let (deliveries, steps): (Vec<Case>, Vec<Case>) =
        cases.into_iter().filter(quick).partition(|case| matches!(case.story, Story::Delivery(_)));
    steps.into_iter().step_by(SHORT_STRIDE).chain(deliveries.into_iter().step_by(SHORT_DELIVERIES)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(action: &str, nth: u32, about: &str) -> Step {
        Step { function: "revoke", action: action.into(), nth, about: about.into(), eventually_consistent: false }
    }

    #[test]
    fn each_fault_meets_each_step() {
        let steps = [step("dynamodb:PutItem", 2, "resolved"), step("events:PutEvents", 1, "Sessions Revoked")];
        let cases = matrix(Story::Revoke, &steps, &ANY);
        assert_eq!(cases.len(), ANY.len() * 2 + 2, "and PutEvents fails in part, or is denied");
        let names: std::collections::BTreeSet<_> = cases.iter().map(|case| case.name.clone()).collect();
        assert_eq!(names.len(), cases.len(), "every name once");
        assert!(names.contains("revoke/PutEvents1.Sessions-Revoked/partial"), "{names:?}");
    }

    #[test]
    fn the_short_form_has_some_of_every_kind_and_no_long_outage() {
        let cases: Vec<Case> =
            delivery::all().into_iter().map(|(name, d)| Case { name, story: Story::Delivery(d), at: None }).collect();
        let steps: Vec<Step> = (1..20).map(|nth| step("dynamodb:PutItem", nth, "x")).collect();
        let all: Vec<Case> = matrix(Story::Revoke, &steps, &ANY).into_iter().chain(cases).collect();
        let short = shorten(all);
        assert!(short.iter().any(|case| case.story == Story::Revoke));
        assert!(short.iter().any(|case| matches!(case.story, Story::Delivery(_))));
        let long = |case: &Case| ["/31s/", "/60s/", "/600s/"].iter().any(|length| case.name.contains(length));
        assert!(!short.iter().any(long));
    }
}
