//! Whom a request means, and who of them need not wait for Cognito's answer.

use super::steps::Steps;
use super::{RevokeError, Revoker, lockout};
use crate::domain::audit::Trail;
use crate::domain::profile::SubjectKey;
use crate::domain::request::RevocationRequest;
use crate::ports::Search;

impl Revoker {
    /// Whom the identifier means. Where it names the key itself, the tombstone goes first: it must not wait for
    /// Cognito, which may be what is failing (I1).
    pub(super) async fn lock_out_and_search(&self, trail: &mut Trail) -> Result<Search, RevokeError> {
        let id = trail.started.revocation_id.clone();
        let key = self.key_of(&trail.started.request);
        if let Some(key) = key.filter(|key| !trail.steps.contains_key(key)) {
            let mut steps = Steps::of(self, trail, &key);
            steps.tombstone(&lockout(trail)).await?;
            let records = steps.into_records();
            trail.steps.insert(key, records);
        }
        if let Some(found) = trail.resolved.clone() {
            return Ok(Search { found, failure: None });
        }
        let request = &trail.started.request;
        let mut search = self.resolver.search(&request.sub_id, &request.pools).await;
        search.found.retain(|profile| request.is_within_its_pools(&profile.key));
        // Written down, so that a redelivery finds the same people even after one of them was deleted. A part of them is
        // not: whoever is in the pool that could not be asked would never be looked for again.
        if search.failure.is_none() {
            self.audit.resolved(&id, &search.found, self.clock.now()).await?;
        }
        Ok(search)
    }

    /// The key the identifier names, within the fence of the request's source (I11).
    pub(super) fn key_of(&self, request: &RevocationRequest) -> Option<SubjectKey> {
        self.resolver.key_of(&request.sub_id).filter(|key| request.is_within_its_pools(key))
    }
}
