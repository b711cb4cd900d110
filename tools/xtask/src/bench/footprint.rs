//! Size and memory of each function.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::functions;
use crate::local_cloud::LocalCloud;
use crate::repo::Repo;
use crate::run;

/// A function's size, and what it holds in memory after it was used.
#[derive(Debug, Serialize)]
pub(super) struct Footprint {
    pub(super) name: String,
    pub(super) binary_kib: u64,
    /// Resident set; `None` where no process of it is found (not on Linux, or it was never called).
    pub(super) rss_kib: Option<u64>,
    /// What of it is not the binary's own pages.
    pub(super) own_kib: Option<u64>,
}

struct Process {
    id: String,
    /// Its name in Lambda.
    function: String,
    rss_kib: u64,
    own_kib: u64,
}

pub(super) fn measure(repo: &Repo, cloud: &LocalCloud) -> Result<Vec<Footprint>> {
    let processes = processes(&cloud.dir(repo));
    let functions = cloud.facts.functions.iter().map(|function| {
        let bootstrap = functions::packages(repo).join(&function.package).join("bootstrap");
        let bytes = fs::metadata(&bootstrap).with_context(|| format!("{} is missing", bootstrap.display()))?.len();
        // The largest of its instances.
        let largest = processes.iter().filter(|process| process.function == function.name).max_by_key(|p| p.rss_kib);
        let (rss_kib, own_kib) = (largest.map(|p| p.rss_kib), largest.map(|p| p.own_kib));
        Ok(Footprint { name: function.package.clone(), binary_kib: bytes / 1_024, rss_kib, own_kib })
    });
    functions.collect()
}

/// The memory of one function's largest instance, KiB.
pub(super) fn rss_of(repo: &Repo, cloud: &LocalCloud, package: &str) -> Option<u64> {
    let name = &cloud.facts.functions.iter().find(|function| function.package == package)?.name;
    let processes = processes(&cloud.dir(repo));
    processes.iter().filter(|process| process.function == *name).map(|process| process.rss_kib).max()
}

/// Ends every instance of one function as a machine that fails does: with SIGKILL. Answers how many there were.
pub(super) fn kill(repo: &Repo, cloud: &LocalCloud, package: &str) -> Result<usize> {
    let function = cloud.facts.functions.iter().find(|function| function.package == package);
    let name = &function.with_context(|| format!("no function {package}"))?.name;
    let processes = processes(&cloud.dir(repo));
    let ids: Vec<&str> = processes.iter().filter(|process| process.function == *name).map(|p| p.id.as_str()).collect();
    if !ids.is_empty() {
        run::run(Command::new("kill").arg("-KILL").args(&ids))?;
    }
    Ok(ids.len())
}

/// Every running function whose binary lies below `dir` (another local cloud may run beside this one), as Linux tells it.
fn processes(dir: &Path) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let read = |entry: fs::DirEntry| {
        fs::read_link(entry.path().join("exe")).ok().filter(|binary| binary.starts_with(dir))?;
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let name = environment.split('\0').find_map(|line| line.strip_prefix("AWS_LAMBDA_FUNCTION_NAME="))?;
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let kib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        let id = entry.file_name().into_string().ok()?;
        Some(Process { id, function: name.to_owned(), rss_kib: kib("VmRSS:")?, own_kib: kib("RssAnon:")? })
    };
    entries.flatten().filter_map(read).collect()
}
