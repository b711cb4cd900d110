//! Cognito's pre-token-generation trigger: asked before any token is made, at sign-in and at every refresh, it refuses
//! while a sign-out is under way (the gap the seal closes afterwards, I3), while the account is on hold, and after the
//! person's end date. An error is a refusal; Cognito shows its text to the person.
//!
//! `event ─▶ tombstone ─▶ end date ─▶ the same event, with the end date as a claim`.

pub mod config;
mod payload;
mod refused;

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::end_date::EndDate;
use revocation_core::domain::profile::SubjectKey;
use revocation_core::domain::time::EpochSeconds;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{Clock, PortError, TombstoneReader};
use revocation_lambda::metrics;
use revocation_store::StrictReader;
use serde_json::Value;

use config::{Config, OnStoreOutage};
use payload::Event;
pub use refused::Refused;

/// What the function may do: the actions of the one port it holds (I14).
pub const IAM_ACTIONS: &[&[&str]] = &[StrictReader::IAM_ACTIONS];

/// How long the tombstone is waited for. Cognito waits 5 s for all, and asks up to three times.
pub const BUDGET: Duration = Duration::from_secs(2);
/// The error code of an item that cannot be understood: somebody wrote it to refuse something.
const UNREADABLE_ITEM: &str = "unreadable_item";

/// The gate.
pub struct TokenGate {
    /// Reads tombstones.
    pub reader: Arc<dyn TombstoneReader>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What it is told by its environment.
    pub config: Config,
}

// === impl TokenGate ===

impl TokenGate {
    /// Lets one minting pass, or refuses it. The answer is the event.
    pub async fn pass(&self, event: &str) -> Result<Value, Refused> {
        let answer = self.decide(event).await;
        if let Err(refused) = &answer {
            metrics::count("GateRefused", "reason", refused.code());
        }
        answer
    }

    /// Opens the connection to the store in the init phase, where nobody waits.
    pub async fn warm(&self) {
        // A failure is ignored: the first sign-in will meet it, and say so.
        let _ = self.tombstone(&SubjectKey::new("warm-up", "warm-up")).await;
    }

    async fn decide(&self, event: &str) -> Result<Value, Refused> {
        let event = Event::read(event).inspect_err(|refused| {
            tracing::error!(reason = refused.code(), "refused: not an event of this trigger");
        })?;
        // A client has no sessions and no end date.
        let Some(subject) = event.subject.clone() else { return Ok(event.unchanged()) };
        let passed = match self.tombstone(&subject).await {
            Ok(tombstone) => tombstone.and_then(|it| against(&it, self.clock.now().seconds())).map_or(Ok(()), Err),
            Err(error) => self.without_tombstone(&subject, &error),
        };
        let answer = match passed {
            Ok(()) => self.with_end_date(event),
            Err(refused) => {
                tracing::info!(sub = %subject.sub, source = event.source, reason = refused.code(), "refused");
                return Err(refused);
            }
        };
        answer.inspect_err(|refused| tracing::warn!(sub = %subject.sub, reason = refused.code(), "refused"))
    }

    async fn tombstone(&self, subject: &SubjectKey) -> Result<Option<Tombstone>, PortError> {
        let read = tokio::time::timeout(BUDGET, self.reader.read(subject)).await;
        read.unwrap_or_else(|_| Err(PortError::retry("dynamodb:GetItem", "timeout")))
    }

    /// Closed where there is a tombstone, whatever it says; otherwise as configured.
    fn without_tombstone(&self, subject: &SubjectKey, error: &PortError) -> Result<(), Refused> {
        let PortError { operation, code, disposition } = error;
        if code == UNREADABLE_ITEM {
            tracing::error!(sub = %subject.sub, operation, code, "the tombstone is unreadable");
            return Err(Refused::TombstoneUnreadable);
        }
        if *disposition == Disposition::Reject {
            // A permission or the table is missing: an outage that does not pass by itself.
            tracing::error!(operation, code, "tombstones cannot be read, and will not be until somebody repairs it");
        }
        match self.config.on_store_outage {
            OnStoreOutage::Mint => {
                tracing::warn!(sub = %subject.sub, operation, code, "minted without a look at the tombstone");
                metrics::count("GateOpen", "code", code);
                Ok(())
            }
            OnStoreOutage::Refuse => Err(Refused::StoreUnavailable),
        }
    }

    fn with_end_date(&self, event: Event) -> Result<Value, Refused> {
        let Some(copy) = &self.config.end_date else { return Ok(event.unchanged()) };
        let text = event.attribute(&copy.attribute).unwrap_or_default().to_owned();
        match EndDate::parse(&text) {
            Ok(None) => Ok(event.unchanged()),
            Ok(Some(end)) if end.passed(self.clock.now().seconds()) => Err(Refused::Ended),
            Ok(Some(_)) => event.with_claim(&copy.claim, &text).ok_or(Refused::UnknownEvent),
            Err(_) => Err(Refused::EndDateUnreadable),
        }
    }
}

/// What a person's tombstone has against new tokens; that of a whole pool is not looked at, or nobody could sign in anew. A sealed cutoff is of the past, a claims-only one is what the refresh is
/// for, and a single session ended is Cognito's to refuse.
fn against(tombstone: &Tombstone, now: EpochSeconds) -> Option<Refused> {
    match &tombstone.hold {
        Some(hold) if hold.until.is_none_or(|until| now <= until) => Some(Refused::hold(&hold.message)),
        _ if tombstone.not_before.is_some() && !tombstone.sealed => Some(Refused::Unsealed),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
