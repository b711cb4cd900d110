//! The HTTPS intakes as their senders see them: addresses, secrets, signatures. And, as an operator does, what was parked.

use anyhow::{Context as _, Result, bail};
use aws_sdk_sqs::types::QueueAttributeName;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::{Answer, Probe};

/// The value of `webhook-signature` (Standard Webhooks 1.0, symmetric): written from the specification, not with the code
/// that verifies it. `timestamp` is in epoch seconds.
pub fn sign_standard_webhook(secret: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<String> {
    let encoded = secret.strip_prefix("whsec_").context("a secret of Standard Webhooks begins with whsec_")?;
    let key = STANDARD.decode(encoded).context("the secret is no base64")?;
    let mut signed = format!("{id}.{timestamp}.").into_bytes();
    signed.extend_from_slice(body);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
    Ok(format!("v1,{}", STANDARD.encode(tag)))
}

/// The value of `X-Hub-Signature-256`.
#[must_use]
pub fn sign_github(secret: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), body);
    let hex: Vec<String> = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={}", hex.concat())
}

impl Probe {
    /// The secret of a source, such as `siem/plain`.
    pub fn secret_of(&self, source: &str) -> Result<&str> {
        let secret = self.facts.source_secrets.get(source);
        secret.map(String::as_str).with_context(|| format!("no secret of a source {source} is known"))
    }

    /// Where a source sends to: `siem/plain`, `role-change/erp`.
    pub fn hook_url(&self, source: &str) -> Result<String> {
        match source.split_once('/') {
            Some(("siem", name)) => Ok(format!("{}/{name}", self.facts.siem_url)),
            Some(("role-change", name)) => Ok(format!("{}/{name}", self.facts.role_change_url)),
            _ => bail!("{source} is no source of webhooks"),
        }
    }

    /// Sends JSON as a source that signs as Standard Webhooks does. `timestamp` is in epoch seconds.
    pub fn post_signed(&self, source: &str, id: &str, timestamp: i64, body: &[u8]) -> Result<Answer> {
        let signature = sign_standard_webhook(self.secret_of(source)?, id, timestamp, body)?;
        let at = timestamp.to_string();
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", at.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        self.post(&self.hook_url(source)?, &headers, body)
    }

    /// Sends a SCIM request, with the token of `scim/entra`; `path` begins with a slash.
    pub fn scim(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> Result<Answer> {
        let bearer = format!("Bearer {}", self.facts.scim_token);
        let url = format!("{}{path}", self.facts.scim_url);
        let body = body.map(ToString::to_string);
        let mut headers = vec![("authorization", bearer.as_str()), ("accept", "application/scim+json")];
        headers.extend(body.is_some().then_some(("content-type", "application/scim+json")));
        self.request(method, &url, &headers, body.as_deref().map(str::as_bytes))
    }

    /// How many requests wait for an operator.
    pub async fn parked(&self) -> Result<u64> {
        self.depth(&self.facts.parked_queue_url).await
    }

    /// Takes what waits for an operator, and does not release it: bodies with the reason they were parked for.
    pub async fn take_parked(&self) -> Result<Vec<(String, Option<String>)>> {
        self.take(&self.facts.parked_queue_url).await
    }

    /// Releases everything that is parked, as the command in the stack's outputs does. Returns how many that were, as far
    /// as SQS knows.
    pub async fn release_parked(&self) -> Result<u64> {
        let parked = self.parked().await?;
        let (from, to) = (&self.facts.parked_queue_url, &self.facts.intake_queue_url);
        let (source, destination) = (self.arn_of(from).await?, self.arn_of(to).await?);
        let start = self.sqs.start_message_move_task().source_arn(source).destination_arn(destination);
        // The local cloud does not know the command: message by message, each sent before it is deleted.
        if start.send().await.is_err() {
            while self.move_some(from, to).await? {}
        }
        Ok(parked)
    }

    /// Moves up to ten messages; answers whether there were any.
    async fn move_some(&self, from: &str, to: &str) -> Result<bool> {
        let receive = self.sqs.receive_message().queue_url(from).max_number_of_messages(10).wait_time_seconds(0);
        let answer = receive.send().await.with_context(|| format!("cannot read {from}"))?;
        for message in answer.messages() {
            self.send(to, message.body().unwrap_or_default()).await?;
            let handle = message.receipt_handle().context("a message without a handle")?;
            self.sqs.delete_message().queue_url(from).receipt_handle(handle).send().await?;
        }
        Ok(!answer.messages().is_empty())
    }

    pub(crate) async fn arn_of(&self, queue_url: &str) -> Result<String> {
        let get = self.sqs.get_queue_attributes().queue_url(queue_url).attribute_names(QueueAttributeName::QueueArn);
        let answer = get.send().await.with_context(|| format!("cannot look at {queue_url}"))?;
        let arn = answer.attributes().and_then(|all| all.get(&QueueAttributeName::QueueArn)).cloned();
        arn.context("the queue has no ARN")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn signs_as_standard_webhooks_does() {
        let signature = sign_standard_webhook(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// The example of GitHub's documentation.
    #[test]
    fn signs_as_github_does() {
        let signature = sign_github("It's a Secret to Everybody", b"Hello, World!");
        assert_eq!(signature, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }
}
