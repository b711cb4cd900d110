//! The permit as an argument of an axum handler.

use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use revocation_verify::Permit;

/// What the caller may do, as an argument of a handler: `async fn orders(Permitted(permit): Permitted)`.
#[derive(Clone, Debug)]
pub struct Permitted(pub Permit);

/// The route is not behind a [`RevocationLayer`](crate::RevocationLayer). A mistake of ours, so it is answered with 500, and
/// nobody is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPermit;

impl<S: Send + Sync> FromRequestParts<S> for Permitted {
    type Rejection = NoPermit;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, NoPermit> {
        parts.extensions.get::<Permit>().cloned().map(Self).ok_or(NoPermit)
    }
}

impl IntoResponse for NoPermit {
    fn into_response(self) -> Response {
        tracing::error!("a handler asks for a permit, but its route is not behind the layer");
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
