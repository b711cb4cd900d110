use revocation_core::domain::event::Event;
use revocation_core::domain::request::RevocationRequest;
use serde_json::json;

use super::*;
use crate::played::{Calls, play};

/// Plays EventBridge: gives each call the next of the answers.
fn serve(answers: Vec<String>) -> (EventBridgePublisher, Calls) {
    let (aws, calls) = play(move |before, _| Some((200, answers[before].clone())));
    (EventBridgePublisher::new(&aws, "bus", "tests"), calls)
}

fn answer(taken: &[bool]) -> String {
    let one = |taken: &bool| {
        if *taken { json!({"EventId": "e"}) } else { json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "x"}) }
    };
    let failed = taken.iter().filter(|taken| !**taken).count();
    json!({"FailedEntryCount": failed, "Entries": taken.iter().map(one).collect::<Vec<_>>()}).to_string()
}

fn events(ids: &[&str]) -> Vec<Event> {
    let request = |id: &&str| {
        let request = json!({
            "version": "1", "source": {"name": "tests", "event_id": id}, "reason": "anomaly",
            "sub_id": {"format": "email", "email": "jane@example.com"},
            "initiator": {"kind": "system", "id": "tests"},
        });
        Event::RevocationRequested(RevocationRequest::parse(&request.to_string()).unwrap())
    };
    ids.iter().map(request).collect()
}

/// Which events a call had.
fn sent(calls: &Calls) -> Vec<String> {
    let detail = |entry: &serde_json::Value| entry["Detail"].as_str().unwrap_or_default().to_owned();
    let of_call = |body: &serde_json::Value| body["Entries"].as_array().unwrap().iter().map(detail).collect();
    calls.lock().unwrap().iter().map(|call| of_call(&call.body)).collect()
}

#[tokio::test]
async fn i07_only_events_the_bus_refused_are_sent_once_more() {
    let (publisher, calls) = serve(vec![answer(&[true, false]), answer(&[true])]);
    publisher.publish(&events(&["first", "second"])).await.unwrap();
    let sent = sent(&calls);
    assert!(sent[0].contains("first") && sent[0].contains("second"), "{sent:?}");
    assert!(!sent[1].contains("first") && sent[1].contains("second"), "{sent:?}");
}

#[tokio::test]
async fn i07_events_that_are_refused_twice_or_not_told_of_are_an_error_that_may_pass() {
    let short = r#"{"FailedEntryCount":1,"Entries":[]}"#.to_owned();
    for refusal in [answer(&[false]), short] {
        let (publisher, calls) = serve(vec![refusal.clone(), refusal]);
        let error = publisher.publish(&events(&["first"])).await.unwrap_err();
        assert_eq!(error, PortError::retry(PUT_EVENTS, "entries_refused"));
        assert_eq!(calls.lock().unwrap().len(), 2);
    }
}
