//! The local cloud: MiniStack in a process of its own, with the template that goes to AWS deployed on it.

mod deploy;
mod facts;
mod process;
mod reroute;
mod server;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

pub(crate) use facts::Facts;
use server::Server;

use crate::functions::Profile;
use crate::repo::Repo;
use crate::venv::Venv;
use crate::{functions, say};

/// How to start a local cloud.
#[derive(Clone, Debug)]
pub(crate) struct StartOptions {
    /// Names its folder under `target/local-cloud/`, so that `up`, `test` and `demo` do not meet.
    pub(crate) name: &'static str,
    /// Where the facts are written for others to read; removed at the end.
    pub(crate) facts_file: PathBuf,
    /// Keep running when this process ends; `down` ends it.
    pub(crate) detached: bool,
    /// How the functions are built first; `None` takes them as the last build left them.
    pub(crate) build: Option<Profile>,
    /// A parameter of the template that is not what local clouds have.
    pub(crate) parameter: Option<(&'static str, String)>,
}

/// A running local cloud. Dropping it ends it, unless it was started detached.
#[derive(Debug)]
pub(crate) struct LocalCloud {
    /// Addresses, names and credentials.
    pub(crate) facts: Facts,
    name: &'static str,
    server: Server,
    facts_file: PathBuf,
    detached: bool,
}

// === impl StartOptions ===

impl StartOptions {
    /// What `up` starts: its facts are in `target/local-cloud.json`.
    pub(crate) fn up(repo: &Repo, detached: bool) -> Self {
        Self { name: "up", facts_file: facts_file(repo), detached, build: Some(Profile::Dev), parameter: None }
    }

    /// A cloud for the length of one command, beside whatever `up` runs.
    pub(crate) fn for_command(repo: &Repo, name: &'static str) -> Self {
        let facts_file = repo.target("local-cloud").join(name).join("facts.json");
        Self { name, facts_file, detached: false, build: Some(Profile::Dev), parameter: None }
    }
}

// === impl LocalCloud ===

impl LocalCloud {
    /// Builds the functions, starts the server, deploys, and writes the facts.
    pub(crate) fn start(repo: &Repo, options: &StartOptions) -> Result<Self> {
        refuse_a_second(repo, &options.facts_file)?;
        if let Some(profile) = options.build {
            functions::build(repo, profile)?;
        }
        let requirements = repo.root().join("tools/xtask/local_cloud/requirements.txt");
        let venv = Venv::ensure(&repo.target("local-cloud/venv"), &requirements)?;
        let dir = repo.target("local-cloud").join(options.name);
        recreate(&dir)?;
        let server = say::waiting("starting the local cloud", || {
            Server::start(repo, &venv, &dir, &options.facts_file, options.detached)
        })?;
        // From here on an early return drops the server, which ends it.
        let deployed = say::waiting("deploying infra/template.yaml", || {
            deploy::deploy(repo, &venv, &server, options.parameter.as_ref())
        })?;
        let facts = Facts::new(deployed, &server)?;
        facts.write(&options.facts_file)?;
        Ok(Self {
            facts,
            name: options.name,
            server,
            facts_file: options.facts_file.clone(),
            detached: options.detached,
        })
    }

    /// Where the facts are written: what a test run gets as `LOCAL_CLOUD_FILE`.
    pub(crate) fn facts_file(&self) -> &Path {
        &self.facts_file
    }

    /// Sends the calls of functions, by their logical ids in the template, through a proxy (`cargo xtask faults`).
    pub(crate) fn reroute(&self, repo: &Repo, routes: &BTreeMap<String, String>) -> Result<()> {
        let requirements = repo.root().join("tools/xtask/local_cloud/requirements.txt");
        let venv = Venv::ensure(&repo.target("local-cloud/venv"), &requirements)?;
        reroute::reroute(repo, &venv, &self.server.endpoint(), routes)
    }

    /// Where it keeps everything of its own.
    pub(crate) fn dir(&self, repo: &Repo) -> PathBuf {
        repo.target("local-cloud").join(self.name)
    }

    /// Whether the server is still there.
    pub(crate) fn is_running(&mut self) -> bool {
        self.server.is_running()
    }
}

impl Drop for LocalCloud {
    fn drop(&mut self) {
        if self.detached {
            self.server.leave_running();
        } else {
            let _ = fs::remove_file(&self.facts_file);
        }
    }
}

/// Where `up` writes its facts.
pub(crate) fn facts_file(repo: &Repo) -> PathBuf {
    repo.target("local-cloud.json")
}

/// Ends the local cloud a facts file tells of. Answers whether there was one.
pub(crate) fn stop(repo: &Repo, facts_file: &Path) -> Result<bool> {
    let server = server_of(repo, facts_file);
    if let Some(pid) = server {
        process::end_group(pid, || false);
    }
    remove(facts_file)?;
    Ok(server.is_some())
}

fn refuse_a_second(repo: &Repo, facts_file: &Path) -> Result<()> {
    if let Some(pid) = server_of(repo, facts_file) {
        bail!(
            "a local cloud is already running (process {pid}, see {}): use it, or end it with `cargo xtask down`",
            facts_file.display()
        );
    }
    remove(facts_file)
}

/// The running server a facts file tells of, whatever version wrote the file. A process id is reused in time: only a
/// process that runs our serve.py, from this checkout, counts.
fn server_of(repo: &Repo, facts_file: &Path) -> Option<u32> {
    let facts: serde_json::Value = serde_json::from_slice(&fs::read(facts_file).ok()?).ok()?;
    let pid = facts.get("pid")?.as_u64().and_then(|pid| u32::try_from(pid).ok())?;
    process::runs(pid, &server::script(repo)).then_some(pid)
}

fn remove(facts_file: &Path) -> Result<()> {
    fs::remove_file(facts_file).or_else(gone_is_fine).with_context(|| format!("cannot remove {}", facts_file.display()))
}

fn recreate(dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).or_else(gone_is_fine).with_context(|| format!("cannot empty {}", dir.display()))?;
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))
}

fn gone_is_fine(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
