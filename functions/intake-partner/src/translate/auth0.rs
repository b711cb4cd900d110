//! Auth0's tenant log, streamed to EventBridge.
//!
//! Shape: Auth0, "Log Event Type Codes". We have the codes for deletion and blocking as unconfirmed (`[U]`): `sdu`
//! (successful user deletion) and `sapi` (successful Management API operation) stand in Auth0's list of log event
//! types, the members of `details` were seen in one published example only. One deletion through the Management API may
//! arrive as both; they have different ids, so it is revoked twice, which does no harm.

use revocation_core::domain::event::Envelope;
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{EventSource, RevocationRequest};
use revocation_core::domain::subject::SubjectIdentifier;
use serde::Deserialize;
use serde_json::Value;

use super::parts::{self, said};
use super::{MalformedEvent, Origin, Settings, Verdict};

/// What a partner source of Auth0 begins with.
pub(super) const PARTNER: &str = "aws.partner/auth0.com";

/// Where the Management API has its users. What follows is one user's id, percent-encoded.
const USERS_PATH: &str = "/api/v2/users/";

#[derive(Deserialize)]
struct Detail {
    log_id: Option<String>,
    data: Option<Log>,
}

/// The members that are read of a log event. For `sdu` the user is the one who was deleted; for `sapi` it is the
/// administrator who called the API, who is not concerned.
#[derive(Deserialize)]
struct Log {
    #[serde(rename = "log_id")]
    id: Option<String>,
    date: Option<String>,
    r#type: Option<String>,
    user_id: Option<String>,
    user_name: Option<String>,
    client_id: Option<String>,
    /// Differs from operation to operation, and so cannot be a struct.
    details: Option<Value>,
}

/// An account that was ended, and by whom.
struct Ended {
    user_id: String,
    email: Option<SubjectIdentifier>,
    initiator: Initiator,
    text: &'static str,
}

/// Translates an event of Auth0's.
pub(super) fn translate(envelope: &Envelope<'_>, settings: &Settings) -> Result<Verdict, MalformedEvent> {
    let detail: Detail = parts::read(envelope)?;
    let Some(log) = detail.data else { return Ok(Verdict::Irrelevant("event_type")) };
    let name = parts::source_name(Origin::Auth0, parts::sender(&envelope.source));
    let ended = match log.r#type.as_deref() {
        Some("sdu") => Some(log.deletion(&name)?),
        Some("sapi") => log.operation(&name)?,
        _ => None,
    };
    let Some(ended) = ended else { return Ok(Verdict::Irrelevant("event_type")) };
    let event_id = said(log.id.as_deref()).or(said(detail.log_id.as_deref())).ok_or(MalformedEvent::NoId)?;
    let federated = parts::federated(settings.auth0_provider.as_deref(), Some(&ended.user_id));
    let sub_id =
        parts::subject([ended.email, federated]).unwrap_or(SubjectIdentifier::Username { username: ended.user_id });
    let source = EventSource { name, event_id: event_id.to_owned() };
    Ok(Verdict::Requests(vec![RevocationRequest {
        reason_admin: parts::english(ended.text),
        occurred_at: parts::occurred_at(log.date.as_deref()),
        ..parts::request(source, sub_id, ReasonCode::Offboarding, ended.initiator)
    }]))
}

// === impl Log ===

impl Log {
    fn deletion(&self, source: &str) -> Result<Ended, MalformedEvent> {
        Ok(Ended {
            user_id: said(self.user_id.as_deref()).ok_or(MalformedEvent::NoUser)?.to_owned(),
            email: said(self.user_name.as_deref()).and_then(parts::address),
            initiator: parts::initiator(InitiatorKind::System, self.client_id.as_deref(), source),
            text: "Auth0 user deleted",
        })
    }

    /// The account that a call of the Management API ended; `None` for every other call.
    fn operation(&self, source: &str) -> Result<Option<Ended>, MalformedEvent> {
        let method = self.text_at("/request/method").unwrap_or_default().to_ascii_lowercase();
        let is_blocked = self.at("/request/body/blocked").and_then(Value::as_bool) == Some(true);
        let text = match (method.as_str(), is_blocked) {
            ("patch", true) => "Auth0 user blocked",
            ("delete", _) => "Auth0 user deleted",
            _ => return Ok(None),
        };
        let id = self.text_at("/request/path").and_then(|path| path.strip_prefix(USERS_PATH));
        // Below a user there are identities, roles, sessions: taking one of those away ends no account.
        let Some(id) = id.filter(|id| !id.is_empty() && !id.contains(['/', '?'])) else { return Ok(None) };
        let user_id = percent_decoded(id).ok_or(MalformedEvent::NoUser)?;
        let caller = self.text_at("/request/auth/user/user_id");
        let initiator = match caller {
            Some(id) if id == user_id => parts::initiator(InitiatorKind::User, caller, source),
            Some(_) => parts::initiator(InitiatorKind::Admin, caller, source),
            None => parts::initiator(InitiatorKind::System, self.client_id.as_deref(), source),
        };
        let email = self.text_at("/response/body/email").and_then(parts::address);
        Ok(Some(Ended { user_id, email, initiator, text }))
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.details.as_ref()?.pointer(pointer)
    }

    fn text_at(&self, pointer: &str) -> Option<&str> {
        said(self.at(pointer).and_then(Value::as_str))
    }
}

/// Undoes the percent-encoding of RFC 3986 section 2.1: an id such as `auth0|5f7c` stands in a path as `auth0%7C5f7c`.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => (hex_digit(bytes.next()?)? << 4) | hex_digit(bytes.next()?)?,
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests;
