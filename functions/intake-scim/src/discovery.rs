//! What a client can ask about the provider itself (RFC 7644 section 4).

use revocation_edge::Response;
use revocation_scim::discovery::{self, Capabilities};
use revocation_scim::{Mutability, Schema, ScimError};

use crate::answer::json;
use crate::call::{Call, LIMITS};
use crate::route::Discovery;

/// Answers it.
pub(crate) fn answer(call: &Call<'_>, what: Discovery<'_>) -> Result<Response, ScimError> {
    if call.request.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("filter")) {
        return Err(discovery::filter_refused());
    }
    let (users, groups) = (published(&call.mapping.schema), published(&call.group_schema));
    let (schemas, base) = ([&users, &groups], call.base.as_str());
    match what {
        Discovery::Config => Ok(json(200, &discovery::service_provider_config(&capabilities(), base))),
        Discovery::ResourceTypes => Ok(json(200, &discovery::resource_types(&schemas, base))),
        Discovery::ResourceType(id) => Ok(json(200, &discovery::resource_type(id, &schemas, base)?)),
        Discovery::Schemas => Ok(json(200, &discovery::schemas(&schemas, base))),
        Discovery::Schema(id) => Ok(json(200, &discovery::schema(id, &schemas, base)?)),
    }
}

/// A schema as it is told. The pool keeps neither `type` nor `primary` of a value: they are read, to choose among several,
/// and written as what the one that is kept is. The names of members are their own.
fn published(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let parts = std::iter::once(&mut schema.core).chain(&mut schema.extensions);
    for attribute in parts.flat_map(|part| &mut part.attributes).filter(|attribute| attribute.multi_valued) {
        for sub in &mut attribute.sub_attributes {
            match sub.name {
                "primary" | "display" => sub.mutability = Mutability::ReadOnly,
                "type" if attribute.name != "members" => sub.canonical_values = &["work"],
                _ => {}
            }
        }
    }
    schema
}

fn capabilities() -> Capabilities {
    Capabilities {
        max_results: LIMITS.max,
        // Cognito has no version of a user, and its time of last change does not move with a user's groups: an ETag
        // would say "unchanged" of what has changed.
        etag: false,
        change_password: true,
        documentation_uri: None,
    }
}
