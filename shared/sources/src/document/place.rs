//! A place in the document: what is there, where it is, and a way to say what is wrong with it.
//!
//! Nothing here complains about the shape: the schema does, and then there is nothing to read.

use serde_json::Value;

use super::mistake::Report;
use super::yaml::{Tree, below};

/// A place, whether or not something is there.
#[derive(Clone)]
pub(super) struct Place<'a> {
    tree: &'a Tree,
    report: &'a Report,
    pointer: String,
    /// What is there.
    pub(super) value: Option<&'a Value>,
}

// === impl Place ===

impl<'a> Place<'a> {
    /// The whole document.
    pub(super) fn root(tree: &'a Tree, report: &'a Report) -> Self {
        Self { tree, report, pointer: String::new(), value: Some(&tree.value) }
    }

    /// A member of an object.
    pub(super) fn member(&self, name: &str) -> Self {
        self.inner(name, self.value.and_then(|value| value.get(name)))
    }

    /// The members of an object; none if it is something else.
    pub(super) fn members(&self) -> Vec<(&'a str, Self)> {
        let members = self.value.and_then(Value::as_object).into_iter().flatten();
        members.map(|(name, value)| (name.as_str(), self.inner(name, Some(value)))).collect()
    }

    /// The items of a list; none if it is something else.
    pub(super) fn items(&self) -> Vec<Self> {
        let items = self.value.and_then(Value::as_array).into_iter().flatten().enumerate();
        items.map(|(n, value)| self.inner(&n.to_string(), Some(value))).collect()
    }

    /// The text here.
    pub(super) fn text(&self) -> Option<&'a str> {
        self.value.and_then(Value::as_str)
    }

    /// What the text here means; `None` if it means nothing, which the schema tells.
    pub(super) fn word<T>(&self, named: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        named(self.text()?)
    }

    /// The same, or the default if nothing is here.
    pub(super) fn word_or<T>(&self, default: T, named: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        if self.value.is_none() { Some(default) } else { self.word(named) }
    }

    /// Whether something is here.
    pub(super) fn is_there(&self) -> bool {
        self.value.is_some()
    }

    /// Tells a mistake of what is here.
    pub(super) fn mistake(&self, what: impl Into<String>) {
        self.report.mistake(self.tree.line(&self.pointer), &self.pointer, what);
    }

    fn inner(&self, key: &str, value: Option<&'a Value>) -> Self {
        Self { tree: self.tree, report: self.report, pointer: below(&self.pointer, key), value }
    }
}
