//! Resources in the bodies of POST and PUT.

use serde_json::{Map, Value};

use crate::error::ScimError;
use crate::path::AttributePath;
use crate::schema::{Kind, Mutability, Resolved, Schema};

pub(crate) mod coerce;
mod render;
#[cfg(test)]
mod tests;

pub use render::Rendering;

use coerce::coerce;

/// Most entries of `schemas` looked at.
const MAX_SCHEMAS: usize = 32;

/// Reads the body of POST or PUT into a resource in the schema's spelling. Names are found in any case; what is readOnly or
/// unknown is left out; boolean strings become booleans; types, lengths and required attributes are checked. `schemas`
/// must contain the core URN; extensions need not be announced. Neither `schemas` nor `id` and `meta` are in the result.
pub fn read(body: &Value, schema: &Schema) -> Result<Value, ScimError> {
    let body = body.as_object().ok_or_else(|| ScimError::invalid_syntax("a resource is a JSON object"))?;
    check_schemas(body, schema)?;
    let mut resource = Map::new();
    for (key, value) in body {
        let nested = std::iter::once(&schema.core).chain(&schema.extensions);
        match nested.into_iter().find(|part| part.urn.eq_ignore_ascii_case(key)) {
            Some(part) => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    read_attribute(&mut resource, Some(part.urn), name, value, schema)?;
                }
                if !value.is_object() && !value.is_null() {
                    return Err(ScimError::invalid_syntax("what an extension holds is not an object"));
                }
            }
            None => read_attribute(&mut resource, None, key, value, schema)?,
        }
    }
    let resource = Value::Object(resource);
    check_required(&resource, schema)?;
    Ok(resource)
}

/// Whether everything a resource must have is there.
pub(crate) fn check_required(resource: &Value, schema: &Schema) -> Result<(), ScimError> {
    // Only attributes of the core are ever required.
    let missing = schema.core.attributes.iter().find(|attribute| {
        let blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        attribute.required && resource.get(attribute.name).is_none_or(blank)
    });
    match missing {
        Some(attribute) => Err(ScimError::invalid_value(format!("`{}` is required", attribute.name))),
        None => Ok(()),
    }
}

fn check_schemas(body: &Map<String, Value>, schema: &Schema) -> Result<(), ScimError> {
    let schemas = body.iter().find(|(key, _)| key.eq_ignore_ascii_case("schemas"));
    let schemas = schemas.and_then(|(_, value)| value.as_array()).filter(|urns| urns.len() <= MAX_SCHEMAS);
    let core = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(schema.core.urn));
    match schemas {
        Some(urns) if urns.iter().any(core) => Ok(()),
        Some(_) => Err(ScimError::invalid_syntax(format!("`schemas` does not name {}", schema.core.urn))),
        None => Err(ScimError::invalid_syntax("`schemas` is missing, or not an array of URNs")),
    }
}

fn read_attribute(
    resource: &mut Map<String, Value>,
    urn: Option<&str>,
    key: &str,
    value: &Value,
    schema: &Schema,
) -> Result<(), ScimError> {
    let Ok(mut path) = AttributePath::parse(key) else { return Ok(()) };
    path.urn = path.urn.or_else(|| urn.map(str::to_owned));
    let Some(found) = schema.resolve(&path) else { return Ok(()) };
    let leaf = found.sub.unwrap_or(found.attribute);
    let read_only = [found.attribute, leaf].iter().any(|part| part.mutability == Mutability::ReadOnly);
    // `emails.value` says nothing about which one.
    let ambiguous = found.sub.is_some() && (found.attribute.multi_valued || found.attribute.kind != Kind::Complex);
    if read_only || ambiguous {
        return Ok(());
    }
    match coerce(leaf, value)? {
        Some(value) => put(resource, found, value),
        None => Ok(()),
    }
}

fn put(resource: &mut Map<String, Value>, found: Resolved<'_>, value: Value) -> Result<(), ScimError> {
    let again = || ScimError::invalid_syntax(format!("`{}` is given twice", found.attribute.name));
    let mut holder = resource;
    if let Some(part) = found.extension {
        holder = object_in(holder, part.urn).ok_or_else(again)?;
    }
    let mut name = found.attribute.name;
    if let Some(sub) = found.sub {
        holder = object_in(holder, name).ok_or_else(again)?;
        name = sub.name;
    }
    match holder.insert(name.to_owned(), value) {
        None => Ok(()),
        // `name` and `name.givenName`, or two spellings of one attribute: which one is meant?
        Some(_) => Err(again()),
    }
}

/// The object of that name, made if it is not there.
pub(crate) fn object_in<'m>(holder: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    holder.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
}
