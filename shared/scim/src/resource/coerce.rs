//! One attribute's value as a client sends it, into the type and spelling of its schema.

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::error::ScimError;
use crate::schema::{Attribute, Kind, Mutability};

/// Longest string, in characters: what an attribute of a user pool holds (Cognito API, `AttributeValueType`).
pub(crate) const MAX_CHARS: usize = 2_048;
/// Most values of a user's attribute: many more than fit into one attribute of a user pool.
pub(crate) const MAX_VALUES: usize = 250;
/// Most members of a group named in one request; a body of 256 KiB has fewer.
pub(crate) const MAX_MEMBERS: usize = 10_000;

/// The value in the type and spelling of its attribute; `None` for null, the empty string, array and object, all of
/// which mean "no value" (RFC 7643 section 2.5). Lenient where clients need it: `"True"` for a boolean; a string for
/// a complex attribute that has a `value` (`manager`); one value where several are possible, and an array of one where
/// only one is. readOnly and unknown sub-attributes are left out.
pub(crate) fn coerce(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Null => Ok(None),
        Value::Array(values) if attribute.multi_valued => several(attribute, values),
        one if attribute.multi_valued => several(attribute, std::slice::from_ref(one)),
        Value::Array(values) => match values.as_slice() {
            [] => Ok(None),
            [one] => single(attribute, one),
            _ => Err(mistyped(attribute)),
        },
        one => single(attribute, one),
    }
}

/// The values of a multi-valued attribute; of several, at most one is primary.
fn several(attribute: &Attribute, values: &[Value]) -> Result<Option<Value>, ScimError> {
    check_count(attribute, values.len())?;
    let mut read = Vec::with_capacity(values.len());
    for value in values {
        read.extend(single(attribute, value)?);
    }
    if read.iter().filter(|value| is_primary(value)).count() > 1 {
        return Err(ScimError::invalid_value(format!("two of `{}` are primary", attribute.name)));
    }
    Ok(if read.is_empty() { None } else { Some(Value::Array(read)) })
}

/// Whether so many values are too many.
pub(crate) fn check_count(attribute: &Attribute, count: usize) -> Result<(), ScimError> {
    let most = if attribute.name == "members" { MAX_MEMBERS } else { MAX_VALUES };
    if count > most {
        return Err(ScimError::invalid_value(format!("`{}` has more than {most} values", attribute.name)));
    }
    Ok(())
}

pub(crate) fn is_primary(value: &Value) -> bool {
    value.get("primary") == Some(&Value::Bool(true))
}

/// One value.
pub(crate) fn single(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Complex, Value::Object(object)) => complex(attribute, object),
        (Kind::Complex, Value::String(text)) if attribute.default_sub().is_some() && text.is_empty() => Ok(None),
        (Kind::Complex, Value::String(_)) if attribute.default_sub().is_some() => {
            let object = Map::from_iter([("value".to_owned(), value.clone())]);
            complex(attribute, &object)
        }
        (Kind::Boolean, Value::Bool(_)) => Ok(Some(value.clone())),
        (Kind::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
        (Kind::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(Value::Bool(false))),
        (Kind::Integer, Value::Number(number)) if number.is_i64() => Ok(Some(value.clone())),
        (Kind::String | Kind::Reference | Kind::DateTime, Value::String(text)) if text.is_empty() => Ok(None),
        (Kind::DateTime, Value::String(text)) if text.parse::<Timestamp>().is_err() => Err(mistyped(attribute)),
        (Kind::String | Kind::Reference | Kind::DateTime, Value::String(text)) => {
            check_text(attribute, text)?;
            Ok(Some(value.clone()))
        }
        _ => Err(mistyped(attribute)),
    }
}

fn complex(attribute: &Attribute, object: &Map<String, Value>) -> Result<Option<Value>, ScimError> {
    let mut read = Map::new();
    for (key, value) in object {
        let sub = attribute.sub(key).filter(|sub| {
            // Within a readOnly attribute everything is; that is refused elsewhere.
            sub.mutability != Mutability::ReadOnly || attribute.mutability == Mutability::ReadOnly
        });
        let Some(sub) = sub else { continue };
        if let Some(value) = coerce(sub, value)?
            && read.insert(sub.name.to_owned(), value).is_some()
        {
            return Err(ScimError::invalid_syntax(format!("`{}.{}` is given twice", attribute.name, sub.name)));
        }
    }
    Ok(if read.is_empty() { None } else { Some(Value::Object(read)) })
}

fn check_text(attribute: &Attribute, text: &str) -> Result<(), ScimError> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().nth(MAX_CHARS).is_some() {
        return Err(ScimError::invalid_value(format!("`{}` is longer than {MAX_CHARS} characters", attribute.name)));
    }
    if text.contains(control) {
        return Err(ScimError::invalid_value(format!("`{}` has control characters", attribute.name)));
    }
    Ok(())
}

fn mistyped(attribute: &Attribute) -> ScimError {
    let many = if attribute.multi_valued { "an array of values" } else { "a value" };
    ScimError::invalid_value(format!("`{}` is {many} of type {}", attribute.name, attribute.kind.name()))
}
