//! What is answered: SCIM resources and SCIM errors.

use revocation_core::domain::disposition::Disposition;
use revocation_core::ports::{PortError, Refused};
use revocation_edge::{Problem, Response};
use revocation_scim::{ScimError, ScimType};
use serde::Serialize;

/// RFC 7644 section 3.1.
pub(crate) const MEDIA_TYPE: &str = "application/scim+json";

/// A resource, or a list of them.
pub(crate) fn json<T: Serialize>(status: u16, body: &T) -> Response {
    Response::json(status, MEDIA_TYPE, body)
}

/// An error as RFC 7644 section 3.12 has it.
pub(crate) fn error(error: &ScimError) -> Response {
    let response = json(error.status, error);
    match error.status {
        401 => response.with("www-authenticate", "Bearer realm=\"scim\""),
        // An hour's blast radius is counted by the clock hour.
        429 => response.with("retry-after", "3600"),
        503 => response.with("retry-after", "5"),
        _ => response,
    }
}

/// A request beyond the edge's limits, or one that took too long.
pub(crate) fn refusal(problem: &Problem) -> Response {
    error(&match problem.status() {
        413 => ScimError::too_large(),
        503 => {
            ScimError::status(503, "it took too long; repeat the request: what was done already is not undone by it")
        }
        status => ScimError::status(status, "the request is beyond this provider's limits"),
    })
}

/// A port failed. The client learns only whether to come again.
pub(crate) fn failed(error: &PortError) -> ScimError {
    tracing::error!(%error, "a request could not be carried out");
    match error.disposition {
        Disposition::Retry => unavailable(),
        Disposition::Reject => ScimError::status(500, "the directory does not allow it; the provider's log says more"),
    }
}

/// Nothing was changed for good that a repetition would not complete.
pub(crate) fn unavailable() -> ScimError {
    ScimError::status(503, "the provider cannot carry this out now; repeat the request")
}

/// The directory said no.
pub(crate) fn refused(refused: Refused) -> ScimError {
    match refused {
        Refused::NotFound => ScimError::not_found(),
        Refused::Taken => ScimError::uniqueness("a name or an address in it is another resource's already"),
        Refused::WeakPassword => ScimError::invalid_value("`password` does not meet the user pool's policy"),
        Refused::BadValue => ScimError::invalid_value("the user pool does not take one of the values"),
        Refused::Full => ScimError::status(507, "the user pool holds as many as it may"),
    }
}

/// The request names more than can be done within its time.
pub(crate) fn too_much(detail: &'static str) -> ScimError {
    ScimError { scim_type: Some(ScimType::TooMany), ..ScimError::status(413, detail) }
}
