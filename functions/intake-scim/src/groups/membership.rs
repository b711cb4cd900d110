//! Who comes to a group and who goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use revocation_core::domain::account::Account;
use revocation_core::domain::profile::Sub;
use revocation_scim::{Member, MemberChange, ScimError};
use serde_json::Value;

use super::list::belongs_to;
use crate::answer::{failed, refused, too_much};
use crate::at_once::at_once;
use crate::call::Call;
use crate::users;
use crate::window::Budget;

/// Most members that come and go in one request: Cognito allows 25 such calls a second, for everybody together, and the
/// request must be answered within 12 s. Entra and Okta send fewer.
const MOST_CHANGES: usize = 100;
const TOO_MANY_CHANGES: &str = "at most 100 members come or go in one request; send several";
const ADVICE: &str = "the group has more members than one request can read; leave them out with \
    excludedAttributes=members";

/// What happens to a group's members.
#[derive(Default)]
pub(super) struct Membership {
    stay: Vec<Account>,
    come: Vec<Account>,
    go: Vec<Account>,
}

// === impl Membership ===

impl Membership {
    /// The members of a group that is about to be created.
    pub(super) async fn of_new_group(call: &Call<'_>, body: &Value) -> Result<Self, ScimError> {
        let come = accounts(call, &wanted(body)?).await?;
        Ok(Self { come, ..Self::default() })
    }

    /// These members instead of those there are.
    pub(super) async fn replaced(call: &Call<'_>, group: &str, body: &Value) -> Result<Self, ScimError> {
        Self::instead(call, group, &wanted(body)?).await
    }

    /// What a patch asks for.
    pub(super) async fn changed(call: &Call<'_>, group: &str, change: &MemberChange) -> Result<Self, ScimError> {
        if let Some(members) = &change.replace {
            return Self::instead(call, group, &ids(members)?).await;
        }
        let come = ids(&change.add)?;
        if change.remove_all {
            return Self::instead(call, group, &come).await;
        }
        within(come.len() + change.remove.len())?;
        let come = accounts(call, &come).await?;
        let go = those_who_belong(call, group, &change.remove).await?;
        Ok(Self { come, go, stay: Vec::new() })
    }

    async fn instead(call: &Call<'_>, group: &str, wanted: &BTreeSet<String>) -> Result<Self, ScimError> {
        let standing = all_members(call, group).await?;
        let (stay, go): (Vec<_>, Vec<_>) = standing.into_iter().partition(|account| wanted.contains(&account.sub.0));
        let new = wanted.iter().filter(|id| stay.iter().all(|account| account.sub.0 != **id));
        let new: BTreeSet<String> = new.cloned().collect();
        within(new.len() + go.len())?;
        Ok(Self { come: accounts(call, &new).await?, go, stay })
    }

    /// Takes those who go out of the group, around their revocation, and adds those who come.
    pub(super) async fn carry_out(&self, call: &Call<'_>, group: &str) -> Result<(), ScimError> {
        if !self.go.is_empty() {
            let revocations = call.revocations();
            let subs: Vec<Sub> = self.go.iter().map(|account| account.sub.clone()).collect();
            let promised = revocations.before_losing(&subs).await?;
            let remove = |username: String| {
                let (groups, pool) = (Arc::clone(&call.provider.groups), call.pool().clone());
                let group = group.to_owned();
                async move { groups.remove_member(&pool, &group, &username).await }
            };
            for removed in at_once(usernames(&self.go), remove).await {
                removed.map_err(|error| failed(&error))?;
            }
            revocations.keep(promised).await;
        }
        self.add_all(call, group).await
    }

    /// Adds those who come.
    pub(super) async fn add_all(&self, call: &Call<'_>, group: &str) -> Result<(), ScimError> {
        let add = |username: String| {
            let (groups, pool) = (Arc::clone(&call.provider.groups), call.pool().clone());
            let group = group.to_owned();
            async move { groups.add_member(&pool, &group, &username).await }
        };
        for added in at_once(usernames(&self.come), add).await {
            added.map_err(|error| failed(&error))?.map_err(refused)?;
        }
        Ok(())
    }

    /// The members there are then, as the group shows them.
    pub(super) fn members(&self, call: &Call<'_>) -> Vec<Value> {
        self.stay.iter().chain(&self.come).map(|account| users::member(call, account)).collect()
    }
}

fn usernames(accounts: &[Account]) -> Vec<String> {
    accounts.iter().map(|account| account.username.clone()).collect()
}

/// Everybody in a group that is about to be deleted.
pub(super) async fn everybody(call: &Call<'_>, group: &str) -> Result<Vec<Sub>, ScimError> {
    let members = all_members(call, group).await?;
    if members.len() > MOST_CHANGES {
        return Err(too_much("the group has more than 100 members, whose sessions end with it; remove members first"));
    }
    Ok(members.into_iter().map(|account| account.sub).collect())
}

/// All members of a group.
pub(super) async fn all_members(call: &Call<'_>, group: &str) -> Result<Vec<Account>, ScimError> {
    let mut budget = Budget::new(&*call.provider.clock, ADVICE);
    let (mut members, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = call.provider.groups.members(call.pool(), group, after.as_deref()).await;
        let page = page.map_err(|error| failed(&error))?.ok_or_else(ScimError::not_found)?;
        budget.spend(page.accounts.len())?;
        members.extend(page.accounts);
        after = page.next;
        if after.is_none() {
            return Ok(members);
        }
    }
}

fn within(changes: usize) -> Result<(), ScimError> {
    if changes > MOST_CHANGES { Err(too_much(TOO_MANY_CHANGES)) } else { Ok(()) }
}

/// The ids in the `members` of a body.
fn wanted(body: &Value) -> Result<BTreeSet<String>, ScimError> {
    let text = |member: &Value, name: &str| member.get(name).and_then(Value::as_str).map(str::to_owned);
    let members = body.get("members").and_then(Value::as_array);
    let members = members.into_iter().flatten().map(|member| {
        let value = text(member, "value").ok_or_else(|| ScimError::invalid_value("a member lacks its `value`"))?;
        Ok(Member { value, kind: text(member, "type") })
    });
    ids(&members.collect::<Result<Vec<_>, ScimError>>()?)
}

fn ids(members: &[Member]) -> Result<BTreeSet<String>, ScimError> {
    let is_group = |member: &Member| member.kind.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("group"));
    if members.iter().any(is_group) {
        return Err(ScimError::invalid_value("a group has users as members, not groups"));
    }
    Ok(members.iter().map(|member| member.value.clone()).collect())
}

/// The accounts with these ids; every one must be there, before anything is changed.
async fn accounts(call: &Call<'_>, ids: &BTreeSet<String>) -> Result<Vec<Account>, ScimError> {
    within(ids.len())?;
    let found = look_up(call, ids.iter().cloned().collect()).await?;
    let all: Option<Vec<Account>> = found.into_iter().collect();
    all.ok_or_else(|| ScimError::invalid_value("a member is not a user of this provider"))
}

/// Of these ids the accounts that belong to the group. Whoever does not loses nothing.
async fn those_who_belong(call: &Call<'_>, group: &str, ids: &[String]) -> Result<Vec<Account>, ScimError> {
    let found: Vec<Account> = look_up(call, ids.to_vec()).await?.into_iter().flatten().collect();
    let belongs = |account: Account| {
        let (groups, pool) = (Arc::clone(&call.provider.groups), call.pool().clone());
        let group = group.to_owned();
        async move {
            let belongs = belongs_to(&*groups, &pool, &account.username, &group).await?;
            Ok(belongs.then_some(account))
        }
    };
    let checked: Result<Vec<Option<Account>>, _> = at_once(found, belongs).await.into_iter().collect();
    Ok(checked.map_err(|error| failed(&error))?.into_iter().flatten().collect())
}

async fn look_up(call: &Call<'_>, ids: Vec<String>) -> Result<Vec<Option<Account>>, ScimError> {
    let find = |id: String| {
        let (users, pool) = (Arc::clone(&call.provider.users), call.pool().clone());
        async move {
            match users::sub(&id) {
                Ok(sub) => users.find(&pool, &sub).await,
                Err(_) => Ok(None),
            }
        }
    };
    let found: Result<Vec<_>, _> = at_once(ids, find).await.into_iter().collect();
    found.map_err(|error| failed(&error))
}
