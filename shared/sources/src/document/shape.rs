//! The document against its JSON Schema, in short sentences that quote no value.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::mistake::Report;
use super::yaml::{Tree, below};

/// The annotation of the schema that says in words what a pattern asks for.
const RULE: &str = "x-rule";

static SCHEMA: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(super::SCHEMA).unwrap_or_default());
/// `None` only if the schema in this crate were broken, which a test would notice; then nothing is valid.
static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| jsonschema::validator_for(&SCHEMA).ok());

/// Tells everything in which the document differs from its schema.
pub(super) fn check(tree: &Tree, report: &Report) {
    let Some(validator) = &*VALIDATOR else {
        return report.mistake(1, "", "cannot be checked: this build's schema is broken");
    };
    for error in validator.iter_errors(&tree.value) {
        let pointer = error.instance_path().as_str();
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                for name in unexpected {
                    let place = below(pointer, name);
                    report.mistake(tree.line(&place), &place, unknown_key(name, &error));
                }
            }
            ValidationErrorKind::PropertyNames { error: name } => {
                let place = below(pointer, name.instance().as_str().unwrap_or_default());
                report.mistake(tree.line(&place), &place, rule(name));
            }
            ValidationErrorKind::FalseSchema => {
                report.mistake(tree.line(pointer), pointer, "is not for this `method`");
            }
            kind => report.mistake(tree.line(pointer), pointer, words(kind, &error)),
        }
    }
}

fn words(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> String {
    match kind {
        ValidationErrorKind::Required { property } => {
            format!("lacks `{}`", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::Type { .. } => format!("is not {}", expected_type(error)),
        ValidationErrorKind::Enum { options } => format!("is not one of {}", listed(options)),
        ValidationErrorKind::Constant { expected_value } => format!("is not {expected_value}"),
        ValidationErrorKind::Pattern { .. } => rule(error),
        ValidationErrorKind::Maximum { limit } => format!("is more than {limit}"),
        ValidationErrorKind::Minimum { limit } => format!("is less than {limit}"),
        ValidationErrorKind::MaxLength { limit } => format!("is longer than {limit} characters"),
        ValidationErrorKind::MinLength { .. } | ValidationErrorKind::MinProperties { .. } => "is empty".to_owned(),
        ValidationErrorKind::MaxItems { limit } => format!("has more than {limit} items"),
        ValidationErrorKind::MinItems { limit } => format!("has fewer than {limit} items"),
        ValidationErrorKind::MaxProperties { limit } => format!("has more than {limit} members"),
        ValidationErrorKind::UniqueItems => "has the same item twice".to_owned(),
        other => format!("does not satisfy `{}`", other.keyword()),
    }
}

/// The part of the schema in which the failed keyword stands.
fn schema_of(error: &ValidationError<'_>) -> Option<&'static Value> {
    SCHEMA.pointer(error.schema_path().as_str().rsplit_once('/')?.0)
}

fn rule(error: &ValidationError<'_>) -> String {
    let rule = schema_of(error).and_then(|schema| schema.get(RULE)).and_then(Value::as_str);
    rule.unwrap_or("is not of the form that is expected").to_owned()
}

fn expected_type(error: &ValidationError<'_>) -> String {
    let name = |one: &Value| match one.as_str() {
        Some("object") => "a mapping",
        Some("array") => "a list",
        Some("string") => "a text",
        Some("integer") => "a whole number",
        Some("number") => "a number",
        Some("boolean") => "true or false",
        _ => "of the type that is expected",
    };
    match schema_of(error).and_then(|schema| schema.get("type")) {
        Some(Value::Array(all)) => all.iter().map(name).collect::<Vec<_>>().join(" or "),
        Some(one) => name(one).to_owned(),
        None => name(&Value::Null).to_owned(),
    }
}

fn listed(options: &Value) -> String {
    let all: Vec<&str> = options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    all.join(", ")
}

/// With the key that was probably meant.
fn unknown_key(name: &str, error: &ValidationError<'_>) -> String {
    let known = schema_of(error).and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    let distance = |known: &&String| strsim::damerau_levenshtein(&name.to_lowercase(), known);
    // Long keys are not compared: the distance costs the product of the lengths.
    let near = known.filter(|_| name.len() <= 64).and_then(|known| known.keys().min_by_key(distance));
    let is_near =
        |near: &&String| distance(near) <= (near.len() / 3).max(1) || (name.len() > 2 && near.starts_with(name));
    match near.filter(is_near) {
        Some(near) => format!("is not known here; did you mean `{near}`?"),
        None => "is not known here".to_owned(),
    }
}
