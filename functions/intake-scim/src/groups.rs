//! `/Groups`: groups of the pool, and who belongs to them.

use revocation_core::domain::account::Group;
use revocation_core::ports::{Acted, Refused};
use revocation_edge::Response;
use revocation_scim::{PatchRequest, Projection, Rendering, ScimError, read};
use revocation_sources::scim::OnRoleLoss;
use serde_json::{Value, json};

use crate::answer::{self, failed, refused};
use crate::call::{Call, meta};
use crate::users::member;

mod list;
mod membership;
mod name;

pub(crate) use list::{groups_of, list, window};
use membership::{Membership, all_members};
use name::{Note, group_id, name_of};

const GROUP_TAKEN: &str = "a group of that name is there already; names that differ in white space only are the same";

/// `GET /Groups/{id}`.
pub(crate) async fn get(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let projection = call.projection(&call.group_schema)?;
    let group = find(call, id).await?;
    answer(call, &group, &projection).await
}

/// `POST /Groups`. If a member cannot be added, the group is taken away again, and the client repeats the whole.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, ScimError> {
    let projection = call.projection(&call.group_schema)?;
    let body = read(&call.body()?, &call.group_schema)?;
    let note = Note::of(&body);
    let (groups, pool) = (&call.provider.groups, call.pool());
    let membership = Membership::of_new_group(call, &body).await?;
    let created = groups.create_group(pool, &note.group_name()?, &note.description()?).await;
    let group = created.map_err(|error| failed(&error))?.map_err(|why| match why {
        Refused::Taken => ScimError::uniqueness(GROUP_TAKEN),
        why => refused(why),
    })?;
    if let Err(error) = membership.add_all(call, &group.name).await {
        groups.delete_group(pool, &group.name).await.map_err(|error| failed(&error))?;
        return Err(error);
    }
    Ok(rendered(call, 201, &group, &membership.members(call), &projection))
}

/// Whether a body says who the members are, in any spelling that [`read`] understands: an empty list is not no list.
fn mentions_members(body: &Value) -> bool {
    let is_name = |key: &str| key.rsplit(':').next().is_some_and(|name| name.eq_ignore_ascii_case("members"));
    let names = |(key, value): (&String, &Value)| {
        let below_urn = key.contains(':') && value.as_object().is_some_and(|inner| inner.keys().any(|k| is_name(k)));
        is_name(key) || below_urn
    };
    body.as_object().is_some_and(|body| body.iter().any(names))
}

/// `PUT /Groups/{id}`. A body that does not mention `members` leaves them as they are: emptying a group by what was left
/// out would end the sessions of everybody in it.
pub(crate) async fn replace(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let projection = call.projection(&call.group_schema)?;
    let raw = call.body()?;
    let body = read(&raw, &call.group_schema)?;
    let mut group = find(call, id).await?;
    let mentioned = mentions_members(&raw);
    let membership = if mentioned { Some(Membership::replaced(call, &group.name, &body).await?) } else { None };
    let note = Note::of(&body).keeping(&Note::read(&group));
    check_rename(call, &group, &note).await?;
    if let Some(membership) = &membership {
        membership.carry_out(call, &group.name).await?;
    }
    describe(call, &mut group, &note).await?;
    match membership {
        Some(membership) => Ok(rendered(call, 200, &group, &membership.members(call), &projection)),
        None => answer(call, &group, &projection).await,
    }
}

/// `PATCH /Groups/{id}`. Answers 204, unless `attributes` asks for the group: of 10,000 members none need be read to add one.
pub(crate) async fn patch(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let projection = call.projection(&call.group_schema)?;
    let change = PatchRequest::parse(&call.body()?)?.group_change()?;
    let mut group = find(call, id).await?;
    let mut note = Note::read(&group);
    if let Some(display_name) = change.display_name {
        note.display_name = display_name;
    }
    if let Some(external_id) = change.external_id {
        note.external_id = external_id;
    }
    check_rename(call, &group, &note).await?;
    let membership = Membership::changed(call, &group.name, &change.members).await?;
    membership.carry_out(call, &group.name).await?;
    describe(call, &mut group, &note).await?;
    let wanted = call.request.query.iter().any(|(name, _)| name == "attributes");
    if wanted { answer(call, &group, &projection).await } else { Ok(Response::empty(204)) }
}

/// `DELETE /Groups/{id}`: everybody in it loses it.
pub(crate) async fn delete(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let group = find(call, id).await?;
    let revocations = call.revocations();
    let losing = match call.client.source.on_role_loss {
        OnRoleLoss::None => Vec::new(),
        OnRoleLoss::SignOut | OnRoleLoss::Refresh => membership::everybody(call, &group.name).await?,
    };
    let promised = revocations.before_losing(&losing).await?;
    let deleted = call.provider.groups.delete_group(call.pool(), &group.name).await;
    let deleted = deleted.map_err(|error| failed(&error))?;
    revocations.keep(promised).await;
    match deleted {
        Acted::Done => Ok(Response::empty(204)),
        Acted::NotNeeded(_) => Err(ScimError::not_found()),
    }
}

async fn find(call: &Call<'_>, id: &str) -> Result<Group, ScimError> {
    let name = name_of(id).ok_or_else(ScimError::not_found)?;
    let found = call.provider.groups.group(call.pool(), &name).await;
    found.map_err(|error| failed(&error))?.ok_or_else(ScimError::not_found)
}

/// A new name must not be the one under which another group is created.
async fn check_rename(call: &Call<'_>, group: &Group, note: &Note) -> Result<(), ScimError> {
    let name = note.group_name()?;
    if note.display_name == Note::read(group).display_name || name == group.name {
        return Ok(());
    }
    let other = call.provider.groups.group(call.pool(), &name).await.map_err(|error| failed(&error))?;
    if other.is_some() { Err(ScimError::uniqueness(GROUP_TAKEN)) } else { Ok(()) }
}

/// Writes what is noted of a group, if that has changed. The group's name in the pool, and in tokens, stays.
async fn describe(call: &Call<'_>, group: &mut Group, note: &Note) -> Result<(), ScimError> {
    if *note == Note::read(group) {
        return Ok(());
    }
    let description = note.description()?;
    let written = call.provider.groups.describe_group(call.pool(), &group.name, &description).await;
    written.map_err(|error| failed(&error))?.map_err(refused)?;
    group.description = Some(description);
    group.modified = group.modified.max(call.at());
    Ok(())
}

/// The answer with one group; its members are read only if they are wanted.
async fn answer(call: &Call<'_>, group: &Group, projection: &Projection) -> Result<Response, ScimError> {
    let mut members = Vec::new();
    if projection.includes("members", &call.group_schema) {
        members = all_members(call, &group.name).await?.iter().map(|account| member(call, account)).collect();
    }
    Ok(rendered(call, 200, group, &members, projection))
}

fn rendered(call: &Call<'_>, status: u16, group: &Group, members: &[Value], projection: &Projection) -> Response {
    let group_resource = resource(call, group, members);
    let body = Rendering::new(&group_resource, &call.published_group, projection);
    answer::json(status, &body).with("location", call.group_url(&group_id(&group.name)))
}

/// The group as a resource.
fn resource(call: &Call<'_>, group: &Group, members: &[Value]) -> Value {
    let (id, note) = (group_id(&group.name), Note::read(group));
    let mut resource = json!({
        "id": id,
        "displayName": note.display_name,
        "meta": meta("Group", &call.group_url(&id), group.created, group.modified),
    });
    if let Some(object) = resource.as_object_mut() {
        if let Some(external_id) = note.external_id {
            object.insert("externalId".into(), json!(external_id));
        }
        if !members.is_empty() {
            object.insert("members".into(), json!(members));
        }
    }
    resource
}

#[cfg(test)]
mod tests;
