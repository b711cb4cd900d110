//! The answer in the form each front expects.
//!
//! Formats: see `payload.rs`. There is no constructor that allows without a [`Permit`].

use revocation_verify::Permit;
use serde::Serialize;

use crate::payload::Front;

/// An answer, written as JSON.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A policy.
    Rest(RestAnswer),
    /// A simple answer.
    Http(HttpAnswer),
    /// AppSync's.
    AppSync(AppSyncAnswer),
}

/// What API Gateway expects of an authorizer of a REST or WebSocket API.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RestAnswer {
    principal_id: String,
    policy_document: PolicyDocument,
    context: Context,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyDocument {
    version: &'static str,
    statement: [Statement; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: Effect,
    /// Exactly the method that was asked for. A policy on the whole stage is needed only where answers are cached and
    /// meet other methods; here caching is off, or an allow would outlive a revocation.
    resource: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
enum Effect {
    Allow,
    Deny,
}

/// What an HTTP API expects with payload format 2.0 and simple responses.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpAnswer {
    is_authorized: bool,
    context: Context,
}

/// What AppSync expects.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AppSyncAnswer {
    is_authorized: bool,
    resolver_context: Context,
    denied_fields: [String; 0],
    /// Seconds. Said with every answer, since the API's own setting would cache for 5 minutes by default.
    ttl_override: u32,
}

/// What the integration, a resolver or a gateway response gets to see. All values are strings: API Gateway admits no
/// lists. Group names have no white space (Cognito, `GroupNameType`), so a space parts them as it does scopes.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Context {
    Permit {
        sub: String,
        scope: String,
        groups: String,
        client_id: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        username: Option<String>,
    },
    Deny {
        reason: &'static str,
    },
}

// === impl Answer ===

impl Answer {
    /// Lets the request through.
    pub(crate) fn allow(front: Front, permit: &Permit) -> Self {
        let principal_id = permit.subject.sub.0.clone();
        Self::new(front, Effect::Allow, principal_id, Context::of(permit))
    }

    /// Refuses the request; `reason` is a code.
    pub(crate) fn deny(front: Front, reason: &'static str) -> Self {
        // Whose token it is has not been established, or is of no use to anybody now.
        Self::new(front, Effect::Deny, "denied".to_owned(), Context::Deny { reason })
    }

    fn new(front: Front, effect: Effect, principal_id: String, context: Context) -> Self {
        let is_authorized = matches!(effect, Effect::Allow);
        match front {
            Front::Rest { method_arn: resource } => {
                let statement = [Statement { action: "execute-api:Invoke", effect, resource }];
                let policy_document = PolicyDocument { version: "2012-10-17", statement };
                Self::Rest(RestAnswer { principal_id, policy_document, context })
            }
            Front::Http => Self::Http(HttpAnswer { is_authorized, context }),
            Front::AppSync => {
                let resolver_context = context;
                Self::AppSync(AppSyncAnswer { is_authorized, resolver_context, denied_fields: [], ttl_override: 0 })
            }
        }
    }
}

// === impl Context ===

impl Context {
    fn of(permit: &Permit) -> Self {
        Self::Permit {
            sub: permit.subject.sub.0.clone(),
            scope: permit.scope.clone().unwrap_or_default(),
            groups: permit.groups.join(" "),
            client_id: permit.client_id.clone(),
            username: permit.username.clone(),
        }
    }
}
