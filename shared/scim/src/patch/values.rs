//! Operations on values of a multi-valued attribute: all of them, or those a filter selects.

use serde_json::{Map, Value};

use super::Op;
use super::apply::{element, put};
use crate::error::ScimError;
use crate::filter::{Filter, Literal, fold, is_present};
use crate::resource::coerce::{check_count, coerce, is_primary};
use crate::schema::{Attribute, Kind};

/// Values of a multi-valued attribute.
pub(super) struct Selection<'a> {
    pub(super) attribute: &'a Attribute,
    /// Which ones; without it all of them.
    pub(super) filter: Option<&'a Filter>,
    /// Which part of them; without it they as a whole.
    pub(super) sub: Option<&'a Attribute>,
    /// Whether a value is made where none is selected.
    pub(super) create: bool,
}

// === impl Selection ===

impl Selection<'_> {
    pub(super) fn apply(
        &self,
        holder: &mut Map<String, Value>,
        op: Op,
        value: Option<&Value>,
    ) -> Result<(), ScimError> {
        let mut values = match holder.remove(self.attribute.name) {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        };
        match (op, self.filter, self.sub) {
            (Op::Remove, ..) => self.remove(&mut values, value)?,
            (_, None, None) => self.append(&mut values, value.unwrap_or(&Value::Null))?,
            _ => self.change(&mut values, op, value.unwrap_or(&Value::Null))?,
        }
        check_count(self.attribute, values.len())?;
        if !values.is_empty() {
            holder.insert(self.attribute.name.to_owned(), Value::Array(values));
        }
        Ok(())
    }

    fn selects(&self, value: &Value) -> bool {
        self.filter.is_none_or(|filter| filter.matches_element(value, self.attribute))
    }

    /// Takes away what is selected: the sub-attribute; or the values, of them only those named, if any are.
    fn remove(&self, values: &mut Vec<Value>, named: Option<&Value>) -> Result<(), ScimError> {
        if let Some(sub) = self.sub {
            for value in values.iter_mut().filter(|value| self.selects(value)) {
                value.as_object_mut().and_then(|object| object.remove(sub.name));
            }
            self.tidy(values);
            return Ok(());
        }
        // Entra names the values in `value`. None named (an empty array) is not all of them.
        let named = match named.filter(|value| !value.is_null() && self.filter.is_none()) {
            Some(named) => Some(coerce(self.attribute, named)?),
            None => None,
        };
        match named {
            None => values.retain(|value| !self.selects(value)),
            Some(Some(Value::Array(named))) => {
                values.retain(|value| !named.iter().any(|named| self.is_named(value, named)));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Whether a value is the one a client names: by its `value`, and by its `type` if that is said too; values without a
    /// `value` (addresses) by all that is said.
    fn is_named(&self, value: &Value, named: &Value) -> bool {
        let same = |sub: &Attribute| match (value.get(sub.name), named.get(sub.name)) {
            (_, None) => true,
            (Some(Value::String(value)), Some(Value::String(named))) if !sub.case_exact => fold(value).eq(fold(named)),
            (value, named) => value == named,
        };
        let by_value = named.get("value").is_some();
        let telling = |sub: &&Attribute| !by_value || sub.name == "value" || sub.name == "type";
        self.attribute.sub_attributes.iter().filter(telling).all(same)
    }

    /// Adds values that are not there yet (RFC 7644 section 3.5.2.1); of those with the same `value` and `type` there is one
    /// (RFC 7643 section 2.4).
    fn append(&self, values: &mut Vec<Value>, new: &Value) -> Result<(), ScimError> {
        let Some(Value::Array(new)) = coerce(self.attribute, new)? else { return Ok(()) };
        for value in new {
            if is_primary(&value) {
                values.iter_mut().for_each(demote);
            }
            match values.iter_mut().find(|old| is_same(old, &value)) {
                Some(Value::Object(old)) => {
                    if let Value::Object(new) = value {
                        old.extend(new);
                    }
                }
                _ => values.push(value),
            }
        }
        Ok(())
    }

    /// Changes what is selected; makes it where nothing is and that is wanted.
    fn change(&self, values: &mut Vec<Value>, op: Op, new: &Value) -> Result<(), ScimError> {
        let mut touched: Vec<usize> =
            values.iter().enumerate().filter(|(_, value)| self.selects(value)).map(|(index, _)| index).collect();
        if touched.is_empty() {
            let Some(value) = self.made()? else {
                return Err(ScimError::no_target("the path's filter selects no value"));
            };
            if !is_present(new) {
                return Ok(());
            }
            touched.push(values.len());
            values.push(value);
        }
        for index in &touched {
            if let Some(value) = values.get_mut(*index) {
                self.change_one(value, op, new)?;
            }
        }
        let primary = |index: &usize| values.get(*index).is_some_and(is_primary);
        match touched.iter().filter(|index| primary(index)).count() {
            0 => {}
            // RFC 7643 section 2.4: the newly primary one is the only one.
            1 => {
                let untouched =
                    values.iter_mut().enumerate().filter(|(index, _)| touched.binary_search(index).is_err());
                untouched.for_each(|(_, value)| demote(value));
            }
            _ => return Err(ScimError::invalid_value(format!("two of `{}` would be primary", self.attribute.name))),
        }
        self.tidy(values);
        Ok(())
    }

    /// Drops values that say nothing any more: empty ones, and those whose `value` was just taken away.
    fn tidy(&self, values: &mut Vec<Value>) {
        let needs_value = self.sub.is_some_and(|sub| sub.name == "value");
        values.retain(|value| match value {
            Value::Object(object) if needs_value => object.contains_key("value"),
            Value::Object(object) => !object.is_empty(),
            _ => true,
        });
    }

    fn change_one(&self, value: &mut Value, op: Op, new: &Value) -> Result<(), ScimError> {
        if let Some(sub) = self.sub {
            let new = coerce(sub, new)?;
            if let Some(object) = value.as_object_mut() {
                put(object, sub, new, op);
            }
            return Ok(());
        }
        let plain = !new.is_object() && self.attribute.kind == Kind::Complex;
        match (element(self.attribute, new)?, &mut *value) {
            (Some(Value::Object(new)), Value::Object(old)) if op == Op::Add || plain => old.extend(new),
            (Some(new), value) => *value = new,
            (None, _) if op == Op::Add => {}
            (None, value) => *value = Value::Object(Map::new()),
        }
        Ok(())
    }

    /// A value of which the filter would hold, if the filter says what that is: equalities joined by `and`.
    fn made(&self) -> Result<Option<Value>, ScimError> {
        let mut object = Map::new();
        let Some(filter) = self.filter.filter(|_| self.create) else {
            return Ok(self.create.then_some(Value::Object(object)));
        };
        for (path, literal) in filter.conjunct_equalities() {
            let Some(sub) = self.attribute.sub(&path.name).filter(|_| path.is_plain()) else { return Ok(None) };
            let value = match literal {
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Number(number) => Value::Number(number.clone()),
                Literal::Text(text) => Value::String(text.as_str().to_owned()),
                Literal::Null => Value::Null,
            };
            object.extend(coerce(sub, &value)?.map(|value| (sub.name.to_owned(), value)));
        }
        let made = Value::Object(object);
        Ok(filter.matches_element(&made, self.attribute).then_some(made))
    }
}

fn is_same(old: &Value, new: &Value) -> bool {
    let same = |name: &str| old.get(name) == new.get(name);
    if new.get("value").is_some() { same("value") && same("type") } else { old == new }
}

fn demote(value: &mut Value) {
    if is_primary(value)
        && let Some(primary) = value.get_mut("primary")
    {
        *primary = Value::Bool(false);
    }
}
