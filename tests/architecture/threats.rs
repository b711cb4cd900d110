//! `docs/THREAT-MODEL.md` names a test for every threat, or the reason it is accepted. The tests must be there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sources::root;

const TABLE: &str = "| # | threat | control | shown by |";
/// The boundaries of issue 6, one heading each.
const BOUNDARIES: usize = 11;
/// Spoofing, tampering, repudiation, information disclosure, denial of service, elevation of privilege.
const STRIDE: &str = "STRIDE";

struct Row {
    id: String,
    control: String,
    shown_by: String,
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/THREAT-MODEL.md")).unwrap();
    let mut rows = Vec::new();
    for table in text.split(TABLE).skip(1) {
        for line in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect();
            let [id, _threat, control, shown_by] =
                cells.try_into().unwrap_or_else(|_| panic!("not four cells: {line}"));
            rows.push(Row { id, control, shown_by });
        }
    }
    rows
}

/// Every function in the repository that is a test.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for folder in ["shared", "functions", "tools", "tests"] {
        walk(&root().join(folder), &mut found);
    }
    found
}

fn walk(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let mut is_test = false;
            for line in text.lines().map(str::trim_start) {
                is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
                let name = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                if let Some((name, _)) = name.and_then(|rest| rest.split_once('(')) {
                    // In `proptest!` the attribute is the same.
                    if std::mem::take(&mut is_test) {
                        found.insert(name.to_owned());
                    }
                }
            }
        }
    }
}

#[test]
fn every_threat_is_shown_by_a_test_there_is_or_accepted_with_a_reason() {
    let tests = tests();
    assert!(tests.len() > 500, "{}", tests.len());
    let (mut ids, mut wrong) = (BTreeSet::new(), Vec::new());
    for Row { id, control, shown_by } in rows() {
        assert!(ids.insert(id.clone()), "{id} twice");
        let kind = id.chars().next_back().unwrap();
        assert!(STRIDE.contains(kind), "{id} does not end with its letter of STRIDE");
        if control.len() < 20 {
            wrong.push(format!("{id}: no control"));
        }
        let named: Vec<&str> = shown_by.split('`').skip(1).step_by(2).collect();
        let accepted = shown_by.split("accepted: ").nth(1).is_some_and(|reason| reason.len() > 20);
        if named.is_empty() && !accepted {
            wrong.push(format!("{id}: neither a test nor a reason"));
        }
        wrong.extend(named.iter().filter(|name| !tests.contains(**name)).map(|name| format!("{id}: no test {name}")));
    }
    assert!(ids.len() >= 60, "{}", ids.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_boundary_has_its_threats() {
    let text = fs::read_to_string(root().join("docs/THREAT-MODEL.md")).unwrap();
    let with_table = text.split("\n## ").filter(|section| section.contains(TABLE));
    assert_eq!(with_table.count(), BOUNDARIES);
}
