//! What a bulk revocation would do, before it is asked for: who is meant, and what follows for each.

use revocation_aws::cognito::{CognitoGroupDirectory, CognitoMemberDirectory};
use revocation_core::domain::account::{Account, Group};
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
        let (mut members, mut first, mut and_more) = (0, Vec::new(), false);
        for pool in &pools {
            let mut after = None;
            loop {
                let page = directory.members(pool, &name, after.as_deref()).await;
                let page = page.map_err(|error| context.explain(error.into()))?.unwrap_or_default();
                members += page.accounts.len();
                let room = MOST_NAMED - first.len().min(MOST_NAMED);
                first.extend(page.accounts.iter().take(room).map(named));
                and_more = page.next.is_some() && members >= MOST_COUNTED;
                after = page.next.filter(|_| !and_more);
                if after.is_none() {
                    break;
                }
            }
        }
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
