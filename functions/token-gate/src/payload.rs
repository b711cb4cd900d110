//! The trigger's event, which is also its answer: echoed whole, with `response` filled in.
//!
//! Formats: <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-lambda-pre-token-generation.html>, and
//! what all triggers have in common:
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>.

use revocation_core::domain::profile::SubjectKey;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Refused;

/// Lambda itself takes 6 MiB. A user has at most 75 attributes of 2,048 characters, and 100 groups.
const MAX_EVENT_BYTES: usize = 512 * 1024;
/// As long as the key of a DynamoDB item could be.
const MAX_KEY_BYTES: usize = 512;
/// The one trigger source without a user.
const CLIENT_CREDENTIALS: &str = "TokenGeneration_ClientCredentials";

/// An event.
#[derive(Debug)]
pub(crate) struct Event {
    /// Who wants tokens; `None` for a client of its own.
    pub(crate) subject: Option<SubjectKey>,
    /// By what: sign-in, refresh, the hosted pages …
    pub(crate) source: String,
    attributes: Map<String, Value>,
    whole: Value,
}

/// The members that are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    trigger_source: String,
    user_pool_id: String,
    request: WireRequest,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireRequest {
    user_attributes: Option<Map<String, Value>>,
}

// === impl Event ===

impl Event {
    /// Reads an event.
    pub(crate) fn read(text: &str) -> Result<Self, Refused> {
        if text.len() > MAX_EVENT_BYTES {
            return Err(Refused::UnknownEvent);
        }
        // serde's text would quote the event, and with it a person's attributes (I10).
        let whole: Value = serde_json::from_str(text).map_err(|_| Refused::UnknownEvent)?;
        let wire = Wire::deserialize(&whole).map_err(|_| Refused::UnknownEvent)?;
        let attributes = wire.request.user_attributes.unwrap_or_default();
        let sub = attributes.get("sub").and_then(Value::as_str).filter(|sub| !sub.is_empty());
        let subject = sub.map(|sub| SubjectKey::new(wire.user_pool_id, sub));
        let too_long = subject.as_ref().is_some_and(|subject| subject.to_string().len() > MAX_KEY_BYTES);
        // Whoever has no `sub` could not be refused, so only a client, which has none, may do without.
        if too_long || (subject.is_none() && wire.trigger_source != CLIENT_CREDENTIALS) {
            return Err(Refused::UnknownEvent);
        }
        Ok(Self { subject, source: wire.trigger_source, attributes, whole })
    }

    /// A user's attribute; anything but text is no attribute of Cognito's.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }

    /// The answer that leaves the tokens as they would be.
    pub(crate) fn unchanged(self) -> Value {
        self.whole
    }

    /// The answer with one more claim: in the ID token (V1), or in both tokens (V2, V3). What is in the response stays.
    pub(crate) fn with_claim(mut self, name: &str, value: &str) -> Option<Value> {
        let groups = self.whole.pointer("/request/groupConfiguration").filter(|groups| groups.is_object()).cloned();
        let first = self.whole.get("version").and_then(Value::as_str) == Some("1");
        let response = member(self.whole.as_object_mut()?, "response")?;
        // The response comes with the member of its version, null; the guide's own examples mix the version's number up.
        let named = |member: &str| response.contains_key(member);
        let scoped = named("claimsAndScopeOverrideDetails") || (!first && !named("claimsOverrideDetails"));
        let details = if scoped { "claimsAndScopeOverrideDetails" } else { "claimsOverrideDetails" };
        let details = member(response, details)?;
        // Without it, says the guide, an answer that overrides claims takes the groups away.
        if let Some(groups) = groups
            && details.get("groupOverrideDetails").is_none_or(Value::is_null)
        {
            details.insert("groupOverrideDetails".to_owned(), groups);
        }
        if scoped {
            for token in ["idTokenGeneration", "accessTokenGeneration"] {
                add(member(details, token)?, name, value)?;
            }
        } else {
            add(details, name, value)?;
        }
        Some(self.whole)
    }
}

fn add(details: &mut Map<String, Value>, name: &str, value: &str) -> Option<()> {
    member(details, "claimsToAddOrOverride")?.insert(name.to_owned(), value.into());
    Some(())
}

/// The object called `name`, made if it is missing or null.
fn member<'a>(of: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    let value = of.entry(name).or_insert(Value::Null);
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}
