//! `EmailNotifier` on SES.

use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use revocation_core::ports::{EmailNotifier, PortError};

use crate::clients::AwsConfig;
use crate::error::port_error;

const SEND: &str = "ses:SendEmail";
const ACCOUNT: &str = "ses:GetAccount";

/// Sends plain-text e-mail.
pub struct SesEmailNotifier {
    client: Client,
    sender: String,
}

impl SesEmailNotifier {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SEND];

    /// A notifier that sends from `sender`: a verified identity, or an address of one.
    #[must_use]
    pub fn new(aws: &AwsConfig, sender: impl Into<String>) -> Self {
        Self { client: aws.ses(), sender: sender.into() }
    }
}

#[async_trait]
impl EmailNotifier for SesEmailNotifier {
    async fn send(&self, address: &str, title: &str, text: &str) -> Result<(), PortError> {
        // Text alone: in HTML, words could hide where a link leads, and this message has no links.
        let message = Message::builder().subject(utf8(title)?).body(Body::builder().text(utf8(text)?).build()).build();
        self.client
            .send_email()
            .from_email_address(&self.sender)
            .destination(Destination::builder().to_addresses(address).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(SEND, &error))
    }
}

/// Without a character set, SES reads 7-bit ASCII.
fn utf8(text: &str) -> Result<Content, PortError> {
    let content = Content::builder().data(text).charset("UTF-8").build();
    content.map_err(|_| PortError::reject(SEND, "request_not_built"))
}

/// Whether the account may write to anybody, or only to addresses it has verified.
pub struct SesAccountReader {
    client: Client,
}

impl SesAccountReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[ACCOUNT];

    /// Of the account, in the Region.
    #[must_use]
    pub fn new(aws: &AwsConfig) -> Self {
        Self { client: aws.ses() }
    }

    /// Whether it is in the sandbox, or not allowed to send at all.
    pub async fn is_restricted(&self) -> Result<bool, PortError> {
        let answer = self.client.get_account().send().await.map_err(|error| port_error(ACCOUNT, &error))?;
        Ok(!answer.production_access_enabled || !answer.sending_enabled)
    }
}
