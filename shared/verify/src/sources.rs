//! Sources of keys without a network: a file, or none. The one over HTTPS is in `revocation-aws`.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use revocation_core::ports::PortError;

use crate::jwks::MAX_JWKS_BYTES;
use crate::key_cache::JwksSource;
use crate::pool::PoolConfig;

/// In the path of a [`FileJwks`], stands for the pool's id.
const POOL_PLACEHOLDER: &str = "{user_pool_id}";
/// What the errors of both name.
const OPERATION: &str = "jwks:fetch";

/// No source: the keys bundled with the pools are all there are. Tokens of a key Cognito rotates to are refused until the
/// service is started with new ones.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bundled;

/// Reads JWK sets from files, which something else keeps up to date. A file is read again when a token names a key that is
/// not known, though at most once in [`REFRESH_FLOOR`](crate::REFRESH_FLOOR), and after [`RENEW_AFTER`](crate::RENEW_AFTER).
#[derive(Clone, Debug)]
pub struct FileJwks(PathBuf);

// === impl Bundled ===

#[async_trait]
impl JwksSource for Bundled {
    async fn fetch(&self, _pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        Err(PortError::reject(OPERATION, "no_source"))
    }

    fn fetches(&self) -> bool {
        false
    }
}

// === impl FileJwks ===

impl FileJwks {
    /// Reads this file; `{user_pool_id}` in its path stands for the pool's id, where there are several.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    fn path_of(&self, pool: &PoolConfig) -> PathBuf {
        // A path that is not Unicode has no placeholder.
        self.0
            .to_str()
            .map_or_else(|| self.0.clone(), |path| path.replace(POOL_PLACEHOLDER, &pool.user_pool_id.0).into())
    }
}

#[async_trait]
impl JwksSource for FileJwks {
    async fn fetch(&self, pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        let path = self.path_of(pool);
        let reading = tokio::task::spawn_blocking(move || read(&path)).await;
        match reading {
            Ok(Ok(document)) => Ok(document),
            Ok(Err(error)) if error.kind() == io::ErrorKind::NotFound => Err(PortError::retry(OPERATION, "not_found")),
            Ok(Err(_)) | Err(_) => Err(PortError::retry(OPERATION, "unreadable")),
        }
    }
}

/// A file's content; of a large one only so much that it is seen to be too large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe would wait for a writer.
    if !path.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut document = Vec::new();
    let most = u64::try_from(MAX_JWKS_BYTES).map_err(io::Error::other)?.saturating_add(1);
    File::open(path)?.take(most).read_to_end(&mut document)?;
    Ok(document)
}

#[cfg(test)]
mod tests;
