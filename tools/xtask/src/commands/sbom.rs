//! `sbom`: what each function, and `revokectl`, is made of.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::cargo_tools::CYCLONEDX;
use crate::functions::ALL;
use crate::repo::Repo;
use crate::{run, say};

/// The name of the files while they lie beside the manifests, where cargo-cyclonedx writes them.
const BESIDE: &str = "xtask-sbom";
/// The command line that is handed out besides the functions.
const REVOKECTL: &str = "revokectl";

/// Write a software bill of materials (`CycloneDX` 1.5, JSON) for each function and revokectl into target/sbom/.
///
/// What is linked for the target, without what only builds. Of one commit always the same, wherever it is checked out.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the functions are built for.
    #[arg(long, default_value = "aarch64-unknown-linux-gnu")]
    target: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let cyclonedx = CYCLONEDX.ensure(&repo)?;
    let mut command = Command::new(cyclonedx);
    command.current_dir(repo.root()).env("SOURCE_DATE_EPOCH", commit_time(&repo)?);
    command.args([CYCLONEDX.subcommand(), "--format", "json", "--spec-version", "1.5", "--no-build-deps", "-qq"]);
    command.args(["--target", &args.target, "--override-filename", BESIDE]);
    let written = run::run(&mut command);
    let placed = place(&repo);
    written.and(placed)
}

/// Moves the functions' files to `target/sbom`, and takes the others away.
fn place(repo: &Repo) -> Result<()> {
    let dir = repo.target("sbom");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().current_dir(repo.root()).exec()?;
    let mut count = 0;
    for package in metadata.workspace_packages() {
        let file = package.manifest_path.with_file_name(format!("{BESIDE}.json"));
        let Ok(text) = fs::read_to_string(&file) else { continue };
        fs::remove_file(&file).with_context(|| format!("cannot remove {file}"))?;
        let name = package.name.to_string();
        if ALL.contains(&name.as_str()) || name == REVOKECTL {
            let (components, text) = without_our_folder(&text, repo.root())?;
            let to = dir.join(format!("{name}.cdx.json"));
            fs::write(&to, text).with_context(|| format!("cannot write {}", to.display()))?;
            say::line(format_args!("{name:<20} {components} components"));
            count += 1;
        }
    }
    ensure!(count == ALL.len() + 1, "{count} bills for {} programs", ALL.len() + 1);
    say::step(format_args!("written to {}", dir.display()));
    Ok(())
}

/// The bill without where this checkout lies, which would make it another one on every machine, and how many components
/// it has.
fn without_our_folder(text: &str, root: &Path) -> Result<(usize, String)> {
    let text = text.replace(&format!("file://{}/", root.display()), "file:///");
    let bill: Value = serde_json::from_str(&text).context("the bill is no JSON")?;
    let components = bill.get("components").and_then(Value::as_array).map_or(0, Vec::len);
    ensure!(components > 0, "a bill without components");
    Ok((components, text))
}

/// Epoch seconds of the commit.
fn commit_time(repo: &Repo) -> Result<String> {
    let mut git = Command::new("git");
    git.current_dir(repo.root()).args(["log", "-1", "--format=%ct"]);
    Ok(run::capture(&mut git).context("this is no git checkout")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_does_not_say_where_it_was_written() {
        let bill = r#"{"components":[{"bom-ref":"path+file:///home/jane/repo/shared/core#revocation-core@0.1.0"}]}"#;
        let (components, text) = without_our_folder(bill, Path::new("/home/jane/repo")).unwrap();
        assert_eq!(components, 1);
        assert!(text.contains("path+file:///shared/core#") && !text.contains("jane"), "{text}");
    }

    #[test]
    fn a_bill_without_components_is_none() {
        assert!(without_our_folder(r#"{"components":[]}"#, Path::new("/")).is_err());
        assert!(without_our_folder("{", Path::new("/")).is_err());
    }
}
