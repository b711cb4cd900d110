//! What stands in the sources: purity of the core, sizes, words.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Every source file below a folder of the repository, with its text before the first inline test module.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    assert!(!found.is_empty(), "no sources in {folder}");
    found
}

fn walk(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test(&path) {
            let text = fs::read_to_string(&path).unwrap();
            let production = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
            found.push((path.strip_prefix(root()).unwrap().display().to_string(), production.to_owned()));
        }
    }
}

/// Test modules in files of their own: `tests.rs`, `attack_tests.rs`.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
}

fn production() -> Vec<(String, String)> {
    let all = ["shared", "functions", "tools"].into_iter().flat_map(sources);
    all.filter(|(path, _)| path.contains("/src/")).collect()
}

#[test]
fn the_core_does_no_io_and_reads_neither_clock_nor_environment() {
    let banned = [
        "std::env",
        "std::fs",
        "std::net",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "tokio::",
        "aws_",
        "lambda_",
    ];
    for (path, text) in sources("shared/core/src") {
        for word in banned {
            assert!(!code(&text).any(|line| line.contains(word)), "{path} uses {word}");
        }
    }
}

#[test]
fn the_domain_knows_no_port_and_a_port_no_use_case() {
    for (path, text) in sources("shared/core/src/domain") {
        assert!(!code(&text).any(|line| line.contains("crate::ports") || line.contains("crate::usecase")), "{path}");
    }
    for (path, text) in sources("shared/core/src/ports") {
        assert!(!code(&text).any(|line| line.contains("crate::usecase")), "{path}");
    }
}

#[test]
fn files_are_small() {
    for (path, text) in production() {
        let lines = text.lines().count();
        assert!(lines <= 300, "{path} has {lines} lines before its tests; 300 are the most");
        if path.starts_with("functions/") && path.ends_with("src/main.rs") {
            assert!(lines <= 40, "{path} has {lines} lines; a main is wiring, 40 are the most");
        }
    }
}

#[test]
fn a_function_is_read_in_175_lines() {
    for function in [
        "audit-chain",
        "authorizer",
        "compromise-counter",
        "intake-partner",
        "intake-role-change",
        "intake-scim",
        "intake-siem",
        "introspect",
        "notify",
        "report",
        "revoke",
        "siem-feed",
        "sign-out",
        "sweeper",
        "token-gate",
    ] {
        let read = |name: &str| {
            let (_, text) = sources(&format!("functions/{function}/src"))
                .into_iter()
                .find(|(path, _)| path.ends_with(&format!("src/{name}")))
                .unwrap();
            text.lines().count()
        };
        let lines = read("main.rs") + read("lib.rs");
        assert!(lines <= 175, "{function}: main.rs and lib.rs have {lines} lines together");
    }
}

/// Files in which what a sender shows is compared with what is known, and how.
const COMPARE: [(&str, &str); 4] = [
    ("shared/sources/src/authenticate/mod.rs", "hmac::verify("),
    ("shared/sources/src/authenticate/hex_signature.rs", "super::same("),
    ("shared/sources/src/authenticate/standard_webhooks.rs", "same(mac, expected"),
    ("functions/sign-out/src/client.rs", "digest(&SHA256, a"),
];

/// `==` on bytes ends at the first that differs, which tells how many were right. Secrets are compared by `ring`, as MACs or
/// digests of which nobody can choose a beginning.
#[test]
fn i11_secrets_and_signatures_are_compared_by_ring_alone() {
    let suspicious = ["secret", "signature", "mac", "tag", "password", "presented"];
    for (path, text) in production() {
        let known = COMPARE.iter().find(|(known, _)| *known == path);
        assert!(known.is_none_or(|(_, how)| text.contains(how)), "{path} no longer compares by ring");
        // A MAC is made to be compared, unless one signs as a client, or hashes what is not to be read.
        let makes = code(&text).any(|line| line.contains("hmac::sign(") || line.contains("hmac::Context"));
        let else_why = [
            "tools/probe/",
            "functions/canary/src/intake",
            "shared/store/src/signer",
            "shared/store/src/ledger/personal_data",
        ];
        let harmless = else_why.iter().any(|known| path.starts_with(known));
        assert!(!makes || harmless || known.is_some(), "{path} makes a MAC");
        let guarded = path.contains("/authenticate/") || path.contains("/keyring") || path.contains("/client");
        for line in code(&text).filter(|line| guarded && (line.contains(" == ") || line.contains(" != "))) {
            let line = line.to_lowercase();
            let of_secrets = suspicious.iter().any(|word| line.contains(word));
            let harmless =
                [".len()", "is_empty", "digest(&sha256", "disposition =="].iter().any(|word| line.contains(word));
            assert!(!of_secrets || harmless, "{path} compares with `==`: {line}");
        }
    }
}

#[test]
fn one_word_for_one_thing() {
    // Synonyms of "revoke" and "tombstone" in identifiers.
    let synonyms = [
        "blacklist",
        "denylist",
        "evict",
        "banned_",
        "_ban(",
        "kill_",
        "_kill",
        "invalidate_",
        "_invalidated",
        "logout_",
        "_logout",
    ];
    for (path, text) in production() {
        for word in synonyms {
            // Killing a process is what it is called.
            let of_processes = ["tools/xtask/src/local_cloud", "tools/fault-proxy/src/process"];
            let process = of_processes.iter().any(|known| path.starts_with(known)) && word.contains("kill");
            assert!(process || !code(&text).any(|line| line.contains(word)), "{path} says {word}");
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, text) in production() {
        assert!(text.starts_with("//!"), "{path} does not begin with what it is for");
    }
}

/// Lines that are not comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}
