//! `EmailNotifier` on SES.

use async_trait::async_trait;
use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use revocation_core::ports::{EmailNotifier, PortError};

use crate::clients::AwsConfig;
use crate::error::port_error;

const SEND: &str = "ses:SendEmail";

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
