//! What a bulk revocation would do, before it is asked for: who is meant, and what follows for each.

use revocation_aws::cognito::{CognitoGroupDirectory, CognitoMemberDirectory};
use revocation_core::domain::account::{Account, AccountPage, Group};
use revocation_core::domain::policy::{Lock, NoticeChannel};
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::ports::{GroupDirectory as _, MemberDirectory as _};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::text::short;

/// Members that are counted; beyond, the plan says "more than".
const MOST_COUNTED: usize = 6_000;
/// Members that are named.
const MOST_NAMED: usize = 10;

/// Who a group is, and what would follow.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    /// The group's name in the pools, or what the list is called.
    pub(crate) who: String,
    /// Members, as far as they were counted.
    pub(crate) members: usize,
    /// Whether there are more than were counted.
    pub(crate) and_more: bool,
    /// Pools in which the group is.
    pub(crate) pools: Vec<UserPoolId>,
    /// User names of the first of them.
    pub(crate) first: Vec<String>,
    reason: ReasonCode,
    follows: Vec<&'static str>,
}

/// Members, as far as they were counted.
#[derive(Default)]
struct Counted {
    members: usize,
    first: Vec<String>,
    and_more: bool,
}

/// The group an operator means: by its name in the pool, or by what SCIM clients call it.
pub(crate) async fn group(context: &Context, called: &str) -> Result<(String, Vec<UserPoolId>), Failure> {
    let directory = CognitoGroupDirectory::new(context.aws().await?);
    let (mut name, mut pools) = (None, Vec::new());
    for pool in context.operations().await?.pools() {
        let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
        let mut found = directory.group(&pool, called).await.map_err(explain)?;
        let mut after = None;
        while found.is_none() {
            let page = directory.groups(&pool, after.as_deref()).await.map_err(explain)?;
            found = page.groups.into_iter().find(|group| is_called(group, called));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let Some(group) = found else { continue };
        if *name.get_or_insert_with(|| group.name.clone()) != group.name {
            let what = "groups of that display name have different names in the pools";
            return Err(Failure::usage(what).next("name the group as the pool does"));
        }
        pools.push(pool);
    }
    let nobody = || Failure::not_found("there is no group of that name in the pipeline's pools");
    Ok((name.ok_or_else(nobody)?, pools))
}

/// Whether SCIM clients call the group so: it keeps that, as JSON, in its description.
fn is_called(group: &Group, called: &str) -> bool {
    let note = group.description.as_deref().and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    note.is_some_and(|note| note.get("displayName").and_then(serde_json::Value::as_str) == Some(called))
}

// === impl Counted ===

impl Counted {
    /// Where counting goes on in this pool.
    fn add(&mut self, page: AccountPage) -> Option<String> {
        self.members += page.accounts.len();
        let room = MOST_NAMED - self.first.len().min(MOST_NAMED);
        self.first.extend(page.accounts.iter().take(room).map(named));
        let is_enough = page.next.is_some() && self.members >= MOST_COUNTED;
        // Also where a later pool has no more: those of this one were not counted.
        self.and_more |= is_enough;
        page.next.filter(|_| !is_enough)
    }
}

// === impl Plan ===

impl Plan {
    /// Of a list of so many.
    pub(crate) async fn of_list(
        context: &Context,
        who: String,
        members: usize,
        reason: ReasonCode,
    ) -> Result<Self, Failure> {
        let pools = context.operations().await?.pools();
        let follows = follows(context, reason).await?;
        Ok(Self { who, members, and_more: false, pools, first: Vec::new(), reason, follows })
    }

    /// Of a group.
    pub(crate) async fn of_group(
        context: &Context,
        name: String,
        pools: Vec<UserPoolId>,
        reason: ReasonCode,
    ) -> Result<Self, Failure> {
        let directory = CognitoMemberDirectory::new(context.aws().await?);
        let mut counted = Counted::default();
        for pool in &pools {
            let mut after = None;
            loop {
                let page = directory.members(pool, &name, after.as_deref()).await;
                let page = page.map_err(|error| context.explain(error.into()))?.unwrap_or_default();
                after = counted.add(page);
                if after.is_none() {
                    break;
                }
            }
        }
        let Counted { members, first, and_more } = counted;
        Ok(Self { who: name, members, and_more, pools, first, reason, follows: follows(context, reason).await? })
    }

    /// How many, in words.
    pub(crate) fn count(&self) -> String {
        format!("{}{}", if self.and_more { "more than " } else { "" }, self.members)
    }

    /// Shows it.
    pub(crate) fn show(&self, context: &Context) -> Result<(), Failure> {
        context.screen.result(self, |screen| {
            let mut facts = Grid::of_facts();
            facts.row(["who".into(), self.who.as_str().into()]);
            facts.row(["members".into(), self.count().into()]);
            if !self.first.is_empty() {
                let rest = if self.members > self.first.len() { ", …" } else { "" };
                facts.row(["first of them".into(), format!("{}{rest}", self.first.join(", ")).into()]);
            }
            let pools: Vec<&str> = self.pools.iter().map(|pool| pool.0.as_str()).collect();
            facts.row(["pools".into(), pools.join(", ").into()]);
            facts.row(["reason".into(), self.reason.as_str().into()]);
            facts.row(["each of them".into(), self.follows.join("; ").into()]);
            screen.draw(facts)
        })
    }
}

fn named(account: &Account) -> String {
    short(&account.username, 40)
}

/// What the policy has follow for each member.
async fn follows(context: &Context, reason: ReasonCode) -> Result<Vec<&'static str>, Failure> {
    let row = context.operations().await?.policy().row(reason);
    let lock = match row.lock {
        Lock::None => None,
        Lock::Disable => Some("is disabled"),
        Lock::ResetPassword => Some("must reset the password (federated: is disabled)"),
    };
    let notice = match row.notice {
        NoticeChannel::None => None,
        NoticeChannel::Sms => Some("is told by SMS, else e-mail"),
        NoticeChannel::Email => Some("is told by e-mail"),
        NoticeChannel::Topic => Some("is told of to the notice topic"),
    };
    let devices = row.forget_devices.then_some("has remembered devices forgotten");
    let all =
        [Some("is refused at once, everybody before anybody is signed out"), lock, Some("is signed out everywhere")];
    Ok(all.into_iter().chain([devices, notice]).flatten().collect())
}

#[cfg(test)]
mod tests {
    use revocation_core::domain::account::AccountStatus;
    use revocation_core::domain::profile::Sub;
    use revocation_core::domain::time::EpochMillis;

    use super::*;

    fn page(accounts: usize, next: Option<&str>) -> AccountPage {
        let account = Account {
            sub: Sub("s".into()),
            username: "jane".into(),
            enabled: true,
            status: AccountStatus::Local,
            attributes: std::collections::BTreeMap::new(),
            created: EpochMillis(0),
            modified: EpochMillis(0),
        };
        AccountPage { accounts: vec![account; accounts], next: next.map(str::to_owned) }
    }

    #[test]
    fn a_small_pool_after_a_large_one_does_not_make_the_count_exact() {
        let mut counted = Counted::default();
        assert_eq!(counted.add(page(60, Some("2"))).as_deref(), Some("2"));
        assert_eq!(counted.add(page(MOST_COUNTED, Some("3"))), None);
        assert_eq!(counted.add(page(1, None)), None);
        assert_eq!((counted.members, counted.and_more, counted.first.len()), (MOST_COUNTED + 61, true, MOST_NAMED));
    }
}
