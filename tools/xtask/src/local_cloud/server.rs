//! The server process: started from a clean environment, watched, and ended with everything it started.

use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::process;
use crate::repo::Repo;
use crate::venv::Venv;

/// The Region the local cloud plays.
pub(super) const REGION: &str = "us-east-1";
/// Root credentials of the local account. They open nothing but this server.
pub(super) const ACCESS_KEY_ID: &str = "test";
/// See [`ACCESS_KEY_ID`].
pub(super) const SECRET_ACCESS_KEY: &str = "test";

const STARTS_WITHIN: Duration = Duration::from_mins(1);

/// A running server. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    port: u16,
    log: PathBuf,
    leave: bool,
}

/// The wrapper that starts MiniStack.
pub(super) fn script(repo: &Repo) -> PathBuf {
    repo.root().join("tools/xtask/local_cloud/serve.py")
}

// === impl Server ===

impl Server {
    /// Starts the server and waits until it answers.
    pub(super) fn start(repo: &Repo, venv: &Venv, dir: &Path, facts_file: &Path, detached: bool) -> Result<Self> {
        let port = free_port()?;
        let log = dir.join("ministack.log");
        let output = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = venv.python();
        command.arg(script(repo)).arg("--facts").arg(facts_file);
        if detached {
            command.stdin(Stdio::null());
        } else {
            // The pipe closes when this process ends, however it ends; the server then ends too.
            command.arg("--while-stdin-is-open").stdin(Stdio::piped());
        }
        clean_environment(&mut command, dir, port)?;
        let child = command
            // A group of its own: Ctrl-C reaches us alone, and its functions end with it.
            .process_group(0)
            .current_dir(dir)
            .stdout(output.try_clone().context("cannot share the log file")?)
            .stderr(output)
            .spawn()
            .context("cannot start the local cloud's Python; remove target/local-cloud/venv and try again")?;
        let mut server = Self { child, port, log, leave: false };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// Where it listens.
    pub(super) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its process, which leads its group.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it writes.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Whether it is still there.
    pub(super) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// From now on dropping this does not end the server.
    pub(super) fn leave_running(&mut self) {
        self.leave = true;
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let url = format!("{}/_ministack/health", self.endpoint());
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(2))).build().into();
        let start = Instant::now();
        while start.elapsed() < STARTS_WITHIN {
            if agent.get(&url).call().is_ok() {
                return Ok(());
            }
            if !self.is_running() {
                bail!(
                    "the local cloud ended while starting; the end of {}:\n{}",
                    self.log.display(),
                    self.last_lines()
                );
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!("the local cloud did not answer within {STARTS_WITHIN:?}; see {}", self.log.display())
    }

    fn last_lines(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last: Vec<&str> = lines.iter().skip(lines.len().saturating_sub(15)).copied().collect();
        last.join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.leave {
            return;
        }
        // By group: the functions are its children. Its own way out removes the facts file as well.
        process::end_group(self.child.id(), || !matches!(self.child.try_wait(), Ok(None)));
        let _ = self.child.wait();
    }
}

/// Only what is needed: functions inherit the server's whole environment, and nothing of the developer's account may
/// reach them.
fn clean_environment(command: &mut Command, dir: &Path, port: u16) -> Result<()> {
    let (home, tmp) = (dir.join("home"), dir.join("tmp"));
    for path in [&home, &tmp] {
        fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", home)
        .env("TMPDIR", tmp)
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{port}"))
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_REGION", REGION)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("MINISTACK_REGION", REGION)
        .env("GATEWAY_PORT", port.to_string())
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        // Sign-outs invalidate tokens, and roles' policies are enforced, only with this.
        .env("AUTH", "true")
        // Further listeners of MiniStack's, of no use here.
        .env("IOT_MTLS_ENABLED", "0")
        .env("SFTP_ENABLED", "0");
    Ok(())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on the loopback interface")?;
    Ok(listener.local_addr().context("no free port on the loopback interface")?.port())
}
