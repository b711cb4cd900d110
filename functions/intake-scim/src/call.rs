//! One request of one client, with everything its answer needs.

use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochMillis;
use revocation_edge::Request;
use revocation_scim::{Limits, ListQuery, Projection, Schema, ScimError};
use revocation_sources::json::parse_json;
use serde_json::{Value, json};

use crate::client::Client;
use crate::mapping::Mapping;
use crate::published::published;
use crate::revocations::Revocations;
use crate::{ScimProvider, random};

/// How many resources a list has.
pub(crate) const LIMITS: Limits = Limits { max: 1_000, default: 100 };
const PATH: &str = "/scim/v2";

/// One request.
pub(crate) struct Call<'a> {
    pub(crate) provider: &'a ScimProvider,
    pub(crate) client: &'a Client<'a>,
    pub(crate) request: &'a Request,
    pub(crate) mapping: Mapping,
    pub(crate) group_schema: Schema,
    /// What a group is told to have.
    pub(crate) published_group: Schema,
    /// The URL of the provider, without a slash at its end.
    pub(crate) base: String,
    at: EpochMillis,
    request_id: String,
}

// === impl Call ===

impl<'a> Call<'a> {
    pub(crate) fn new(
        provider: &'a ScimProvider,
        client: &'a Client<'a>,
        request: &'a Request,
    ) -> Result<Self, ScimError> {
        let mapping = Mapping::new(client.source).map_err(|error| {
            tracing::error!(source = client.source.name, %error, "the source cannot be served");
            ScimError::status(500, "this client's configuration is wrong; the provider's log says more")
        })?;
        // Revocations are told apart by it: two requests must not share one.
        let request_id = match request.request_id.as_str() {
            "" => random::name()?,
            id => id.to_owned(),
        };
        Ok(Self {
            provider,
            client,
            request,
            mapping,
            published_group: published(&Schema::group()),
            group_schema: Schema::group(),
            base: base(provider.settings.base_url.as_deref(), request),
            at: provider.clock.now(),
            request_id,
        })
    }

    pub(crate) fn pool(&self) -> &UserPoolId {
        &self.client.source.pool
    }

    pub(crate) fn revocations(&self) -> Revocations<'_> {
        Revocations {
            gate: &self.provider.gate,
            ahead: &self.provider.ahead,
            source: self.client.source,
            initiator: format!("{}/{}", self.client.source.name, self.client.token),
            request_id: &self.request_id,
            at: self.at,
        }
    }

    /// The query in the query string.
    pub(crate) fn query(&self, schema: &Schema) -> Result<ListQuery, ScimError> {
        ListQuery::parse(self.pairs(), schema, LIMITS)
    }

    /// The query in the body.
    pub(crate) fn search(&self, schema: &Schema) -> Result<ListQuery, ScimError> {
        ListQuery::parse_search(&self.body()?, schema, LIMITS)
    }

    /// Which part of the resource is wanted back.
    pub(crate) fn projection(&self, schema: &Schema) -> Result<Projection, ScimError> {
        let named = |name: &str| self.pairs().find(|(given, _)| *given == name).map(|(_, value)| value);
        Projection::parse(named("attributes"), named("excludedAttributes"), schema)
    }

    /// The body, as JSON.
    pub(crate) fn body(&self) -> Result<Value, ScimError> {
        let media_type = self.request.header("content-type").unwrap_or("application/json");
        let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media_type != "application/scim+json" && media_type != "application/json" {
            return Err(ScimError::status(415, "the body is neither application/scim+json nor application/json"));
        }
        parse_json(&self.request.body).map_err(|error| ScimError::invalid_syntax(error.to_string()))
    }

    /// When the request arrived: the time of the changes it makes.
    pub(crate) fn at(&self) -> EpochMillis {
        self.at
    }

    pub(crate) fn user_url(&self, id: &str) -> String {
        format!("{}/Users/{id}", self.base)
    }

    pub(crate) fn group_url(&self, id: &str) -> String {
        format!("{}/Groups/{id}", self.base)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// `meta` of a resource.
pub(crate) fn meta(kind: &str, location: &str, created: EpochMillis, modified: EpochMillis) -> Value {
    json!({
        "resourceType": kind,
        "created": created.rfc3339(),
        "lastModified": modified.rfc3339(),
        "location": location,
    })
}

/// The URL clients call: as configured, else by the host they named, if that is one.
fn base(configured: Option<&str>, request: &Request) -> String {
    let is_host = |host: &&str| {
        !host.is_empty()
            && host.len() <= 255
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    };
    match (configured, request.header("host").filter(is_host)) {
        (Some(base), _) => base.to_owned(),
        (None, Some(host)) => format!("https://{host}{PATH}"),
        (None, None) => PATH.to_owned(),
    }
}
