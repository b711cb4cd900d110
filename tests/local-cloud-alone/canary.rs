//! The canary of a pipeline that is broken: it says so, and what.

use std::time::Duration;

use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::DynamoCanaryRuns;
use revocation_core::domain::canary::{CanaryOutcome, CanaryRun};
use revocation_probe::{Probe, until};

use crate::world::{ALONE, command, fresh, probe, variable};

/// The local cloud's hard limit is 20 s (`tools/xtask/src/local_cloud/deploy.rs`).
const HARD_LIMIT_MS: u64 = 20_000;
/// A run may begin three times, and wait for a queue.
const RUN_WITHIN: Duration = Duration::from_secs(100);

async fn ran(probe: &Probe) -> CanaryRun {
    let id = fresh("tick");
    let tick = format!(r#"{{"id":"{id}","source":"tests","detail-type":"Canary Tick","detail":{{"path":"bus"}}}}"#);
    probe.send(&probe.facts.canary_queue_url, &tick).await.unwrap();
    let aws = AwsConfig::from_env(&|name| variable(&probe.facts, name)).unwrap();
    let runs = DynamoCanaryRuns::new(&aws, &probe.facts.canary_runs_table);
    let ended = async || {
        let ours = runs.latest(10).await?.into_iter().find(|run| run.tick.ends_with(&id));
        Ok(ours.filter(|run| run.outcome.is_some()))
    };
    until("the canary's run", RUN_WITHIN, ended).await.unwrap().0
}

/// Nobody is told of a rule that delivers nothing: no queue grows, no function fails. Only a revocation that is tried
/// shows it.
#[tokio::test]
async fn a_disabled_rule_fails_the_run_by_the_hard_limit_and_an_enabled_one_does_not() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    assert!(command(&probe, &["canary", "set-up"]).status().unwrap().success());
    assert_ne!(probe.set_rules_of(&probe.facts.revoke_queue_url, false).await.unwrap(), 0);
    let broken = ran(&probe).await;
    assert_ne!(probe.set_rules_of(&probe.facts.revoke_queue_url, true).await.unwrap(), 0);
    assert_eq!(broken.outcome, Some(CanaryOutcome::NotRefused), "{broken:?}");
    assert_eq!(broken.detail.as_deref(), Some("access_token: served"));
    assert_eq!((broken.times.access_ms, broken.times.all_ms), (None, None));
    let log = std::fs::read_to_string(&probe.facts.log).unwrap();
    for line in ["the canary failed", r#""CanaryFailed":1"#, &format!(r#""TimeToEnforcement":{HARD_LIMIT_MS}"#)] {
        assert!(log.contains(line), "no {line} in the log");
    }
    let mended = ran(&probe).await;
    assert_eq!(mended.outcome, Some(CanaryOutcome::Enforced), "{mended:?}");
    println!("mended: {:?}", mended.times);
}
