//! The cells of a mapping, and what is read with them.

use std::collections::BTreeMap;

use jmespath::Variable;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::revocation_id::PayloadDigest;
use revocation_core::domain::text;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};

use super::severity::{Severity, SeverityScale};
use super::subject::SubjectFormat;
use crate::expression::{Alert, Expression};

/// A subject's key, and a slash, still fit behind it (the core allows 256).
const MAX_EVENT_ID_CHARS: usize = 230;
/// Numbers beyond it are milliseconds: as seconds it is the year 5138.
const FIRST_MILLISECONDS: f64 = 1e11;
/// The end of the year 9999 in milliseconds; what is later cannot be written down.
const LAST_MILLISECONDS: f64 = 253_402_300_799_999.0;

/// How an alert is read. Every cell but `subject` may be missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    /// Whom it is about.
    pub subject: Expression,
    /// What a plain text names.
    pub subject_format: SubjectFormat,
    /// The sender's id of the event: a text or a number; a list or an object stands for its digest.
    pub event_id: Option<Expression>,
    /// The sender's word for the reason.
    pub reason: Option<Expression>,
    /// From the sender's words, in lower case, to ours.
    pub reason_map: BTreeMap<String, ReasonCode>,
    /// The reason where nothing is said, or nothing that is known.
    pub default_reason: ReasonCode,
    /// How bad it is.
    pub severity: Option<Expression>,
    /// How that is read.
    pub severity_scale: SeverityScale,
    /// When it happened.
    pub occurred_at: Option<Expression>,
    /// Text for the record.
    pub title: Option<Expression>,
    /// What ties several events to one cause.
    pub txn: Option<Expression>,
    /// The detection rule that fired: the initiator.
    pub rule: Option<Expression>,
    /// Anything but null, false and empty means that it is no alert; a word that is known says why.
    pub ignore: Option<Expression>,
}

// === impl Mapping ===

impl Mapping {
    pub(super) fn ignored(&self, alert: &Alert) -> Option<&'static str> {
        let found = self.ignore.as_ref()?.search(alert);
        found.is_truthy().then(|| match found.as_string().map(String::as_str) {
            Some("resolved") => "resolved",
            Some("event_type") => "event_type",
            Some("test") => "test",
            _ => "ignored",
        })
    }

    pub(super) fn severity(&self, alert: &Alert) -> Severity {
        let found = self.severity.as_ref().map(|expression| expression.search(alert));
        self.severity_scale.read(found.as_deref().unwrap_or(&Variable::Null))
    }

    /// The sender's word by the map, then one of our own words, then the default.
    pub(super) fn reason(&self, alert: &Alert) -> ReasonCode {
        let said = text_of(self.reason.as_ref(), alert).map(|word| word.trim().to_lowercase());
        let known = said.and_then(|word| {
            let ours = || ReasonCode::ALL.into_iter().find(|reason| reason.as_str() == word);
            self.reason_map.get(&word).copied().or_else(ours)
        });
        known.unwrap_or(self.default_reason)
    }

    /// The event's id, never empty and never too long.
    pub(super) fn event_id(&self, alert: &Alert, envelope_id: Option<&str>) -> Option<String> {
        let found = self.event_id.as_ref().map(|expression| expression.search(alert));
        let said = match found.as_deref() {
            Some(Variable::String(text)) => Some(text.clone()),
            Some(Variable::Number(number)) => Some(number.to_string()),
            Some(whole @ (Variable::Array(_) | Variable::Object(_))) if whole.is_truthy() => {
                serde_json::to_vec(whole).ok().map(|bytes| digest(&bytes))
            }
            _ => None,
        };
        let id = said.filter(|id| !id.trim().is_empty()).or_else(|| envelope_id.map(str::to_owned))?;
        let is_fine = text::check(&id, MAX_EVENT_ID_CHARS).is_ok();
        Some(if is_fine { id } else { digest(id.as_bytes()) })
    }

    /// As RFC 3339. It serves counting and the record, so that nothing readable is no reason to refuse a revocation.
    pub(super) fn occurred_at(&self, alert: &Alert) -> Option<String> {
        match &*self.occurred_at.as_ref()?.search(alert) {
            Variable::String(said) => {
                let said = said.trim();
                EpochMillis::parse_rfc3339(said).ok().or_else(|| epoch(said.parse().ok()?))
            }
            Variable::Number(number) => epoch(number.as_f64()?),
            _ => None,
        }
        .and_then(written)
    }

    pub(super) fn title(&self, alert: &Alert) -> Option<String> {
        text_of(self.title.as_ref(), alert)
    }

    pub(super) fn txn(&self, alert: &Alert) -> Option<String> {
        text_of(self.txn.as_ref(), alert)
    }

    pub(super) fn rule(&self, alert: &Alert) -> Option<String> {
        text_of(self.rule.as_ref(), alert)
    }
}

fn text_of(expression: Option<&Expression>, alert: &Alert) -> Option<String> {
    match &*expression?.search(alert) {
        Variable::String(text) => Some(text.clone()),
        Variable::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// 32 hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    let hex: String = PayloadDigest::of(bytes).0.chars().take(32).collect();
    format!("sha256:{hex}")
}

fn epoch(number: f64) -> Option<EpochMillis> {
    let millis = if number > FIRST_MILLISECONDS { number } else { number * 1_000.0 };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..=LAST_MILLISECONDS).contains(&millis).then(|| EpochMillis(millis.round() as i64))
}

/// Times before 1970 or after the year 9999 are mistakes, and not passed on.
fn written(at: EpochMillis) -> Option<String> {
    let text = at.rfc3339();
    (at.seconds() >= EpochSeconds(0) && EpochMillis::parse_rfc3339(&text) == Ok(at)).then_some(text)
}
