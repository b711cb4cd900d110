//! What we are built of: where it comes from, and that none of ours is `unsafe`.

use std::collections::BTreeSet;
use std::fs;

use crate::sources::root;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn lock_files() -> [String; 2] {
    ["Cargo.lock", "fuzz/Cargo.lock"].map(|path| fs::read_to_string(root().join(path)).unwrap())
}

/// A package without a source is one of ours; every other comes from crates.io, as the checksum says it was.
#[test]
fn the_dependencies_come_from_one_registry_with_their_checksums() {
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().current_dir(root()).exec().unwrap();
    let members = metadata.workspace_packages().into_iter().map(|package| package.name.to_string());
    let ours: BTreeSet<String> = members.chain(["revocation-fuzz".to_owned()]).collect();
    for lock in lock_files() {
        let packages: Vec<_> = lock.split("[[package]]").skip(1).collect();
        assert!(packages.len() > 50);
        for package in packages {
            let member = |name: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")));
                line.map(|value| value.trim_end_matches('"').to_owned())
            };
            let name = member("name").unwrap();
            let Some(source) = member("source") else {
                assert!(ours.contains(&name), "{name} has no source, and is none of ours");
                continue;
            };
            assert_eq!(source, REGISTRY, "{name}");
            assert_eq!(member("checksum").map(|sum| sum.len()), Some(64), "{name}");
        }
    }
}

/// Every crate of the workspace takes its lints from there, and there it stands.
#[test]
fn unsafe_code_is_forbidden_everywhere() {
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
    let metadata = cargo_metadata::MetadataCommand::new().no_deps().current_dir(root()).exec().unwrap();
    let members = metadata.workspace_packages();
    assert!(members.len() > 20);
    for package in members {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
    }
}
