//! One trace from the intake to the notice, in the log lines of the functions an event goes through.

use std::collections::{BTreeMap, BTreeSet};

use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::Probe;
use serde_json::{Value, json};

use crate::world::{LIMIT, fresh, probe, record, user};

/// The functions' lines by trace id: an event's is in its span, that of audit records and metrics beside them.
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

#[tokio::test]
async fn one_trace_goes_from_the_intake_to_the_seal_and_the_notice() {
    let probe = probe();
    // Two at once, whose messages may come in one batch.
    let (one, other) = (user(&probe, "traced").await.0, user(&probe, "traced").await.0);
    for person in [&one, &other] {
        let alert = json!({"event_id": fresh("e"), "severity": "high", "reason": "role_change",
                           "subjects": [person.email], "title": "t"});
        let now = SystemClock.now().seconds().0;
        let sent = probe.post_signed("siem/plain", &fresh("msg"), now, alert.to_string().as_bytes()).unwrap();
        assert_eq!(sent.status, 202, "{}", sent.body);
    }
    let ids = [record(&probe, &one.key).await.revocation_id, record(&probe, &other.key).await.revocation_id];
    probe.settled(LIMIT).await.unwrap();
    let lines = lines(&probe);
    let mut traces = BTreeSet::new();
    for id in ids {
        let is_audit = |line: &Value| line["audit"]["revocation_id"].as_str() == Some(&id.0);
        let of_event: Vec<_> = lines.iter().filter(|(_, lines)| lines.iter().any(is_audit)).collect();
        let [(trace, lines)] = of_event[..] else { panic!("{} traces have the audit record of {id}", of_event.len()) };
        assert!(traces.insert(trace), "two events share a trace");
        let has = |what: &dyn Fn(&Value) -> bool| lines.iter().any(what);
        assert!(has(&|line| line["Translated"] == 1.0 && line["source"] == "siem/plain"), "the intake: {lines:#?}");
        assert!(has(&|line| line.get("TimeToSeal").is_some()), "the seal: {lines:#?}");
        assert!(has(&|line| line.get("Noticed").is_some()), "the notice: {lines:#?}");
        let others = lines.iter().filter(|line| !line["audit"].is_null() && !is_audit(line)).count();
        assert_eq!(others, 0, "another event's record is in this trace");
    }
}
