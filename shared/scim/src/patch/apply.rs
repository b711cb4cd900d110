//! A patch applied to a resource in memory.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::values::Selection;
use super::{Op, Operation, PatchRequest};
use crate::changes::Changes;
use crate::error::ScimError;
use crate::filter::Filter;
use crate::path::{AttributePath, Path};
use crate::resource::coerce::{coerce, single};
use crate::resource::{check_required, object_in};
use crate::schema::{Attribute, Kind, Mutability, Resolved, Schema, UserSchema};

/// How a mistake in a name is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// The client points at one attribute: it must be there and writable.
    Path,
    /// The client sends an object of what it knows, often the whole resource: what cannot be kept is left out.
    Object,
}

/// A patch under way.
struct Patcher<'s> {
    schema: &'s Schema,
    /// Comparisons made so far.
    work: usize,
}

/// Most comparisons one patch may cause: a tenth of a second. Honest ones need some hundreds.
const MAX_WORK: usize = 1_000_000;

// === impl PatchRequest ===

impl PatchRequest {
    /// Applies it to a resource in the schema's spelling. On error nothing has changed.
    ///
    /// With a path, an unknown attribute is `invalidPath` and a readOnly one `mutability`; one of RFC 7643 that this
    /// provider does not keep is left out, so that a title nobody asked for does not refuse the deactivation beside it
    /// (Entra maps a dozen by default). In an object without a path all of them are ignored: Okta sends `id`. Keys of such an object may be paths
    /// themselves (`name.givenName`, `urn:…:User:department`, `emails[type eq "work"].value`), as Entra writes them.
    /// `null` and empty values mean "no value". A path filter that selects nothing: `replace` is `noTarget` (RFC 7644
    /// section 3.5.2.3), `remove` does nothing, `add` creates the value that the filter's equalities describe.
    pub fn apply(&self, resource: &mut Value, schema: &Schema) -> Result<Changes, ScimError> {
        let mut patched = resource.clone();
        let root = patched.as_object_mut().ok_or_else(unfit)?;
        let mut under_way = Patcher { schema, work: 0 };
        for operation in &self.operations {
            under_way.apply(root, operation)?;
        }
        check_required(&patched, schema)?;
        let changes = Changes::between(resource, &patched, schema);
        *resource = patched;
        Ok(changes)
    }
}

// === impl Patcher ===

impl Patcher<'_> {
    fn apply(&mut self, root: &mut Map<String, Value>, operation: &Operation) -> Result<(), ScimError> {
        let (op, value, schema) = (operation.op, operation.value.as_ref(), self.schema);
        let Some(path) = &operation.path else { return self.apply_object(root, op, None, value) };
        let mut parts = std::iter::once(&schema.core).chain(&schema.extensions);
        match parts.find(|part| path.attribute.is_urn(part.urn) && path.filter.is_none()) {
            Some(part) if op == Op::Remove && part.urn != schema.core.urn => drop(root.remove(part.urn)),
            Some(part) => self.apply_object(root, op, Some(part.urn), value)?,
            None => self.apply_at(root, op, path, value, Naming::Path)?,
        }
        Ok(())
    }

    /// An object of attributes, those of an extension below its URN.
    fn apply_object(
        &mut self,
        root: &mut Map<String, Value>,
        op: Op,
        urn: Option<&str>,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let object = value.and_then(Value::as_object);
        let object = object.ok_or_else(|| ScimError::invalid_value("the value is not an object of attributes"))?;
        for (key, value) in object {
            let mut parts = std::iter::once(&self.schema.core).chain(&self.schema.extensions);
            if let Some(part) = parts.find(|part| part.urn.eq_ignore_ascii_case(key)).filter(|_| urn.is_none()) {
                match value {
                    Value::Null if op == Op::Replace => drop(root.remove(part.urn)),
                    Value::Null => {}
                    _ => self.apply_object(root, op, Some(part.urn), Some(value))?,
                }
            } else if let Ok(mut path) = Path::parse(key) {
                path.attribute.urn = path.attribute.urn.or_else(|| urn.map(str::to_owned));
                self.apply_at(root, op, &path, Some(value), Naming::Object)?;
            }
        }
        Ok(())
    }

    fn apply_at(
        &mut self,
        root: &mut Map<String, Value>,
        op: Op,
        path: &Path,
        value: Option<&Value>,
        naming: Naming,
    ) -> Result<(), ScimError> {
        let found = match resolve(&path.attribute, path.filter.is_some(), self.schema) {
            Ok(found) => found,
            Err(_) if naming == Naming::Object || is_not_kept(&path.attribute, self.schema) => return Ok(()),
            Err(error) => return Err(error),
        };
        let Some(part) = found.extension else { return self.change(root, op, path, found, value, naming) };
        let holder = object_in(root, part.urn).ok_or_else(unfit)?;
        self.change(holder, op, path, found, value, naming)?;
        if holder.is_empty() {
            root.remove(part.urn);
        }
        Ok(())
    }

    fn change(
        &mut self,
        holder: &mut Map<String, Value>,
        op: Op,
        path: &Path,
        found: Resolved<'_>,
        value: Option<&Value>,
        naming: Naming,
    ) -> Result<(), ScimError> {
        let Resolved { attribute, sub, .. } = found;
        if !attribute.multi_valued || (path.filter.is_none() && sub.is_none() && op == Op::Replace) {
            return set(holder, op, attribute, sub, value);
        }
        // Every value that is there is compared with every term, or with every value that is sent.
        let count = |value: Option<&Value>| value.and_then(Value::as_array).map_or(1, Vec::len);
        let terms = path.filter.as_ref().map_or_else(|| count(value), Filter::terms);
        self.work = self.work.saturating_add(terms.saturating_mul(count(holder.get(attribute.name))));
        if self.work > MAX_WORK {
            return Err(ScimError::too_many("the patch asks for more comparisons than this provider makes"));
        }
        let create = op == Op::Add || naming == Naming::Object || path.filter.is_none();
        Selection { attribute, filter: path.filter.as_ref(), sub, create }.apply(holder, op, value)
    }
}

/// Whether RFC 7643 has the attribute of a user, and this provider's schema has not.
fn is_not_kept(path: &AttributePath, schema: &Schema) -> bool {
    static ALL: LazyLock<Schema> = LazyLock::new(UserSchema::all);
    schema.resource_type == ALL.resource_type && schema.resolve(path).is_none() && ALL.resolve(path).is_some()
}

/// What a path names, if it may be written.
fn resolve<'s>(path: &AttributePath, filtered: bool, schema: &'s Schema) -> Result<Resolved<'s>, ScimError> {
    let found =
        schema.resolve(path).ok_or_else(|| ScimError::invalid_path("the path names no attribute of the schema"))?;
    let name = found.attribute.name;
    if filtered && !(found.attribute.multi_valued && found.attribute.kind == Kind::Complex) {
        return Err(ScimError::invalid_path(format!("`{name}` has not several values to select from")));
    }
    match (found.attribute.mutability, found.sub.map(|sub| sub.mutability)) {
        (Mutability::ReadOnly, _) | (_, Some(Mutability::ReadOnly)) => {
            Err(ScimError::mutability(format!("`{name}` is readOnly")))
        }
        (_, Some(Mutability::Immutable)) => {
            Err(ScimError::mutability(format!("values of `{name}` are added and removed, not changed")))
        }
        _ => Ok(found),
    }
}

/// A single-valued attribute, a sub-attribute of one, or the replacement of all values of a multi-valued one.
fn set(
    holder: &mut Map<String, Value>,
    op: Op,
    attribute: &Attribute,
    sub: Option<&Attribute>,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let value = value.filter(|_| op != Op::Remove).unwrap_or(&Value::Null);
    if sub.is_none() && !(attribute.kind == Kind::Complex && !attribute.multi_valued && value.is_object()) {
        put(holder, attribute, coerce(attribute, value)?, op);
        return Ok(());
    }
    let mut object = match holder.remove(attribute.name) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    if let Some(sub) = sub {
        put(&mut object, sub, coerce(sub, value)?, op);
    } else {
        // RFC 7644 sections 3.5.2.1, 3.5.2.3: sub-attributes that are not mentioned stay.
        for (key, value) in value.as_object().into_iter().flatten() {
            let sub = attribute.sub(key).filter(|sub| sub.mutability != Mutability::ReadOnly);
            if let Some(sub) = sub {
                put(&mut object, sub, coerce(sub, value)?, op);
            }
        }
    }
    if !object.is_empty() {
        holder.insert(attribute.name.to_owned(), Value::Object(object));
    }
    Ok(())
}

/// Sets what has a value; takes away what has none, unless nothing was to be added.
pub(super) fn put(holder: &mut Map<String, Value>, attribute: &Attribute, value: Option<Value>, op: Op) {
    match value {
        Some(value) => drop(holder.insert(attribute.name.to_owned(), value)),
        None if op == Op::Add => {}
        None => drop(holder.remove(attribute.name)),
    }
}

/// One value of a multi-valued attribute, from an object or from a plain value for its `value`.
pub(super) fn element(attribute: &Attribute, value: &Value) -> Result<Option<Value>, ScimError> {
    match value {
        Value::Array(values) => match values.as_slice() {
            [one] => single(attribute, one),
            _ => Err(ScimError::invalid_value(format!("one value of `{}` is expected", attribute.name))),
        },
        one => single(attribute, one),
    }
}

fn unfit() -> ScimError {
    ScimError::invalid_syntax("the resource does not fit its schema")
}
