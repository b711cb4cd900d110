//! The deployed canary: by each intake it proves that a revocation ends sessions, and nobody is harmed or told by it.

use revocation_core::domain::audit::{AuditRecord, Outcome, Step};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::ports::{Clock as _, NoticeRecord, NoticeResult};
use revocation_lambda::clock::SystemClock;
use revocation_probe::Probe;

use crate::revokectl::{code, document, run, text};
use crate::world::probe;

/// The record of the run by this source that began last.
async fn record_by(probe: &Probe, source: &str) -> AuditRecord {
    let records = probe.records_on(&SystemClock.now().utc_day()).await.unwrap();
    let by_source = records.into_iter().filter(|record| record.source.name == source);
    by_source.max_by_key(|record| record.received_at).unwrap_or_else(|| panic!("no record by {source}"))
}

#[tokio::test]
async fn a_revocation_by_each_intake_is_enforced_and_nobody_is_told_counted_or_locked_out() {
    let probe = probe();
    // The second time changes nothing.
    for _ in 0..2 {
        let set_up = run(&probe, &["canary", "set-up", "--output", "json"]);
        assert_eq!(code(&set_up), 0, "{}", text(&set_up.stderr));
        assert_eq!(document(&set_up)["user"], "revocation-canary");
    }
    let mut subjects = Vec::new();
    for (path, source) in [("bus", "canary"), ("siem", "siem/canary"), ("scim", "scim/canary")] {
        let ran = run(&probe, &["canary", "run", "--path", path, "--output", "json", "--timeout", "100s"]);
        let ended = document(&ran);
        assert_eq!((code(&ran), &ended["outcome"]), (0, &"enforced".into()), "{path}: {ended}");
        for time in ["access_ms", "id_ms", "refresh_ms", "all_ms"] {
            assert!(ended["times"][time].is_u64(), "{path}, {time}: {ended}");
        }
        println!("{path}: {}", ended["times"]);
        let record = record_by(&probe, source).await;
        assert_eq!((record.reason, record.outcome), (ReasonCode::Canary, Outcome::Complete), "{path}");
        // Over SCIM the account was disabled by the client, and is enabled again: not by the policy, which would come later.
        let locked = record.steps.iter().any(|step| matches!(step.step, Step::Disable | Step::ResetPassword));
        assert!(!locked, "{path}: {:?}", record.steps);
        let subject = record.subject.clone().unwrap();
        let notice = probe.notice_of(&record.revocation_id, &subject).await.unwrap();
        let silent =
            |notice: &NoticeRecord| matches!(&notice.result, NoticeResult::NotSent { code } if code == "policy_none");
        assert!(notice.as_ref().is_none_or(silent), "{path}: {notice:?}");
        assert_eq!(probe.signs_of(&subject).await.unwrap(), 0, "{path}");
        subjects.push(subject);
    }
    // Every time the same user, and never the control.
    subjects.dedup();
    assert_eq!(subjects.len(), 1);
    let status = document(&run(&probe, &["status", "--output", "json"]));
    let last = &status["canary"]["runs"][0];
    assert_eq!((&last["path"], &last["outcome"]), (&"scim".into(), &"enforced".into()), "{status}");
    let drawn = text(&run(&probe, &["status"]).stdout);
    assert!(drawn.contains("canary: enforced by scim"), "{drawn}");
}

#[tokio::test]
async fn a_tick_that_names_no_path_is_parked_and_told() {
    let probe = probe();
    probe
        .send(
            &probe.facts.canary_queue_url,
            r#"{"id":"1","source":"tests","detail-type":"Canary Tick","detail":{"path":"pigeon"}}"#,
        )
        .await
        .unwrap();
    let letters = async || {
        let shown = document(&run(&probe, &["dlq", "show", "canary", "--output", "json"]));
        Ok(shown.as_array().filter(|all| !all.is_empty()).cloned())
    };
    let (letters, _) = revocation_probe::until("the dead letter", crate::world::LIMIT, letters).await.unwrap();
    assert!(letters[0]["why"].as_str().unwrap().contains("no path that is configured"), "{letters:?}");
    assert_eq!(code(&run(&probe, &["dlq", "discard", "canary", "--all", "--yes"])), 0);
}
