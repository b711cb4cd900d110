//! From an event of a partner or of AWS to the requests it means: pure functions, one file a source.
//!
//! An event that means no revocation is no error but a [`Verdict`], with a code that is counted. Only what cannot be
//! understood is an error, and that parks in the dead-letter queue with the reason.

use revocation_core::domain::disposition::{Disposed, Disposition};
use revocation_core::domain::event::{Envelope, QUEUED_SOURCE, REVOCATION_REQUESTED};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::request::{BadRequest, RevocationRequest};
use serde::Deserialize;

mod auth0;
mod cloudtrail;
mod okta;
mod parts;
mod queued;
mod threat_protection;

/// What the translations must know of the deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Our pools: Cognito's own events are about one of them, or irrelevant.
    pub user_pools: Vec<UserPoolId>,
    /// The pools' name of Okta as identity provider, the first part of its users' names (`<Provider>_<id>`).
    pub okta_provider: Option<String>,
    /// The pools' name of Auth0 as identity provider.
    pub auth0_provider: Option<String>,
    /// ARNs of the roles of our functions that take users out of groups: what they did is no news.
    pub own_roles: Vec<String>,
}

/// What an event means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// These revocations.
    Requests(Vec<RevocationRequest>),
    /// None, because of this stable code: `source`, `event_type`, `not_successful`, `risk_below_floor`, `other_pool`,
    /// `call_failed`, `our_own_call`.
    Irrelevant(&'static str),
}

/// Where an event comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Okta's log stream: `aws.partner/okta.com/<org>/<name>`.
    Okta,
    /// Auth0's log stream: `aws.partner/auth0.com/<tenant>-<uuid>/auth0.logs`.
    Auth0,
    /// Amazon Cognito's threat protection.
    ThreatProtection,
    /// A call to Amazon Cognito, as AWS CloudTrail recorded it.
    CloudTrail,
    /// A request that is one already: released by an operator, or sent ahead by an intake.
    Queued,
    /// Somewhere else.
    Unknown,
}

/// The event is not what its source's documentation says. No variant quotes a value (I10).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedEvent {
    /// A member is of the wrong type; its path and what is wrong with it.
    #[error("the detail is not as its source documents it: at `{path}`, {what}")]
    Shape {
        /// JSON path of the member.
        path: String,
        /// Kind of the mismatch, without the value.
        what: &'static str,
    },
    /// An unknown version of the source's own format.
    #[error("the detail is of an unknown version; this build reads version 1")]
    Version,
    /// Nobody is named, or only the one who acted.
    #[error("the event names no user whose sessions could end")]
    NoUser,
    /// Without an id a redelivery would be another revocation (I8).
    #[error("the event, or one of several users in it, has no id")]
    NoId,
    /// The translation's result did not pass the request's own checks.
    #[error("the request made of it is refused: {0}")]
    Request(#[from] BadRequest),
}

// === impl MalformedEvent ===

impl Disposed for MalformedEvent {
    fn disposition(&self) -> Disposition {
        Disposition::Reject
    }
}

/// Translates an event; every request of the result has passed [`RevocationRequest::check`].
pub fn translate(envelope: &Envelope<'_>, settings: &Settings) -> Result<Verdict, MalformedEvent> {
    let verdict = match Origin::of(envelope) {
        Origin::Okta => okta::translate(envelope, settings),
        Origin::Auth0 => auth0::translate(envelope, settings),
        Origin::ThreatProtection => threat_protection::translate(envelope, settings),
        Origin::CloudTrail => cloudtrail::translate(envelope, settings),
        Origin::Queued => queued::read(envelope),
        Origin::Unknown => Ok(Verdict::Irrelevant("source")),
    }?;
    if let Verdict::Requests(requests) = &verdict {
        requests.iter().try_for_each(RevocationRequest::check)?;
    }
    Ok(verdict)
}

// === impl Origin ===

impl Origin {
    /// Tells where an event comes from. Partner sources can be believed: `PutEvents` refuses any source that begins
    /// with `aws.` from everyone but AWS. The other two are recognised by their content and as credible as whoever may
    /// put events on the bus, who could ask for a revocation outright.
    #[must_use]
    pub fn of(envelope: &Envelope<'_>) -> Self {
        // A detail that is no object has none of these members.
        let emitter =
            serde_json::from_str::<Emitter>(envelope.detail.get()).ok().and_then(|detail| detail.event_source);
        match (envelope.detail_type.as_str(), emitter.as_deref()) {
            _ if is_partner(&envelope.source, okta::PARTNER) => Self::Okta,
            _ if is_partner(&envelope.source, auth0::PARTNER) => Self::Auth0,
            (REVOCATION_REQUESTED, _) if envelope.source == QUEUED_SOURCE => Self::Queued,
            (cloudtrail::DETAIL_TYPE, Some(cloudtrail::EVENT_SOURCE)) => Self::CloudTrail,
            (_, Some(threat_protection::EVENT_SOURCE)) => Self::ThreatProtection,
            _ => Self::Unknown,
        }
    }

    /// The name in metrics, and the first part of the requests' source.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Auth0 => "auth0",
            Self::ThreatProtection => "cognito-threat-protection",
            Self::CloudTrail => "cloudtrail",
            Self::Queued => "queued",
            Self::Unknown => "unknown",
        }
    }
}

/// CloudTrail and Cognito's log both say `eventSource`.
#[derive(Deserialize)]
struct Emitter {
    #[serde(rename = "eventSource")]
    event_source: Option<String>,
}

fn is_partner(source: &str, partner: &str) -> bool {
    source.strip_prefix(partner).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests;
