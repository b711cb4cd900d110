//! Writing a cutoff, and what becomes of one that comes too late.

use super::{Cutoff, CutoffKind, Raised, Tombstone};

impl Tombstone {
    /// Moves the cutoff forward, never back (I2). The reference that store adapters must match.
    pub fn raise(&mut self, cutoff: &Cutoff) -> Raised {
        let slot = match cutoff.kind {
            CutoffKind::Sessions => &mut self.not_before,
            CutoffKind::Claims => {
                self.expires_at = self.expires_at.max(Some(cutoff.expires_at()));
                &mut self.claims_not_before
            }
        };
        if slot.is_some_and(|standing| standing >= cutoff.at) {
            if cutoff.kind == CutoffKind::Sessions {
                self.wait_for_another(cutoff);
            }
            return Raised::AlreadyLater;
        }
        *slot = Some(cutoff.at);
        if cutoff.kind == CutoffKind::Sessions {
            self.sealed = false;
            self.revocation_id = Some(cutoff.revocation_id.clone());
            self.expires_at = Some(cutoff.expires_at());
        }
        Raised::Moved
    }

    /// A later or equal cutoff stands, and `cutoff` has a sign-out of its own to wait for.
    fn wait_for_another(&mut self, cutoff: &Cutoff) {
        let is_the_same = self.not_before == Some(cutoff.at);
        // Sealed means that Cognito has signed out since, or in this very second; then a session may have begun after
        // that and before us. The item is kept until our own sign-out is confirmed, but not opened again: a delivery
        // that is late and dies here would leave it open for good.
        if self.sealed || is_the_same {
            self.expires_at = self.expires_at.max(Some(cutoff.expires_at()));
        }
        // The same second, and not sealed: Cognito may have signed out for the one that stands, and a session have begun
        // since that only our own sign-out will end. The last to write seals, so that the item is kept until then.
        if !self.sealed && is_the_same {
            self.revocation_id = Some(cutoff.revocation_id.clone());
        }
    }
}
