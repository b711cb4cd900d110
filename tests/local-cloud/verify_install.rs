//! `revokectl verify-install` on the local cloud: what it finds there, what it finds once something is wrong, and its
//! end-to-end run.

use serde_json::{Value, json};

use crate::revokectl::{code, document, run, text};
use crate::world::{ALONE, probe, status, user};

fn checks<'a>(verification: &'a Value, group: &str) -> Vec<&'a Value> {
    verification["checks"].as_array().unwrap().iter().filter(|check| check["group"] == group).collect()
}

#[tokio::test]
async fn every_group_is_looked_at_and_what_must_be_so_is_so() {
    let probe = probe();
    let verified = document(&run(&probe, &["verify-install", "--output", "json"]));
    let all = verified["checks"].as_array().unwrap();
    assert_eq!(
        all.len() as u64,
        ["ok", "warnings", "failed"].map(|count| verified[count].as_u64().unwrap()).iter().sum::<u64>()
    );
    for group in ["caller", "tables", "pools", "apis", "queues", "rules", "evidence", "messages", "sources", "clock"] {
        assert!(!checks(&verified, group).is_empty(), "{group}");
    }
    // Whatever is no ok says what to do.
    assert!(all.iter().all(|check| check["verdict"] == "ok" || check["next"].is_string()), "{all:#?}");
    // Other tests park messages, and the canary is no clock here: its rule is disabled. Nothing else may fail.
    let failed: Vec<_> = all.iter().filter(|check| check["verdict"] == "failed").collect();
    let is_known = |check: &&&serde_json::Value| {
        let text = |member: &str| check[member].as_str().unwrap();
        text("what").ends_with("dead letters") || text("found").starts_with("disabled: local-CanaryTickRule-")
    };
    assert_eq!(failed.iter().filter(is_known).count(), failed.len(), "{failed:#?}");
    // The example APIs, one with each kind of authorizer.
    let apis = checks(&verified, "apis");
    assert!(apis.len() >= 3 && apis.iter().all(|check| check["verdict"] == "ok"), "{apis:#?}");
    let gate =
        checks(&verified, "pools").into_iter().find(|check| check["what"].as_str().unwrap().contains("token gate"));
    assert_eq!(gate.unwrap()["found"], "attached");
    assert!(checks(&verified, "queues").iter().filter(|check| check["found"] == "is read").count() >= 7);

    let drawn = text(&run(&probe, &["verify-install"]).stdout);
    assert!(drawn.contains("apis\n  ok") && drawn.contains("→") && !drawn.contains('\u{1b}'), "{drawn}");
}

#[tokio::test]
async fn a_user_is_revoked_from_end_to_end_and_nobody_else_is() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let (_, bystander) = user(&probe, "ctl-bystander").await;
    let unasked = run(&probe, &["verify-install", "--probe"]);
    assert!(code(&unasked) == 2 && text(&unasked.stderr).contains("nobody is there to ask"));
    let ran = run(&probe, &["verify-install", "--probe", "--api", &probe.facts.api_url, "--yes", "--output", "json"]);
    let verified = document(&ran);
    let run_of = checks(&verified, "end to end");
    for (what, verdict) in [
        ("signed in", "ok"),
        ("before", "ok"),
        ("access token", "ok"),
        ("tombstone", "ok"),
        ("record", "ok"),
        ("tombstone sealed", "ok"),
        ("refresh", "ok"),
    ] {
        let check = run_of.iter().find(|check| check["what"] == what).unwrap_or_else(|| panic!("{what}: {run_of:#?}"));
        assert_eq!(check["verdict"], json!(verdict), "{check:#}");
    }
    assert!(!run_of.iter().any(|check| check["what"] == "the user"), "nobody is left behind");
    assert_eq!(status(&probe, &bystander.access), 200);
}

#[tokio::test]
async fn an_address_that_does_not_ask_the_authorizer_fails_with_what_to_look_at() {
    let probe = probe();
    // Serves whoever comes: the pool's keys.
    let arguments =
        ["verify-install", "--probe", "--api", &probe.facts.jwks_url, "--timeout", "3s", "--yes", "--output", "json"];
    let ran = run(&probe, &arguments);
    let verified = document(&ran);
    assert_eq!(code(&ran), 5);
    let served = checks(&verified, "end to end").into_iter().find(|check| check["what"] == "access token").unwrap();
    assert!(served["verdict"] == "failed" && served["found"].as_str().unwrap().contains("still served"), "{served:#}");
    let elsewhere = run(&probe, &["verify-install", "--stack", "no-such-stack"]);
    assert_eq!(code(&elsewhere), 3);
}
