//! Bulk revocations on the local cloud: everybody refused, then signed out within the quota; who joins meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use revocation_aws::dynamodb::DynamoPacer;
use revocation_core::domain::audit::Outcome;
use revocation_core::domain::bulk::{BulkJob, Stage, member_revocation_id};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::ports::Pacer as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{NewUser, Probe, Tokens, User, until};
use serde_json::{Value, json};

use crate::world::{ALONE, LIMIT, ask, fresh, probe, status, user};

async fn group(probe: &Probe, members: usize) -> (String, Vec<(User, Tokens)>) {
    let group = fresh("crew");
    probe.add_group(&group).await.unwrap();
    let mut all = Vec::new();
    for _ in 0..members {
        all.push(member(probe, &group).await);
    }
    (group, all)
}

async fn member(probe: &Probe, group: &str) -> (User, Tokens) {
    let name = fresh("contractor");
    let user = probe.add_user(&NewUser { name: &name, group: Some(group), ..NewUser::default() }).await.unwrap();
    let session = probe.sign_in(&user).await.unwrap().unwrap();
    (user, session)
}

fn detail(sub_id: &Value) -> Value {
    json!({
        "version": "1", "source": {"name": "tests", "event_id": fresh("bulk")}, "sub_id": sub_id,
        "reason": "project_end", "initiator": {"kind": "admin", "id": "tests"},
    })
}

async fn ended(probe: &Probe, detail: &Value) -> BulkJob {
    let id = RevocationRequest::parse(&detail.to_string()).unwrap().id();
    let look = async || Ok(probe.bulk_job(&id).await?.filter(BulkJob::is_over));
    until("the bulk revocation to be over", LIMIT, look).await.unwrap().0
}

#[tokio::test]
async fn i13_a_group_is_refused_then_signed_out_within_the_quota_and_a_late_member_too() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let (group, members) = group(&probe, 12).await;
    let (_, stranger) = user(&probe, "stranger").await;
    let dir = std::path::Path::new(&probe.facts.log).parent().unwrap().to_owned();
    let limit = dir.join("user-update-limit");
    std::fs::write(&limit, "25").unwrap();
    let detail = detail(&json!({"format": "group", "group": group}));
    ask(&probe, &detail).await;
    for (_, session) in &members {
        let refused = async || Ok((status(&probe, &session.access) == 401).then_some(()));
        until("a member to be refused", LIMIT, refused).await.unwrap();
    }
    let late = member(&probe, &group).await;
    let job = ended(&probe, &detail).await;
    std::fs::remove_file(&limit).unwrap();
    assert_eq!((job.stage, job.tally.failed, job.tally.handed_over), (Stage::Completed, 0, 0), "{:?}", job.tally);
    assert_eq!((job.tally.listed, job.tally.locked_out, job.tally.ended), (13, 13, 13));
    for (user, session) in members.iter().chain([&late]) {
        assert_eq!(status(&probe, &session.access), 401);
        assert!(probe.sign_in(user).await.unwrap().is_err(), "disabled");
        let records = probe.records_of(&user.key).await.unwrap();
        assert_eq!((records.len(), records[0].outcome), (1, Outcome::Complete));
        assert_eq!(records[0].revocation_id, member_revocation_id(&job.id, &user.key));
        assert!(records[0].sealed_at > records[0].tombstoned_at);
    }
    assert_eq!(status(&probe, &stranger.access), 200);
    let calls: BTreeMap<String, f64> =
        serde_json::from_slice(&std::fs::read(dir.join("user-update-calls.json")).unwrap()).unwrap();
    // Other tests make users and groups at the same time, which counts as well.
    assert!(calls["calls"] >= 26.0 && calls["throttled"] <= calls["calls"] * 0.1, "{calls:?}");
}

#[tokio::test]
async fn a_list_is_read_where_an_operator_put_it() {
    let probe = probe();
    let (person, session) = user(&probe, "listed").await;
    let entries: Vec<_> =
        [json!({"format": "email", "email": person.email}), json!({"format": "username", "username": "nobody"})]
            .into_iter()
            .map(|entry| serde_json::from_value(entry).unwrap())
            .collect();
    let list = format!("{:064x}", std::process::id());
    let now = revocation_core::domain::time::EpochMillis(1_900_000_000_000);
    probe.bulk_jobs().unwrap().put_list_part(&list, 0, &entries, now).await.unwrap();
    let detail = detail(&json!({"format": "list", "list": list}));
    ask(&probe, &detail).await;
    let job = ended(&probe, &detail).await;
    assert_eq!((job.tally.listed, job.tally.ended, job.tally.unknown), (1, 1, 1));
    assert_eq!(status(&probe, &session.access), 401);
}

/// Sixteen callers of one process once raced for the item, and one lost eight times in a row, which left its member undone.
#[tokio::test]
async fn i13_callers_of_three_processes_all_get_a_turn_and_none_early() {
    const EACH: u32 = 32;
    let aws = probe().aws().unwrap();
    let table = &probe().facts.bulk_table;
    let pacer = || Arc::new(DynamoPacer::new(&aws, table, "tests", 50.0, Arc::new(SystemClock)));
    let pacers = [pacer(), pacer(), pacer()];
    let start = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..EACH {
        for pacer in &pacers {
            let pacer = Arc::clone(pacer);
            callers.spawn(async move {
                // Not all at the same time: a caller that comes when nobody waits draws for itself alone.
                tokio::time::sleep(Duration::from_millis(u64::from(n % 8) * 25)).await;
                pacer.turn().await.map(|()| start.elapsed())
            });
        }
    }
    let mut turns = callers.join_all().await.into_iter().collect::<Result<Vec<_>, _>>().expect("a turn for each");
    turns.sort();
    for (n, at) in (0..).zip(&turns) {
        // Clocks count milliseconds here.
        assert!(*at + Duration::from_millis(2) >= Duration::from_millis(20) * n, "turn {n} after {at:?}");
    }
}
