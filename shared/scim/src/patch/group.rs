//! A patch of a group, without the group's members: of 10,000 none need be read to add one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::{Op, PatchRequest};
use crate::error::ScimError;
use crate::filter::{Filter, Operator};
use crate::path::Path;
use crate::resource::coerce::{MAX_MEMBERS, coerce};
use crate::schema::{Attribute, Mutability, Schema};

/// What a patch does to a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupChange {
    /// The new name, if it is given one.
    pub display_name: Option<String>,
    /// `Some(None)` takes it away.
    pub external_id: Option<Option<String>>,
    /// Who comes and who goes.
    pub members: MemberChange,
}

/// What a patch does to the members of a group: the net effect of its operations in their order. In the order of ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberChange {
    /// These and nobody else are the members from now on. Then all else here is empty.
    pub replace: Option<Vec<Member>>,
    /// Nobody stays but those in `add`. Then `remove` is empty.
    pub remove_all: bool,
    /// They come, if they are not there yet; each once.
    pub add: Vec<Member>,
    /// The ids of those who go, if they are there; each once, and none of them is in `add`.
    pub remove: Vec<String>,
}

/// A member as a client names it. Its `Debug` form does not quote it.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// The id of the user.
    pub value: String,
    /// `User`, if it is said.
    pub kind: Option<String>,
}

/// What has become of the members so far.
#[derive(Default)]
struct Members {
    base: Base,
    add: BTreeMap<String, Member>,
    remove: BTreeSet<String>,
}

#[derive(Default, PartialEq, Eq)]
enum Base {
    #[default]
    AsTheyAre,
    Replaced,
    Nobody,
}

// === impl PatchRequest ===

impl PatchRequest {
    /// What it does to a group. Members are selected by `value` alone: other filters would need the members.
    pub fn group_change(&self) -> Result<GroupChange, ScimError> {
        let schema = Schema::group();
        let mut change = GroupChange::default();
        let mut members = Members::default();
        for operation in &self.operations {
            let value = operation.value.as_ref();
            match &operation.path {
                Some(path) if !path.attribute.is_urn(schema.core.urn) => {
                    let attribute = resolve(path, &schema)?;
                    change.take(&mut members, operation.op, attribute, path.filter.as_ref(), value)?;
                }
                _ => change.take_object(&mut members, operation.op, value, &schema)?,
            }
        }
        change.members = members.finish();
        Ok(change)
    }
}

/// The attribute that a path names as a whole, if it may be written.
fn resolve<'s>(path: &Path, schema: &'s Schema) -> Result<&'s Attribute, ScimError> {
    let unknown = || ScimError::invalid_path("the path names no attribute of a group");
    let found = schema.resolve(&path.attribute).ok_or_else(unknown)?;
    match (found.attribute.mutability, found.sub) {
        (Mutability::ReadOnly, _) => Err(ScimError::mutability(format!("`{}` is readOnly", found.attribute.name))),
        (_, Some(_)) => Err(ScimError::mutability("members are added and removed, not changed")),
        _ if path.filter.is_some() && !found.attribute.multi_valued => Err(unknown()),
        _ => Ok(found.attribute),
    }
}

// === impl GroupChange ===

impl GroupChange {
    /// What an object without a path says; unknown and readOnly attributes are ignored, as for users.
    fn take_object(
        &mut self,
        members: &mut Members,
        op: Op,
        value: Option<&Value>,
        schema: &Schema,
    ) -> Result<(), ScimError> {
        let object = value.and_then(Value::as_object);
        let object = object.ok_or_else(|| ScimError::invalid_value("the value is not an object of attributes"))?;
        for (key, value) in object {
            if key.eq_ignore_ascii_case(schema.core.urn) {
                for (key, value) in value.as_object().into_iter().flatten() {
                    self.take_member(members, op, key, value, schema)?;
                }
            } else {
                self.take_member(members, op, key, value, schema)?;
            }
        }
        Ok(())
    }

    fn take_member(
        &mut self,
        members: &mut Members,
        op: Op,
        key: &str,
        value: &Value,
        schema: &Schema,
    ) -> Result<(), ScimError> {
        let Ok(path) = Path::parse(key) else { return Ok(()) };
        match resolve(&path, schema) {
            Ok(attribute) => self.take(members, op, attribute, path.filter.as_ref(), Some(value)),
            Err(_) => Ok(()),
        }
    }

    fn take(
        &mut self,
        members: &mut Members,
        op: Op,
        attribute: &Attribute,
        filter: Option<&Filter>,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        if attribute.multi_valued {
            return members.take(op, attribute, filter, value);
        }
        let value = value.filter(|_| op != Op::Remove).unwrap_or(&Value::Null);
        let text = coerce(attribute, value)?.and_then(|value| value.as_str().map(str::to_owned));
        match (attribute.name, text) {
            ("displayName", Some(name)) if !name.trim().is_empty() => self.display_name = Some(name),
            ("displayName", _) => return Err(ScimError::invalid_value("`displayName` is required")),
            (_, None) if op == Op::Add => {}
            (_, id) => self.external_id = Some(id),
        }
        Ok(())
    }
}

// === impl Members ===

impl Members {
    fn take(
        &mut self,
        op: Op,
        attribute: &Attribute,
        filter: Option<&Filter>,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        match (op, filter, value) {
            (Op::Remove, Some(filter), _) => selected(filter)?.into_iter().for_each(|id| self.remove(id)),
            (_, Some(_), _) => return Err(ScimError::mutability("members are added and removed, not changed")),
            (Op::Remove, None, None | Some(Value::Null)) => self.start_over(Base::Nobody),
            (Op::Remove, None, Some(value)) => {
                named(attribute, value)?.into_iter().for_each(|member| self.remove(member.value));
            }
            (Op::Replace, None, value) => {
                let members = named(attribute, value.unwrap_or(&Value::Null))?;
                self.start_over(Base::Replaced);
                self.add_all(members);
            }
            (Op::Add, None, value) => {
                self.add_all(named(attribute, value.unwrap_or(&Value::Null))?);
            }
        }
        if self.add.len() + self.remove.len() > MAX_MEMBERS {
            return Err(ScimError::invalid_value(format!("a patch names at most {MAX_MEMBERS} members")));
        }
        Ok(())
    }

    fn start_over(&mut self, base: Base) {
        *self = Self { base, ..Self::default() };
    }

    fn add_all(&mut self, members: Vec<Member>) {
        for member in members {
            self.remove.remove(&member.value);
            self.add.insert(member.value.clone(), member);
        }
    }

    fn remove(&mut self, id: String) {
        self.add.remove(&id);
        if self.base == Base::AsTheyAre {
            self.remove.insert(id);
        }
    }

    fn finish(self) -> MemberChange {
        let add = self.add.into_values().collect();
        let remove = self.remove.into_iter().collect();
        match self.base {
            Base::Replaced => MemberChange { replace: Some(add), ..MemberChange::default() },
            base => MemberChange { replace: None, remove_all: base == Base::Nobody, add, remove },
        }
    }
}

fn named(attribute: &Attribute, value: &Value) -> Result<Vec<Member>, ScimError> {
    let Some(Value::Array(values)) = coerce(attribute, value)? else { return Ok(Vec::new()) };
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let member = |value: &Value| {
        let id = text(value, "value").ok_or_else(|| ScimError::invalid_value("a member needs a `value`"))?;
        Ok(Member { value: id, kind: text(value, "type") })
    };
    values.iter().map(member).collect()
}

/// The ids a filter such as `value eq "a" or value eq "b"` selects.
fn selected(filter: &Filter) -> Result<Vec<String>, ScimError> {
    let unread = || ScimError::invalid_filter("members are selected by `value eq` alone, joined by `or`");
    match filter {
        Filter::Or(any) => Ok(any.iter().map(selected).collect::<Result<Vec<_>, _>>()?.concat()),
        Filter::Compare(path, Operator::Eq, literal) if path.is_plain() && path.name.eq_ignore_ascii_case("value") => {
            literal.as_str().map(|id| vec![id.to_owned()]).ok_or_else(unread)
        }
        _ => Err(unread()),
    }
}

// === impl MemberChange ===

impl MemberChange {
    /// Nobody comes and nobody goes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.replace.is_none() && !self.remove_all && self.add.is_empty() && self.remove.is_empty()
    }
}

// === impl Member ===

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Member(…)")
    }
}
