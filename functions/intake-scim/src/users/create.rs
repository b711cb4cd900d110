//! `POST /Users`.
//!
//! Several calls: create, set a password, disable. If one of them fails, the account stays, and nobody can sign in to it: the
//! temporary password Cognito made is known to nobody. The client repeats its POST, which completes such an account instead
//! of calling it taken. Only a password the pool refuses takes the account away again: that POST will come differently.

use revocation_core::domain::account::{Account, AccountStatus, NewAccount};
use revocation_core::ports::Refused;
use revocation_edge::Response;
use revocation_scim::{ScimError, read};
use revocation_sources::scim::Invitation;
use serde_json::Value;

use super::{active, done, namesake, password, rendered, resource};
use crate::answer::{failed, refused};
use crate::call::Call;
use crate::random;

/// Creates a user.
pub(crate) async fn create(call: &Call<'_>) -> Result<Response, ScimError> {
    let projection = call.projection(&call.mapping.schema)?;
    let mut user = read(&call.body()?, &call.mapping.schema)?;
    let (active, password) = (active(&mut user).unwrap_or(true), password(&mut user));
    let (users, pool) = (&call.provider.users, call.pool());
    // Who may not sign in, or has a password, needs no invitation.
    let invite = call.client.source.invitation == Invitation::Email && active && password.is_none();
    let user_name = user.get("userName").and_then(Value::as_str).unwrap_or_default();
    let new =
        NewAccount { username: call.mapping.new_username(user_name), attributes: call.mapping.initial(&user), invite };
    let mut account = made(call, user_name, new).await?;
    if !active {
        done(users.disable(pool, &account.username).await)?;
        account.enabled = false;
    }
    if !invite {
        let password = match password {
            Some(password) => password,
            None => random::password()?,
        };
        let set = users.set_password(pool, &account.username, &password).await;
        if let Err(why) = set.map_err(|error| failed(&error))? {
            users.delete(pool, &account.username).await.map_err(|error| failed(&error))?;
            return Err(refused(why));
        }
    }
    // Without a further call, for the groups it is not in: a failure now would make the repetition a conflict.
    Ok(rendered(call, 201, &account, &resource(call, &account), &projection))
}

async fn made(call: &Call<'_>, user_name: &str, mut new: NewAccount) -> Result<Account, ScimError> {
    let (users, pool) = (&call.provider.users, call.pool());
    if let Some(other) = namesake(call, user_name, None).await? {
        return half_made(&new, other);
    }
    let mut made = users.create(pool, &new).await.map_err(|error| failed(&error))?;
    if made == Err(Refused::Taken) {
        match users.named(pool, &new.username).await.map_err(|error| failed(&error))? {
            // The name was derived from one its user does not have any more.
            Some(other) if !call.mapping.user_name(&other).eq_ignore_ascii_case(user_name) => {
                new.username = random::name()?;
                made = users.create(pool, &new).await.map_err(|error| failed(&error))?;
            }
            Some(other) => return half_made(&new, other),
            None => {}
        }
    }
    made.map_err(refused)
}

/// The account an earlier, unfinished POST of the same user left: nobody has signed in to it, and it says exactly the same.
fn half_made(new: &NewAccount, other: Account) -> Result<Account, ScimError> {
    let same = new.attributes.iter().all(|(name, value)| other.attribute(name) == Some(value));
    let is_ours = !new.invite && other.status == AccountStatus::Invited && same;
    if is_ours { Ok(other) } else { Err(refused(Refused::Taken)) }
}
