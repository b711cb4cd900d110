//! `GET /Groups`, `POST /Groups/.search`, and the groups of a user.

use revocation_core::domain::account::Group;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::ports::{GroupDirectory, PortError};
use revocation_edge::Response;
use revocation_scim::{Filter, ListQuery, ListResponse, Rendering, ScimError};
use serde_json::{Value, json};

use super::membership::all_members;
use super::name::{Note, group_id, name_of};
use super::resource;
use crate::answer::{self, failed};
use crate::call::Call;
use crate::users::{self, mentions};
use crate::window::{Budget, Window};

const ADVICE: &str = "the pool has more groups than one request can look through; filter by `id` or `members.value` with \
    `eq`, or leave members out with excludedAttributes=members";
/// Cognito's quota of groups a user is in is 100; pages may be empty although more follow.
const MOST_PAGES: usize = 20;

/// What of a filter the pool answers by itself.
enum Lookup<'f> {
    Id(&'f str),
    Member(&'f str),
}

/// Lists groups.
pub(crate) async fn list(call: &Call<'_>, query: &ListQuery) -> Result<Response, ScimError> {
    let Window { page, total, .. } = window(call, query).await?;
    let schema = &call.published_group;
    let resources = page.iter().map(|group| Rendering::new(group, schema, &query.projection)).collect();
    Ok(answer::json(200, &ListResponse { total_results: total, start_index: query.start_index, resources }))
}

/// The groups on the page.
pub(crate) async fn window(call: &Call<'_>, query: &ListQuery) -> Result<Window, ScimError> {
    let mut budget = Budget::new(&*call.provider.clock, ADVICE);
    let found = query.filter.as_ref().and_then(|filter| lookup(call, filter));
    if found.is_none() && query.filter.as_ref().is_some_and(|filter| mentions(filter, "members")) {
        return Err(ScimError::invalid_filter("of `members`, groups are found by `members.value eq` only"));
    }
    let member = query.filter.as_ref().and_then(|filter| member(call, filter));
    let candidates = match found {
        Some(Lookup::Id(id)) => by_id(call, id, member).await?,
        Some(Lookup::Member(id)) => by_member_id(call, id).await?,
        None => all(call, &mut budget).await?,
    };
    // The member asked for is known to be one; no others need be read to decide.
    let known: Vec<Value> = member.map(|id| json!({ "value": id, "type": "User" })).into_iter().collect();
    let mut window = Window::new(query);
    let mut shown = Vec::new();
    for group in &candidates {
        let group_resource = resource(call, group, &known);
        if query.filter.as_ref().is_none_or(|filter| filter.matches(&group_resource, &call.group_schema)) {
            let before = window.page.len();
            window.take(|| group_resource);
            if window.page.len() > before {
                shown.push(group);
            }
        }
    }
    if query.projection.includes("members", &call.group_schema) {
        for (group, on_page) in shown.into_iter().zip(&mut window.page) {
            let members = all_members(call, &group.name).await?;
            // Each group is a call of its own, as dear as a page of members.
            budget.spend(members.len().max(1))?;
            let members: Vec<Value> = members.iter().map(|account| users::member(call, account)).collect();
            *on_page = resource(call, group, &members);
        }
    }
    Ok(window)
}

fn lookup<'f>(call: &Call<'_>, filter: &'f Filter) -> Option<Lookup<'f>> {
    equality(call, filter, "id").map(Lookup::Id).or_else(|| member(call, filter).map(Lookup::Member))
}

fn member<'f>(call: &Call<'_>, filter: &'f Filter) -> Option<&'f str> {
    equality(call, filter, "members.value")
}

fn equality<'f>(call: &Call<'_>, filter: &'f Filter, key: &str) -> Option<&'f str> {
    filter.conjunct_equalities().into_iter().find_map(|(path, literal)| {
        let found = call.group_schema.resolve(&path)?;
        (found.key() == key).then(|| literal.as_str())?
    })
}

/// The group with this id; with a member, only if that is one.
async fn by_id(call: &Call<'_>, id: &str, member: Option<&str>) -> Result<Vec<Group>, ScimError> {
    let Some(name) = name_of(id) else { return Ok(Vec::new()) };
    let found = call.provider.groups.group(call.pool(), &name).await.map_err(|error| failed(&error))?;
    let (Some(group), Some(member)) = (&found, member) else { return Ok(found.into_iter().collect()) };
    let groups = by_member_id(call, member).await?;
    Ok(groups.into_iter().filter(|one| one.name == group.name).collect())
}

async fn by_member_id(call: &Call<'_>, id: &str) -> Result<Vec<Group>, ScimError> {
    let Ok(sub) = users::sub(id) else { return Ok(Vec::new()) };
    let found = call.provider.users.find(call.pool(), &sub).await.map_err(|error| failed(&error))?;
    let Some(account) = found else { return Ok(Vec::new()) };
    let groups = all_of(&*call.provider.groups, call.pool(), &account.username).await;
    groups.map_err(|error| failed(&error))
}

async fn all(call: &Call<'_>, budget: &mut Budget<'_>) -> Result<Vec<Group>, ScimError> {
    let (mut groups, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = call.provider.groups.groups(call.pool(), after.as_deref()).await;
        let page = page.map_err(|error| failed(&error))?;
        budget.spend(page.groups.len())?;
        groups.extend(page.groups);
        after = page.next;
        if after.is_none() {
            return Ok(groups);
        }
    }
}

/// A user's `groups`.
pub(crate) async fn groups_of(call: &Call<'_>, username: &str) -> Result<Vec<Value>, ScimError> {
    let groups = all_of(&*call.provider.groups, call.pool(), username).await.map_err(|error| failed(&error))?;
    let shown = groups.iter().map(|group| {
        let id = group_id(&group.name);
        let url = call.group_url(&id);
        json!({ "value": id, "$ref": url, "display": Note::read(group).display_name, "type": "direct" })
    });
    Ok(shown.collect())
}

/// Whether a user is in a group.
pub(super) async fn belongs_to(
    groups: &dyn GroupDirectory,
    pool: &UserPoolId,
    username: &str,
    group: &str,
) -> Result<bool, PortError> {
    Ok(all_of(groups, pool, username).await?.iter().any(|one| one.name == group))
}

async fn all_of(groups: &dyn GroupDirectory, pool: &UserPoolId, username: &str) -> Result<Vec<Group>, PortError> {
    let (mut all, mut after) = (Vec::new(), None::<String>);
    for _ in 0..MOST_PAGES {
        let page = groups.groups_of(pool, username, after.as_deref()).await?;
        all.extend(page.groups);
        after = page.next;
        if after.is_none() {
            return Ok(all);
        }
    }
    Err(PortError::retry("list groups of a user", "endless_pages"))
}
