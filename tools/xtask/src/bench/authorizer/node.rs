//! The Node peer (`tools/xtask/bench/peer-node`), installed from its lock file and bundled; made anew only when it changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::repo::Repo;
use crate::venv::Venv;
use crate::{run, say};

/// The oldest Node the pinned packages support.
const OLDEST: u32 = 20;
const SOURCES: [&str; 4] = ["package.json", "package-lock.json", "authorizer.mjs", "loop.mjs"];
/// What it was made from; written last.
const STAMP: &str = "made-from.txt";

/// The peer, ready to run.
pub(super) struct NodePeer {
    /// Starts it.
    pub(super) command: Vec<String>,
    /// Of Node, and of the runtime client.
    pub(super) description: String,
    /// The folder of the bundle: its `LAMBDA_TASK_ROOT`.
    pub(super) bundle: PathBuf,
    /// Of the bundle, which is what would go to AWS.
    pub(super) bytes: u64,
}

pub(super) fn prepare(repo: &Repo) -> Result<NodePeer> {
    let (node, version) = node()?;
    let dir = repo.target("bench/peer-node");
    installed(repo, "peer-node", &SOURCES, &version, "installing the Node peer", || {
        npm_ci(&dir, None)?;
        run::capture(Command::new("npm").current_dir(&dir).args(["run", "build"]))
            .context("it cannot be bundled")
            .map(drop)
    })
    .context("npm could not install the peer; is the registry, or your mirror of it, reachable?")?;
    let bundle = dir.join("dist");
    let file = bundle.join("authorizer.mjs");
    let bytes = fs::metadata(&file).with_context(|| format!("{} is missing", file.display()))?.len();
    let (program, client) = match runtime_client(repo, &version) {
        Ok(program) => (program, "aws-lambda-ric"),
        Err(error) => {
            say::step(format_args!(
                "a plain loop stands in for aws-lambda-ric, which cannot be installed here: {error:#}"
            ));
            (bundle.join("loop.mjs"), "a plain loop, since aws-lambda-ric could not be installed")
        }
    };
    let command = vec![node, program.display().to_string()];
    Ok(NodePeer { command, description: format!("{version}, {client}"), bundle, bytes })
}

/// AWS's own runtime client. It brings libcurl and a C++ library in source: it needs a compiler, make, and `cmake`, which alone
/// is rarely there and is installed like a Python package.
fn runtime_client(repo: &Repo, version: &str) -> Result<PathBuf> {
    let dir = repo.target("bench/node-runtime");
    let sources = ["package.json", "package-lock.json"];
    installed(repo, "node-runtime", &sources, version, "compiling Node's runtime client (minutes, once)", || {
        if run::works(Command::new("cmake").arg("--version")) {
            return npm_ci(&dir, None);
        }
        let venv = Venv::ensure(&repo.target("bench/cmake"), &repo.root().join("tools/xtask/bench/requirements.txt"))?;
        npm_ci(&dir, venv.interpreter().parent())
    })?;
    let client = dir.join("node_modules/aws-lambda-ric");
    // An npm that does not run install scripts leaves it out without a word.
    ensure!(client.join("rapid-client.node").exists(), "it was installed, but not compiled");
    Ok(client.join("index.mjs"))
}

/// Copies a folder of `tools/xtask/bench` to `target/bench` and has it installed there, unless it was and is the same.
fn installed(
    repo: &Repo,
    name: &str,
    sources: &[&str],
    version: &str,
    what: &str,
    install: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let (from, dir) = (repo.root().join("tools/xtask/bench").join(name), repo.target("bench").join(name));
    let mut wanted = version.to_owned();
    for source in sources {
        let path = from.join(source);
        wanted += &fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    }
    let stamp = dir.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) {
        return Ok(());
    }
    if dir.exists() {
        fs::remove_dir_all(&dir).with_context(|| format!("cannot remove the outdated {}", dir.display()))?;
    }
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    for source in sources {
        fs::copy(from.join(source), dir.join(source)).with_context(|| format!("cannot copy {source}"))?;
    }
    say::waiting(what, install)?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))
}

/// Installs what the lock file says, with a folder of programs besides.
fn npm_ci(dir: &Path, programs: Option<&Path>) -> Result<()> {
    let mut npm = Command::new("sh");
    npm.current_dir(dir).args(["-c", "PATH=\"$PATH:$1\" exec npm ci --no-audit --no-fund", "sh"]);
    run::capture(npm.arg(programs.unwrap_or(Path::new("/usr/bin")))).map(drop)
}

/// Node's own path, since instances get no `PATH`, and its version.
fn node() -> Result<(String, String)> {
    let ask = "console.log(process.execPath); console.log(process.version)";
    let answer = run::capture(Command::new("node").args(["-e", ask])).context("install Node.js 20 or later")?;
    let Some((path, version)) = answer.trim().split_once('\n') else { bail!("Node answered something else") };
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_none_or(|major| major < OLDEST) {
        bail!("Node {version} is too old: install Node.js {OLDEST} or later");
    }
    Ok((path.to_owned(), format!("Node {version}")))
}
