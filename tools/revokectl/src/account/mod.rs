//! Actions on an account an operator asks for: what would happen, the request, and what came of it.

mod follow;
mod plan;

use revocation_core::domain::action::{AccountAction, AccountActionRequest, HoldTerms};
use revocation_core::domain::event::Event;
use revocation_core::domain::request::{EventSource, VERSION};
use revocation_core::domain::text::LocalizedText;

pub(crate) use plan::told_bars;

use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::revocation::{SOURCE, publish};
use crate::subject::Target;
use crate::{assent, random, subject};

/// What each of these commands takes.
#[derive(clap::Args)]
pub(crate) struct Common {
    /// Whom: see `revokectl user --help`.
    subject: String,
    /// Why, in words, for the record.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Only show what would happen.
    #[arg(long)]
    dry_run: bool,
}

/// What those take that keep somebody out.
#[derive(clap::Args)]
pub(crate) struct Protection {
    /// Do it although the account is in a protected group (parameter `ProtectedGroups`); recorded as such.
    #[arg(long)]
    override_protection: bool,
}

/// What an operator wants done.
#[derive(Clone, Debug)]
pub(crate) struct Wish<'a> {
    target: Target,
    action: AccountAction,
    hold: HoldTerms,
    override_protection: bool,
    comment: Option<&'a str>,
}

/// Locks somebody out.
pub(crate) async fn lock(
    context: &Context,
    common: &Common,
    protection: &Protection,
    (action, hold): (AccountAction, HoldTerms),
) -> Result<Exit, Failure> {
    carry_out(context, common, action, hold, protection.override_protection).await
}

/// Lets somebody in again.
pub(crate) async fn open(context: &Context, common: &Common, action: AccountAction) -> Result<Exit, Failure> {
    carry_out(context, common, action, HoldTerms::default(), false).await
}

/// Shows what would happen, asks, requests it, and waits until it is done.
async fn carry_out(
    context: &Context,
    common: &Common,
    action: AccountAction,
    hold: HoldTerms,
    override_protection: bool,
) -> Result<Exit, Failure> {
    assent::must_be_possible(context, common.dry_run)?;
    let target = subject::one(context, &common.subject).await?;
    let wish = Wish { target, action, hold, override_protection, comment: common.comment.as_deref() };
    let request = request(context, &wish).await?;
    let plan = plan::Plan::of(context, &request, &wish.target).await?;
    if common.dry_run {
        return plan.show(context).map(|()| Exit::Done);
    }
    if !context.globals.yes {
        plan.show(context)?;
    }
    assent::assent(context, &plan.question()).await?;
    let id = request.id();
    publish(context, &id, Event::AccountActionRequested(request)).await?;
    if context.globals.no_wait {
        let told = serde_json::json!({"action_id": id, "outcome": "requested"});
        context.screen.result(&told, |_| format!("requested: {id}\nlook with: revokectl audit show {id}"))?;
        return Ok(Exit::Done);
    }
    follow::to_the_end(context, &id).await
}

async fn request(context: &Context, wish: &Wish<'_>) -> Result<AccountActionRequest, Failure> {
    let request = AccountActionRequest {
        version: VERSION.to_owned(),
        source: EventSource { name: SOURCE.to_owned(), event_id: random::event_id()? },
        sub_id: wish.target.sub_id.clone(),
        action: wish.action,
        hold: wish.hold.clone(),
        override_protection: wish.override_protection,
        initiator: context.initiator().await?,
        reason_admin: wish.comment.map(LocalizedText::english).unwrap_or_default(),
        occurred_at: None,
        pools: Vec::new(),
    };
    // What revoke would park is told now.
    request.check().map_err(|bad| Failure::usage(bad.to_string()))?;
    Ok(request)
}
