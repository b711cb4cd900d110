//! Attribute values in and out.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_smithy_runtime_api::client::result::SdkError;

use aws_sdk_dynamodb::types::AttributeValue;
use revocation_core::ports::PortError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An item as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A string.
pub(super) fn s(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A whole number.
pub(super) fn n(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// A value as a JSON string.
pub(super) fn json<T: Serialize>(operation: &'static str, value: &T) -> Result<AttributeValue, PortError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|_| PortError::reject(operation, "not_serializable"))
}

/// Reads back what [`json`] wrote. An item this build cannot read is not skipped: it may hold what must not be done twice.
pub(super) fn from_json<T: DeserializeOwned>(operation: &'static str, item: &Item, name: &str) -> Result<T, PortError> {
    let text = item.get(name).and_then(|value| value.as_s().ok());
    text.and_then(|text| serde_json::from_str(text).ok()).ok_or(PortError::reject(operation, "unreadable_item"))
}

/// A whole number, if it is there and is one.
pub(super) fn number(item: &Item, name: &str) -> Option<i64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// A string, if it is there and is one.
pub(super) fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// Whether a put was refused by its own condition.
pub(super) fn condition_failed<R>(error: &SdkError<PutItemError, R>) -> bool {
    error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception)
}
