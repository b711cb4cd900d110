//! Bulk revocations: who belongs to one is found whatever look fails, within a slice's time and the quota.

use std::sync::Arc;

use async_trait::async_trait;
use revocation_core::domain::bulk::Stage;
use revocation_core::domain::disposition::{Disposed as _, Disposition};
use revocation_core::domain::profile::{Profile, SubjectKey, UserPoolId};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{Clock as _, PortError, SubjectResolver};
use revocation_testkit::cloud::{FakeCloud, POOL};
use serde_json::json;

use crate::bulk::{Bulk, SLICE, contractors, request};

/// One call of the fake's takes 100 ms; after a slice's end those that were begun come to theirs.
const OVERTIME_MS: u128 = 5_000;

fn email(name: &str) -> SubjectIdentifier {
    SubjectIdentifier::Email { email: format!("{name}@example.com") }
}

fn listed(bulk: &Bulk, names: &[String]) -> RevocationRequest {
    let list = "a".repeat(64);
    for (part, entries) in (0..).zip(names.chunks(50)) {
        let entries = entries.iter().map(|name| email(name)).collect();
        bulk.fake.state().lists.insert((list.clone(), part), entries);
    }
    request(&json!({"format": "list", "list": list}))
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}{n:03}")).collect()
}

/// A list of two parts, whoever's end date has passed, and a group that only the first of two pools has.
fn stories() -> Vec<(&'static str, Bulk, Vec<SubjectKey>, RevocationRequest)> {
    let list = Bulk::new(None);
    let names = names("l", 57);
    let on_list = names.iter().map(|name| list.cloud.add_user(name)).collect();
    let asked = listed(&list, &names);
    let ended = Bulk::new(None);
    let over: Vec<_> = (0..7).map(|n| ended.cloud.add_user(&format!("e{n}"))).collect();
    for n in 0..7 {
        ended.fake.state().end_dates.insert(format!("e{n}"), "2025-12-31".into());
    }
    let (mut group, members) = Bulk::with_group(5);
    group.engine.settings.pools.push(UserPoolId("eu-central-1_OTHER".into()));
    vec![
        ("list", list, on_list, asked),
        ("ended", ended, over, request(&json!({"format": "ended"}))),
        ("group", group, members, contractors()),
    ]
}

#[tokio::test]
async fn i08_whatever_look_fails_nobody_whom_an_earlier_one_found_is_lost() {
    for call in ["list_part", "resolve", "accounts", "members", "turn", "begun", "put_page", "save_job"] {
        for nth in [0, 1, 2, 5, 30, 52] {
            for lost in [false, true] {
                for (name, mut bulk, keys, asked) in stories() {
                    (0..nth).for_each(|_| bulk.cloud.pass(call));
                    if lost {
                        bulk.cloud.lose_answer(call);
                    } else {
                        bulk.cloud.fail(call, PortError::retry("test", "timeout"));
                    }
                    bulk.run(&asked).await;
                    let case = format!("{name}: {call} {nth} lost={lost}");
                    let job = bulk.job();
                    assert_eq!((job.stage, job.tally.unknown), (Stage::Completed, 0), "{case}");
                    assert_eq!(job.tally.listed, keys.len() as u64, "{case}");
                    for key in &keys {
                        assert!(bulk.outcome(key).is_some(), "{case}");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn counting_and_listing_go_on_in_the_next_slice_where_one_is_too_short() {
    let bulk = Bulk::new(Some(1_000));
    let mut known = names("l", 10);
    for name in &known {
        bulk.cloud.add_user(name);
    }
    known.extend(names("nobody", 490));
    let asked = listed(&bulk, &known);
    let mut begun = bulk.cloud.clock.now();
    bulk.engine.begin(asked, begun, "first").await.unwrap();
    assert_eq!(bulk.job().stage, Stage::Counting, "it takes several slices");
    assert!(bulk.job().counted.is_some_and(|counted| counted.next.at > 0));
    for n in 0..200 {
        let now = bulk.cloud.clock.now();
        assert!(now.since(begun).as_millis() <= SLICE.as_millis() + OVERTIME_MS, "{n}");
        let Some((job, _)) = bulk.fake.state().due.pop() else { break };
        begun = now;
        bulk.engine.proceed(&job, &format!("m{n}")).await.unwrap();
    }
    let job = bulk.job();
    assert_eq!((job.stage, job.counted), (Stage::Completed, None));
    assert_eq!((job.tally.listed, job.tally.unknown, job.tally.ended), (10, 490, 10));
    // Every line is looked up once to be counted and once to be listed, however many slices that took.
    let looked_up = bulk.cloud.state().calls.iter().filter(|call| *call == "resolve").count();
    assert_eq!(looked_up, 2 * 500);
    let largest = bulk.fake.state().pages.values().map(|page| page.members.len() + page.unknown.len()).max();
    assert!(largest.is_some_and(|largest| largest <= 240), "what means nobody takes up room, too: {largest:?}");
}

#[tokio::test]
async fn a_pool_with_few_who_are_meant_is_looked_through_in_several_slices() {
    let bulk = Bulk::new(None);
    (0..900).for_each(|n| drop(bulk.cloud.add_user(&format!("u{n:03}"))));
    bulk.fake.state().end_dates.insert("u899".into(), "2025-12-31".into());
    let begun = bulk.cloud.clock.now();
    bulk.engine.begin(request(&json!({"format": "ended"})), begun, "first").await.unwrap();
    assert!(bulk.cloud.clock.now().since(begun).as_millis() <= SLICE.as_millis() + OVERTIME_MS);
    assert!(bulk.job().cursor.is_some_and(|cursor| cursor.after.is_some()), "it goes on from there");
    let mut bulk = bulk;
    bulk.run_due().await;
    assert_eq!((bulk.job().stage, bulk.job().tally.ended), (Stage::Completed, 1));
}

#[tokio::test]
async fn i07_a_search_that_is_refused_for_good_is_parked_and_not_waited_for() {
    for (name, bulk, _, asked) in stories() {
        for call in ["resolve", "accounts", "members"] {
            bulk.cloud.fail(call, PortError::reject("test", "access_denied"));
        }
        let refused = bulk.engine.begin(asked, bulk.cloud.clock.now(), "first").await.unwrap_err();
        assert_eq!(refused.disposition(), Disposition::Reject, "{name}");
        assert_eq!((bulk.job().tally.unknown, bulk.job().is_over()), (0, false), "{name}");
        // Taken from the dead letters once the cause is mended.
        let mut bulk = bulk;
        let id = bulk.job().id;
        bulk.engine.proceed(&id, "first").await.unwrap();
        bulk.run_due().await;
        assert_eq!(bulk.job().stage, Stage::Completed, "{name}");
    }
}

#[tokio::test]
async fn i07_a_group_or_list_that_is_not_there_is_parked_until_it_is() {
    for pools in [1, 2] {
        let mut bulk = Bulk::new(None);
        if pools == 2 {
            bulk.engine.settings.pools.push(UserPoolId("eu-central-1_OTHER".into()));
        }
        let refused = bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await;
        let (id, refused) = (bulk.job().id, refused.map(drop));
        let refused = if refused.is_ok() { bulk.engine.proceed(&id, "first").await.map(drop) } else { refused };
        assert!(refused.unwrap_err().to_string().contains("no_such_group"), "{pools} pools");
        assert!(!bulk.job().is_over());
        // The name was right, and the group comes late: redriven, the request is carried out.
        let alice = bulk.cloud.add_user("alice");
        bulk.fake.state().groups.insert("contractors".into(), vec!["alice".into()]);
        bulk.engine.proceed(&id, "redriven").await.unwrap();
        bulk.run_due().await;
        assert!(bulk.outcome(&alice).is_some(), "{pools} pools");
    }
    let bulk = Bulk::new(None);
    let asked = request(&json!({"format": "list", "list": "b".repeat(64)}));
    let refused = bulk.engine.begin(asked, bulk.cloud.clock.now(), "first").await.unwrap_err();
    assert!(refused.to_string().contains("no_such_list"), "{refused}");
}

#[tokio::test]
async fn an_entry_that_can_mean_nobody_is_unknown() {
    let mut bulk = Bulk::new(None);
    let alice = bulk.cloud.add_user("alice");
    bulk.cloud.fail("resolve", PortError::reject("test", "invalid_parameter"));
    let asked = listed(&bulk, &["odd".into(), "alice".into()]);
    bulk.run(&asked).await;
    assert_eq!((bulk.job().tally.unknown, bulk.outcome(&alice).is_some()), (1, true));
}

#[tokio::test]
async fn a_cursor_that_has_expired_has_its_pool_listed_anew_once() {
    let expired = || PortError::reject("test", "invalid_parameter");
    for (name, mut bulk, keys, asked) in stories().into_iter().skip(1) {
        for call in ["accounts", "members"] {
            bulk.cloud.pass(call);
            bulk.cloud.fail(call, expired());
        }
        bulk.run(&asked).await;
        assert_eq!((bulk.job().stage, bulk.job().tally.listed), (Stage::Completed, keys.len() as u64), "{name}");
    }
    for (name, bulk, _, asked) in stories().into_iter().skip(1) {
        for call in ["accounts", "members"] {
            for _ in 0..2 {
                bulk.cloud.pass(call);
                bulk.cloud.fail(call, expired());
            }
            // What was found before it was written down first, so it is met again.
            bulk.cloud.fail(call, expired());
        }
        let refused = bulk.engine.begin(asked, bulk.cloud.clock.now(), "first").await;
        assert!(refused.is_err_and(|error| error.disposition() == Disposition::Reject), "{name}: not for ever");
    }
}

/// Asks in two pools, for two spellings.
struct FourSearches(Arc<FakeCloud>);

#[async_trait]
impl SubjectResolver for FourSearches {
    async fn resolve(&self, subject: &SubjectIdentifier) -> Result<Vec<Profile>, PortError> {
        self.0.resolve(subject).await
    }

    fn key_of(&self, subject: &SubjectIdentifier) -> Option<SubjectKey> {
        self.0.key_of(subject)
    }

    fn searches(&self, _: &SubjectIdentifier) -> u32 {
        4
    }
}

#[tokio::test]
async fn i13_a_line_draws_a_turn_for_each_search_it_takes() {
    let mut bulk = Bulk::new(None);
    bulk.engine.resolver = Arc::new(FourSearches(bulk.cloud.clone()));
    let asked = listed(&bulk, &names("nobody", 3));
    bulk.run(&asked).await;
    assert_eq!((bulk.job().tally.unknown, bulk.fake.state().turns), (3, 12), "in {POOL}");
}
