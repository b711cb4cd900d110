//! What a client can ask about the provider itself: `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas`
//! (RFC 7643 sections 5 to 7, RFC 7644 section 4). `base` is the URL of the provider, without a slash at the end.

use serde_json::{Value, json};

use crate::error::ScimError;
use crate::list::ListResponse;
use crate::schema::{Schema, SchemaPart};
use crate::urn;

/// What this deployment supports, as far as deployments differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The most resources in an answer.
    pub max_results: usize,
    /// Whether versions are kept: `ETag`, `If-Match`.
    pub etag: bool,
    /// Whether a client may set `password`.
    pub change_password: bool,
    /// Where people can read about it.
    pub documentation_uri: Option<String>,
}

/// The answer of `/ServiceProviderConfig`.
#[must_use]
pub fn service_provider_config(capabilities: &Capabilities, base: &str) -> Value {
    let mut config = json!({
        "schemas": [urn::SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": capabilities.max_results},
        "changePassword": {"supported": capabilities.change_password},
        "sort": {"supported": false},
        "etag": {"supported": capabilities.etag},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "OAuth Bearer Token",
            "description": "A token issued by the operator of this provider, in the header Authorization.",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": format!("{base}/ServiceProviderConfig")},
    });
    if let (Some(uri), Some(config)) = (&capabilities.documentation_uri, config.as_object_mut()) {
        config.insert("documentationUri".into(), json!(uri));
    }
    config
}

/// The answer of `/ResourceTypes`.
#[must_use]
pub fn resource_types(schemas: &[&Schema], base: &str) -> ListResponse<Value> {
    ListResponse::whole(schemas.iter().map(|schema| resource_type_json(schema, base)).collect())
}

/// The answer of `/ResourceTypes/{id}`.
pub fn resource_type(id: &str, schemas: &[&Schema], base: &str) -> Result<Value, ScimError> {
    let found = schemas.iter().find(|schema| schema.resource_type == id);
    found.map(|schema| resource_type_json(schema, base)).ok_or_else(ScimError::not_found)
}

/// The answer of `/Schemas`.
#[must_use]
pub fn schemas(schemas: &[&Schema], base: &str) -> ListResponse<Value> {
    ListResponse::whole(parts(schemas).map(|part| schema_json(part, base)).collect())
}

/// The answer of `/Schemas/{id}`.
pub fn schema(id: &str, schemas: &[&Schema], base: &str) -> Result<Value, ScimError> {
    let found = parts(schemas).find(|part| part.urn.eq_ignore_ascii_case(id));
    found.map(|part| schema_json(part, base)).ok_or_else(ScimError::not_found)
}

/// RFC 7644 section 4: a filter on these endpoints is answered with 403, lest a client takes the answer for filtered.
#[must_use]
pub fn filter_refused() -> ScimError {
    ScimError::status(403, "this endpoint does not filter")
}

fn parts<'s>(schemas: &'s [&'s Schema]) -> impl Iterator<Item = &'s SchemaPart> {
    schemas.iter().flat_map(|schema| std::iter::once(&schema.core).chain(&schema.extensions))
}

fn resource_type_json(schema: &Schema, base: &str) -> Value {
    let extensions: Vec<Value> =
        schema.extensions.iter().map(|part| json!({"schema": part.urn, "required": false})).collect();
    let name = schema.resource_type;
    json!({
        "schemas": [urn::RESOURCE_TYPE],
        "id": name,
        "name": name,
        "endpoint": schema.endpoint,
        "description": schema.description,
        "schema": schema.core.urn,
        "schemaExtensions": extensions,
        "meta": {"resourceType": "ResourceType", "location": format!("{base}/ResourceTypes/{name}")},
    })
}

fn schema_json(part: &SchemaPart, base: &str) -> Value {
    let attributes: Vec<Value> = part.attributes.iter().map(crate::Attribute::to_json).collect();
    json!({
        "schemas": [urn::SCHEMA],
        "id": part.urn,
        "name": part.name,
        "description": part.description,
        "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": format!("{base}/Schemas/{}", part.urn)},
    })
}

#[cfg(test)]
mod tests;
