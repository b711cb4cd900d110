//! A real browser for the tests of pages: Chromium, from the machine or from its package manager.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{run, say};

/// What it is called, by distributions.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The browser's program; installed where it is missing and Debian's packages are at hand.
pub(crate) fn chromium() -> Result<&'static str> {
    if let Some(name) = installed() {
        return Ok(name);
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    if !run::works(&mut apt(&["--version"])) || !run::works(Command::new("test").args(["-w", "/var/lib/dpkg"])) {
        bail!("no Chromium: the report's page is tested in a real browser; install Chromium or Chrome");
    }
    say::waiting("installing Chromium (first time)", || {
        run::capture(&mut apt(&["update", "-qq"]))?;
        // Fonts for names in other scripts; without them they are boxes.
        run::capture(&mut apt(&["install", "-y", "-qq", "chromium", "fonts-noto-core", "fonts-dejavu-core"]))
            .context("apt-get could not install Chromium; is its archive, or your mirror of it, reachable?")
    })?;
    installed().context("Chromium is installed and does not start")
}

fn installed() -> Option<&'static str> {
    NAMES.into_iter().find(|name| run::works(Command::new(name).arg("--version")))
}
