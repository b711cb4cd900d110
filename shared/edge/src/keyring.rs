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
/// Forged requests may make us look again this often at most, in milliseconds.
const LOOK_AGAIN_MS: i64 = 10_000;

/// Secrets by their name in Secrets Manager.
pub struct Keyring {
    reader: Arc<dyn TextReader>,
    clock: Arc<dyn Clock>,
    held: Mutex<BTreeMap<String, Held>>,
}

struct Held {
    secrets: Arc<SecretList>,
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
        let standing = held.get(name).map(|held| (Arc::clone(&held.secrets), held.read_at));
        if let Some((secrets, read_at)) = &standing
            && now.0.saturating_sub(read_at.0) < fresh_ms
        {
            return Ok(Arc::clone(secrets));
        }
        let read = match self.reader.read(name).await {
            Ok(text) => parse(&text).map_err(|error| {
                tracing::error!(%error, secret = name, "a source's secret is malformed");
                PortError::reject("secretsmanager:GetSecretValue", "malformed_secret")
            }),
            Err(error) => Err(error),
        };
        let secrets = match (read, standing) {
            (Ok(secrets), _) => Arc::new(secrets),
            // Secrets Manager is down: what was good a minute ago lets honest senders in. One that was deleted or
            // garbled is no reason to go on with it.
            (Err(error), Some((secrets, _))) if error.disposition == Disposition::Retry => secrets,
            (Err(error), _) => {
                tracing::error!(%error, secret = name, "a source's secret cannot be read");
                held.remove(name);
                return Err(error);
            }
        };
        held.insert(name.to_owned(), Held { secrets: Arc::clone(&secrets), read_at: now });
        Ok(secrets)
    }
}
