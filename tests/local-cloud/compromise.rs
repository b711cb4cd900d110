//! I9 on the deployed pipeline.

use std::time::Duration;

use revocation_core::domain::incident::{Page, Stage};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{PageInbox, Probe, until};
use serde_json::json;

use crate::world::{ALONE, LIMIT, ask, fresh, probe, request, user};

const TICK: &str = r#"{"id":"1","source":"aws.events","detail-type":"Scheduled Event","detail":{}}"#;

async fn next_page(probe: &Probe, inbox: &PageInbox) -> Page {
    let look = async || Ok(probe.take_pages(inbox).await?.into_iter().next());
    until("a page", LIMIT, look).await.unwrap().0
}

#[tokio::test]
async fn i09_four_accounts_at_once_raise_one_page_and_an_empty_window_resolves_it() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let inbox = probe.page_inbox(&fresh("pages")).await.unwrap();
    // Three hours ago, so that the window has emptied by now and other tests' events are far away.
    let then = EpochMillis(SystemClock.now().0 - 3 * 3_600_000).rfc3339();
    let mut asked = Vec::new();
    for _ in 0..4 {
        let (person, _) = user(&probe, "breached").await;
        let mut request = request(&fresh("e"), &person.email, "compromise");
        request["occurred_at"] = json!(then);
        asked.push(request);
    }
    let before = probe.signs_recorded().await.unwrap();
    for request in &asked[..3] {
        ask(&probe, request).await;
        ask(&probe, request).await;
    }
    let three = async || Ok((probe.signs_recorded().await? == before + 3).then_some(()));
    until("three signs", LIMIT, three).await.unwrap();
    probe.settled(LIMIT).await.unwrap();
    assert!(probe.take_pages(&inbox).await.unwrap().is_empty(), "three are not too many");

    // The fourth, many times at once, with the others once more.
    for request in asked.iter().chain(&asked).chain(&asked) {
        ask(&probe, request).await;
    }
    let page = next_page(&probe, &inbox).await;
    assert_eq!((page.stage, page.count, page.threshold, page.window_minutes), (Stage::Triggered, 4, 3, 60));
    assert_eq!(page.subjects.len(), 4);
    assert!(!page.runbook_url.is_empty());
    probe.settled(LIMIT).await.unwrap();
    probe.send(&probe.facts.compromise_queue_url, TICK).await.unwrap();
    let resolved = next_page(&probe, &inbox).await;
    assert_eq!((resolved.stage, resolved.incident_id), (Stage::Resolved, page.incident_id));
    probe.send(&probe.facts.compromise_queue_url, TICK).await.unwrap();
    probe.settled(LIMIT).await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(probe.take_pages(&inbox).await.unwrap().is_empty(), "told once");
}
