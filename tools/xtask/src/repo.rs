//! Where things are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// The checked-out repository.
#[derive(Clone, Debug)]
pub(crate) struct Repo {
    root: PathBuf,
    cargo_target: PathBuf,
}

// === impl Repo ===

impl Repo {
    /// Asks Cargo, which knows of `CARGO_TARGET_DIR` and of the user's configuration.
    pub(crate) fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(manifest)
            .no_deps()
            .exec()
            .context("`cargo metadata` failed: run `cargo check` to see what is wrong with the workspace")?;
        Ok(Self {
            root: metadata.workspace_root.into_std_path_buf(),
            cargo_target: metadata.target_directory.into_std_path_buf(),
        })
    }

    /// The workspace's root.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Our own state: always `target/` of the checkout, because the template names `../target/lambda`.
    pub(crate) fn target(&self, path: &str) -> PathBuf {
        self.root.join("target").join(path)
    }

    /// What Cargo built: `profile` is the folder's name, such as `debug`.
    pub(crate) fn built(&self, profile: &str, binary: &str) -> PathBuf {
        self.cargo_target.join(profile).join(binary)
    }
}
