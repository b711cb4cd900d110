//! `SmsNotifier` on SNS.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use revocation_core::domain::disposition::Disposition;
use revocation_core::ports::{PortError, SmsNotifier};

use super::{PUBLISH, attribute};
use crate::clients::AwsConfig;
use crate::error::port_error;

const CHECK_OPTED_OUT: &str = "sns:CheckIfPhoneNumberIsOptedOut";
/// Where SNS lacks the operation (some Regions, some local clouds) it says so in one of these ways.
const NO_SUCH_OPERATION: [&str; 3] = ["invalid_action", "unknown_operation", "not_implemented"];

/// Sends SMS.
pub struct SnsSmsNotifier {
    client: Client,
    sender_id: Option<String>,
}

impl SnsSmsNotifier {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[PUBLISH, CHECK_OPTED_OUT];

    /// A notifier whose messages carry whatever sender SNS gives them.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.sns(), sender_id: None }
    }

    /// The name shown as the sender, in countries that support it: 1 to 11 letters and digits, at least one letter
    /// (<https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html>).
    #[must_use]
    pub fn with_sender_id(mut self, sender_id: Option<String>) -> Self {
        self.sender_id = sender_id;
        self
    }
}

#[async_trait]
impl SmsNotifier for SnsSmsNotifier {
    async fn opted_out(&self, phone: &str) -> Result<bool, PortError> {
        match self.client.check_if_phone_number_is_opted_out().phone_number(phone).send().await {
            Ok(answer) => Ok(answer.is_opted_out()),
            Err(error) => assume_not(port_error(CHECK_OPTED_OUT, &error)),
        }
    }

    async fn send(&self, phone: &str, text: &str) -> Result<(), PortError> {
        let mut publish = self
            .client
            .publish()
            .phone_number(phone)
            .message(text)
            // The reliable, not the cheap route; sent even where promotional messages are blocked at night.
            .message_attributes("AWS.SNS.SMS.SMSType", attribute("Transactional")?);
        if let Some(sender_id) = &self.sender_id {
            publish = publish.message_attributes("AWS.SNS.SMS.SenderID", attribute(sender_id)?);
        }
        publish.send().await.map(drop).map_err(|error| port_error(PUBLISH, &error))
    }
}

/// A question that will never be answered must not silence the notice: SNS still refuses to deliver to whoever has
/// opted out. One that may be answered later is asked again.
fn assume_not(error: PortError) -> Result<bool, PortError> {
    if error.disposition == Disposition::Retry && !NO_SUCH_OPERATION.contains(&error.code.as_str()) {
        return Err(error);
    }
    tracing::warn!(%error, "opt-out not known, sending the SMS");
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unanswerable_question_does_not_silence_the_notice() {
        for code in ["authorization_error", "invalid_parameter"] {
            assert_eq!(assume_not(PortError::reject(CHECK_OPTED_OUT, code)), Ok(false), "{code}");
        }
        assert_eq!(assume_not(PortError::retry(CHECK_OPTED_OUT, "invalid_action")), Ok(false));
        let throttled = PortError::retry(CHECK_OPTED_OUT, "throttled");
        assert_eq!(assume_not(throttled.clone()), Err(throttled));
    }
}
