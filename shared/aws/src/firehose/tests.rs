use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// A server that plays Firehose: gives each call the next of the answers, and returns what it was asked.
fn serve(answers: Vec<String>) -> (AwsConfig, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
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
            asked.push(String::from_utf8(body).unwrap());
            let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.1\r\n";
            write!(stream, "{head}content-length: {}\r\n\r\n{answer}", answer.len()).unwrap();
        }
        asked
    });
    let variable = move |name: &str| match name {
        "AWS_REGION" => Some("eu-central-1".to_owned()),
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
        "AWS_ENDPOINT_URL_FIREHOSE" => Some(url.clone()),
        _ => None,
    };
    (AwsConfig::from_env(&variable).unwrap(), asked)
}

fn answer(results: &[bool]) -> String {
    let responses: Vec<String> = results
        .iter()
        .map(|taken| {
            if *taken {
                r#"{"RecordId":"r"}"#
            } else {
                r#"{"ErrorCode":"ServiceUnavailableException","ErrorMessage":"x"}"#
            }
        })
        .map(str::to_owned)
        .collect();
    let failed = results.iter().filter(|taken| !**taken).count();
    format!(r#"{{"FailedPutCount":{failed},"RequestResponses":[{}]}}"#, responses.join(","))
}

fn events(lines: &[&str]) -> Vec<SiemEvent> {
    lines.iter().map(|line| SiemEvent { class_uid: 3_002, line: (*line).to_owned() }).collect()
}

#[tokio::test]
async fn i07_only_what_was_refused_is_sent_once_more() {
    // `1` and a line break in base64 is `MQo=`, `2` is `Mgo=`.
    let (aws, asked) = serve(vec![answer(&[true, false]), answer(&[true])]);
    FirehoseExporter::new(&aws, "siem").export(&events(&["1", "2"])).await.unwrap();
    let asked = asked.join().unwrap();
    assert!(asked[0].contains("MQo=") && asked[0].contains("Mgo="), "{asked:?}");
    assert!(!asked[1].contains("MQo=") && asked[1].contains("Mgo="), "{asked:?}");
}

#[tokio::test]
async fn i07_what_is_refused_twice_is_an_error_that_may_pass() {
    let (aws, _) = serve(vec![answer(&[false]), answer(&[false])]);
    let error = FirehoseExporter::new(&aws, "siem").export(&events(&["1"])).await.unwrap_err();
    assert_eq!(error, PortError::retry(PUT, "records_refused"));
}

#[tokio::test]
async fn each_class_goes_to_its_own_stream_where_the_name_says_so() {
    let (aws, asked) = serve(vec![answer(&[true]), answer(&[true])]);
    let mut two = events(&["1", "2"]);
    two[0].class_uid = 3_001;
    FirehoseExporter::new(&aws, "siem-{class_uid}").export(&two).await.unwrap();
    let asked = asked.join().unwrap();
    assert!(asked[0].contains("siem-3001") && asked[1].contains("siem-3002"), "{asked:?}");
}
