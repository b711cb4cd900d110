//! For tests: a service that is played on a socket, so that the SDK, its repetitions and its errors are the real ones.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::clients::AwsConfig;

/// A call as the service sees it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Such as `PutItem`.
    pub(crate) operation: String,
    pub(crate) body: Value,
}

/// Status and body. `None`: the call is carried out, and its answer lost.
pub(crate) type Answer = Option<(u16, String)>;

/// The calls so far, in order.
pub(crate) type Calls = Arc<Mutex<Vec<Call>>>;

/// Plays any service that speaks JSON: calls are answered one after the other, each by `answer`, which is told how many came before.
pub(crate) fn play(mut answer: impl FnMut(usize, &Call) -> Answer + Send + 'static) -> (AwsConfig, Calls) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let calls = Calls::default();
    let noted = Arc::clone(&calls);
    thread::spawn(move || {
        for (before, mut stream) in listener.incoming().map_while(Result::ok).enumerate() {
            let call = read(&stream);
            // Noted first: whoever has the answer may look.
            noted.lock().unwrap().push(call.clone());
            if let Some((status, body)) = answer(before, &call) {
                let head =
                    format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.1");
                write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
            }
        }
    });
    let variable = move |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(url.clone()),
        "AWS_REGION" => Some("eu-west-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        _ => None,
    };
    (AwsConfig::from_env(&variable).unwrap(), calls)
}

fn read(stream: &TcpStream) -> Call {
    let mut reader = BufReader::new(stream);
    let (mut length, mut operation) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let (name, value) = line.trim_end().split_once(':').unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().unwrap(),
            "x-amz-target" => operation = value.rsplit('.').next().unwrap().trim().to_owned(),
            _ => {}
        }
        if line.trim_end().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Call { operation, body: serde_json::from_slice(&body).unwrap() }
}
