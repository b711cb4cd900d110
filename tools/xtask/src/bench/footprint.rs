//! Size and memory of each function.

use std::fs;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::functions;
use crate::local_cloud::LocalCloud;
use crate::repo::Repo;

/// A function's size, and what it holds in memory after it was used.
#[derive(Debug, Serialize)]
pub(super) struct Footprint {
    pub(super) name: String,
    pub(super) binary_kib: u64,
    /// Resident set; `None` where no process of it is found (not on Linux, or it was never called).
    pub(super) rss_kib: Option<u64>,
}

pub(super) fn measure(repo: &Repo, cloud: &LocalCloud) -> Result<Vec<Footprint>> {
    let processes = processes();
    let functions = cloud.facts.functions.iter().map(|function| {
        let bootstrap = functions::packages(repo).join(&function.package).join("bootstrap");
        let bytes = fs::metadata(&bootstrap).with_context(|| format!("{} is missing", bootstrap.display()))?.len();
        // The largest of its instances.
        let rss = processes.iter().filter(|(name, _)| *name == function.name).map(|(_, rss)| *rss).max();
        Ok(Footprint { name: function.package.clone(), binary_kib: bytes / 1_024, rss_kib: rss })
    });
    functions.collect()
}

/// Every running function of this user by its name in Lambda, with its resident set in KiB, as Linux tells it.
fn processes() -> Vec<(String, u64)> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let read = |entry: fs::DirEntry| {
        let environment = fs::read(entry.path().join("environ")).ok()?;
        let environment = String::from_utf8_lossy(&environment).into_owned();
        let name = environment.split('\0').find_map(|line| line.strip_prefix("AWS_LAMBDA_FUNCTION_NAME="))?;
        let status = fs::read_to_string(entry.path().join("status")).ok()?;
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some((name.to_owned(), rss.trim().trim_end_matches(" kB").parse().ok()?))
    };
    entries.flatten().filter_map(read).collect()
}
