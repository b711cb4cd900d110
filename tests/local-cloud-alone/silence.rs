//! A source that has fallen silent is told by the deployed sweeper, until the deployed intake has heard of it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::DynamoLastHeardReader;
use revocation_core::ports::{Clock as _, LastHeardReader as _};
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Probe, sign_standard_webhook, until};
use serde_json::{Value, json};

use crate::sweep::swept;
use crate::world::{ALONE, command, fresh, probe, variable};

/// Of the local cloud's sources the one that is to be heard of.
const SOURCE: &str = "siem/heartbeat";
/// An instance that was heard of before the test began notes it again after a minute.
const NOTED_WITHIN: Duration = Duration::from_secs(90);

/// The line of a silent source.
const FALLEN_SILENT: &str = "a source has fallen silent";

/// Lines of the log that are about silence.
fn lines(probe: &Probe) -> Vec<Value> {
    let log = std::fs::read_to_string(&probe.facts.log).unwrap();
    let of_silence = log.lines().filter(|line| line.contains("SilentSources") || line.contains(FALLEN_SILENT));
    of_silence.filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What a run of the sweeper tells: the number, and which sources with when they were heard of.
async fn told(probe: &Probe) -> (u64, Vec<(String, String)>) {
    let before = lines(probe).len();
    swept(probe).await;
    let lines = lines(probe).split_off(before);
    let number = lines.iter().filter_map(|line| line["SilentSources"].as_u64()).next_back();
    let silent = lines.iter().filter(|line| line["message"] == FALLEN_SILENT);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut silent: Vec<_> = silent.map(|line| (text(&line["source"]), text(&line["heard_at"]))).collect();
    // The schedule may have had it run beside us.
    silent.dedup();
    (number.expect("the number of silent sources"), silent)
}

/// A sign of life: below the floor, so nobody is revoked.
fn send(probe: &Probe, signed_as: &str) -> u16 {
    let body = json!({"event_id": fresh("beat"), "severity": "low", "subjects": ["nobody@example.com"]}).to_string();
    let (id, at) = (fresh("msg"), SystemClock.now().seconds().0);
    let signature = sign_standard_webhook(probe.secret_of(signed_as).unwrap(), &id, at, body.as_bytes()).unwrap();
    let at = at.to_string();
    let headers = [("webhook-id", id.as_str()), ("webhook-timestamp", &at), ("webhook-signature", &signature)];
    probe.post(&probe.hook_url(SOURCE).unwrap(), &headers, body.as_bytes()).unwrap().status
}

/// What `revokectl status` says of it.
fn status(probe: &Probe) -> (Value, bool) {
    let output = command(probe, &["status", "--output", "json"]).output().unwrap();
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let source = status["sources"].as_array().unwrap().iter().find(|one| one["name"] == SOURCE).unwrap().clone();
    let findings = status["findings"].as_array().unwrap();
    let is_found = findings.iter().any(|finding| finding.as_str().is_some_and(|text| text.starts_with(SOURCE)));
    (source, is_found)
}

#[tokio::test]
async fn a_source_that_was_never_heard_of_is_told_until_it_has_proved_who_it_is() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let aws = AwsConfig::from_env(&|name| variable(&probe.facts, name)).unwrap();
    // Of an earlier run against the same cloud.
    let delete = aws.dynamodb().delete_item().table_name(&probe.facts.intake_table);
    delete.key("key", AttributeValue::S(format!("heard#{SOURCE}"))).send().await.unwrap();

    let reader = DynamoLastHeardReader::new(&aws, &probe.facts.intake_table);
    let never = (1, vec![(SOURCE.to_owned(), "never".to_owned())]);
    assert_eq!(told(&probe).await, never);
    let (source, is_found) = status(&probe);
    assert_eq!((&source["heard_at"], &source["silent_after_hours"], is_found), (&Value::Null, &json!(24), true));

    assert_eq!(send(&probe, "siem/plain"), 401);
    assert_eq!(told(&probe).await, never, "anybody can send what is not signed by it");

    let heard = async || {
        assert_eq!(send(&probe, SOURCE), 200);
        let noted = reader.last_heard(SOURCE).await?;
        if noted.is_none() {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        Ok(noted)
    };
    until("the source to be heard of", NOTED_WITHIN, heard).await.unwrap();
    assert_eq!(told(&probe).await, (0, Vec::new()));
    let (source, is_found) = status(&probe);
    let ago = SystemClock.now().0 - source["heard_at"].as_i64().unwrap();
    assert!(ago < 120_000 && source["silent"] == false && !is_found, "{source}");
}
