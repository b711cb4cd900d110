//! `group`: ends the sessions of many people for one cause.

use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use indicatif::ProgressBar;
use revocation_core::domain::bulk::LIST_PART_ENTRIES;
use revocation_core::domain::event::Event;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::LocalizedText;

use crate::assent;
use crate::bulk::csv::{self, List};
use crate::bulk::plan::{self, Plan};
use crate::bulk::{self, follow};
use crate::cli::reason;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::random;
use crate::revocation::{SOURCE, Told, put};

/// Parts of a list that are written at the same time.
const UPLOADS: usize = 16;

/// End every session of a group's members, or of everyone on a list.
///
/// Everybody is refused first, within seconds; then they are signed out, and what else the reason asks for, as fast as
/// Cognito's quota allows. It goes on when this window is closed; whoever joins the group meanwhile is caught as well.
#[derive(clap::Args)]
#[command(after_help = "\
NAME is the group's name in the user pool, or what your identity provider calls it over SCIM.
A list is a text file with a subject a line, or CSV with a column called subject, email, sub, username or phone.

Examples:
  revokectl group contractors-acme --reason project_end --comment 'contract 4711 ended'
  revokectl group contractors-acme --reason project_end --dry-run
  revokectl group contractors-acme --reason project_end --approve-by arn:aws:iam::123456789012:user/bob
  revokectl group --csv leavers.csv --reason offboarding --yes
  revokectl group --ended --reason project_end          # everyone whose end date has passed")]
pub(crate) struct Args {
    /// Which group.
    #[arg(required_unless_present_any = ["csv", "ended"], conflicts_with_all = ["csv", "ended"], value_name = "NAME")]
    name: Option<String>,
    /// Everyone on this list instead; - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "ended")]
    csv: Option<PathBuf>,
    /// Everyone whose end date has passed instead.
    #[arg(long)]
    ended: bool,
    /// Why; decides what else happens, besides ending the sessions.
    #[arg(long, value_parser = reason(&REASONS))]
    reason: ReasonCode,
    /// Why, in words, for the record.
    #[arg(long, value_name = "TEXT")]
    comment: Option<String>,
    /// Nobody is revoked before this person approves it (`revokectl job approve`): the ARN that
    /// `aws sts get-caller-identity` tells them.
    #[arg(long, value_name = "ARN")]
    approve_by: Option<String>,
    /// Only show who would be concerned, and what would happen.
    #[arg(long)]
    dry_run: bool,
}

/// What many people can be revoked for at once.
const REASONS: [ReasonCode; 6] = [
    ReasonCode::ProjectEnd,
    ReasonCode::Offboarding,
    ReasonCode::Compromise,
    ReasonCode::PolicyViolation,
    ReasonCode::RoleChange,
    ReasonCode::Anomaly,
];

/// Runs the command.
pub(crate) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    assent::must_be_possible(context, args.dry_run)?;
    let jobs = bulk::jobs(context).await?;
    let list = args.csv.as_deref().map(read).transpose()?;
    let (sub_id, pools, plan) = who(context, args, list.as_ref()).await?;
    if args.dry_run {
        return plan.show(context).map(|()| Exit::Done);
    }
    if plan.members == 0 && !args.ended {
        return Err(Failure::not_found("the group has no members; nothing was requested"));
    }
    let request = request(context, args, sub_id, pools).await?;
    if !context.globals.yes {
        plan.show(context)?;
        confirm(context, &plan).await?;
    }
    if let Some(list) = &list {
        upload(context, &jobs, list).await?;
    }
    let id = request.id();
    put(context, Event::RevocationRequested(request), &Told::of(&id, "requested", "job show")).await?;
    if context.globals.no_wait {
        let told = serde_json::json!({"job_id": id, "outcome": "requested"});
        context.screen.result(&told, |_| format!("requested: {id}\nlook with: revokectl job watch {id}"))?;
        return Ok(Exit::Done);
    }
    context.screen.note(format_args!("requested  {id}"));
    follow::to_the_end(context, &jobs, &id).await
}

async fn who(
    context: &Context,
    args: &Args,
    list: Option<&List>,
) -> Result<(SubjectIdentifier, Vec<UserPoolId>, Plan), Failure> {
    if let (Some(list), Some(file)) = (list, &args.csv) {
        let repeated = if list.repeated > 0 { format!(" ({} repeated lines)", list.repeated) } else { String::new() };
        let who = format!("everyone on {}{repeated}", file.display());
        let plan = Plan::of_list(context, who, list.entries.len(), args.reason).await?;
        return Ok((SubjectIdentifier::List { list: list.id.clone() }, Vec::new(), plan));
    }
    let Some(name) = args.name.as_deref().filter(|_| !args.ended) else {
        let who = "everyone whose end date has passed and who is still enabled".to_owned();
        let plan = Plan::of_list(context, who, 0, args.reason).await?;
        return Ok((SubjectIdentifier::Ended {}, Vec::new(), plan));
    };
    let asked = SubjectIdentifier::Group { group: name.to_owned() };
    asked.check().map_err(|bad| Failure::usage(bad.to_string()))?;
    let (group, pools) = plan::group(context, name).await?;
    let plan = Plan::of_group(context, group.clone(), pools.clone(), args.reason).await?;
    Ok((SubjectIdentifier::Group { group }, pools, plan))
}

async fn request(
    context: &Context,
    args: &Args,
    sub_id: SubjectIdentifier,
    pools: Vec<UserPoolId>,
) -> Result<RevocationRequest, Failure> {
    let request = RevocationRequest {
        version: VERSION.to_owned(),
        source: EventSource { name: SOURCE.to_owned(), event_id: random::event_id()? },
        sub_id,
        reason: args.reason,
        initiator: context.initiator().await?,
        reason_admin: args.comment.as_deref().map(LocalizedText::english).unwrap_or_default(),
        reason_user: LocalizedText::default(),
        occurred_at: None,
        effect: Effect::SignOut,
        lockout: false,
        session: None,
        approve_by: args.approve_by.clone(),
        txn: None,
        pools,
    };
    request.check().map_err(|bad| Failure::usage(bad.to_string()))?;
    Ok(request)
}

/// Typed, not just answered: a wrong group is hundreds of wrong people.
async fn confirm(context: &Context, plan: &Plan) -> Result<(), Failure> {
    let question = format!("Revoke {} people? Type how many to go on: ", plan.count());
    let expected = plan.members.to_string();
    if context.screen.ask(&question).await? == expected {
        return Ok(());
    }
    Err(Failure::new(Exit::Failed, "declined; nothing was requested"))
}

fn read(file: &Path) -> Result<List, Failure> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        let most = u64::try_from(csv::MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        std::io::Read::read_to_end(&mut std::io::Read::take(std::io::stdin(), most), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let bytes = bytes.map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    csv::read(&bytes)
}

/// Puts the list where the pipeline reads it. The same list again is the same parts.
async fn upload(
    context: &Context,
    jobs: &revocation_aws::dynamodb::DynamoBulkJobs,
    list: &List,
) -> Result<(), Failure> {
    let size = usize::try_from(LIST_PART_ENTRIES).unwrap_or(usize::MAX);
    let parts: Vec<(u32, &[SubjectIdentifier])> = (0..).zip(list.entries.chunks(size)).collect();
    let bar =
        if context.screen.is_interactive() { ProgressBar::new(parts.len() as u64) } else { ProgressBar::hidden() };
    let now = context.now();
    let writes = stream::iter(parts).map(|(part, entries)| jobs.put_list_part(&list.id, part, entries, now));
    let written = writes.buffer_unordered(UPLOADS).inspect(|_| bar.inc(1)).try_collect::<Vec<()>>().await;
    bar.finish_and_clear();
    written.map(drop).map_err(|error| context.explain(error.into()))
}
