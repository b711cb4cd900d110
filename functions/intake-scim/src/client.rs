//! Whose token is it? It alone says which source a request is of.

use revocation_core::domain::account::Account;
use revocation_edge::{Keyring, Request};
use revocation_lambda::metrics;
use revocation_scim::ScimError;
use revocation_sources::Sources;
use revocation_sources::authenticate::{SecretList, match_bearer};
use revocation_sources::scim::ScimSource;

use crate::answer::unavailable;
use crate::route::Verb;

/// An authenticated client.
pub(crate) struct Client<'a> {
    /// The source it is.
    pub(crate) source: &'a ScimSource,
    /// The name of its token.
    pub(crate) token: String,
}

// === impl Client ===

impl Client<'_> {
    /// Whether it may ask for that at all: one of some users only may read them, and patch them.
    pub(crate) fn allows(&self, verb: &Verb<'_>) -> Result<(), ScimError> {
        match (verb, &self.source.only_users) {
            (_, None) | (Verb::Discover(_) | Verb::GetUser(_) | Verb::PatchUser(_), Some(_)) => Ok(()),
            _ => Err(forbidden()),
        }
    }

    /// The account, if it may know of it.
    pub(crate) fn sees(&self, account: Option<Account>) -> Result<Account, ScimError> {
        let only = self.source.only_users.as_ref();
        account
            .filter(|account| only.is_none_or(|only| only.contains(&account.username)))
            .ok_or_else(ScimError::not_found)
    }

    /// Whether it may set attributes and passwords.
    pub(crate) fn may_write(&self) -> Result<(), ScimError> {
        if self.source.only_users.is_some() { Err(forbidden()) } else { Ok(()) }
    }
}

fn forbidden() -> ScimError {
    ScimError::status(
        403,
        "this client may read its users (`only_users`) and say whether they are active, and nothing else",
    )
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

#[cfg(test)]
mod tests;
