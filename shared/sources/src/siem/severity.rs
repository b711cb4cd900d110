//! How bad a sender says it is.

use std::collections::BTreeMap;

use jmespath::Variable;
use serde::{Deserialize, Serialize};

/// The four levels that every sender's scale is mapped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Informational as well.
    Low,
    /// Medium.
    Medium,
    /// High, and everything that is not said or not understood.
    High,
    /// Critical.
    Critical,
}

/// How a sender's words and numbers are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SeverityScale {
    /// The sender's words, in lower case, or numbers as text.
    pub words: BTreeMap<String, Severity>,
    /// From which number on a level is reached, ascending.
    pub ranges: Vec<(f64, Severity)>,
}

// === impl Severity ===

impl Severity {
    /// The level of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "low" => Some(Self::Low),
            "medium" => Some(Self::Medium),
            "high" => Some(Self::High),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// The name in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

// === impl SeverityScale ===

impl SeverityScale {
    /// Reads what a sender says; of a list, the worst. Missing or unknown counts as high: a floor must not swallow an
    /// alert because its sender changed a word.
    pub(super) fn read(&self, said: &Variable) -> Severity {
        let worst = match said {
            Variable::Array(items) => items.iter().filter_map(|item| self.read_one(item)).max(),
            one => self.read_one(one),
        };
        worst.unwrap_or(Severity::High)
    }

    /// `None` where nothing is said.
    fn read_one(&self, said: &Variable) -> Option<Severity> {
        let word = match said {
            Variable::String(word) if !word.trim().is_empty() => word.trim().to_lowercase(),
            Variable::Number(number) => number.to_string(),
            _ => return None,
        };
        let known = self.words.get(&word).copied().or_else(|| common(&word));
        Some(known.or_else(|| self.by_number(&word)).unwrap_or(Severity::High))
    }

    fn by_number(&self, word: &str) -> Option<Severity> {
        let number = word.parse().ok().filter(|number: &f64| number.is_finite() && !self.ranges.is_empty())?;
        let reached = self.ranges.iter().rev().find(|(from, _)| number >= *from);
        Some(reached.map_or(Severity::Low, |(_, severity)| *severity))
    }
}

/// Words that mean the same everywhere.
fn common(word: &str) -> Option<Severity> {
    match word {
        "info" | "informational" | "information" => Some(Severity::Low),
        "moderate" => Some(Severity::Medium),
        other => Severity::named(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_numbers_and_what_is_not_understood() {
        let scale = SeverityScale {
            words: [("p1".to_owned(), Severity::Critical), ("5".to_owned(), Severity::Medium)].into(),
            ranges: vec![
                (21.0, Severity::Low),
                (47.0, Severity::Medium),
                (73.0, Severity::High),
                (99.0, Severity::Critical),
            ],
        };
        for (said, expected) in [
            (json!("High"), Severity::High),
            (json!(" INFORMATIONAL "), Severity::Low),
            (json!("P1"), Severity::Critical),
            (json!(5), Severity::Medium),
            (json!(0), Severity::Low),
            (json!(47), Severity::Medium),
            (json!("98.9"), Severity::High),
            (json!(1e300), Severity::Critical),
            (json!(null), Severity::High),
            (json!("schlimm"), Severity::High),
            (json!("NaN"), Severity::High),
            (json!([]), Severity::High),
            (json!(["low", "", null, "medium"]), Severity::Medium),
            (json!(["low", "?"]), Severity::High),
            (json!(true), Severity::High),
        ] {
            assert_eq!(scale.read(&Variable::from_serializable(&said).unwrap()), expected, "{said}");
        }
        let without = SeverityScale::default();
        assert_eq!(without.read(&Variable::from_serializable(1).unwrap()), Severity::High);
    }
}
