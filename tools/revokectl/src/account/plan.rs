//! What an action would do: whom it meets, what they could do before and after, and whether they are protected.

use revocation_aws::cognito::{AccountFacts, CognitoInspector, CognitoMembershipReader};
use revocation_aws::dynamodb::DynamoTombstoneReader;
use revocation_core::domain::action::{AccountAction, AccountActionRequest, HoldTerms};
use revocation_core::domain::hold::Bar;
use revocation_core::ports::{MembershipReader as _, TombstoneReader as _};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::grid::{Cell, Grid};
use crate::look::Look;
use crate::screen::{Screen, Tone};
use crate::subject::Target;
use crate::text::plain;

/// What would happen.
#[derive(Debug, Serialize)]
pub(super) struct Plan {
    user_pool_id: String,
    sub: String,
    /// `None`: Cognito does not know them.
    username: Option<String>,
    action: AccountAction,
    hold: HoldTerms,
    comment: Option<String>,
    initiator: String,
    /// The account as it is now.
    account: Look<Option<AccountFacts>>,
    /// What keeps them from new tokens now.
    barred_by: Look<Vec<Bar>>,
    /// Protected groups they are in, where that matters.
    protected_by: Look<Vec<String>>,
    override_protection: bool,
}

impl Plan {
    /// What `request` would do.
    pub(super) async fn of(
        context: &Context,
        request: &AccountActionRequest,
        target: &Target,
    ) -> Result<Self, Failure> {
        let (aws, operations) = (context.aws().await?, context.operations().await?);
        let tombstones = DynamoTombstoneReader::new(aws, &operations.tombstones_table);
        let now = context.now().seconds();
        let bars = tombstones.read(&target.key).await.map(|it| it.map(|it| it.bars(now)).unwrap_or_default());
        Ok(Self {
            user_pool_id: target.key.user_pool_id.0.clone(),
            sub: target.key.sub.0.clone(),
            username: target.profile.as_ref().map(|profile| profile.username.clone()),
            action: request.action,
            hold: request.hold.clone(),
            comment: request.reason_admin.english_or_first().map(str::to_owned),
            initiator: request.initiator.id.clone(),
            account: CognitoInspector::new(aws).account(&target.key).await.into(),
            barred_by: bars.into(),
            protected_by: protected_by(context, request, target).await?,
            override_protection: request.override_protection,
        })
    }

    /// Shows it.
    pub(super) fn show(&self, context: &Context) -> Result<(), Failure> {
        context.screen.result(&serde_json::json!({"would": self}), |screen| self.draw(screen))
    }

    /// What is asked before it is done.
    pub(super) fn question(&self) -> String {
        let who = self.username.as_deref().map_or_else(|| self.sub.clone(), plain);
        match self.action {
            AccountAction::Disable => format!("Disable {who}?"),
            AccountAction::Enable => format!("Enable {who}?"),
            AccountAction::ResetPassword => format!("Reset the password of {who}?"),
            AccountAction::Hold => format!("Hold {who}?"),
            AccountAction::Release => format!("Release {who}?"),
        }
    }

    fn draw(&self, screen: &Screen) -> String {
        let mut facts = Grid::of_facts();
        let username = self.username.clone().unwrap_or("Cognito does not know them (any more)".to_owned());
        facts.row(["who".into(), username.into()]);
        facts.row(["pool, sub".into(), format!("{}#{}", self.user_pool_id, self.sub).into()]);
        facts.row(["account now".into(), self.account.told(|account| now(account.as_ref())).into()]);
        facts.row(["kept out now by".into(), self.barred_by.told(|bars| told_bars(bars)).into()]);
        if let Some(comment) = &self.comment {
            facts.row(["comment".into(), comment.into()]);
        }
        facts.row(["on whose behalf".into(), (&self.initiator).into()]);
        facts.row(["would happen".into(), Cell::lines(self.consequences())]);
        if self.action.locks() {
            facts.row(["protection".into(), self.protected_by.told(|groups| self.protection(groups)).into()]);
        }
        let title = screen.paint(Tone::Strong, "This would happen:");
        format!("{title}\n{}", screen.draw(facts))
    }

    fn consequences(&self) -> Vec<String> {
        let until = self.hold.until.as_ref().map_or("it is released".to_owned(), Clone::clone);
        let mut told: Vec<String> = match self.action {
            AccountAction::Disable => vec![
                "no sign-in and no refresh any more (undone by: enable)".into(),
                "tokens already issued stay good until they expire; end them by: revokectl user".into(),
            ],
            AccountAction::Enable => vec!["they may sign in again; no session comes back that was revoked".into()],
            AccountAction::ResetPassword => vec![
                "a code is sent to them, and without it nobody signs in".into(),
                "sessions go on; end them by: revokectl user".into(),
            ],
            AccountAction::Hold => vec![
                format!("every API refuses their tokens, and none are made, until {until}"),
                "nobody is signed out: afterwards their tokens are good again; end them by: revokectl user".into(),
            ],
            AccountAction::Release => vec![
                "the hold ends; tokens that no revocation refuses are good again".into(),
                "a sign-out that is not confirmed still keeps them from new ones".into(),
            ],
        };
        told.extend(self.hold.message.as_ref().map(|message| format!("they are told: {message}")));
        told
    }

    fn protection(&self, groups: &[String]) -> String {
        match (groups.is_empty(), self.override_protection) {
            (true, _) => "not in a protected group".into(),
            (false, true) => format!("in {}; overridden, and recorded as such", groups.join(", ")),
            (false, false) => {
                format!("in {}: it WOULD BE REFUSED. If it must be: --override-protection", groups.join(", "))
            }
        }
    }
}

async fn protected_by(
    context: &Context,
    request: &AccountActionRequest,
    target: &Target,
) -> Result<Look<Vec<String>>, Failure> {
    let protected = &context.operations().await?.protected_groups;
    let is_protected = |group: &String| !group.is_empty() && protected.contains(group);
    let Some(profile) = target.profile.as_ref().filter(|_| request.action.locks()) else {
        return Ok(Look::Known(Vec::new()));
    };
    if !protected.iter().any(|group| !group.is_empty()) {
        return Ok(Look::Known(Vec::new()));
    }
    let groups = CognitoMembershipReader::new(context.aws().await?).groups_of(profile).await;
    Ok(groups.map(|groups| groups.into_iter().filter(is_protected).collect()).into())
}

fn now(account: Option<&AccountFacts>) -> String {
    let Some(account) = account else { return "search does not find it".to_owned() };
    let enabled = if account.enabled { "enabled" } else { "disabled" };
    format!("{enabled}, {}", account.status)
}

/// What keeps somebody from new tokens, in words.
pub(crate) fn told_bars(bars: &[Bar]) -> String {
    let words: Vec<&str> = bars
        .iter()
        .map(|bar| match bar {
            Bar::Hold => "a hold",
            Bar::Unsealed => "a sign-out that is not confirmed yet",
        })
        .collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(" and ") }
}
