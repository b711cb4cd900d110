//! Running other programs.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail, ensure};

use crate::repo::Repo;
use crate::say;

/// Cargo in the repository, without what the Cargo that runs xtask says of xtask's own package: build scripts that look at
/// it (ring's does) would be run anew by every change between the two.
pub(crate) fn cargo(repo: &Repo) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(repo.root());
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_MANIFEST_LINKS"].into_iter().chain(OF_A_PACKAGE) {
        cargo.env_remove(name);
    }
    cargo
}

/// Cargo building some targets (`--bin NAME`, `--example NAME`) for use on this machine. They are selected out of the whole
/// workspace, with an example, which has dev-dependencies, as the tests have: Cargo turns on what the selected packages ask
/// of a crate they share, so that any other selection is another set of features, for which it compiles the AWS SDK anew.
pub(crate) fn build(repo: &Repo) -> Command {
    let mut cargo = cargo(repo);
    cargo.args(["build", "--workspace", "--example", "sample_report"]);
    cargo
}

/// The variables that `cargo run` sets about a package.
const OF_A_PACKAGE: [&str; 14] = [
    "CARGO_PKG_AUTHORS",
    "CARGO_PKG_DESCRIPTION",
    "CARGO_PKG_HOMEPAGE",
    "CARGO_PKG_LICENSE",
    "CARGO_PKG_LICENSE_FILE",
    "CARGO_PKG_NAME",
    "CARGO_PKG_README",
    "CARGO_PKG_REPOSITORY",
    "CARGO_PKG_RUST_VERSION",
    "CARGO_PKG_VERSION",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// Runs a command to its end with our terminal; fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command and answers its standard output; its standard error becomes part of the failure.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{} failed ({}):\n{}", shown(command), output.status, said.trim_end());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no UTF-8", shown(command)))
}

/// Runs a command with this as its standard input and answers its output.
pub(crate) fn capture_with_input(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .with_context(|| format!("cannot start {}: is it installed?", shown(command)))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes()).with_context(|| format!("{} does not read", shown(command)))?;
    }
    let output = child.wait_with_output().with_context(|| format!("lost {}", shown(command)))?;
    ensure!(output.status.success(), "{} failed", shown(command));
    String::from_utf8(output.stdout).with_context(|| format!("{} printed no text", shown(command)))
}

/// Whether a command exists and succeeds, said quietly.
pub(crate) fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What a test run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that passed.
    pub(crate) passed: u64,
    /// Tests that failed.
    pub(crate) failed: u64,
}

/// Runs a test command, shows what it says as it says it, and counts. Answers whether it succeeded.
pub(crate) fn tests(command: &mut Command) -> Result<(bool, Tally)> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let tally = thread::scope(|scope| {
        let err = scope.spawn(|| err.map(follow).unwrap_or_default());
        let out = out.map(follow).unwrap_or_default();
        let err = err.join().unwrap_or_default();
        Tally { passed: out.passed + err.passed, failed: out.failed + err.failed }
    });
    let status = child.wait().with_context(|| format!("lost {}", shown(command)))?;
    Ok((status.success(), tally))
}

/// Repeats a stream line by line and adds up its summaries.
fn follow(stream: impl Read) -> Tally {
    let mut tally = Tally::default();
    for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        say::line(&line);
        if let Some(found) = summary(&line) {
            tally.passed += found.passed;
            tally.failed += found.failed;
        }
    }
    tally
}

/// Reads `test result: ok. 3 passed; 1 failed; …`.
fn summary(line: &str) -> Option<Tally> {
    let line = line.trim_start();
    if !line.starts_with("test result:") {
        return None;
    }
    let words: Vec<&str> = line.split([' ', ',', ';', '(', ')']).filter(|word| !word.is_empty()).collect();
    let before = |name: &str| {
        let numbers = words.windows(2).filter_map(|pair| match pair {
            [number, word] if *word == name => number.parse::<u64>().ok(),
            _ => None,
        });
        numbers.sum()
    };
    Some(Tally { passed: before("passed"), failed: before("failed") })
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let mut text = format!("`{}", command.get_program().to_string_lossy());
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text.push('`');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_summary_of_cargo_test() {
        let line = "test result: FAILED. 12 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!(summary(line), Some(Tally { passed: 12, failed: 2 }));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(summary("test tests::passed ... ok"), None);
    }
}
