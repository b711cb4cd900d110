//! Filters (RFC 7644 section 3.4.2.2): parsed once, bounded, then compared in place with any number of resources.

use std::fmt;

use serde_json::Number;

use crate::path::AttributePath;

mod check;
mod equality;
mod matches;
pub(crate) mod parse;
#[cfg(test)]
mod tests;

pub(crate) use matches::is_present;

/// A filter. `and` and `or` hold two or more. Displayed, it is what [`Filter::parse`] reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    And(Vec<Filter>),
    /// Any of them.
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(AttributePath),
    /// The attribute compares so with the literal; of several values any.
    Compare(AttributePath, Operator, Literal),
    /// One and the same value of a multi-valued attribute satisfies the filter, whose paths are sub-attributes. Entra's
    /// `emails[type eq "work"].value eq "x"` is read as `emails[type eq "work" and value eq "x"]`.
    Values(AttributePath, Box<Filter>),
}

/// How an attribute is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater than, after.
    Gt,
    /// Greater than or equal.
    Ge,
    /// Less than, before.
    Lt,
    /// Less than or equal.
    Le,
}

/// What an attribute is compared with. Its `Debug` form quotes nothing (I10).
#[derive(Clone, PartialEq, Eq)]
pub enum Literal {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Text),
}

/// A string literal, with what comparisons regardless of case need.
#[derive(Clone, PartialEq, Eq)]
pub struct Text {
    raw: String,
    folded: String,
}

// === impl Filter ===

impl Filter {
    /// Longest filter read, in bytes.
    pub const MAX_BYTES: usize = 2_048;
    /// Deepest nesting of groups, negations and brackets.
    pub const MAX_DEPTH: usize = 16;
    /// Most comparisons.
    pub const MAX_TERMS: usize = 100;

    /// How many comparisons it has.
    #[must_use]
    pub fn terms(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::terms).sum(),
            Self::Not(inner) | Self::Values(_, inner) => inner.terms(),
            Self::Present(_) | Self::Compare(..) => 1,
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(all) => join(f, all, " and ", |child| matches!(child, Self::And(_) | Self::Or(_))),
            Self::Or(any) => join(f, any, " or ", |child| matches!(child, Self::Or(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, operator, literal) => write!(f, "{path} {} {literal}", operator.name()),
            Self::Values(path, inner) => write!(f, "{path}[{inner}]"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Filter], with: &str, group: fn(&Filter) -> bool) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(with)?;
        }
        if group(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

// === impl Operator ===

impl Operator {
    const ALL: [Self; 9] = [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// As a filter spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name().eq_ignore_ascii_case(word))
    }

    fn is_order(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }
}

// === impl Literal ===

impl Literal {
    /// The string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// As a boolean: `true`, and as Entra writes it, `"True"`.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Text(text) if text.folded == "true" => Some(true),
            Self::Text(text) if text.folded == "false" => Some(false),
            _ => None,
        }
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self::Text(Text::new(text.to_owned()))
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => serde_json::Value::from(text.as_str()).fmt(f),
        }
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

// === impl Text ===

impl Text {
    pub(crate) fn new(raw: String) -> Self {
        let folded = fold(&raw).collect();
        Self { raw, folded }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.raw
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A text regardless of case, character by character: no look at what surrounds one, so that parts of a text fold to
/// parts of the folded text.
pub(crate) fn fold(text: &str) -> impl DoubleEndedIterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}
