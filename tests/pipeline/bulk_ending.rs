//! Bulk revocations: what an interruption must change nothing of, once members' sessions are being ended or called off.

use revocation_core::domain::audit::Outcome;
use revocation_core::domain::bulk::{ControlAction, Stage};
use revocation_core::ports::{Clock as _, PortError};

use crate::bulk::{Bulk, contractors, name_of};

#[tokio::test]
async fn i08_a_cancellation_that_is_interrupted_signs_nobody_out() {
    for call in ["raise", "seal", "step", "completed", "published", "finished", "put_page", "save_job", "begun"] {
        for nth in [0, 1, 7] {
            for lost in [false, true] {
                let (mut bulk, keys) = Bulk::with_group(60);
                bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
                let asked = |bulk: &Bulk| (bulk.calls("disable"), bulk.calls("sign_out"));
                let before = asked(&bulk);
                bulk.say(ControlAction::Cancel, "c", "bob").await.unwrap();
                (0..nth).for_each(|_| bulk.cloud.pass(call));
                if lost {
                    bulk.cloud.lose_answer(call);
                } else {
                    bulk.cloud.fail(call, PortError::retry("test", "timeout"));
                }
                bulk.run_due().await;
                let (case, job) = (format!("{call} {nth} lost={lost}"), bulk.job());
                assert_eq!((job.stage, asked(&bulk)), (Stage::Cancelled, before), "{case}");
                let ended = before.1 as u64;
                assert_eq!((job.tally.ended, job.tally.called_off), (ended, 60 - ended), "{case}: {:?}", job.tally);
                for key in &keys {
                    assert!(bulk.cloud.tombstone(key).unwrap().sealed, "{case}");
                    let call = format!("sign_out {}", name_of(key));
                    let signed_out = bulk.cloud.state().calls.contains(&call);
                    let outcome = if signed_out { Outcome::Complete } else { Outcome::Cancelled };
                    assert_eq!(bulk.outcome(key), Some(outcome), "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn i08_what_was_called_off_stays_so_when_its_request_is_delivered_once_more() {
    let (bulk, keys) = Bulk::with_group(60);
    bulk.engine.begin(contractors(), bulk.cloud.clock.now(), "first").await.unwrap();
    let before = bulk.calls("sign_out");
    bulk.say(ControlAction::Cancel, "c", "bob").await.unwrap();
    // All of them stop between the seal and the record.
    (0..60).for_each(|_| bulk.cloud.fail("completed", PortError::retry("test", "timeout")));
    let (job, _) = bulk.fake.state().due.pop().unwrap();
    bulk.engine.proceed(&job, "m").await.unwrap();
    bulk.cloud.state().faults.clear();
    for key in &keys {
        let request = bulk.job().member_request(key);
        bulk.engine.revoker.revoke(request, bulk.cloud.clock.now()).await.unwrap();
    }
    assert_eq!(bulk.calls("sign_out"), before);
    assert!(keys.iter().any(|key| bulk.outcome(key) == Some(Outcome::Cancelled)));
}

#[tokio::test]
async fn i08_who_failed_before_an_interruption_has_failed_after_it() {
    // The slice ends in the middle of the page; so it does where a save fails.
    for call in [None, Some("finished"), Some("published"), Some("save_job"), Some("put_page")] {
        for nth in [0, 3, 9] {
            let (mut bulk, keys) = Bulk::with_group(60);
            bulk.cloud.fail("disable", PortError::reject("test", "not_authorized"));
            if let Some(call) = call {
                (0..nth).for_each(|_| bulk.cloud.pass(call));
                bulk.cloud.lose_answer(call);
            }
            bulk.run(&contractors()).await;
            let (case, job) = (format!("{call:?} {nth}"), bulk.job());
            assert_eq!((job.stage, job.tally.ended, job.tally.failed), (Stage::Completed, 59, 1), "{case}");
            assert_eq!(keys.iter().filter(|key| bulk.outcome(key) == Some(Outcome::Partial)).count(), 1, "{case}");
            let pages: Vec<_> = bulk.fake.state().pages.values().cloned().collect();
            let codes: Vec<_> = pages.iter().flat_map(|page| &page.failures).map(|one| one.code.clone()).collect();
            assert_eq!(codes, ["disable_failed"], "{case}");
        }
    }
}
