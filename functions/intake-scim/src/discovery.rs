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

/// A schema as it is told: what a client may set and will find kept. The pool keeps neither `type` nor `primary` of a value;
/// they are read, to choose among several, and written as what the one that is kept is. So is a member's `display`. As
/// part of the default set (RFC 7643 section 2.4) they need not be told.
fn published(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    let parts = std::iter::once(&mut schema.core).chain(&mut schema.extensions);
    for attribute in parts.flat_map(|part| &mut part.attributes).filter(|attribute| attribute.multi_valued) {
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        attribute.sub_attributes.retain(|sub| !["primary", "display"].contains(&sub.name));
        for sub in attribute.sub_attributes.iter_mut().filter(|sub| sub.canonical_values.contains(&"work")) {
            sub.canonical_values = &["work"];
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
