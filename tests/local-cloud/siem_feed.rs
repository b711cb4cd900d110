//! What a SIEM is fed by the deployed pipeline, as its stream writes it.

use revocation_aws::clients::AwsConfig;
use revocation_core::domain::audit::AuditRecord;
use revocation_probe::{Facts, until};
use serde_json::Value;

use crate::world::{LIMIT, ask, fresh, probe, record, request, user};

/// Where the local cloud's stream writes (`tools/xtask/local_cloud/deploy.py`).
const BUCKET: &str = "session-revocation-siem";

/// Every event of one revocation on the stream, those of the sessions first.
async fn fed(facts: &Facts, of: &AuditRecord) -> Vec<Value> {
    let variable = |name: &str| match name {
        "AWS_REGION" => Some(facts.region.clone()),
        "AWS_ACCESS_KEY_ID" => Some(facts.access_key_id.clone()),
        "AWS_SECRET_ACCESS_KEY" => Some(facts.secret_access_key.clone()),
        "AWS_ENDPOINT_URL" => Some(facts.endpoint.clone()),
        _ => None,
    };
    let s3 = AwsConfig::from_env(&variable).unwrap().s3();
    let mut events = Vec::new();
    let mut pages = s3.list_objects_v2().bucket(BUCKET).into_paginator().send();
    while let Some(page) = pages.next().await {
        for object in page.unwrap().contents() {
            let body = s3.get_object().bucket(BUCKET).key(object.key().unwrap()).send().await.unwrap().body;
            let text = String::from_utf8(body.collect().await.unwrap().to_vec()).unwrap();
            assert!(text.ends_with('\n'), "{text}");
            let event: Value = serde_json::from_str(&text).unwrap();
            if event["metadata"]["correlation_uid"] == of.revocation_id.0 {
                events.push(event);
            }
        }
    }
    events.sort_by_key(|event| std::cmp::Reverse(event["class_uid"].as_u64()));
    events
}

#[tokio::test]
async fn an_offboarding_arrives_as_a_logoff_and_a_disabled_account_without_the_address() {
    let probe = probe();
    let (person, _) = user(&probe, "fed").await;
    ask(&probe, &request(&fresh("e"), &person.email, "offboarding")).await;
    let record = record(&probe, &person.key).await;
    let two = async || {
        let events = fed(&probe.facts, &record).await;
        Ok((events.len() >= 2).then_some(events))
    };
    let (events, _) = until("two events on the stream", LIMIT, two).await.unwrap();
    let types: Vec<_> = events.iter().map(|event| event["type_name"].as_str().unwrap()).collect();
    assert_eq!(types, ["Authentication: Logoff", "Account Change: Disable"]);
    for event in &events {
        assert_eq!(event["user"]["uid"], record.subject.as_ref().unwrap().sub.0);
        assert_eq!(event["status"], "Success");
        assert_eq!(event["cloud"]["region"], probe.facts.region);
        assert!(!event.to_string().contains('@'), "{event}");
    }
    assert_eq!(events[0]["time"], record.sealed_at.unwrap().0);
    assert_eq!(events[0]["unmapped"]["reason"], "offboarding");
}
