//! The files of `events/`.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::{Registry, Validator};
use serde_json::Value;

/// File names in `events/schemas/`.
pub(crate) const SCHEMAS: [&str; 10] = [
    BULK_CONTROL_REQUESTED,
    BULK_REVOCATION_COMPLETED,
    ACCOUNT_ACTION_REQUESTED,
    ACCOUNT_ACTION_COMPLETED,
    REVOCATION_REQUESTED,
    SESSIONS_REVOKED,
    REVOCATION_FAILED,
    AUDIT_RECORD,
    COMPROMISE_THRESHOLD_EXCEEDED,
    ROLE_UPDATED,
];
pub(crate) const BULK_CONTROL_REQUESTED: &str = "bulk-control-requested.v1.json";
pub(crate) const BULK_REVOCATION_COMPLETED: &str = "bulk-revocation-completed.v1.json";
pub(crate) const ACCOUNT_ACTION_REQUESTED: &str = "account-action-requested.v1.json";
pub(crate) const ACCOUNT_ACTION_COMPLETED: &str = "account-action-completed.v1.json";
pub(crate) const REVOCATION_REQUESTED: &str = "revocation-requested.v1.json";
pub(crate) const SESSIONS_REVOKED: &str = "sessions-revoked.v1.json";
pub(crate) const REVOCATION_FAILED: &str = "revocation-failed.v1.json";
pub(crate) const AUDIT_RECORD: &str = "audit-record.v1.json";
pub(crate) const COMPROMISE_THRESHOLD_EXCEEDED: &str = "compromise-threshold-exceeded.v1.json";

pub(crate) const ROLE_UPDATED: &str = "role-updated.v1.json";

/// Folders of `events/samples/` with something else than events that arrive on the bus: bodies of webhooks, which
/// `shared/sources` reads as the intake does and compares with the `expectations.json` beside them; and what a SIEM is fed.
const NOT_ON_THE_BUS: [&str; 3] = ["ocsf", "role-change", "siem"];

/// `events/` of the repository.
pub(crate) fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

pub(crate) fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn schema(name: &str) -> Value {
    read_json(&events().join("schemas").join(name))
}

/// A validator that asserts formats, and finds the other schemas beside this one without fetching anything.
pub(crate) fn validator(name: &str) -> Validator {
    let mut registry = Registry::new();
    for name in SCHEMAS {
        let schema = schema(name);
        let id = schema["$id"].as_str().unwrap().to_owned();
        registry = registry.add(id, schema).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let options = jsonschema::options().with_registry(&registry).should_validate_formats(true);
    options.build(&schema(name)).unwrap()
}

/// Fails with everything that is wrong.
pub(crate) fn assert_valid(validator: &Validator, value: &Value, what: &str) {
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{what}: {errors:#?}");
}

/// The events on the bus, as paths below `events/samples/`, sorted.
pub(crate) fn sample_paths() -> Vec<String> {
    let elsewhere = |path: &String| NOT_ON_THE_BUS.iter().any(|folder| path.starts_with(&format!("{folder}/")));
    all_sample_paths().into_iter().filter(|path| !elsewhere(path)).collect()
}

fn all_sample_paths() -> Vec<String> {
    let root = events().join("samples");
    let mut paths = Vec::new();
    for folder in fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            paths.push(file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
        }
    }
    paths.sort();
    paths
}

#[test]
fn every_schema_file_is_listed_here_and_is_a_schema() {
    let folder = fs::read_dir(events().join("schemas")).unwrap();
    let mut found: Vec<_> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    found.sort();
    let mut listed = SCHEMAS.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed);
    for name in SCHEMAS {
        let schema = schema(name);
        assert!(jsonschema::meta::is_valid(&schema), "{name}");
        assert!(schema["$id"].as_str().unwrap().ends_with(&format!("/{name}")), "{name}");
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{name}");
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{name}");
    }
}

#[test]
fn the_readme_names_every_sample_and_every_schema() {
    let readme = fs::read_to_string(events().join("README.md")).unwrap();
    for name in SCHEMAS.iter().map(ToString::to_string).chain(all_sample_paths()) {
        let file = name.rsplit('/').next().unwrap();
        assert!(readme.contains(&format!("`{file}`")), "events/README.md does not name `{name}`");
    }
}
