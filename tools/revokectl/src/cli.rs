//! The command line: global options, and one variant a command.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use revocation_core::domain::reason::ReasonCode;

use crate::commands;

/// What is waited for unless `--timeout` says otherwise: a revocation takes seconds, and longer only while something is down.
pub(crate) const DEFAULT_TIMEOUT: &str = "2m";

/// Ends sessions, and shows what was ended, by whom, why and how fast.
///
/// It talks to AWS as you: profiles, SSO and assumed roles are found as the AWS CLI finds them. Who you are is recorded
/// with everything you do, and cannot be chosen.
#[derive(Parser)]
#[command(name = "revokectl", version, after_help = EXIT_CODES, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not permitted, 5 done in part or needs a hand, 6 timed out, \
130 interrupted.";

/// What every command takes.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Profile of the AWS configuration files.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// AWS Region of the pipeline.
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Name of the pipeline's stack [default: `$REVOKECTL_STACK`, else session-revocation].
    #[arg(long, global = true, value_name = "STACK")]
    pub(crate) stack: Option<String>,
    /// How results are printed.
    #[arg(long, global = true, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,
    /// No colours; nor are there any when `NO_COLOR` is set or the output is no terminal.
    #[arg(long, global = true)]
    pub(crate) no_color: bool,
    /// Do it without asking; for scripts.
    #[arg(long, short, global = true)]
    pub(crate) yes: bool,
    /// Do not wait for what was requested.
    #[arg(long, global = true)]
    pub(crate) no_wait: bool,
    /// How long to wait for what was requested.
    #[arg(long, global = true, value_parser = duration, default_value = DEFAULT_TIMEOUT, value_name = "DURATION")]
    pub(crate) timeout: Duration,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// One JSON document; for `watch`, one a line.
    Json,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    User(commands::user::Args),
    Session(commands::session::Args),
    Group(commands::group::Args),
    Job(commands::job::Args),
    Pool(commands::pool::Args),
    Inspect(commands::inspect::Args),
    Disable(commands::disable::Args),
    Enable(commands::enable::Args),
    ResetPassword(commands::reset_password::Args),
    Hold(commands::hold::Args),
    Release(commands::release::Args),
    Audit(commands::audit::Args),
    Report(commands::report::Args),
    Watch(commands::watch::Args),
    Status(commands::status::Args),
    VerifyInstall(commands::verify_install::Args),
    Canary(commands::canary::Args),
    Dlq(commands::dlq::Args),
    Token(commands::token::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}

/// One of these reasons; shells complete them, and help lists them.
pub(crate) fn reason(allowed: &[ReasonCode]) -> impl TypedValueParser<Value = ReasonCode> + use<> {
    let names = PossibleValuesParser::new(allowed.iter().map(|reason| reason.as_str()));
    names.try_map(|name| ReasonCode::ALL.into_iter().find(|reason| reason.as_str() == name).ok_or("no such reason"))
}

/// A duration such as `90s`, `2m` or `1h 30m`; a bare number is seconds.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 90s, 5m or 1h".to_owned();
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    // jiff knows no days here, for they may have 23 hours; ours have 24.
    if let Some(days) = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok()) {
        return Ok(Duration::from_secs(u64::from(days) * 86_400));
    }
    let read: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    Duration::try_from(read).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in
            [("90", 90), ("90s", 90), ("2m", 120), ("1h 30m", 5_400), ("PT1H", 3_600), ("7d", 604_800)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for bad in ["", "soon", "-3s", "3 fortnights", "99999999999999999999"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
