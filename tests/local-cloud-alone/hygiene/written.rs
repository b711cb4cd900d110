//! Everything the deployed pipeline writes, as texts to be searched.

use revocation_aws::clients::AwsConfig;
use revocation_probe::{Answer, Probe};

use crate::world::variable;

/// Where the local cloud's stream writes (`tools/xtask/local_cloud/deploy.py`).
const BUCKET: &str = "session-revocation-siem";

/// Members that hold an id by design: of audit records, of actions' records, of OCSF events.
const IDS: [&str; 12] = [
    "/audit/initiator/id",
    "/audit/source/event_id",
    "/audit/source/name",
    "/action/initiator/id",
    "/action/source/event_id",
    "/action/source/name",
    "/actor/user/uid",
    "/actor/user/name",
    "/actor/app_uid",
    "/actor/app_name",
    "/unmapped/source/event_id",
    "/unmapped/source/name",
];

/// What stands in those members, and the text without it.
pub(crate) fn ids_and_rest(text: &str) -> (String, String) {
    let Ok(mut line) = serde_json::from_str::<serde_json::Value>(text) else { return (String::new(), text.to_owned()) };
    let mut ids = String::new();
    for pointer in IDS {
        if let Some(id) = line.pointer_mut(pointer).map(serde_json::Value::take) {
            ids.push_str(&id.to_string());
        }
    }
    (ids, line.to_string())
}

/// Where the log ends now.
pub(crate) fn end_of_log(probe: &Probe) -> usize {
    std::fs::read(&probe.facts.log).unwrap().len()
}

/// What the functions wrote since: whatever follows the emulator's announcement of their output, a panic's message
/// included. The emulator's own lines, which show what it was sent, are not ours.
pub(crate) fn lines(probe: &Probe, from: usize) -> Vec<String> {
    let log = std::fs::read(&probe.facts.log).unwrap();
    let log = String::from_utf8_lossy(&log[from..]);
    let mut found = Vec::new();
    let mut theirs = false;
    for line in log.lines() {
        let announced = line.get(..10).is_some_and(|date| date.bytes().filter(|byte| *byte == b'-').count() == 2)
            && line.contains(" [");
        if announced {
            theirs = line.ends_with("output:") || line.ends_with("output: ");
        } else if theirs || line.starts_with('{') {
            found.push(line.to_owned());
        }
    }
    found
}

/// Reasons beside every dead letter; the letters are gone then.
pub(crate) async fn dead_letters(probe: &Probe) -> Vec<String> {
    let facts = &probe.facts;
    let mut reasons = Vec::new();
    for queue in [
        &facts.intake_dlq_url,
        &facts.revoke_dlq_url,
        &facts.notify_dlq_url,
        &facts.bulk_dlq_url,
        &facts.compromise_dlq_url,
    ] {
        loop {
            let letters = probe.take(queue).await.unwrap();
            if letters.is_empty() {
                break;
            }
            reasons.extend(letters.into_iter().map(|(_, reason)| reason.unwrap_or_default()));
        }
    }
    reasons
}

/// Status, headers and body.
pub(crate) fn answer(answer: &Answer) -> String {
    format!("{} {:?} {}", answer.status, answer.headers, answer.body)
}

/// Everything on the SIEM's stream.
pub(crate) async fn siem_stream(probe: &Probe) -> String {
    let s3 = AwsConfig::from_env(&|name| variable(&probe.facts, name)).unwrap().s3();
    let mut all = String::new();
    let mut pages = s3.list_objects_v2().bucket(BUCKET).into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page.unwrap().contents() {
            let body = s3.get_object().bucket(BUCKET).key(object.key().unwrap()).send().await.unwrap().body;
            all.push_str(&String::from_utf8(body.collect().await.unwrap().to_vec()).unwrap());
        }
    }
    all
}
