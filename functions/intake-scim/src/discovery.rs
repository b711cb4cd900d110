//! What a client can ask about the provider itself (RFC 7644 section 4).

use revocation_edge::Response;
use revocation_scim::ScimError;
use revocation_scim::discovery::{self, Capabilities};

use crate::answer::json;
use crate::call::{Call, LIMITS};
use crate::route::Discovery;

/// Answers it.
pub(crate) fn answer(call: &Call<'_>, what: Discovery<'_>) -> Result<Response, ScimError> {
    if call.request.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("filter")) {
        return Err(discovery::filter_refused());
    }
    let (schemas, base) = ([&call.mapping.published, &call.published_group], call.base.as_str());
    match what {
        Discovery::Config => Ok(json(200, &discovery::service_provider_config(&capabilities(), base))),
        Discovery::ResourceTypes => Ok(json(200, &discovery::resource_types(&schemas, base))),
        Discovery::ResourceType(id) => Ok(json(200, &discovery::resource_type(id, &schemas, base)?)),
        Discovery::Schemas => Ok(json(200, &discovery::schemas(&schemas, base))),
        Discovery::Schema(id) => Ok(json(200, &discovery::schema(id, &schemas, base)?)),
    }
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
