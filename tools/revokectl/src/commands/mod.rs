//! One file a command: its arguments, and what it does.

pub(crate) mod audit;
pub(crate) mod canary;
pub(crate) mod completions;
pub(crate) mod disable;
pub(crate) mod dlq;
pub(crate) mod enable;
pub(crate) mod group;
pub(crate) mod hold;
pub(crate) mod inspect;
pub(crate) mod job;
pub(crate) mod man;
pub(crate) mod pool;
pub(crate) mod release;
pub(crate) mod report;
pub(crate) mod reset_password;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod verify_install;
pub(crate) mod watch;

use crate::cli::Command;
use crate::context::Context;
use crate::failure::{Exit, Failure};

/// Runs a command.
pub(crate) async fn run(context: &Context, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::User(args) => user::run(context, args).await,
        Command::Pool(args) => pool::run(context, args).await,
        Command::Session(args) => session::run(context, args).await,
        Command::Group(args) => group::run(context, args).await,
        Command::Job(args) => job::run(context, args).await,
        Command::Watch(args) => watch::run(context, args).await,
        Command::Status(args) => Box::pin(status::run(context, args)).await,
        Command::VerifyInstall(args) => verify_install::run(context, args).await,
        Command::Canary(args) => canary::run(context, args).await,
        Command::Dlq(args) => dlq::run(context, args).await,
        Command::Token(args) => token::run(context, args).await,
        Command::Audit(args) => audit::run(context, args).await,
        Command::Inspect(args) => inspect::run(context, args).await,
        Command::Disable(args) => disable::run(context, args).await,
        Command::Enable(args) => enable::run(context, args).await,
        Command::ResetPassword(args) => reset_password::run(context, args).await,
        Command::Hold(args) => hold::run(context, args).await,
        Command::Release(args) => release::run(context, args).await,
        Command::Completions(args) => completions::run(context, args),
        Command::Report(args) => report::run(context, args).await,
        Command::Man(args) => man::run(context, args),
    }
}
