//! `POST /.search`: of users and groups together, users first (RFC 7644 section 3.4.3).

use revocation_edge::Response;
use revocation_scim::{ListQuery, ListResponse, Rendering, ScimError};

use crate::answer;
use crate::call::{Call, LIMITS};
use crate::{groups, users};

/// Answers it.
pub(crate) async fn everything(call: &Call<'_>) -> Result<Response, ScimError> {
    let body = call.body()?;
    let of_users = ListQuery::parse_search(&body, &call.mapping.schema, LIMITS)?;
    let mut of_groups = ListQuery::parse_search(&body, &call.group_schema, LIMITS)?;
    let start_index = of_users.start_index;
    let found_users = users::window(call, &of_users).await?;
    // The groups' page begins where the users' ends.
    of_groups.start_index = start_index.saturating_sub(found_users.total).max(1);
    of_groups.count = of_groups.count.saturating_sub(found_users.page.len());
    let found_groups = groups::window(call, &of_groups).await?;
    let users = found_users.page.iter().map(|user| Rendering::new(user, &call.mapping.published, &of_users.projection));
    let groups = found_groups.page.iter().map(|one| Rendering::new(one, &call.published_group, &of_groups.projection));
    let total_results = found_users.total + found_groups.total;
    Ok(answer::json(200, &ListResponse { total_results, start_index, resources: users.chain(groups).collect() }))
}
