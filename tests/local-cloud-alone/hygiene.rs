//! I10, systematically: every string of every sample, and every field of every API, is sent to the deployed pipeline with a
//! mark in it, good events and bad ones. Then everything the pipeline writes or answers is searched for the marks: the
//! functions' lines (messages, metrics, audit records), the reasons beside dead letters, the answers, the SIEM's stream and
//! the pages.
//!
//! One kind of mark may be found: a bare word that was sent as the id of an event or of whoever caused it, in the members of an
//! audit record and of an OCSF event that hold just that (docs/LOGGING.md). Sent as an address or as a name, it may not.
//!
//! Not searched, because they hold what was sent by design: the bodies of dead letters and of parked requests, the tables,
//! what a person is told, and a SCIM resource that is answered to the client that owns it.

mod apis;
mod plant;
mod written;

use revocation_core::domain::audit::AuditRecord;
use revocation_probe::{NewUser, Probe, Tokens, User, until};
use serde_json::{Value, json};

use crate::world::{ALONE, LIMIT, ask, fresh, probe, request, status, user};
use plant::{Form, Planter};

/// Long enough for some thousands of events, ten at a time.
const DRAINED_WITHIN: std::time::Duration = std::time::Duration::from_mins(4);

#[tokio::test]
async fn i10_no_mark_planted_in_any_field_is_found_in_what_the_pipeline_writes() {
    let _alone = ALONE.lock().await;
    let probe = probe();
    let mut planter = Planter::new(std::process::id());
    let from = written::end_of_log(&probe);
    let inbox = probe.page_inbox(&fresh("hygiene")).await.unwrap();

    let (person, session) = planted_user(&probe, &mut planter).await;
    let records = revoked_for_every_reason(&probe, &mut planter, &person).await;
    // SCIM changes their address, and disables them.
    let (other, _) = user(&probe, "hygiene").await;
    let mut answers = apis::everything(&probe, &mut planter, (&person, &session), &other);
    answers.extend(webhooks(&probe, &mut planter, &person));
    let sent = events(&probe, &mut planter, &person).await;
    let told = internal_events(&probe, &mut planter, &records).await;
    garbage(&probe, &mut planter).await;
    probe.settled(DRAINED_WITHIN).await.unwrap();

    let letters = written::dead_letters(&probe).await;
    let lines = written::lines(&probe, from);
    let feed = written::siem_stream(&probe).await;
    let pages = format!("{:?}", probe.take_pages(&inbox).await.unwrap());
    println!(
        "{} marks in {} events, {} internal events, {} requests; searched: {} lines, {} dead letters, {} bytes for the SIEM",
        planter.count(),
        sent,
        told,
        answers.len(),
        lines.len(),
        letters.len(),
        feed.len()
    );
    // Good paths were gone, and bad ones: or nothing was searched.
    assert!(planter.count() > 1_500 && answers.len() > 500 && letters.len() > 100);
    for written in [r#""audit":"#, r#""action":"#, "_aws", "parked", "noticed"] {
        assert!(lines.iter().any(|line| line.contains(written)), "no line with {written}");
    }
    // A page is not sure: an incident that other tests began goes on, and tells of no account twice.
    assert!(feed.contains(&person.key.sub.0), "the stream has nothing of whom all this is about");

    let mut found = Vec::new();
    let feed: Vec<String> = feed.lines().map(str::to_owned).collect();
    let places: [(&str, Vec<String>); 5] = [
        ("a line", lines),
        ("the reason beside a dead letter", letters),
        ("an answer", answers),
        ("the SIEM's stream", feed),
        ("a page", vec![pages]),
    ];
    for (place, texts) in &places {
        for text in texts {
            let (ids, rest) = written::ids_and_rest(text);
            // Whose id it is, is for the record; what looks like an address or a name is not let through as an id.
            let in_ids = planter.found(&ids).into_iter().filter(|one| one.form != Form::Word);
            let everywhere_else = planter.found(&rest);
            found.extend(everywhere_else.into_iter().chain(in_ids).map(|one| (*place, one, text)));
        }
    }
    let shown: std::collections::BTreeSet<String> = found
        .iter()
        .map(|(place, one, text)| format!("{place} has {:?} of {}: {:.300}", one.form, one.place, text))
        .collect();
    assert!(shown.is_empty(), "{} times:\n{}", found.len(), shown.into_iter().take(60).collect::<Vec<_>>().join("\n"));
}

/// Somebody all of whose attributes are marks.
async fn planted_user(probe: &Probe, planter: &mut Planter) -> (User, Tokens) {
    let name = planter.word("user name and address");
    let phone = format!("+49151{:08}", std::process::id());
    planter.text("phone number", &phone[1..]);
    let new = NewUser { name: &name, phone: Some(&phone), locale: Some("de"), ..NewUser::default() };
    let person = probe.add_user(&new).await.unwrap();
    for attribute in ["custom:personal_email", "custom:roles", "custom:project_end_date"] {
        let mark = planter.mark(attribute, Form::Address);
        probe.set_attribute(&person, attribute, &mark).await.unwrap();
        // An end date that is none: the token gate refuses, and must not say what it read.
        if attribute.ends_with("date") {
            assert!(probe.sign_in(&person).await.unwrap().is_err());
            probe.set_attribute(&person, attribute, "").await.unwrap();
        }
    }
    let session = probe.sign_in(&person).await.unwrap().unwrap();
    for (name, token) in [("access", &session.access), ("ID", &session.id), ("refresh", &session.refresh)] {
        for (part, text) in token.split('.').enumerate().filter(|(part, text)| *part > 0 && text.len() > 10) {
            planter.text(&format!("{name} token, part {part}"), text);
        }
    }
    assert_eq!(status(probe, &session.access), 200);
    (person, session)
}

/// One complete revocation a reason, with marks in every text.
async fn revoked_for_every_reason(probe: &Probe, planter: &mut Planter, person: &User) -> Vec<AuditRecord> {
    let reasons = ["role_change", "anomaly", "compromise", "policy_violation", "user_request", "offboarding", "canary"];
    for reason in reasons {
        let mut asked = request(&fresh("e"), &person.email, reason);
        for text in ["reason_admin", "reason_user"] {
            asked[text] = json!({"en": planter.mark(text, Form::Name), "de": planter.mark(text, Form::Address)});
        }
        asked["initiator"] = json!({"kind": "admin", "id": planter.mark("initiator", Form::Address)});
        asked["txn"] = json!(planter.mark("txn", Form::Name));
        ask(probe, &asked).await;
    }
    let all = async || Ok(Some(probe.records_of(&person.key).await?).filter(|all| all.len() >= reasons.len()));
    until("a record a reason", LIMIT, all).await.unwrap().0
}

/// The samples of the bus, with one string marked at a time. Answers how many events that were.
async fn events(probe: &Probe, planter: &mut Planter, person: &User) -> usize {
    let mut sent = 0;
    for (name, sample) in samples(person, probe, |folder| !["siem", "role-change", "ocsf"].contains(&folder)) {
        let source = sample["source"].as_str().unwrap().to_owned();
        for event in planter.variants(&name, &sample) {
            // What EventBridge itself writes into an event is put straight on the queue, as its rule would.
            if event["detail"] == sample["detail"] {
                probe.send(&probe.facts.intake_queue_url, &event.to_string()).await.unwrap();
                probe.send(&probe.facts.revoke_queue_url, &event.to_string()).await.unwrap();
            } else {
                probe.put_event(&source, event["detail-type"].as_str().unwrap(), &event["detail"]).await.unwrap();
            }
            sent += 1;
        }
    }
    sent
}

/// Samples, with the made-up person replaced by one there is.
fn samples(person: &User, probe: &Probe, wanted: impl Fn(&str) -> bool) -> Vec<(String, Value)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../events/samples");
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if !wanted(&name) {
            continue;
        }
        for file in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
            // A whole pool would be one of other tests, and the sender's bodies are what is meant, not what comes of them.
            if stem == "expectations" || stem.contains("whole-pool") {
                continue;
            }
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text
                .replace("jane@example.com", &person.email)
                .replace("eu-central-1_Sample001", &probe.facts.user_pool_id);
            let text = text.replace("11112222-3333-4444-8555-666677778888", &person.key.sub.0);
            found.push((format!("{name}/{stem}"), serde_json::from_str(&text).unwrap()));
        }
    }
    assert!(!found.is_empty());
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

/// The bodies of webhooks, authentic and marked in one string at a time. Answers what was answered.
fn webhooks(probe: &Probe, planter: &mut Planter, person: &User) -> Vec<String> {
    let mut answers = Vec::new();
    for (name, sample) in samples(person, probe, |folder| ["siem", "role-change"].contains(&folder)) {
        for body in planter.variants(&name, &sample) {
            let answer = apis::hook(probe, &name, &body);
            assert!(answer.status < 500, "{name}: {}", answer.status);
            answers.push(written::answer(&answer));
        }
    }
    answers
}

/// What the pipeline tells itself, as whoever may put events on the bus could: to `notify`, `siem-feed` and `report`.
async fn internal_events(probe: &Probe, planter: &mut Planter, records: &[AuditRecord]) -> usize {
    let record = serde_json::to_value(records.last().unwrap()).unwrap();
    let mut revoked = record.clone();
    revoked["reason_user"] = json!({"en": "x"});
    let action = json!({
        "version": "1", "id": "ac_00000000000000000000000000000001", "source": record["source"],
        "initiator": record["initiator"], "subject": record["subject"], "action": "hold",
        "hold": {"until": "2027-01-01T00:00:00Z", "message": "x"}, "override_protection": false,
        "reason_admin": {"en": "x"}, "outcome": "done", "code": null, "still_barred_by": [], "received_at": 1, "at": 2,
    });
    let incident = json!({
        "version": "1", "incident_id": "in_1", "stage": "triggered", "window_minutes": 60, "threshold": 3, "count": 4,
        "subjects": ["a"], "first_at": 1, "last_at": 2, "runbook_url": "https://example.com/runbook",
    });
    let job = json!({
        "version": "1", "job_id": "rv_00000000000000000000000000000001", "stage": "completed",
        "sub_id": {"format": "group", "group": "g"}, "reason": "project_end",
        "initiator": {"kind": "admin", "id": "ops"}, "passes": 1, "pages": 0, "received_at": 1, "locked_out_at": 2,
        "ended_at": 3, "tally": {"listed": 1, "locked_out": 1, "ended": 1, "failed": 0, "handed_over": 0,
                                 "unknown": 0, "called_off": 0},
    });
    let control = json!({
        "version": "1", "source": {"name": "operator", "event_id": "x"}, "job_id": "rv_00000000000000000000000000000001",
        "action": "pause", "initiator": {"kind": "admin", "id": "ops"},
    });
    let bulk = json!({
        "version": "1", "source": {"name": "operator", "event_id": "x"}, "sub_id": {"format": "group", "group": "nobody"},
        "reason": "project_end", "initiator": {"kind": "admin", "id": "ops"}, "reason_admin": {"en": "x"},
    });
    let mut sent = 0;
    for (detail_type, detail) in [
        ("Sessions Revoked", &revoked),
        ("Revocation Failed", &revoked),
        ("Account Action Completed", &action),
        ("Compromise Threshold Exceeded", &incident),
        ("Bulk Revocation Completed", &job),
        ("Bulk Control Requested", &control),
        ("Revocation Requested", &bulk),
    ] {
        for variant in planter.variants(detail_type, detail) {
            probe.put_event("revocation", detail_type, &variant).await.unwrap();
            sent += 1;
        }
    }
    sent
}

/// What is no event at all, on every queue.
async fn garbage(probe: &Probe, planter: &mut Planter) {
    let facts = &probe.facts;
    for (name, queue) in [
        ("intake", &facts.intake_queue_url),
        ("revoke", &facts.revoke_queue_url),
        ("compromise", &facts.compromise_queue_url),
        ("notify", &facts.notify_queue_url),
        ("audit-chain", &facts.audit_chain_queue_url),
    ] {
        for form in [Form::Word, Form::Address, Form::Name] {
            let mark = planter.mark(&format!("garbage on the queue of {name}"), form);
            for body in
                [mark.clone(), format!("{{\"{mark}\":"), format!("[\"{mark}\"]"), json!({ "detail": mark }).to_string()]
            {
                probe.send(queue, &body).await.unwrap();
            }
        }
    }
}
