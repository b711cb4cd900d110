//! The cells of a mapping: the preset's, each replaced by the source's own.

use std::collections::BTreeMap;

use revocation_core::domain::reason::ReasonCode;
use serde_json::Value;

use super::mistake::Report;
use super::place::Place;
use super::{grant, yaml};
use crate::expression::Expression;
use crate::siem::{Mapping, Preset, Severity, SeverityScale, SubjectFormat};

/// Reads a mapping. `reasons` are those the source is granted.
pub(super) fn read(own: &Place<'_>, preset: Preset, reasons: &[ReasonCode]) -> Option<Mapping> {
    // Mistakes of a preset are ours; a test reads them all.
    let report = Report::default();
    let tree = yaml::read(preset.mapping(), &report)?;
    let cells = Cells { own, preset: &Place::root(&tree, &report) };
    let optional = ["event_id", "reason", "severity", "occurred_at", "title", "txn", "rule", "ignore"];
    let [event_id, reason, severity, occurred_at, title, txn, rule, ignore] =
        optional.map(|name| cells.expression(name));
    let severity_scale = SeverityScale { words: cells.words("severity_map", Severity::named), ranges: cells.ranges() };
    let reason_map = cells.words("reason_map", grant::reason);
    for (_, place) in cells.cell("reason_map").members() {
        granted(&place, place.word(grant::reason), reasons);
    }
    Some(Mapping {
        subject: cells.expression("subject")?,
        subject_format: cells.cell("subject_format").word_or(SubjectFormat::Auto, SubjectFormat::named)?,
        default_reason: cells.default_reason(reasons)?,
        event_id,
        reason,
        reason_map,
        severity,
        severity_scale,
        occurred_at,
        title,
        txn,
        rule,
        ignore,
    })
}

struct Cells<'a> {
    own: &'a Place<'a>,
    preset: &'a Place<'a>,
}

// === impl Cells ===

impl<'a> Cells<'a> {
    fn cell(&self, name: &str) -> Place<'a> {
        let own = self.own.member(name);
        if own.is_there() { own } else { self.preset.member(name) }
    }

    fn expression(&self, name: &str) -> Option<Expression> {
        let cell = self.cell(name);
        match Expression::compile(cell.text()?) {
            Ok(expression) => Some(expression),
            Err(bad) => {
                cell.mistake(bad.to_string());
                None
            }
        }
    }

    fn words<T>(&self, name: &str, named: impl Fn(&str) -> Option<T>) -> BTreeMap<String, T> {
        let members = self.cell(name).members();
        members.into_iter().filter_map(|(word, cell)| Some((word.trim().to_lowercase(), cell.word(&named)?))).collect()
    }

    fn ranges(&self) -> Vec<(f64, Severity)> {
        let cell = self.cell("severity_ranges");
        let named =
            |(name, place): (&str, Place<'_>)| Some((place.value.and_then(Value::as_f64)?, Severity::named(name)?));
        let mut ranges: Vec<_> = cell.members().into_iter().filter_map(named).collect();
        ranges.sort_by(|a, b| a.0.total_cmp(&b.0));
        if !ranges.iter().is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1) {
            cell.mistake("has a higher level that begins no later than a lower one");
        }
        ranges
    }

    fn default_reason(&self, reasons: &[ReasonCode]) -> Option<ReasonCode> {
        let cell = self.cell("default_reason");
        if cell.is_there() {
            let reason = cell.word(grant::reason);
            granted(&cell, reason, reasons);
            return reason;
        }
        // Without reasons the grant has a mistake of its own.
        let usual = Some(ReasonCode::Anomaly).filter(|anomaly| reasons.contains(anomaly));
        usual.or_else(|| reasons.first().copied())
    }
}

fn granted(place: &Place<'_>, reason: Option<ReasonCode>, reasons: &[ReasonCode]) {
    if reason.is_some_and(|reason| !reasons.is_empty() && !reasons.contains(&reason)) {
        place.mistake("is a reason that `grant.reasons` does not have");
    }
}
