//! One trace from whoever puts the event on the bus to the notice, in the log lines of the functions it goes through.

use std::collections::BTreeMap;

use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::Probe;
use serde_json::Value;

use crate::world::{LIMIT, fresh, probe, record, request, user};

/// The functions' lines by trace id: an event's is in its span, that of audit records and metrics beside them. Lines of
/// functions behind an API are not in this log.
fn lines(probe: &Probe) -> BTreeMap<String, Vec<Value>> {
    let log = std::fs::read_to_string(&probe.facts.log).unwrap();
    let mut by_trace = BTreeMap::<String, Vec<Value>>::new();
    for line in log.lines().filter(|line| line.starts_with('{')) {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let id = line["span"]["trace_id"].as_str().or_else(|| line["trace_id"].as_str());
        if let Some(id) = id {
            by_trace.entry(id.to_owned()).or_default().push(line);
        }
    }
    by_trace
}

/// Several tries: the local cloud puts the header on a message that is on its queue already, where a poller may have taken it.
#[tokio::test]
async fn one_trace_goes_from_the_bus_through_revoke_and_the_bus_again_to_the_notice() {
    let mut missing = String::new();
    for _ in 0..5 {
        match one_trace().await {
            Ok(()) => return,
            Err(what) => missing = what,
        }
    }
    panic!("{missing}");
}

async fn one_trace() -> Result<(), String> {
    let probe = probe();
    // Two at once, whose messages may come in one batch.
    let people = [user(&probe, "traced").await.0, user(&probe, "traced").await.0];
    let mut ids = Vec::new();
    for (n, person) in people.iter().enumerate() {
        // Unlike that of an earlier run against the same cloud.
        let id = format!("1-5759e988-{:023x}{n}", SystemClock.now().0);
        let header = format!("Root={id};Parent=53995c3f42cd8ad8;Sampled=1");
        let asked = request(&fresh("traced"), &person.email, "role_change");
        probe.put_event_in_trace("tests", "Revocation Requested", &asked, Some(&header)).await.unwrap();
        ids.push(id);
    }
    for person in &people {
        record(&probe, &person.key).await;
    }
    probe.settled(LIMIT).await.unwrap();
    let lines = lines(&probe);
    for (id, person) in ids.iter().zip(&people) {
        let lines = lines.get(id).ok_or_else(|| format!("no line of the trace {id}"))?;
        let records: Vec<_> = lines.iter().filter(|line| !line["audit"].is_null()).collect();
        if records.is_empty() {
            return Err(format!("no record in the trace: {lines:#?}"));
        }
        assert_eq!(records.len(), 1, "of this event alone: {lines:#?}");
        assert!(records[0].to_string().contains(&person.key.sub.0), "another's trace");
        for what in ["TimeToSeal", "Noticed"] {
            if !lines.iter().any(|line| line.get(what).is_some()) {
                return Err(format!("{what}: {lines:#?}"));
            }
        }
    }
    Ok(())
}
