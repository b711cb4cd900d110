//! One attribute of SCIM, as the text of one attribute of the pool.

use std::collections::BTreeSet;

use revocation_scim::{AttributePath, Schema};
use serde_json::{Map, Value, json};

/// One attribute of SCIM in one attribute of the pool.
#[derive(Debug)]
pub(super) struct Field {
    extension: Option<&'static str>,
    pub(super) attribute: &'static str,
    sub: Option<&'static str>,
    /// Has a `type`, which is not kept: what is kept is the one for work.
    typed: bool,
    pub(super) form: Form,
    pub(super) store: String,
}

/// How values are written into an attribute of the pool, which is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As it stands.
    Plain,
    /// Of several values one: the primary one, else the one for work, else the first.
    One,
    /// All of them, as a JSON array of strings. Types, displays and the like are not kept.
    All,
}

// === impl Field ===

impl Field {
    pub(super) fn new(path: &str, store: &str, schema: &Schema) -> Option<Self> {
        let path = AttributePath::parse(path).ok()?;
        // A plain name may be an extension's, as in `department`.
        let in_extension = |urn: &'static str| AttributePath { urn: Some(urn.to_owned()), ..path.clone() };
        let extended = schema.extensions.iter().map(|part| in_extension(part.urn));
        let found = std::iter::once(path.clone()).chain(extended).find_map(|path| schema.resolve(&path))?;
        let (extension, attribute) = (found.extension.map(|part| part.urn), found.attribute);
        let sub = found.sub.or_else(|| attribute.sub("value")).map(|sub| sub.name);
        let form = match (attribute.multi_valued, attribute.name) {
            (true, "roles" | "entitlements") => Form::All,
            (true, _) => Form::One,
            (false, _) => Form::Plain,
        };
        let whole = sub.is_none() && !attribute.sub_attributes.is_empty();
        let typed = attribute.multi_valued && attribute.sub("type").is_some();
        (!whole).then(|| Self { extension, attribute: attribute.name, sub, typed, form, store: store.to_owned() })
    }

    /// The dotted name, as [`Resolved::key`](revocation_scim::Resolved::key) writes it.
    pub(super) fn name(&self) -> String {
        match self.sub {
            Some(sub) => format!("{}.{sub}", self.attribute),
            None => self.attribute.to_owned(),
        }
    }

    /// What the schema has because of it. By `type` and `primary` clients choose among values, although the pool keeps neither.
    pub(super) fn declared(&self) -> Vec<String> {
        let sub = |name: &str| format!("{}.{name}", self.attribute);
        match self.form {
            Form::One if self.typed => vec![self.name(), sub("type"), sub("primary")],
            Form::Plain | Form::One => vec![self.name()],
            Form::All => vec![self.name(), sub("primary")],
        }
    }

    pub(super) fn put(&self, user: &mut Map<String, Value>, text: &str) {
        let holder = match self.extension {
            Some(urn) => user.entry(urn).or_insert_with(|| json!({})).as_object_mut(),
            None => Some(user),
        };
        let Some(holder) = holder else { return };
        match (self.form, self.sub) {
            (Form::All, _) => {
                let mut values: Vec<Value> = all_of(text).into_iter().map(|value| json!({ "value": value })).collect();
                // Clients that keep one role only look for it as the primary one.
                if let [only] = values.as_mut_slice() {
                    only["primary"] = json!(true);
                }
                if !values.is_empty() {
                    holder.insert(self.attribute.into(), Value::Array(values));
                }
            }
            (Form::One, Some(sub)) => {
                let fresh = if self.typed { json!([{"type": "work", "primary": true}]) } else { json!([{}]) };
                let values = holder.entry(self.attribute).or_insert(fresh);
                if let Some(value) = values.get_mut(0).and_then(Value::as_object_mut) {
                    value.insert(sub.into(), json!(text));
                }
            }
            (Form::Plain, Some(sub)) => {
                let value = holder.entry(self.attribute).or_insert_with(|| json!({}));
                if let Some(value) = value.as_object_mut() {
                    value.insert(sub.into(), json!(text));
                }
            }
            (Form::One | Form::Plain, None) => drop(holder.insert(self.attribute.into(), json!(text))),
        }
    }

    pub(super) fn take(&self, user: &Value) -> Option<String> {
        let holder = self.extension.map_or(Some(user), |urn| user.get(urn))?;
        let value = holder.get(self.attribute)?;
        let text = match self.form {
            Form::All => written(value.as_array()?.iter().filter_map(|value| value.get("value")?.as_str()))?,
            Form::One => one_of(value.as_array()?)?.get(self.sub?)?.as_str()?.to_owned(),
            Form::Plain => self.sub.map_or(Some(value), |sub| value.get(sub))?.as_str()?.to_owned(),
        };
        Some(text).filter(|text| !text.is_empty())
    }
}

/// The value that is kept of several.
fn one_of(values: &[Value]) -> Option<&Value> {
    let primary = values.iter().find(|value| value.get("primary") == Some(&Value::Bool(true)));
    let is_work =
        |value: &&Value| value.get("type").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case("work"));
    primary.or_else(|| values.iter().find(is_work)).or_else(|| values.first())
}

/// Several values as one text, each once, in their order.
fn written<'a>(values: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut seen = BTreeSet::new();
    let values: Vec<&str> = values.filter(|value| seen.insert(*value)).collect();
    if values.is_empty() { None } else { serde_json::to_string(&values).ok() }
}

/// The values in a text: a JSON array of strings as it is written here, or one value that somebody else wrote.
pub(super) fn all_of(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()])
}
