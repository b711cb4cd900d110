//! Everybody in a pool at once: what would happen, and the pool's id typed before it does.

use revocation_aws::cognito::CognitoPoolSize;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::subject::SubjectIdentifier;
use serde::Serialize;

use super::{ask_and_follow, checked, of_everything};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::{Cell, Grid};
use crate::screen::{Screen, Tone};

/// What would happen.
#[derive(Debug, Serialize)]
struct Plan {
    user_pool_id: String,
    /// As Cognito estimates it; `None`: not known.
    users: Option<u64>,
    reason: ReasonCode,
    comment: Option<String>,
    initiator: String,
    #[serde(skip)]
    pool_says: Option<String>,
}

/// Shows what would happen, has the pool's id typed, requests it, and waits until it is done.
pub(crate) async fn carry_out(
    context: &Context,
    pool: &str,
    reason: ReasonCode,
    comment: Option<&str>,
    dry_run: bool,
) -> Result<Exit, Failure> {
    let operations = context.operations().await?;
    if !operations.user_pool_ids.iter().any(|id| id == pool) {
        let failure = Failure::not_found("the pipeline knows no such pool");
        return Err(failure.next(format!("its pools are: {}", operations.user_pool_ids.join(", "))));
    }
    let sub_id = SubjectIdentifier::Pool { user_pool_id: pool.to_owned() };
    let request = checked(of_everything(context, sub_id, reason, comment).await?)?;
    let size = CognitoPoolSize::new(context.aws().await?).users(&UserPoolId(pool.to_owned())).await;
    let plan = Plan {
        user_pool_id: pool.to_owned(),
        users: size.as_ref().ok().copied(),
        reason,
        comment: comment.map(str::to_owned),
        initiator: request.initiator.id.clone(),
        pool_says: size.err().map(|error| error.to_string()),
    };
    if dry_run || !context.globals.yes {
        context.screen.result(&serde_json::json!({"would": plan}), |screen| plan.draw(screen))?;
    }
    if dry_run {
        return Ok(Exit::Done);
    }
    if !context.globals.yes {
        let typed = context.screen.ask("There is no way back. Type the pool's id to do it: ").await?;
        if typed != pool {
            return Err(Failure::new(Exit::Failed, "that is not the pool's id; nothing was requested"));
        }
    }
    ask_and_follow(context, &request).await
}

impl Plan {
    fn draw(&self, screen: &Screen) -> String {
        let users = match (self.users, &self.pool_says) {
            (Some(users), _) => format!("about {users} users"),
            (None, why) => format!("how many users is not known ({})", why.as_deref().unwrap_or("?")),
        };
        let mut facts = Grid::of_facts();
        facts.row(["who".into(), format!("everybody in {}: {users}", self.user_pool_id).into()]);
        facts.row(["reason".into(), self.reason.into()]);
        if let Some(comment) = &self.comment {
            facts.row(["comment".into(), comment.into()]);
        }
        facts.row(["on whose behalf".into(), (&self.initiator).into()]);
        let happens = [
            "every API refuses every token of whoever signed in before, within a second",
            "new sign-ins are served at once, but for the clock skew of seconds",
        ];
        facts.row(["would happen".into(), Cell::lines(happens.map(str::to_owned))]);
        let not = [
            "nobody is signed out of Cognito, locked or told; refresh tokens live on, for tokens that are refused",
            "sign them out as well: revokectl group (docs/RUNBOOK.md, a broken identity provider)",
        ];
        facts.row(["would not".into(), Cell::lines(not.map(str::to_owned))]);
        format!("{}\n{}", screen.paint(Tone::Strong, "This would happen:"), screen.draw(facts))
    }
}
