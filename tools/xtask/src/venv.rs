//! Python virtual environments, made from a pinned requirements file and re-made only when it changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{run, say};

/// The oldest Python the pinned packages support.
const OLDEST: (u32, u32) = (3, 11);
/// A copy of the requirements the environment was made from; written last, so a broken one is made again.
const STAMP: &str = "made-from.txt";

/// A ready virtual environment.
#[derive(Clone, Debug)]
pub(crate) struct Venv {
    dir: PathBuf,
}

// === impl Venv ===

impl Venv {
    /// Makes `dir` hold exactly what `requirements` pins.
    pub(crate) fn ensure(dir: &Path, requirements: &Path) -> Result<Self> {
        let wanted =
            fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
        let venv = Self { dir: dir.to_owned() };
        let stamp = dir.join(STAMP);
        if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == wanted) && run::works(&mut venv.version()) {
            return Ok(venv);
        }
        let python = python()?;
        if dir.exists() {
            fs::remove_dir_all(dir).with_context(|| format!("cannot remove the outdated {}", dir.display()))?;
        }
        say::waiting("making a Python environment (first time, or its requirements changed)", || {
            run::capture(Command::new(python).args(["-m", "venv"]).arg(dir)).context(
                "Python cannot make virtual environments; on Debian and Ubuntu `apt install python3-venv` mends that",
            )?;
            run::capture(
                venv.python()
                    .args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet", "-r"])
                    .arg(requirements),
            )
            .context("pip could not install the pinned packages; is PyPI, or your mirror of it, reachable?")
        })?;
        fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
        Ok(venv)
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> Command {
        Command::new(self.interpreter())
    }

    /// The path of its interpreter.
    pub(crate) fn interpreter(&self) -> PathBuf {
        self.dir.join("bin/python")
    }

    /// A program installed into it.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.dir.join("bin").join(name))
    }

    fn version(&self) -> Command {
        let mut command = self.python();
        command.arg("--version");
        command
    }
}

/// The Python to make environments with.
fn python() -> Result<&'static str> {
    const ASK: &str = "import sys; print(sys.version_info[0], sys.version_info[1])";
    let mut too_old = None;
    for name in ["python3", "python"] {
        let Ok(answer) = run::capture(Command::new(name).args(["-c", ASK])) else { continue };
        let mut numbers = answer.split_whitespace().filter_map(|word| word.parse::<u32>().ok());
        let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
        if version >= OLDEST {
            return Ok(name);
        }
        too_old = Some(version);
    }
    let (major, minor) = OLDEST;
    match too_old {
        Some((found_major, found_minor)) => {
            bail!("Python {found_major}.{found_minor} is too old: install Python {major}.{minor} or later as `python3`")
        }
        None => bail!("no Python found: install Python {major}.{minor} or later, with venv, as `python3`"),
    }
}
