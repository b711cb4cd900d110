//! The answer to a query (RFC 7644 section 3.4.2).

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::urn;

/// A page of resources, such as [`Rendering`](crate::Rendering)s.
#[derive(Clone, Debug, PartialEq)]
pub struct ListResponse<T> {
    /// How many there are, on all pages.
    pub total_results: usize,
    /// The number of the first one here, counted from 1.
    pub start_index: usize,
    /// Those of this page.
    pub resources: Vec<T>,
}

// === impl ListResponse ===

impl<T: Serialize> Serialize for ListResponse<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_struct("ListResponse", 5)?;
        list.serialize_field("schemas", &[urn::LIST_RESPONSE])?;
        list.serialize_field("totalResults", &self.total_results)?;
        list.serialize_field("startIndex", &self.start_index)?;
        list.serialize_field("itemsPerPage", &self.resources.len())?;
        list.serialize_field("Resources", &self.resources)?;
        list.end()
    }
}

impl<T> ListResponse<T> {
    /// Everything on one page.
    #[must_use]
    pub fn whole(resources: Vec<T>) -> Self {
        Self { total_results: resources.len(), start_index: 1, resources }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_envelope_is_the_rfc_s() {
        let page = ListResponse { total_results: 7, start_index: 3, resources: vec![json!({"id": "a"})] };
        assert_eq!(
            serde_json::to_value(&page).unwrap(),
            json!({"schemas": [urn::LIST_RESPONSE], "totalResults": 7, "startIndex": 3, "itemsPerPage": 1,
                   "Resources": [{"id": "a"}]})
        );
        assert_eq!(ListResponse::<()>::whole(Vec::new()).total_results, 0);
    }
}
