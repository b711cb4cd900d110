//! What every resource has and no schema declares (RFC 7643 section 3.1).

use super::attribute::{Attribute, Returned};

pub(super) fn attributes() -> Vec<Attribute> {
    vec![
        Attribute::reference("schemas", &["uri"], "The schemas it has data of; derived from the data.")
            .many()
            .read_only()
            .returned(Returned::Always),
        Attribute::string("id", "The provider's identifier of the resource; never changes.")
            .case_exact()
            .read_only()
            .returned(Returned::Always)
            .unique(),
        Attribute::string("externalId", "The client's identifier of the resource.").case_exact(),
        Attribute::complex(
            "meta",
            "What the provider knows about the resource itself.",
            vec![
                Attribute::string("resourceType", "The kind of resource.").case_exact().read_only(),
                Attribute::date_time("created", "When it was added.").read_only(),
                Attribute::date_time("lastModified", "When it was last changed.").read_only(),
                Attribute::reference("location", &["uri"], "Its URI.").read_only(),
                Attribute::string("version", "Its version, as in `ETag`.").case_exact().read_only(),
            ],
        )
        .read_only(),
    ]
}
