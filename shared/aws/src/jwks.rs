//! A user pool's public keys over HTTPS.

use async_trait::async_trait;
use revocation_core::ports::PortError;
use revocation_verify::{JwksSource, PoolConfig};

use crate::https::HttpsClient;

/// Fetches a pool's keys from its `jwks_url`.
#[derive(Debug, Default)]
pub struct HttpsJwks(HttpsClient);

#[async_trait]
impl JwksSource for HttpsJwks {
    async fn fetch(&self, pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        self.0.get(&pool.jwks_url).await.map_err(|error| error.port_error("jwks:fetch"))
    }
}
