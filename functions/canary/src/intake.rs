//! The ways to ask for a revocation, each as its senders go it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use revocation_aws::https::{HttpsClient, Method};
use revocation_core::domain::canary::CanaryPath;
use revocation_core::domain::event::Event;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::text::LocalizedText;
use revocation_core::ports::{Clock, EventPublisher, PortError, TextReader};
use ring::hmac;
use serde::Deserialize;
use serde_json::json;

use crate::config::HttpsIntake;
use crate::subject::TokenSubject;

/// Name of the source on the bus, and of the initiator.
const CANARY: &str = "canary";
const POST: &str = "https:siem";
const PATCH: &str = "https:scim";
/// An account that stays disabled fails every run that follows: it is tried so often to enable it again …
const UNDO_TRIES: u32 = 3;
/// … at this distance.
const UNDO_PAUSE: Duration = Duration::from_secs(1);

/// A way to ask.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Which.
    fn path(&self) -> CanaryPath;

    /// Asks for a revocation of every session, with the reason `canary`. `id` names the event.
    async fn ask(&self, subject: &TokenSubject, id: &str) -> Result<(), PortError>;

    /// Undoes what the way itself did to the account.
    async fn undo(&self, _: &TokenSubject) -> Result<(), PortError> {
        Ok(())
    }
}

/// `PutEvents`.
pub struct Bus {
    /// The bus.
    pub publisher: Arc<dyn EventPublisher>,
    /// The user's pool.
    pub pool: UserPoolId,
}

/// A webhook as Standard Webhooks signs it, in our own form (`shared/sources/presets/plain.yaml`).
pub struct Siem {
    /// Where to.
    pub intake: HttpsIntake,
    /// Sends it.
    pub https: Arc<HttpsClient>,
    /// Knows the secret.
    pub secrets: Arc<dyn TextReader>,
    /// Time, which is signed.
    pub clock: Arc<dyn Clock>,
}

/// Deactivation by a SCIM client whose source says `leaving_reason: canary`.
pub struct Scim {
    /// Where to.
    pub intake: HttpsIntake,
    /// Sends it.
    pub https: Arc<HttpsClient>,
    /// Knows the token.
    pub secrets: Arc<dyn TextReader>,
}

/// A secret during a rotation.
#[derive(Deserialize)]
struct Secrets {
    secrets: Vec<Secret>,
}

#[derive(Deserialize)]
struct Secret {
    value: String,
}

// === impl Bus ===

#[async_trait]
impl Intake for Bus {
    fn path(&self) -> CanaryPath {
        CanaryPath::Bus
    }

    async fn ask(&self, subject: &TokenSubject, id: &str) -> Result<(), PortError> {
        let request = RevocationRequest {
            version: VERSION.to_owned(),
            source: EventSource { name: CANARY.to_owned(), event_id: id.to_owned() },
            sub_id: subject.identifier(),
            reason: ReasonCode::Canary,
            initiator: Initiator { kind: InitiatorKind::System, id: CANARY.to_owned() },
            reason_admin: LocalizedText::english("a test of the pipeline"),
            reason_user: LocalizedText::default(),
            occurred_at: None,
            effect: Effect::SignOut,
            lockout: false,
            session: None,
            txn: None,
            pools: vec![self.pool.clone()],
            approve_by: None,
        };
        self.publisher.publish(&[Event::RevocationRequested(request)]).await
    }
}

// === impl Siem ===

#[async_trait]
impl Intake for Siem {
    fn path(&self) -> CanaryPath {
        CanaryPath::Siem
    }

    async fn ask(&self, subject: &TokenSubject, id: &str) -> Result<(), PortError> {
        let key = webhook_key(&secret(&self.secrets.read(&self.intake.secret).await?));
        let key = key.ok_or(PortError::reject(POST, "not_a_webhook_key"))?;
        let body = json!({
            "event_id": id, "subjects": [subject.identifier()], "reason": ReasonCode::Canary.as_str(),
            "severity": "critical", "title": "a test of the pipeline",
        });
        let (body, at) = (body.to_string(), self.clock.now().seconds().to_string());
        let signature = format!("v1,{}", STANDARD.encode(hmac::sign(&key, format!("{id}.{at}.{body}").as_bytes())));
        let headers = [
            ("content-type", "application/json"),
            ("webhook-id", id),
            ("webhook-timestamp", at.as_str()),
            ("webhook-signature", signature.as_str()),
        ];
        let sent = self.https.status_of(Method::POST, &self.intake.url, &headers, body.into_bytes()).await;
        taken(POST, sent.map_err(|error| error.port_error(POST))?)
    }
}

/// `whsec_` and base64 (Standard Webhooks 1.0, "Signature scheme").
fn webhook_key(secret: &str) -> Option<hmac::Key> {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    Some(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

// === impl Scim ===

impl Scim {
    async fn set_active(&self, subject: &TokenSubject, active: bool) -> Result<(), PortError> {
        let bearer = format!("Bearer {}", secret(&self.secrets.read(&self.intake.secret).await?));
        let url = format!("{}/Users/{}", self.intake.url.trim_end_matches('/'), subject.sub);
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": active}],
        });
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/scim+json")];
        let sent = self.https.status_of(Method::PATCH, &url, &headers, body.to_string().into_bytes()).await;
        taken(PATCH, sent.map_err(|error| error.port_error(PATCH))?)
    }
}

#[async_trait]
impl Intake for Scim {
    fn path(&self) -> CanaryPath {
        CanaryPath::Scim
    }

    async fn ask(&self, subject: &TokenSubject, _: &str) -> Result<(), PortError> {
        self.set_active(subject, false).await
    }

    async fn undo(&self, subject: &TokenSubject) -> Result<(), PortError> {
        for _ in 1..UNDO_TRIES {
            if self.set_active(subject, true).await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(UNDO_PAUSE).await;
        }
        self.set_active(subject, true).await
    }
}

fn taken(operation: &'static str, status: u16) -> Result<(), PortError> {
    if (200..300).contains(&status) { Ok(()) } else { Err(PortError::retry(operation, format!("status_{status}"))) }
}

/// The secret as it stands, or the first of a rotation (docs/sources/README.md).
fn secret(text: &str) -> String {
    let first = serde_json::from_str::<Secrets>(text).ok().and_then(|list| list.secrets.into_iter().next());
    first.map_or_else(|| text.to_owned(), |secret| secret.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference implementations.
    #[test]
    fn signs_as_standard_webhooks_does() {
        let key = webhook_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let text = r#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        assert_eq!(STANDARD.encode(hmac::sign(&key, text.as_bytes())), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(webhook_key("bare").is_none());
    }

    #[test]
    fn of_several_secrets_the_first_is_taken() {
        assert_eq!(secret("bare"), "bare");
        assert_eq!(secret(r#"{"secrets":[{"name":"new","value":"one"},{"name":"old","value":"two"}]}"#), "one");
    }
}
