//! Which app client asks, and whether it is the one it says it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{AppClients, ClientSecret, Clock, PortError};
use tokio::sync::Mutex;

use crate::answer::Refused;
use crate::form::Credentials;

/// How long a client's secret is believed, in milliseconds. Cognito's quota of 15 reads a second is shared with others.
const FRESH_MS: i64 = 300_000;
/// A wrong secret may make us look again this often at most, in milliseconds.
const LOOK_AGAIN_MS: i64 = 30_000;

/// The app clients that may ask.
pub struct Clients {
    /// Client ids with their pools.
    pub known: BTreeMap<String, UserPoolId>,
    /// Where their secrets are.
    pub directory: Arc<dyn AppClients>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    held: Mutex<BTreeMap<String, (Option<ClientSecret>, EpochMillis)>>,
}

/// An app client that has shown who it is.
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<ClientSecret>,
}

impl Clients {
    /// These clients, none of which was asked for yet.
    #[must_use]
    pub fn new(known: BTreeMap<String, UserPoolId>, directory: Arc<dyn AppClients>, clock: Arc<dyn Clock>) -> Self {
        Self { known, directory, clock, held: Mutex::default() }
    }

    /// A public client (without a secret) is who it says it is: the token is what counts.
    pub(crate) async fn authenticate(&self, said: &Credentials) -> Result<Client, Refused> {
        let pool = self.known.get(&said.id).ok_or(Refused::InvalidClient)?;
        for fresh_ms in [FRESH_MS, LOOK_AGAIN_MS] {
            let secret = self.secret(pool, &said.id, fresh_ms).await?;
            let is_right = match (&secret, &said.secret) {
                (None, None) => true,
                (Some(secret), Some(said)) => same(&secret.0, &said.0),
                // One that knows a secret where there is none is misconfigured; and it must not be sent to Cognito.
                (Some(_), None) | (None, Some(_)) => false,
            };
            if is_right {
                return Ok(Client { id: said.id.clone(), secret });
            }
        }
        Err(Refused::InvalidClient)
    }

    /// One reading at a time: the lock is held over it.
    async fn secret(&self, pool: &UserPoolId, id: &str, fresh_ms: i64) -> Result<Option<ClientSecret>, PortError> {
        let mut held = self.held.lock().await;
        let now = self.clock.now();
        if let Some((secret, read_at)) = held.get(id)
            && now.0.saturating_sub(read_at.0) < fresh_ms
        {
            return Ok(secret.clone());
        }
        let secret = self.directory.secret(pool, id).await?;
        held.insert(id.to_owned(), (secret.clone(), now));
        Ok(secret)
    }
}

/// In constant time: digests are compared, whose equal beginnings tell nothing of the texts'.
fn same(a: &str, b: &str) -> bool {
    use ring::digest::{SHA256, digest};
    digest(&SHA256, a.as_bytes()).as_ref() == digest(&SHA256, b.as_bytes()).as_ref()
}
