//! PATCH (RFC 7644 section 3.5.2), read as leniently as Okta and Entra need it.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::ScimError;
use crate::path::Path;
use crate::urn;

mod apply;
mod group;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
mod values;

pub use group::{GroupChange, Member, MemberChange};

/// A patch: operations that apply in order, all or none.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchRequest {
    /// In the order in which they apply.
    pub operations: Vec<Operation>,
}

/// One operation. Its `Debug` form quotes no value (I10).
#[derive(Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub op: Op,
    /// Where; without it the value is an object of attributes.
    pub path: Option<Path>,
    /// With what; `None` if the member is missing.
    pub value: Option<Value>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Adds a value, or sets the attribute.
    Add,
    /// Sets the attribute.
    Replace,
    /// Takes the attribute or values of it away.
    Remove,
}

// === impl PatchRequest ===

impl PatchRequest {
    /// Most operations in one request.
    pub const MAX_OPERATIONS: usize = 1_000;

    /// Reads the body of a PATCH. Names of members and of operations are taken in any case, an empty path as none, and
    /// `schemas` may be missing, as some clients leave it out.
    pub fn parse(body: &Value) -> Result<Self, ScimError> {
        let body = body.as_object().ok_or_else(|| ScimError::invalid_syntax("a patch is a JSON object"))?;
        let is_patch = |urn: &Value| urn.as_str().is_some_and(|urn| urn.eq_ignore_ascii_case(urn::PATCH_OP));
        if let Some(schemas) = member(body, "schemas")?
            && !schemas.as_array().is_some_and(|urns| urns.iter().any(is_patch))
        {
            return Err(ScimError::invalid_syntax("`schemas` does not name the PatchOp message"));
        }
        let operations = member(body, "Operations")?.and_then(Value::as_array);
        let operations = operations.ok_or_else(|| ScimError::invalid_syntax("a patch has an array of `Operations`"))?;
        match operations.len() {
            0 => Err(ScimError::invalid_syntax("a patch has at least one operation")),
            count if count > Self::MAX_OPERATIONS => {
                Err(ScimError::invalid_value(format!("a patch has at most {} operations", Self::MAX_OPERATIONS)))
            }
            _ => Ok(Self { operations: operations.iter().map(Operation::parse).collect::<Result<_, _>>()? }),
        }
    }
}

// === impl Operation ===

impl Operation {
    fn parse(operation: &Value) -> Result<Self, ScimError> {
        let bad = || ScimError::invalid_syntax("an operation is an object with `op` add, replace or remove");
        let operation = operation.as_object().ok_or_else(bad)?;
        let op = member(operation, "op")?.and_then(Value::as_str).and_then(Op::parse).ok_or_else(bad)?;
        let path = match member(operation, "path")? {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.trim().is_empty() => None,
            Some(Value::String(text)) => Some(Path::parse(text)?),
            Some(_) => return Err(ScimError::invalid_path("a path is a string")),
        };
        let value = member(operation, "value")?.cloned();
        match (op, &path, &value) {
            // RFC 7644 section 3.5.2.2.
            (Op::Remove, None, _) => Err(ScimError::no_target("a remove needs a path")),
            (Op::Add | Op::Replace, _, None) => Err(ScimError::invalid_value("add and replace need a value")),
            (Op::Add | Op::Replace, None, Some(value)) if !value.is_object() => {
                Err(ScimError::invalid_value("without a path the value is an object of attributes"))
            }
            _ => Ok(Self { op, path, value }),
        }
    }
}

/// The member of that name, in any case; twice is refused.
fn member<'v>(object: &'v Map<String, Value>, name: &str) -> Result<Option<&'v Value>, ScimError> {
    let mut found = object.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    match (found.next(), found.next()) {
        (_, Some(_)) => Err(ScimError::invalid_syntax("a member is given twice")),
        (first, None) => Ok(first.map(|(_, value)| value)),
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").field("op", &self.op).field("path", &self.path).finish_non_exhaustive()
    }
}

// === impl Op ===

impl Op {
    fn parse(word: &str) -> Option<Self> {
        let known = [("add", Self::Add), ("replace", Self::Replace), ("remove", Self::Remove)];
        known.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, op)| op)
    }
}
