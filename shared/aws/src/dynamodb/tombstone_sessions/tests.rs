//! Against a store of which only one write finds the item as it describes it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::EndedSessions;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::Clock;

use super::*;
use crate::clients::AwsConfig;

/// The states an item can be in, each with a write of its own.
const STATES: usize = 10;

struct StandsStill;

impl Clock for StandsStill {
    fn now(&self) -> EpochMillis {
        EpochMillis(10_000)
    }
}

/// A store that refuses the condition of each write but one; and the update expressions it was sent.
fn store(fitting: Option<usize>) -> (DynamoTombstoneWriter, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let sent: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&sent);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let update = read(&stream);
            let mut sent = seen.lock().unwrap();
            sent.push(update);
            let (status, body) = if Some(sent.len() - 1) == fitting {
                ("200 OK", "{}")
            } else {
                ("400 Bad Request", r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#)
            };
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0");
            write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    let variable = move |name: &str| match name {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.clone()),
        _ => None,
    };
    let aws = AwsConfig::from_env(&variable).unwrap();
    (DynamoTombstoneWriter::new(&aws, "tombstones", "feed", Arc::new(StandsStill)), sent)
}

/// The update expression of a request.
fn read(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    body["UpdateExpression"].as_str().unwrap().to_owned()
}

async fn end_others(writer: &DynamoTombstoneWriter) -> Result<(), PortError> {
    let ended = EndedSessions::Others { spared: "here".into() };
    let cutoff = SessionCutoff { revocation_id: RevocationId("rv_1".into()), at: EpochSeconds(10), ended };
    writer.end_others(&SubjectKey::new("pool", "sub"), &cutoff, "here").await
}

#[tokio::test]
async fn i02_everywhere_but_here_is_done_only_when_a_write_said_so() {
    // Each write met the item in a state of another: somebody else's came between them, every time.
    let (writer, sent) = store(None);
    assert_eq!(end_others(&writer).await, Err(PortError::retry(UPDATE, "contended")));
    assert_eq!(sent.lock().unwrap().len(), MOST_CHANGES_OF_HANDS * STATES);
    // A later one stands.
    let (writer, sent) = store(Some(STATES - 1));
    assert_eq!(end_others(&writer).await, Ok(()));
    assert_eq!(sent.lock().unwrap().last().unwrap(), "SET others_not_before = others_not_before");
    // Somebody else's write came between the second and the third of the first turn: the second turn finds what it left.
    let (writer, sent) = store(Some(STATES + 3));
    assert_eq!(end_others(&writer).await, Ok(()));
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), STATES + 4);
    assert!(sent.last().unwrap().ends_with("not_before = others_not_before"), "{sent:?}");
}
