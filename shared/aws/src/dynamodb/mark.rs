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
    use super::*;
    use crate::clients::AwsConfig;
    use crate::played::{Call, Calls, play};

    /// Plays DynamoDB: does the first put and loses the answer, refuses the second and shows what stands, whose mark is as `marked`
    /// makes it of the second's.
    fn serve(marked: fn(&str) -> String) -> (AwsConfig, Calls) {
        play(move |before, call| {
            let refused = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
            let standing = serde_json::json!({WRITTEN_BY: {"S": marked(mark(call))}});
            let body = serde_json::json!({"__type": refused, "message": "x", "Item": standing});
            (before > 0).then(|| (400, body.to_string()))
        })
    }

    fn mark(call: &Call) -> &str {
        call.body["Item"][WRITTEN_BY]["S"].as_str().unwrap()
    }

    async fn put(aws: &AwsConfig) -> Result<Result<(), Conflict>, PortError> {
        let put = aws.dynamodb().put_item().table_name("t").item("id", s("1"));
        replace(put.condition_expression("version = :loaded").expression_attribute_values(":loaded", s("1"))).await
    }

    #[tokio::test]
    async fn i07_a_save_whose_answer_was_lost_is_no_conflict() {
        let (aws, calls) = serve(str::to_owned);
        assert_eq!(put(&aws).await, Ok(Ok(())));
        let calls = calls.lock().unwrap();
        assert_eq!(calls.len(), 2);
        assert_eq!(mark(&calls[0]), mark(&calls[1]), "the same mark on each attempt");
    }

    #[tokio::test]
    async fn what_another_wrote_is_one() {
        let (aws, _) = serve(|mark| format!("not {mark}"));
        assert_eq!(put(&aws).await, Ok(Err(Conflict)));
    }
}
