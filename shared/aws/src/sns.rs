//! Ports on SNS: text messages to people, messages to topics.

mod pager;
mod sandbox;
mod sms;
mod topic;

pub use pager::SnsPager;
pub use sandbox::SnsSandboxReader;
pub use sms::SnsSmsNotifier;
pub use topic::SnsTopicNotifier;

use aws_sdk_sns::types::MessageAttributeValue;
use revocation_core::ports::PortError;

const PUBLISH: &str = "sns:Publish";
/// "Subjects must be ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or
/// control characters; and must be less than 100 characters long":
/// <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>
const MAX_SUBJECT_CHARS: usize = 99;

/// `title` as SNS accepts it: what is not printable ASCII becomes a question mark. `None` if nothing is left.
fn subject(title: &str) -> Option<String> {
    let printable = |c: char| if c == ' ' || c.is_ascii_graphic() { c } else { '?' };
    let subject: String = title.trim().chars().take(MAX_SUBJECT_CHARS).map(printable).collect();
    (!subject.is_empty()).then_some(subject)
}

/// A message attribute of type String.
fn attribute(value: &str) -> Result<MessageAttributeValue, PortError> {
    MessageAttributeValue::builder()
        .data_type("String")
        .string_value(value)
        .build()
        .map_err(|_| PortError::reject(PUBLISH, "request_not_built"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_short_printable_ascii() {
        assert_eq!(subject(" Sessions ended ").as_deref(), Some("Sessions ended"));
        assert_eq!(subject("Zugriff geändert\r\nBcc: x").as_deref(), Some("Zugriff ge?ndert??Bcc: x"));
        assert_eq!(subject(&"x".repeat(1_000)).map(|text| text.len()), Some(MAX_SUBJECT_CHARS));
        assert_eq!(subject("  "), None);
    }
}
