//! Was it we who wrote what our conditional write met?
//!
//! The answer to a write may be lost. The SDK then sends it again, and the condition, on a version that the first attempt raised,
//! refuses it: what looks like somebody else's save is our own. A mark that differs with every save tells.

use std::hash::{BuildHasher as _, RandomState};

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use aws_smithy_runtime_api::client::result::SdkError;
use revocation_core::ports::{Conflict, PortError};

use super::item::{condition_failed, s, text};
use crate::error::port_error;

const PUT: &str = "dynamodb:PutItem";
/// The attribute with the mark.
const WRITTEN_BY: &str = "written_by";

/// Sends a conditional put of an item that is replaced by version; each attempt at it carries the same mark.
pub(super) async fn replace(put: PutItemFluentBuilder) -> Result<Result<(), Conflict>, PortError> {
    // Each `RandomState` has keys of its own.
    let mark = format!("{:016x}", RandomState::new().hash_one(()));
    let put = put
        .item(WRITTEN_BY, s(&mark))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    match put.send().await {
        Ok(_) => Ok(Ok(())),
        Err(error) if is_marked(&error, &mark) => Ok(Ok(())),
        Err(error) if condition_failed(&error) => Ok(Err(Conflict)),
        Err(error) => Err(port_error(PUT, &error)),
    }
}

fn is_marked<R>(error: &SdkError<PutItemError, R>, mark: &str) -> bool {
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(refused)) => {
            refused.item().and_then(|standing| text(standing, WRITTEN_BY)) == Some(mark)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;
    use crate::clients::AwsConfig;

    /// Plays DynamoDB: does the first put and loses the answer, refuses the second and shows what stands, whose mark is as `marked`
    /// makes it of the first's.
    fn serve(marked: fn(&str) -> String) -> (AwsConfig, thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let played = thread::spawn(move || {
            let first = read(&listener.accept().unwrap().0);
            let (mut stream, _) = listener.accept().unwrap();
            let second = read(&stream);
            assert_eq!(first, second, "the same mark on each attempt");
            let body = format!(
                r#"{{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"x",
                    "Item":{{"written_by":{{"S":"{}"}}}}}}"#,
                marked(&first)
            );
            let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/x-amz-json-1.0\r\n";
            write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
        });
        let variable = move |name: &str| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL_DYNAMODB" => Some(url.clone()),
            _ => None,
        };
        (AwsConfig::from_env(&variable).unwrap(), played)
    }

    /// The mark in a request.
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
        body["Item"][WRITTEN_BY]["S"].as_str().unwrap().to_owned()
    }

    async fn put(aws: &AwsConfig) -> Result<Result<(), Conflict>, PortError> {
        let put = aws.dynamodb().put_item().table_name("t").item("id", s("1"));
        replace(put.condition_expression("version = :loaded").expression_attribute_values(":loaded", s("1"))).await
    }

    #[tokio::test]
    async fn i07_a_save_whose_answer_was_lost_is_no_conflict() {
        let (aws, played) = serve(str::to_owned);
        assert_eq!(put(&aws).await, Ok(Ok(())));
        played.join().unwrap();
    }

    #[tokio::test]
    async fn what_another_wrote_is_one() {
        let (aws, played) = serve(|mark| format!("not {mark}"));
        assert_eq!(put(&aws).await, Ok(Err(Conflict)));
        played.join().unwrap();
    }
}
