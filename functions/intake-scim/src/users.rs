//! `/Users`: accounts of the pool.

use std::collections::{BTreeMap, BTreeSet};

use revocation_core::domain::account::{Account, Password};
use revocation_core::domain::profile::Sub;
use revocation_core::domain::role_change::RoleMove;
use revocation_core::ports::{Acted, PortError, Refused};
use revocation_edge::Response;
use revocation_scim::{PatchRequest, Projection, Rendering, ScimError, read};
use serde_json::{Value, json};

use crate::answer::{self, failed, refused};
use crate::call::{Call, meta};
use crate::groups;

mod create;
mod list;

pub(crate) use create::create;
pub(crate) use list::{list, mentions, window};

/// Longer ids are nobody's.
const LONGEST_ID: usize = 128;

/// What a PUT or a PATCH makes of a user.
struct Update {
    /// All attributes, as they are to be.
    user: Value,
    /// `None`: not mentioned, so it stays as it is.
    active: Option<bool>,
    password: Option<Password>,
}

/// `GET /Users/{id}`.
pub(crate) async fn get(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let projection = call.projection(&call.mapping.schema)?;
    let found = call.provider.users.find(call.pool(), &sub(id)?).await;
    let account = call.client.sees(found.map_err(|error| failed(&error))?)?;
    answer(call, &account, &projection).await
}

/// `PUT /Users/{id}`. What the body leaves out is taken away; `active` and `password` stay as they are.
pub(crate) async fn replace(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let projection = call.projection(&call.mapping.schema)?;
    let mut user = read(&call.body()?, &call.mapping.schema)?;
    let account = current(call, id).await?;
    let (active, password) = (active(&mut user), password(&mut user));
    let account = update(call, account, Update { user, active, password }).await?;
    answer(call, &account, &projection).await
}

/// `PATCH /Users/{id}`.
pub(crate) async fn patch(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let projection = call.projection(&call.mapping.schema)?;
    let patch = PatchRequest::parse(&call.body()?)?;
    let account = current(call, id).await?;
    let mut user = call.mapping.user(&account);
    // Taken out, so that it is there afterwards only if the patch says something of it: `false` said again is a
    // deactivation again.
    active(&mut user);
    patch.apply(&mut user, &call.mapping.schema)?;
    let (active, password) = (active(&mut user), password(&mut user));
    let account = update(call, account, Update { user, active, password }).await?;
    answer(call, &account, &projection).await
}

/// `DELETE /Users/{id}`: revoked first.
pub(crate) async fn delete(call: &Call<'_>, id: &str) -> Result<Response, ScimError> {
    let found = call.provider.users.find(call.pool(), &sub(id)?).await;
    let account = found.map_err(|error| failed(&error))?.ok_or_else(ScimError::not_found)?;
    call.revocations().before_leaving(&account.sub).await?;
    done(call.provider.users.delete(call.pool(), &account.username).await)?;
    Ok(Response::empty(204))
}

/// Carries an update out, in the order that leaves no session behind:
/// revocation → disable; loss promised → attributes → loss kept; password; enable.
async fn update(call: &Call<'_>, mut account: Account, update: Update) -> Result<Account, ScimError> {
    let after = call.mapping.attributes(&update.user);
    let (users, pool, revocations) = (&call.provider.users, call.pool(), call.revocations());
    let changes = call.mapping.changes(&account, &after);
    let attributes_differ = !changes.is_empty();
    if attributes_differ || update.password.is_some() {
        call.client.may_write()?;
    }
    if update.active == Some(false) {
        revocations.before_leaving(&account.sub).await?;
        done(users.disable(pool, &account.username).await)?;
        account.enabled = false;
    }
    // Afterwards: a name that cannot be had keeps nobody in.
    check_name(call, &account, &update.user).await?;
    if attributes_differ {
        // Whoever leaves by this very request has lost everything already. An account that somebody else disabled has not:
        // its tokens may live.
        let loses = update.active != Some(false) && is_downgraded(call, &account, &after);
        let losing = if loses { std::slice::from_ref(&account.sub) } else { &[] };
        let promised = revocations.before_losing(losing).await?;
        let updated = users.update(pool, &account.username, &changes).await;
        updated.map_err(|error| failed(&error))?.map_err(refused)?;
        revocations.keep(promised).await;
        for (name, value) in changes {
            match value {
                Some(value) => drop(account.attributes.insert(name, value)),
                None => drop(account.attributes.remove(&name)),
            }
        }
    }
    if let Some(password) = &update.password {
        set_password(call, &account.username, password).await?;
    }
    let enable = update.active == Some(true) && !account.enabled;
    if enable {
        done(users.enable(pool, &account.username).await)?;
        account.enabled = true;
    }
    if attributes_differ || enable || update.active == Some(false) {
        account.modified = account.modified.max(call.at());
    }
    Ok(account)
}

/// A pool's own user names never change (Cognito developer guide, "User pool attributes").
async fn check_name(call: &Call<'_>, account: &Account, user: &Value) -> Result<(), ScimError> {
    let asked = user.get("userName").and_then(Value::as_str).unwrap_or_default();
    if asked.eq_ignore_ascii_case(call.mapping.user_name(account)) {
        return Ok(());
    }
    if !call.mapping.can_rename() {
        return Err(ScimError::mutability("`userName` is the user's name in the pool, which cannot be changed"));
    }
    match namesake(call, asked, Some(&account.sub)).await? {
        Some(_) => Err(refused(Refused::Taken)),
        None => Ok(()),
    }
}

/// Somebody else of that user name, where the pool does not see to it by itself.
async fn namesake(call: &Call<'_>, user_name: &str, except: Option<&Sub>) -> Result<Option<Account>, ScimError> {
    if call.mapping.is_unique_by_itself() {
        return Ok(None);
    }
    let Some(attribute) = call.mapping.searchable("userName") else { return Ok(None) };
    let found = list::look_up(call, attribute, user_name).await?.unwrap_or_default();
    let is_other = |account: &Account| {
        except != Some(&account.sub) && call.mapping.user_name(account).eq_ignore_ascii_case(user_name)
    };
    Ok(found.into_iter().find(is_other))
}

fn is_downgraded(call: &Call<'_>, account: &Account, after: &BTreeMap<String, String>) -> bool {
    ["roles", "entitlements"].into_iter().any(|attribute| {
        let had = call.mapping.values(attribute, &account.attributes);
        let has = call.mapping.values(attribute, after);
        let order = &call.client.source.role_compare;
        had.zip(has).is_some_and(|(had, has): (BTreeSet<String>, _)| order.compare(&had, &has) == RoleMove::Downgrade)
    })
}

/// The account as it is now: what it is compared with must not be seconds old, or a role lost would not be noticed.
async fn current(call: &Call<'_>, id: &str) -> Result<Account, ScimError> {
    let found = call.provider.users.read(call.pool(), &sub(id)?).await;
    call.client.sees(found.map_err(|error| failed(&error))?)
}

async fn set_password(call: &Call<'_>, username: &str, password: &Password) -> Result<(), ScimError> {
    let set = call.provider.users.set_password(call.pool(), username, password).await;
    set.map_err(|error| failed(&error))?.map_err(refused)
}

/// An account that vanished meanwhile is not found.
fn done(acted: Result<Acted, PortError>) -> Result<(), ScimError> {
    match acted.map_err(|error| failed(&error))? {
        Acted::Done => Ok(()),
        Acted::NotNeeded(_) => Err(ScimError::not_found()),
    }
}

/// The id, if it can be one.
pub(crate) fn sub(id: &str) -> Result<Sub, ScimError> {
    let is_id = (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_id { Ok(Sub(id.to_owned())) } else { Err(ScimError::not_found()) }
}

fn active(user: &mut Value) -> Option<bool> {
    user.as_object_mut()?.remove("active")?.as_bool()
}

fn password(user: &mut Value) -> Option<Password> {
    match user.as_object_mut()?.remove("password")? {
        Value::String(text) if !text.is_empty() => Some(Password::new(text)),
        _ => None,
    }
}

/// The answer with one user; their groups cost a call, so they are read only if they are wanted.
async fn answer(call: &Call<'_>, account: &Account, projection: &Projection) -> Result<Response, ScimError> {
    let mut user = resource(call, account);
    if projection.includes("groups", &call.mapping.schema) {
        let groups = groups::groups_of(call, &account.username).await?;
        if let (false, Some(user)) = (groups.is_empty(), user.as_object_mut()) {
            user.insert("groups".into(), Value::Array(groups));
        }
    }
    Ok(rendered(call, 200, account, &user, projection))
}

fn rendered(call: &Call<'_>, status: u16, account: &Account, user: &Value, projection: &Projection) -> Response {
    let body = Rendering::new(user, &call.mapping.published, projection);
    answer::json(status, &body).with("location", call.user_url(&account.sub.0))
}

/// The user with `meta`, without `groups`.
fn resource(call: &Call<'_>, account: &Account) -> Value {
    let mut user = call.mapping.user(account);
    let url = call.user_url(&account.sub.0);
    if let Some(members) = user.as_object_mut() {
        members.insert("meta".into(), meta("User", &url, account.created, account.modified));
    }
    user
}

/// A member as a group shows it.
pub(crate) fn member(call: &Call<'_>, account: &Account) -> Value {
    json!({
        "value": account.sub.0,
        "type": "User",
        "display": call.mapping.user_name(account),
        "$ref": call.user_url(&account.sub.0),
    })
}

#[cfg(test)]
mod list_tests;
#[cfg(test)]
mod tests;
