//! The senders' secrets: read when first needed, held for minutes, and read anew when nothing held matches, so that a
//! rotation needs neither a deployment nor patience.

use std::collections::BTreeMap;
use std::sync::Arc;

use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock, PortError, TextReader};
use revocation_sources::authenticate::{BadSecrets, SecretList};
use tokio::sync::Mutex;

/// How long a secret is believed without another look, in milliseconds: so long may a withdrawn one still work.
const FRESH_MS: i64 = 60_000;
/// Forged requests may make us look again this often at most, in milliseconds; for a secret that is not there as well.
const LOOK_AGAIN_MS: i64 = 10_000;

/// Secrets by their name in Secrets Manager.
pub struct Keyring {
    reader: Arc<dyn TextReader>,
    clock: Arc<dyn Clock>,
    held: Mutex<BTreeMap<String, Held>>,
}

struct Held {
    /// The secrets, or why there are none: deleted, garbled, not for us to read.
    found: Result<Arc<SecretList>, PortError>,
    read_at: EpochMillis,
}

// === impl Keyring ===

impl Keyring {
    /// A keyring that holds nothing yet.
    #[must_use]
    pub fn new(reader: Arc<dyn TextReader>, clock: Arc<dyn Clock>) -> Self {
        Self { reader, clock, held: Mutex::new(BTreeMap::new()) }
    }

    /// What `attempt` makes of the secrets called `name`, whose text `parse` reads. If it fails with those held, they are
    /// read anew, and tried once more.
    ///
    /// # Errors
    /// The outer error says that the secrets cannot be had, the inner one is the attempt's.
    pub async fn try_with<T, E>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<SecretList, BadSecrets>,
        attempt: impl Fn(&SecretList) -> Result<T, E>,
    ) -> Result<Result<T, E>, PortError> {
        let held = self.secrets(name, &parse, FRESH_MS).await?;
        let first = attempt(&held);
        if first.is_ok() {
            return Ok(first);
        }
        let again = self.secrets(name, &parse, LOOK_AGAIN_MS).await?;
        if Arc::ptr_eq(&held, &again) { Ok(first) } else { Ok(attempt(&again)) }
    }

    /// The secrets, read no longer than `fresh_ms` ago. One reading at a time: the lock is held over it.
    async fn secrets(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Result<SecretList, BadSecrets>,
        fresh_ms: i64,
    ) -> Result<Arc<SecretList>, PortError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Some(Held { found, read_at }) = held.get(name) {
            let fresh_ms = if found.is_ok() { fresh_ms } else { LOOK_AGAIN_MS };
            if now.0.saturating_sub(read_at.0) < fresh_ms {
                return found.clone();
            }
        }
        let standing = held.get(name).and_then(|held| held.found.clone().ok());
        let read = match self.reader.read(name).await {
            Ok(text) => parse(&text).map_err(|error| {
                tracing::error!(%error, secret = name, "a source's secret is malformed");
                PortError::reject("secretsmanager:GetSecretValue", "malformed_secret")
            }),
            Err(error) => Err(error),
        };
        let found = match (read, standing) {
            (Ok(secrets), _) => Ok(Arc::new(secrets)),
            // Secrets Manager is down: what was good a minute ago lets honest senders in. One that was deleted or
            // garbled is no reason to go on with it.
            (Err(error), Some(secrets)) if error.disposition == Disposition::Retry => Ok(secrets),
            (Err(error), _) => {
                tracing::error!(%error, secret = name, "a source's secret cannot be read");
                Err(error)
            }
        };
        // An outage is over when it is over; what was deleted is not back with the next request.
        if !found.as_ref().is_err_and(|error| error.disposition == Disposition::Retry) {
            held.insert(name.to_owned(), Held { found: found.clone(), read_at: now });
        }
        found
    }
}
