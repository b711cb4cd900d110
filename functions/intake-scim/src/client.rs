//! Whose token is it? It alone says which source a request is of.

use revocation_edge::{Keyring, Request};
use revocation_lambda::metrics;
use revocation_scim::ScimError;
use revocation_sources::Sources;
use revocation_sources::authenticate::{SecretList, match_bearer};
use revocation_sources::scim::ScimSource;

use crate::answer::unavailable;

/// An authenticated client.
pub(crate) struct Client<'a> {
    /// The source it is.
    pub(crate) source: &'a ScimSource,
    /// The name of its token.
    pub(crate) token: String,
}

/// Finds the source whose token the request has.
pub(crate) async fn authenticate<'a>(
    keyring: &Keyring,
    sources: &'a Sources,
    request: &Request,
) -> Result<Client<'a>, ScimError> {
    let Some(presented) = request.header("authorization") else { return Err(turned_away("missing")) };
    let mut unread = false;
    for source in sources.scim.values() {
        let attempt =
            |secrets: &SecretList| match_bearer(secrets, presented).map(|secret| secret.name.clone()).ok_or(());
        match keyring.try_with(&source.tokens, SecretList::parse, attempt).await {
            Ok(Ok(token)) => return Ok(Client { source, token }),
            Ok(Err(())) => {}
            // Another source's tokens may fit; this one's trouble is not theirs. The keyring has logged it.
            Err(_) => unread = true,
        }
    }
    if unread { Err(unavailable()) } else { Err(turned_away("no_match")) }
}

fn turned_away(reason: &'static str) -> ScimError {
    metrics::count("Unauthenticated", "source", "scim");
    tracing::warn!(reason, "turned away");
    ScimError::unauthorized()
}
