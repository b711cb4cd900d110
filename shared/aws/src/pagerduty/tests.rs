use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::time::EpochSeconds;

use super::*;

fn page(stage: Stage) -> Page {
    Page {
        version: "1".into(),
        incident_id: "inc-1769878800000-7".into(),
        stage,
        window_minutes: 60,
        threshold: 3,
        count: 4,
        subjects: vec!["sub-a".into(), "sub-b".into()],
        first_at: EpochSeconds(1_769_878_000),
        last_at: EpochSeconds(1_769_878_800),
        runbook_url: "https://runbook.example/compromise".into(),
    }
}

#[test]
fn a_page_becomes_an_event_of_the_api() {
    let expected = json!({
        "routing_key": "0123456789abcdef0123456789abcdef",
        "event_action": "trigger",
        "dedup_key": "inc-1769878800000-7",
        "payload": {
            "summary": "4 accounts with signs of compromise within 60 minutes (threshold 3)",
            "source": "session-revocation",
            "severity": "critical",
            "timestamp": "2026-01-31T17:00:00.000Z",
            "component": "compromise-counter",
            "class": "compromise threshold exceeded",
            "custom_details": {
                "version": "1",
                "incident_id": "inc-1769878800000-7",
                "stage": "triggered",
                "window_minutes": 60,
                "threshold": 3,
                "count": 4,
                "subjects": ["sub-a", "sub-b"],
                "first_at": 1_769_878_000,
                "last_at": 1_769_878_800,
                "runbook_url": "https://runbook.example/compromise",
            },
        },
    });
    let key = RoutingKey("0123456789abcdef0123456789abcdef".into());
    assert_eq!(event(&page(Stage::Triggered), &key), expected);
}

#[test]
fn a_resolution_names_the_same_incident() {
    let resolved = event(&page(Stage::Resolved), &RoutingKey("k".into()));
    assert_eq!(resolved["event_action"], "resolve");
    assert_eq!(resolved["dedup_key"], "inc-1769878800000-7");
    assert_eq!(resolved["payload"]["custom_details"]["stage"], "resolved");
}

#[test]
fn a_status_says_whether_to_try_again() {
    assert_eq!(answered(202), Ok(()));
    for (status, disposition) in [
        (429, Disposition::Retry),
        (503, Disposition::Retry),
        (400, Disposition::Reject),
        (403, Disposition::Reject),
        (301, Disposition::Reject),
    ] {
        assert_eq!(answered(status).unwrap_err().disposition, disposition, "{status}");
    }
}

/// Secrets, the next one first; none left is a failure.
struct Secrets(Mutex<VecDeque<&'static str>>);

#[async_trait]
impl TextReader for Secrets {
    async fn read(&self, _: &str) -> Result<String, PortError> {
        let next = self.0.lock().unwrap().pop_front();
        next.map(str::to_owned).ok_or(PortError::reject("secretsmanager:GetSecretValue", "access_denied"))
    }
}

/// A pager with these secrets, at a service that knows one key and refuses others with 400; and the keys it saw.
fn pager(secrets: &[&'static str], known: fn(usize) -> &'static str) -> (PagerDutyPager, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&seen);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let event: Value = serde_json::from_slice(&body).unwrap();
            let key = event["routing_key"].as_str().unwrap().to_owned();
            let call = noted.lock().unwrap().len();
            let status = if key == known(call) { 202 } else { 400 };
            noted.lock().unwrap().push(key);
            write!(stream, "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{{}}").unwrap();
        }
    });
    let secrets = Secrets(Mutex::new(secrets.iter().copied().collect()));
    (PagerDutyPager::new(Arc::new(secrets), "secret").with_url(url), seen)
}

#[tokio::test]
async fn the_key_is_kept_for_a_while_and_read_again_when_it_is_refused() {
    // After its second call the service knows the new key alone.
    let (pager, seen) = pager(&["old", "new"], |call| if call < 2 { "old" } else { "new" });
    for _ in 0..3 {
        assert_eq!(pager.page(&page(Stage::Triggered)).await, Ok(()));
    }
    assert_eq!(*seen.lock().unwrap(), ["old", "old", "old", "new"]);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_or_is_unknown_refuses_the_page_and_is_looked_for_with_the_next() {
    let (pager, seen) = pager(&["wrong", "right"], |_| "right");
    assert_eq!(pager.page(&page(Stage::Triggered)).await, Err(PortError::reject(ENQUEUE, "status_400")));
    assert_eq!(pager.page(&page(Stage::Triggered)).await, Ok(()));
    assert_eq!(*seen.lock().unwrap(), ["wrong", "wrong", "right"]);
    let (pager, _) = self::pager(&[], |_| "");
    assert_eq!(pager.page(&page(Stage::Triggered)).await.unwrap_err().code, "access_denied");
}
