//! A proxy between the functions and the services, through `reroute.py`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use super::deploy::STACK;
use super::server::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY};
use crate::repo::Repo;
use crate::run;
use crate::venv::Venv;

/// A message whose function died is seen again after this, seconds: no sooner than the functions' time limit of 20 s, so that no
/// delivery meets another that is still at work. The template's is 120.
const VISIBILITY: &str = "21";
/// Invocations of a function at once.
const AT_ONCE: &str = "12";

/// Sends what `routes` names, by the functions' logical ids, through proxies.
pub(super) fn reroute(repo: &Repo, venv: &Venv, endpoint: &str, routes: &BTreeMap<String, String>) -> Result<()> {
    let routes = serde_json::to_string(routes).context("routes are JSON")?;
    let mut command = venv.python();
    command
        .arg(repo.root().join("tools/xtask/local_cloud/reroute.py"))
        .args(["--endpoint", endpoint, "--stack", STACK, "--routes", &routes])
        .args(["--visibility", VISIBILITY, "--at-once", AT_ONCE])
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_REGION", REGION);
    run::capture(&mut command).map(drop).context("the functions cannot be sent through the proxy")
}
