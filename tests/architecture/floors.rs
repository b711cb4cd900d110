//! A crate depends only on lower floors (ARCHITECTURE.md), and only the workspace chooses versions.

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

use crate::sources::root;

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().manifest_path(root().join("Cargo.toml")).no_deps().exec().unwrap();
    metadata.packages
}

/// Where a crate stands. Crates on one floor do not know each other.
fn floor(package: &str) -> u8 {
    match package {
        "revocation-core" => 1,
        "revocation-report" | "revocation-scim" | "revocation-sources" | "revocation-verify" => 2,
        "revocation-aws" | "revocation-lambda" | "revocation-store" | "revocation-testkit" => 3,
        "revocation-edge" | "revocation-enforce" | "revocation-tower" => 4,
        "audit-chain" | "authorizer" | "bulk" | "canary" | "compromise-counter" | "introspect" | "intake-partner"
        | "intake-role-change" | "intake-scim" | "intake-siem" | "notify" | "report" | "revoke" | "siem-feed"
        | "sign-out" | "sweeper" | "token-gate" => 5,
        "bench-harness" | "fault-proxy" | "revocation-model" | "revocation-probe" | "revokectl" => 6,
        "xtask" => 7,
        "tests" => 8,
        other => panic!("`{other}` has no floor yet: give it one here, and in ARCHITECTURE.md"),
    }
}

#[test]
fn a_crate_depends_only_on_lower_floors() {
    let packages = packages();
    let names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    for package in &packages {
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            if names.contains(&dependency.name.as_str()) {
                let edge = format!("{} → {}", package.name, dependency.name);
                assert!(floor(&dependency.name) < floor(&package.name), "forbidden edge: {edge}");
            }
        }
    }
}

#[test]
fn fakes_are_never_part_of_a_build() {
    for package in packages() {
        for dependency in package.dependencies.iter().filter(|d| d.name == "revocation-testkit") {
            assert_eq!(dependency.kind, DependencyKind::Development, "{} ships the fakes", package.name);
        }
    }
}

#[test]
fn the_domain_knows_no_vendor() {
    let packages = packages();
    let vendors = ["aws", "lambda", "tokio", "hyper", "ureq", "reqwest"];
    for package in packages.iter().filter(|p| ["revocation-core", "revocation-verify"].contains(&p.name.as_str())) {
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            // The key cache of `verify` needs an asynchronous lock, a task and a timer; nothing of tokio's I/O.
            let no_io = package.name == "revocation-verify" && dependency.name == "tokio";
            let vendor = vendors.iter().any(|vendor| dependency.name.starts_with(vendor));
            assert!(no_io || !vendor, "{} depends on {}", package.name, dependency.name);
        }
    }
}

#[test]
fn every_crate_follows_the_workspace() {
    for package in packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
        let mut in_dependencies = false;
        for line in manifest.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies]");
            } else if in_dependencies && line.contains('=') && !line.trim_start().starts_with('#') {
                assert!(line.contains("workspace = true"), "{}: `{line}` chooses a version of its own", package.name);
            }
        }
    }
}
