//! Whether a resource satisfies a filter. Compares in place.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::{Filter, Literal, Operator, Text, fold};
use crate::path::AttributePath;
use crate::schema::{Attribute, Kind, Schema};

/// Where paths lead: from a resource, or from one value of a multi-valued attribute.
#[derive(Clone, Copy)]
enum Scope<'a> {
    Resource(&'a Value, &'a Schema),
    Element(&'a Value, &'a Attribute),
}

/// An attribute found in a scope.
struct Found<'a> {
    value: Option<&'a Value>,
    attribute: &'a Attribute,
    sub: Option<&'a Attribute>,
}

// === impl Filter ===

impl Filter {
    /// Whether a resource (in the schema's spelling) satisfies the filter. An attribute of several values matches if one of
    /// them does; one the schema lacks has no value. No value is equal to `null` and unequal to everything else. Allocates
    /// nothing but for `co` regardless of case.
    #[must_use]
    pub fn matches(&self, resource: &Value, schema: &Schema) -> bool {
        self.holds(Scope::Resource(resource, schema))
    }

    /// Whether one value of a multi-valued attribute satisfies a filter on its sub-attributes.
    #[must_use]
    pub(crate) fn matches_element(&self, element: &Value, attribute: &Attribute) -> bool {
        self.holds(Scope::Element(element, attribute))
    }

    fn holds(&self, scope: Scope<'_>) -> bool {
        match self {
            Self::And(all) => all.iter().all(|part| part.holds(scope)),
            Self::Or(any) => any.iter().any(|part| part.holds(scope)),
            Self::Not(inner) => !inner.holds(scope),
            Self::Compare(path, operator, literal) if scope.is_schemas(path) => scope.has_schema(*operator, literal),
            Self::Present(path) => scope.is_schemas(path) || scope.find(path).is_some_and(|found| found.is_present()),
            Self::Compare(path, operator, literal) => compares(scope.find(path).as_ref(), *operator, literal),
            Self::Values(path, inner) => scope.find(path).is_some_and(|found| {
                found.elements().any(|element| inner.holds(Scope::Element(element, found.attribute)))
            }),
        }
    }
}

fn compares(found: Option<&Found<'_>>, operator: Operator, literal: &Literal) -> bool {
    let present = found.is_some_and(Found::is_present);
    match (found, operator, literal) {
        (_, Operator::Eq, Literal::Null) => !present,
        (_, Operator::Ne, Literal::Null) => present,
        (Some(found), ..) if present => found.leaves().any(|(value, leaf)| compare(value, operator, literal, leaf)),
        _ => operator == Operator::Ne,
    }
}

// === impl Scope ===

impl<'a> Scope<'a> {
    /// `schemas` is derived from the data (RFC 7643 section 3), not kept with it.
    fn is_schemas(self, path: &AttributePath) -> bool {
        matches!(self, Self::Resource(..)) && path.is_plain() && path.name.eq_ignore_ascii_case("schemas")
    }

    fn has_schema(self, operator: Operator, literal: &Literal) -> bool {
        let (Self::Resource(resource, schema), Literal::Text(text)) = (self, literal) else {
            return operator == Operator::Ne;
        };
        let extensions = schema.extensions.iter().filter(|part| resource.get(part.urn).is_some_and(is_present));
        let mut parts = std::iter::once(&schema.core).chain(extensions);
        // A URN's case matters nowhere here, least of all to a client that writes it differently.
        parts.any(|part| compare_strings(part.urn, operator, text, false))
    }

    fn find(self, path: &AttributePath) -> Option<Found<'a>> {
        match self {
            Self::Resource(resource, schema) => {
                let (extension, attribute) = schema.find(path.urn.as_deref(), &path.name)?;
                let holder = match extension {
                    Some(part) => resource.get(part.urn),
                    None => Some(resource),
                };
                let sub = match &path.sub {
                    Some(name) => Some(attribute.sub(name)?),
                    None => None,
                };
                Some(Found { value: holder.and_then(|holder| holder.get(attribute.name)), attribute, sub })
            }
            Self::Element(element, parent) => {
                let attribute = parent.sub(&path.name).filter(|_| path.is_plain())?;
                Some(Found { value: element.get(attribute.name), attribute, sub: None })
            }
        }
    }
}

// === impl Found ===

impl<'a> Found<'a> {
    /// The values of the attribute.
    fn elements(&self) -> impl Iterator<Item = &'a Value> {
        let (many, one) = match self.value {
            Some(Value::Array(values)) => (values.as_slice(), None),
            other => ([].as_slice(), other),
        };
        many.iter().chain(one)
    }

    /// The simple values to compare: those of the sub-attribute, or of `value` in a complex attribute.
    fn leaves(&self) -> impl Iterator<Item = (&'a Value, &'a Attribute)> {
        let leaf = self.sub.or_else(|| self.attribute.default_sub());
        let (attribute, complex) = (self.attribute, self.attribute.kind == Kind::Complex);
        self.elements().filter_map(move |element| match leaf {
            Some(leaf) if complex => element.get(leaf.name).map(|value| (value, leaf)),
            _ => Some((element, attribute)),
        })
    }

    fn is_present(&self) -> bool {
        match self.sub {
            Some(sub) => self.elements().any(|element| element.get(sub.name).is_some_and(is_present)),
            None => self.value.is_some_and(is_present),
        }
    }
}

/// RFC 7644 table 3: neither null nor empty.
pub(crate) fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => values.iter().any(is_present),
        Value::Object(object) => object.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compare(value: &Value, operator: Operator, literal: &Literal, leaf: &Attribute) -> bool {
    match (value, literal) {
        (Value::String(value), Literal::Text(text)) => compare_text(value, operator, text, leaf),
        (Value::Number(value), Literal::Number(number)) => ordered(operator, compare_numbers(value, number)),
        (Value::Bool(value), literal) => match (operator, literal.as_bool()) {
            (Operator::Eq, Some(literal)) => *value == literal,
            (Operator::Ne, literal) => literal != Some(*value),
            _ => false,
        },
        _ => operator == Operator::Ne,
    }
}

fn compare_text(value: &str, operator: Operator, text: &Text, leaf: &Attribute) -> bool {
    if leaf.kind == Kind::DateTime
        && let (Ok(value), Ok(literal)) = (value.parse::<Timestamp>(), text.raw.parse::<Timestamp>())
        && !matches!(operator, Operator::Co | Operator::Sw | Operator::Ew)
    {
        return ordered(operator, Some(value.cmp(&literal)));
    }
    compare_strings(value, operator, text, leaf.case_exact)
}

fn compare_strings(value: &str, operator: Operator, text: &Text, exact: bool) -> bool {
    let folded = || text.folded.chars();
    match operator {
        Operator::Co if exact => value.contains(&text.raw),
        Operator::Co => fold(value).collect::<String>().contains(&text.folded),
        Operator::Sw if exact => value.starts_with(&text.raw),
        Operator::Sw => starts_with(fold(value), folded()),
        Operator::Ew if exact => value.ends_with(&text.raw),
        Operator::Ew => starts_with(fold(value).rev(), folded().rev()),
        _ if exact => ordered(operator, Some(value.cmp(&text.raw))),
        _ if value.is_ascii() && text.raw.is_ascii() && !operator.is_order() => {
            value.eq_ignore_ascii_case(&text.raw) == (operator == Operator::Eq)
        }
        _ => ordered(operator, Some(fold(value).cmp(folded()))),
    }
}

fn starts_with(mut text: impl Iterator<Item = char>, mut start: impl Iterator<Item = char>) -> bool {
    start.all(|c| text.next() == Some(c))
}

fn compare_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

fn ordered(operator: Operator, ordering: Option<Ordering>) -> bool {
    match (operator, ordering) {
        (Operator::Ne, ordering) => ordering != Some(Ordering::Equal),
        (Operator::Eq, Some(ordering)) => ordering.is_eq(),
        (Operator::Gt, Some(ordering)) => ordering.is_gt(),
        (Operator::Ge, Some(ordering)) => ordering.is_ge(),
        (Operator::Lt, Some(ordering)) => ordering.is_lt(),
        (Operator::Le, Some(ordering)) => ordering.is_le(),
        _ => false,
    }
}
