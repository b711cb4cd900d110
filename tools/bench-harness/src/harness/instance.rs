//! One instance of a function: its process, its Runtime API, what it uses. It ends with the value.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Deserialize;

use crate::harness::runtime_api::RuntimeApi;

/// What is measured: a program that asks a Runtime API for events.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) command: Vec<String>,
    /// All of its environment. `{store}`, `{authority}` and `{roots}` stand for what the harness has made, `{api}`, here
    /// and in the command, for the address of the Runtime API.
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    /// Invocations before any are counted.
    pub(crate) warm_ups: usize,
    /// Whether it reads the store: once for each invocation.
    pub(crate) reads: bool,
}

/// A running instance.
pub(crate) struct Instance {
    child: Child,
    pub(crate) api: RuntimeApi,
    /// When its process was started.
    pub(crate) started: Instant,
}

// === impl Instance ===

impl Instance {
    /// Starts it on a core, or wherever there is room. What it says goes to a file in `dir`.
    pub(crate) fn start(variant: &Variant, event: &str, core: Option<usize>, dir: &Path) -> Result<Self> {
        let api = RuntimeApi::start(event)?;
        let address = api.address().to_string();
        let filled = |text: &String| text.replace("{api}", &address);
        let mut words = variant.command.iter().map(filled);
        let log = dir.join(format!("{}.log", variant.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-")));
        let log = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(words.next().context("a variant without a command")?);
        command.args(words).env_clear().envs(variant.env.iter().map(|(name, value)| (name, filled(value))));
        command.stdin(Stdio::null()).stdout(log.try_clone().context("no second handle")?).stderr(log);
        let started = Instant::now();
        let child = on_core(core, || command.spawn())?.with_context(|| format!("cannot start {}", variant.name))?;
        Ok(Self { child, api, started })
    }

    /// Runs `count` invocations.
    pub(crate) fn run(&self, count: usize, patience: Duration) -> Result<Vec<Duration>> {
        self.api.run(count, patience)
    }

    /// The time its threads have spent on a core. Threads that have ended are missing in it: none of these programs end
    /// threads between two invocations.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).context("the instance has ended")?;
        let of_one = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        };
        let nanoseconds: u64 = tasks.flatten().filter_map(of_one).sum();
        ensure!(nanoseconds > 0, "this kernel keeps no /proc/<pid>/schedstat");
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// `VmRSS` and `RssAnon`, KiB.
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.child.id())).context("the instance has ended")?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).context("no memory in its status")
        };
        Ok((kib("VmRSS:")?, kib("RssAnon:")?))
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process")?;
        let process = pidfd_open(pid, PidfdFlags::empty()).context("the instance has ended")?;
        pidfd_send_signal(&process, signal).context("the instance cannot be signalled")
    }

    /// Asks it to end, and waits for that.
    pub(crate) fn end(mut self, patience: Duration) -> Result<()> {
        self.signal(Signal::TERM)?;
        let start = Instant::now();
        while self.child.try_wait().context("lost the instance")?.is_none() {
            if start.elapsed() > patience {
                bail!("the instance did not end within {} s", patience.as_secs());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Does something with this thread on a core; children and threads made in it stay there.
pub(crate) fn on_core<T>(core: Option<usize>, work: impl FnOnce() -> T) -> Result<T> {
    let Some(core) = core else { return Ok(work()) };
    let before = sched_getaffinity(None).context("no affinity")?;
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).with_context(|| format!("cannot use core {core}"))?;
    let result = work();
    sched_setaffinity(None, &before).context("cannot leave the core")?;
    Ok(result)
}
