//! What an installation is checked for: each group of checks is a file, each check a line that says what is so, and what to do
//! where it should not be. Reads only, but for the end-to-end run.

mod apis;
mod caller;
mod clock;
mod draw;
mod end_to_end;
mod evidence;
mod messages;
mod pools;
mod queues;
mod rules;
mod sources;
mod tables;

use revocation_core::ports::PortError;
use serde::Serialize;

pub(crate) use draw::draw;
pub(crate) use end_to_end::Run;

use crate::context::Context;
use crate::failure::Failure;
use crate::look::NotKnown;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, or it could not be seen whether it does; somebody should read the advice.
    Warning,
    /// Something that is relied on is not so.
    Failed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Check {
    /// What it belongs to: `tables`, `pools` …
    pub(crate) group: &'static str,
    /// What was looked at.
    pub(crate) what: String,
    /// How it ended.
    pub(crate) verdict: Verdict,
    /// How it is.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
    /// The permission without which it could not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) iam_action: Option<&'static str>,
}

/// The lines, and how many of each kind.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Verification {
    /// As it should be.
    pub(crate) ok: usize,
    /// To be read.
    pub(crate) warnings: usize,
    /// To be mended.
    pub(crate) failed: usize,
    /// In the order of the groups.
    pub(crate) checks: Vec<Check>,
}

/// Everything, and the end-to-end run where one is wanted.
pub(crate) async fn verify(context: &Context, run: Option<&Run>) -> Result<Verification, Failure> {
    // First, so that wrong names and credentials are told once and not ten times.
    let caller = context.caller().await?;
    context.operations().await?;
    let (tables, pools, apis, queues, rules, evidence, messages, sources, clock) = tokio::join!(
        Box::pin(tables::checks(context)),
        Box::pin(pools::checks(context)),
        Box::pin(apis::checks(context)),
        Box::pin(queues::checks(context)),
        Box::pin(rules::checks(context)),
        Box::pin(evidence::checks(context)),
        Box::pin(messages::checks(context)),
        Box::pin(sources::checks(context)),
        Box::pin(clock::checks(context)),
    );
    let mut checks = caller::checks(caller, context.aws().await?.region());
    for group in [tables, pools, apis, queues, rules, evidence, messages, sources, clock] {
        checks.extend(group?);
    }
    if let Some(run) = run {
        checks.extend(Box::pin(end_to_end::checks(context, run)).await?);
    }
    Ok(Verification::of(checks))
}

// === impl Verification ===

impl Verification {
    fn of(checks: Vec<Check>) -> Self {
        let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
        Self { ok: count(Verdict::Ok), warnings: count(Verdict::Warning), failed: count(Verdict::Failed), checks }
    }
}

// === impl Check ===

impl Check {
    /// As it should be.
    pub(crate) fn ok(group: &'static str, what: impl Into<String>, found: impl Into<String>) -> Self {
        Self { group, what: what.into(), verdict: Verdict::Ok, found: found.into(), next: None, iam_action: None }
    }

    /// To be read.
    pub(crate) fn warning(
        group: &'static str,
        what: impl Into<String>,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Warning, next: Some(next.into()), ..Self::ok(group, what, found) }
    }

    /// To be mended.
    pub(crate) fn failed(
        group: &'static str,
        what: impl Into<String>,
        found: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Failed, ..Self::warning(group, what, found, next) }
    }

    /// It could not be seen.
    pub(crate) fn not_seen(group: &'static str, what: impl Into<String>, error: PortError) -> Self {
        let what = what.into();
        let is_gone = matches!(error.code.as_str(), "resource_not_found" | "no_such_bucket" | "parameter_not_found");
        let missing = NotKnown::from(error);
        if is_gone {
            return Self::failed(group, what, "it is not there", "deploy the stack again; is it the right Region?");
        }
        let next = match missing.iam_action {
            Some(action) => format!("let yourself {action} on it, and run this again"),
            None if missing.is_a_fault => "run this again".to_owned(),
            None => "look by hand, where it matters".to_owned(),
        };
        let check = Self::warning(group, what, format!("not seen: {}", missing.why), next);
        Self { iam_action: missing.iam_action, ..check }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_seen_is_a_warning_that_names_the_permission_and_what_is_gone_a_failure() {
        let of = |code: &str| Check::not_seen("tables", "t", PortError::reject("dynamodb:DescribeTable", code));
        let denied = of("access_denied");
        assert_eq!((denied.verdict, denied.iam_action), (Verdict::Warning, Some("dynamodb:DescribeTable")));
        assert!(denied.next.unwrap().contains("dynamodb:DescribeTable"));
        assert_eq!((of("resource_not_found").verdict, of("throttled").verdict), (Verdict::Failed, Verdict::Warning));
        let all = Verification::of(vec![of("x"), of("resource_not_found"), Check::ok("a", "b", "c")]);
        assert_eq!((all.ok, all.warnings, all.failed), (1, 1, 1));
    }
}
