//! Whoever is woken by an alarm finds it in `docs/RUNBOOK.md`.

use std::collections::BTreeSet;

use crate::sources::root;
use crate::template::resources;

/// The rows of the table of alarms: names in the first cell, then what it means and what to do.
fn rows() -> Vec<(Vec<String>, String, String)> {
    let text = std::fs::read_to_string(root().join("docs/RUNBOOK.md")).unwrap();
    let table = text.split("| alarm | it means | first action |\n").nth(1).expect("no table of alarms");
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    rows.map(|line| {
        let [names, means, action] = cells(line).try_into().unwrap_or_else(|_| panic!("not three cells: {line}"));
        let names = names.split(", ").map(|name| name.trim_matches('`').to_owned()).collect();
        (names, means, action)
    })
    .collect()
}

#[test]
fn every_alarm_has_a_row_in_the_runbook_and_every_row_an_alarm() {
    let alarms: BTreeSet<String> = resources("AWS::CloudWatch::Alarm").into_keys().collect();
    let mut told = BTreeSet::new();
    for (names, means, action) in rows() {
        assert!(means.len() > 20 && action.len() > 20, "{names:?} says too little");
        for name in names {
            assert!(told.insert(name.clone()), "{name} has two rows");
        }
    }
    let missing: Vec<_> = alarms.difference(&told).collect();
    let gone: Vec<_> = told.difference(&alarms).collect();
    assert!(missing.is_empty() && gone.is_empty(), "without a row: {missing:?}; no such alarm: {gone:?}");
}
