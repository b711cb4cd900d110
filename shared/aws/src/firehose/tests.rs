use super::*;
use crate::played::{Calls, play};

/// Plays Firehose: gives each call the next of the answers.
fn serve(answers: Vec<String>) -> (AwsConfig, Calls) {
    play(move |before, _| Some((200, answers[before].clone())))
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
    let asked: Vec<String> = asked.lock().unwrap().iter().map(|call| call.body.to_string()).collect();
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
    let asked: Vec<String> = asked.lock().unwrap().iter().map(|call| call.body.to_string()).collect();
    assert!(asked[0].contains("siem-3001") && asked[1].contains("siem-3002"), "{asked:?}");
}

#[tokio::test]
async fn i07_what_the_answer_does_not_tell_of_was_refused() {
    let short = r#"{"FailedPutCount":1,"RequestResponses":[]}"#.to_owned();
    let (aws, _) = serve(vec![short.clone(), short]);
    let error = FirehoseExporter::new(&aws, "siem").export(&events(&["1"])).await.unwrap_err();
    assert_eq!(error, PortError::retry(PUT, "records_refused"));
}
