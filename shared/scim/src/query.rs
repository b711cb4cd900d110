//! Queries, from a query string or from the body of `.search` (RFC 7644 sections 3.4.2, 3.4.3).

use serde_json::Value;

use crate::error::ScimError;
use crate::filter::Filter;
use crate::projection::Projection;
use crate::schema::Schema;
use crate::urn;

/// A query of resources.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Which ones; checked against the schema.
    pub filter: Option<Filter>,
    /// The first one wanted, counted from 1.
    pub start_index: usize,
    /// The most wanted; 0 asks for the number of all alone.
    pub count: usize,
    /// Which part of them.
    pub projection: Projection,
}

/// How many resources an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most, whatever is asked for; `filter.maxResults`.
    pub max: usize,
    /// If nothing is asked for.
    pub default: usize,
}

/// The parameters that mean something here, as they were given.
#[derive(Default)]
struct Parameters {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    attributes: Option<String>,
    excluded: Option<String>,
}

/// Most attribute names in a `.search`.
const MAX_NAMES: usize = 200;

// === impl ListQuery ===

impl ListQuery {
    /// From the decoded pairs of a query string. Parameters nobody knows are ignored, those given twice refused.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        schema: &Schema,
        limits: Limits,
    ) -> Result<Self, ScimError> {
        let mut parameters = Parameters::default();
        for (name, value) in pairs {
            let text = |slot: &mut Option<String>| set(slot, value.to_owned());
            match name {
                "filter" => text(&mut parameters.filter)?,
                "attributes" => text(&mut parameters.attributes)?,
                "excludedAttributes" => text(&mut parameters.excluded)?,
                "startIndex" => set(&mut parameters.start_index, number(value)?)?,
                "count" => set(&mut parameters.count, number(value)?)?,
                "sortBy" => return Err(sorting()),
                _ => {}
            }
        }
        parameters.build(schema, limits)
    }

    /// From the body of `POST /…/.search`.
    pub fn parse_search(body: &Value, schema: &Schema, limits: Limits) -> Result<Self, ScimError> {
        let body = body.as_object().ok_or_else(|| ScimError::invalid_syntax("a search is a JSON object"))?;
        let announced = body.get("schemas").and_then(Value::as_array).is_some_and(|schemas| {
            let mut urns = schemas.iter().filter_map(Value::as_str);
            urns.any(|urn| urn.eq_ignore_ascii_case(urn::SEARCH_REQUEST))
        });
        if !announced {
            return Err(ScimError::invalid_syntax("`schemas` does not name the SearchRequest message"));
        }
        let mut parameters = Parameters::default();
        for (name, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            match name.as_str() {
                "filter" => parameters.filter = Some(value.as_str().ok_or_else(|| mistyped("filter"))?.to_owned()),
                "attributes" => parameters.attributes = Some(list(value)?),
                "excludedAttributes" => parameters.excluded = Some(list(value)?),
                "startIndex" => parameters.start_index = Some(value.as_i64().ok_or_else(|| mistyped("startIndex"))?),
                "count" => parameters.count = Some(value.as_i64().ok_or_else(|| mistyped("count"))?),
                "sortBy" => return Err(sorting()),
                _ => {}
            }
        }
        parameters.build(schema, limits)
    }
}

// === impl Parameters ===

impl Parameters {
    fn build(self, schema: &Schema, limits: Limits) -> Result<ListQuery, ScimError> {
        // An empty filter is how some clients say that they have none.
        let filter = self.filter.filter(|text| !text.trim().is_empty());
        let filter = filter.as_deref().map(Filter::parse).transpose()?;
        filter.as_ref().map_or(Ok(()), |filter| filter.check(schema))?;
        // RFC 7644 section 3.4.2.4: less than 1 is 1; less than 0 is 0.
        let at_least = |number: i64, least: usize| usize::try_from(number).unwrap_or(least).max(least);
        Ok(ListQuery {
            filter,
            start_index: self.start_index.map_or(1, |index| at_least(index, 1)),
            count: self.count.map_or(limits.default, |count| at_least(count, 0)).min(limits.max),
            projection: Projection::parse(self.attributes.as_deref(), self.excluded.as_deref(), schema)?,
        })
    }
}

fn set<T>(slot: &mut Option<T>, value: T) -> Result<(), ScimError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ScimError::invalid_value("a parameter is given twice")),
    }
}

fn number(text: &str) -> Result<i64, ScimError> {
    text.trim().parse().map_err(|_| ScimError::invalid_value("`startIndex` and `count` are whole numbers"))
}

/// Names of attributes: an array of strings (RFC 7644 section 3.4.3), or a string as in a query.
fn list(value: &Value) -> Result<String, ScimError> {
    let names: Option<Vec<&str>> = match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(names) if names.len() <= MAX_NAMES => names.iter().map(Value::as_str).collect(),
        _ => None,
    };
    names.map(|names| names.join(",")).ok_or_else(|| mistyped("attributes"))
}

fn mistyped(name: &'static str) -> ScimError {
    ScimError::invalid_value(format!("`{name}` is of another type"))
}

fn sorting() -> ScimError {
    ScimError::invalid_value("sorting is not supported: see /ServiceProviderConfig, and leave out `sortBy`")
}

#[cfg(test)]
mod tests;
