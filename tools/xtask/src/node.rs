//! Node.js programs with the packages their lock file pins: in a copy under `target/`, so that the sources stay as they are.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::repo::Repo;
use crate::venv::Venv;
use crate::{run, say};

/// The oldest Node.js the pinned packages support.
const OLDEST: u32 = 20;
/// What decides which packages are there; among the sources.
const LOCK: &str = "package-lock.json";
/// A copy of the lock file the packages were installed from; written last, so a broken installation is made again.
const STAMP: &str = "installed-from.json";

/// A folder with programs and their packages.
#[derive(Clone, Debug)]
pub(crate) struct NodePrograms {
    dir: PathBuf,
    node: NodeJs,
}

/// Where Node.js is.
#[derive(Clone, Debug)]
enum NodeJs {
    OnPath,
    /// Installed by pip, where there is none or an old one.
    Ours(Venv),
}

// === impl NodePrograms ===

impl NodePrograms {
    /// Makes `dir` hold the files of the folders `sources`, among them a package and its lock file, and what that pins.
    pub(crate) fn ensure(repo: &Repo, dir: &Path, sources: &[PathBuf]) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
        for source in sources {
            copy_files(source, dir)?;
        }
        let programs = Self { dir: dir.to_owned(), node: NodeJs::find(repo)? };
        let wanted = fs::read_to_string(dir.join(LOCK)).with_context(|| format!("no {LOCK} among the sources"))?;
        let stamp = dir.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(programs);
        }
        say::waiting("installing Node.js packages (first time, or their lock file changed)", || {
            // No package here needs to build anything.
            let quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
            run::capture(programs.node.program("npm").arg("ci").args(quiet).current_dir(dir))
                .context("npm could not install the pinned packages; is its registry, or your mirror of it, reachable?")
        })?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(programs)
    }

    /// Runs one of the programs.
    pub(crate) fn run(&self, program: &str) -> Command {
        let mut command = self.node.program("node");
        command.arg(self.dir.join(program));
        command
    }
}

// === impl NodeJs ===

impl NodeJs {
    fn find(repo: &Repo) -> Result<Self> {
        if is_new_enough(&mut Self::OnPath.program("node")) && run::works(Self::OnPath.program("npm").arg("--version"))
        {
            return Ok(Self::OnPath);
        }
        let requirements = repo.root().join("tools/xtask/node/requirements.txt");
        let ours = Self::Ours(Venv::ensure(&repo.target("node/venv"), &requirements)?);
        if !is_new_enough(&mut ours.program("node")) {
            bail!("no Node.js for this machine on PyPI: install Node.js {OLDEST} or later, with npm");
        }
        Ok(ours)
    }

    fn program(&self, name: &str) -> Command {
        match self {
            Self::OnPath => Command::new(name),
            Self::Ours(venv) => venv.program(name),
        }
    }
}

fn is_new_enough(node: &mut Command) -> bool {
    let version = run::capture(node.arg("--version")).ok();
    version.as_deref().and_then(major).is_some_and(|major| major >= OLDEST)
}

/// Reads `v20.20.2`.
fn major(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn copy_files(from: &Path, to: &Path) -> Result<()> {
    let files = fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))?;
    for file in files {
        let file = file.with_context(|| format!("cannot read {}", from.display()))?.path();
        // Packages somebody installed beside the sources are not meant.
        if let (true, Some(name)) = (file.is_file(), file.file_name()) {
            fs::copy(&file, to.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_version() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("20.20.2"), None);
        assert_eq!(major(""), None);
    }
}
