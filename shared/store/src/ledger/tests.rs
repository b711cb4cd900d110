use std::sync::atomic::AtomicUsize;

use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};

use serde_json::json;

use super::*;
use crate::testing::{Reply, Server, error, ok};

const AT: EpochMillis = EpochMillis(1_790_000_000_123);
const DAY: Duration = Duration::from_hours(24);

fn recorder(server: &Server, personal_data: PersonalData) -> LedgerRecorder {
    LedgerRecorder::new(&server.client(), "sessions", 30 * DAY, personal_data)
}

fn sighting<'a>(subject: &'a SubjectKey, origin_jti: &'a str) -> Sighting<'a> {
    Sighting {
        subject,
        origin_jti,
        client_id: "client",
        auth_time: Some(EpochSeconds(1_789_999_000)),
        seen_at: AT,
        ip: Some("192.0.2.1"),
        user_agent: Some("Browser/1.0 (é)"),
    }
}

fn subject() -> SubjectKey {
    SubjectKey::new("pool", "sub")
}

async fn drained(recorder: &LedgerRecorder) {
    assert!(recorder.drain(Duration::from_secs(5)).await);
}

#[tokio::test]
async fn a_session_is_written_once_in_five_minutes() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    for _ in 0..3 {
        recorder.saw(&sighting(&subject, "o-1"));
        drained(&recorder).await;
    }
    recorder.saw(&Sighting { seen_at: AT.plus(Duration::from_mins(5)), ..sighting(&subject, "o-1") });
    recorder.saw(&sighting(&subject, "o-2"));
    drained(&recorder).await;
    assert_eq!(recorder.stats(), LedgerStats { written: 3, ..LedgerStats::default() });
    let asked = &server.asked()[0];
    assert_eq!(asked.operation(), "UpdateItem");
    let json = asked.json();
    assert_eq!(json["TableName"], "sessions");
    assert_eq!(json["Key"], json!({"subject": {"S": "pool#sub"}, "origin_jti": {"S": "o-1"}}));
    let expression = json["UpdateExpression"].as_str().unwrap();
    assert!(expression.starts_with("SET #first_seen = if_not_exists(#first_seen, :last_seen), "), "{expression}");
    let expected = json!({
        ":client_id": {"S": "client"}, ":auth_time": {"N": "1789999000"}, ":last_seen": {"N": "1790000000123"},
        ":expires_at": {"N": (1_790_000_000 + 30 * 86_400).to_string()}, ":ip": {"S": "192.0.2.1"},
        ":user_agent": {"S": "Browser/1.0 (é)"},
    });
    assert_eq!(json["ExpressionAttributeValues"], expected);
    // Every name is used and every used one is defined, or the store refuses.
    for (name, attribute) in json["ExpressionAttributeNames"].as_object().unwrap() {
        assert!(expression.contains(name) && name[1..] == *attribute.as_str().unwrap());
    }
    assert_eq!(expression.matches('#').count(), json["ExpressionAttributeNames"].as_object().unwrap().len() + 1);
}

#[tokio::test]
async fn a_refusal_is_written_once_and_brings_no_personal_data() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    for minutes in [0, 6, 600] {
        recorder.refused(&Sighting { seen_at: AT.plus(Duration::from_mins(minutes)), ..sighting(&subject, "o-1") });
        drained(&recorder).await;
    }
    // Having been seen is another thing.
    recorder.saw(&sighting(&subject, "o-1"));
    drained(&recorder).await;
    assert_eq!(recorder.stats().written, 2);
    let json = server.asked()[0].json();
    assert_eq!(json["Key"], json!({"subject": {"S": "pool#sub"}, "origin_jti": {"S": "o-1"}}));
    assert_eq!(json["ConditionExpression"], "attribute_not_exists(refused_at) OR refused_at > :at");
    let expected =
        json!({":at": {"N": "1790000000123"}, ":expires_at": {"N": (1_790_000_000 + 30 * 86_400).to_string()}});
    assert_eq!(json["ExpressionAttributeValues"], expected);
    assert_eq!(server.asked()[1].json()["ExpressionAttributeNames"]["#first_seen"], "first_seen");
}

#[tokio::test]
async fn i10_personal_data_is_cut_cleaned_hashed_or_left_out() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let long = format!("a\u{0}b\n{}", "é".repeat(400));
    let subject = subject();
    for (personal, ip) in [
        (PersonalData::Plain, "::ffff:192.0.2.1"),
        (PersonalData::Plain, "192.0.2.1; drop"),
        (PersonalData::hashed(b"key"), "192.0.2.1"),
        (PersonalData::LeftOut, "192.0.2.1"),
    ] {
        let recorder = recorder(&server, personal);
        recorder.saw(&Sighting { ip: Some(ip), user_agent: Some(&long), auth_time: None, ..sighting(&subject, "o") });
        drained(&recorder).await;
    }
    let stored: Vec<_> = server
        .asked()
        .iter()
        .map(|asked| {
            let values = asked.json()["ExpressionAttributeValues"].clone();
            let text = |name: &str| values[name]["S"].as_str().map(str::to_owned);
            (text(":ip"), text(":user_agent"))
        })
        .collect();
    let agent = format!("ab{}", "é".repeat(254));
    assert_eq!(stored[0], (Some("192.0.2.1".into()), Some(agent.clone())));
    assert_eq!(stored[1], (None, Some(agent)));
    // printf 192.0.2.1 | openssl dgst -sha256 -hmac key
    let hash = "0d01cd1f8c54f86cc05c8f0c75925c3a9692a6c6667092c922f2b1a6c15e4769";
    assert_eq!(stored[2].0.as_deref(), Some(hash));
    assert_eq!(stored[2].1.as_ref().unwrap().len(), 64);
    assert_eq!(stored[3], (None, None));
}

#[tokio::test]
async fn what_names_no_session_is_dropped() {
    let server = Server::scripted(vec![Reply::Send(ok("{}"))]).await;
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    let long = "x".repeat(600);
    recorder.saw(&sighting(&subject, ""));
    recorder.saw(&sighting(&subject, "with space"));
    recorder.saw(&sighting(&subject, &long));
    recorder.saw(&Sighting { client_id: "\n", ..sighting(&subject, "o") });
    recorder.saw(&sighting(&SubjectKey::new("pool", long.clone()), "o"));
    drained(&recorder).await;
    assert_eq!((recorder.stats().dropped, server.asked().len()), (5, 0));
}

#[tokio::test]
async fn a_flood_is_bounded_and_nobody_waits() {
    let server = Server::start(|_| Reply::Silence).await;
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    let began = std::time::Instant::now();
    for number in 0..20_000 {
        recorder.saw(&sighting(&subject, &format!("o-{number}")));
        if number % 1_000 == 0 {
            tokio::task::yield_now().await;
        }
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    let stats = recorder.stats();
    assert!(stats.waiting <= MOST_WAITING && stats.dropped >= 18_900, "{stats:?}");
}

#[tokio::test]
async fn a_note_that_was_not_written_is_written_later() {
    let failing = Arc::new(AtomicUsize::new(1));
    let fails = failing.clone();
    let server = Server::start(move |_| match fails.load(Ordering::SeqCst) {
        0 => Reply::Send(ok("{}")),
        _ => Reply::Send(error("400 Bad Request", "AccessDeniedException")),
    })
    .await;
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    recorder.saw(&sighting(&subject, "o"));
    drained(&recorder).await;
    assert_eq!((recorder.stats().failed, recorder.stats().written), (1, 0));
    failing.store(0, Ordering::SeqCst);
    // Not with the very next request, or an outage would double the load.
    for (later, written) in [(1, 0), (31, 1), (32, 1)] {
        recorder.saw(&Sighting { seen_at: AT.plus(Duration::from_secs(later)), ..sighting(&subject, "o") });
        drained(&recorder).await;
        assert_eq!(recorder.stats().written, written, "{later}");
    }
}

#[tokio::test]
async fn a_later_sighting_of_another_instance_stands() {
    let server = Server::scripted(vec![Reply::Send(error("400 Bad Request", "ConditionalCheckFailedException"))]).await;
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    recorder.saw(&sighting(&subject, "o"));
    drained(&recorder).await;
    assert_eq!(recorder.stats(), LedgerStats { written: 1, ..LedgerStats::default() });
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn without_a_runtime_the_note_waits() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(Server::scripted(vec![Reply::Send(ok("{}"))]));
    let (recorder, subject) = (recorder(&server, PersonalData::Plain), subject());
    recorder.saw(&sighting(&subject, "o-1"));
    assert_eq!(recorder.stats().waiting, 1);
    runtime.block_on(async {
        recorder.saw(&sighting(&subject, "o-2"));
        drained(&recorder).await;
    });
    assert_eq!(recorder.stats().written, 2);
}
