//! Why a command failed: a stable exit code, what happened, and what to do next.

use std::process::ExitCode;

use revocation_core::ports::PortError;
use serde::Serialize;

/// The exit codes, which scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Exit {
    /// Everything was done.
    Done,
    /// Something went wrong that none of the others is.
    Failed,
    /// The command was called wrongly; also clap's.
    Usage,
    /// What was named is not there.
    NotFound,
    /// AWS does not let the caller.
    NotPermitted,
    /// Some of it was done, or something needs a hand.
    Partial,
    /// It was requested, but not confirmed in time.
    TimedOut,
    /// Ctrl-C. 128 and the number of the signal, as shells have it.
    Interrupted,
}

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Failure {
    /// The code the process ends with.
    pub(crate) exit: Exit,
    /// What happened, in one sentence without a full stop.
    pub(crate) what: String,
    /// What to do next.
    pub(crate) next: Option<String>,
}

// === impl Exit ===

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::NotPermitted => 4,
            Self::Partial => 5,
            Self::TimedOut => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

// === impl Failure ===

impl Failure {
    /// A failure with this code.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: None }
    }

    /// Any other failure.
    pub(crate) fn other(what: impl Into<String>) -> Self {
        Self::new(Exit::Failed, what)
    }

    /// The command was called wrongly.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// What was named is not there.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, what)
    }

    /// The failure with what to do next.
    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }
}

/// Codes of [`PortError`]s that say the credentials are no good, as opposed to what they allow. They are the services'
/// codes in snake case (`shared/aws/src/error.rs`).
const BAD_CREDENTIALS: [&str; 11] = [
    "expired_token",
    "expired_token_exception",
    "incomplete_signature",
    "invalid_access_key_id",
    "invalid_client_token_id",
    "invalid_signature",
    "missing_authentication_token",
    "no_credentials",
    "request_expired",
    "signature_does_not_match",
    "unrecognized_client",
];
/// Codes by which the services say that IAM does not allow the call.
const NOT_ALLOWED: [&str; 4] = ["access_denied", "authorization_error", "not_authorized", "unauthorized_operation"];

impl From<PortError> for Failure {
    fn from(error: PortError) -> Self {
        let PortError { operation, code, .. } = &error;
        let code = code.as_str();
        if BAD_CREDENTIALS.contains(&code) {
            let what = format!("AWS does not take your credentials ({operation}: {code})");
            return Self::new(Exit::NotPermitted, what).next("sign in again: aws sso login --profile <profile>");
        }
        if NOT_ALLOWED.contains(&code) {
            let what = format!("you are not allowed to call {operation}");
            return Self::new(Exit::NotPermitted, what).next(format!(
                "ask for the IAM action {operation} on the pipeline's resources (tools/revokectl/README.md has the policy)"
            ));
        }
        match code {
            "unreachable" | "timeout" => Self::other(format!("AWS does not answer ({operation}: {code})"))
                .next("check the network, --region, and AWS_ENDPOINT_URL where one is set; nothing is done twice by trying again"),
            "resource_not_found" | "queue_does_not_exist" | "non_existent_queue" => {
                Self::not_found(format!("something of the pipeline is gone ({operation}: {code})"))
                    .next("was the stack deployed anew? check --stack and --region")
            }
            _ => Self::other(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_action_and_bad_credentials_the_cure() {
        let refused = Failure::from(PortError::reject("dynamodb:Query", "access_denied"));
        assert_eq!(refused.exit, Exit::NotPermitted);
        assert!(refused.what.contains("dynamodb:Query") && refused.next.unwrap().contains("dynamodb:Query"));
        let expired = Failure::from(PortError::retry("ssm:GetParameter", "expired_token"));
        assert_eq!(expired.exit, Exit::NotPermitted);
        assert!(expired.next.unwrap().contains("aws sso login"));
    }

    #[test]
    fn exit_codes_are_stable() {
        let codes =
            [Exit::Done, Exit::Failed, Exit::Usage, Exit::NotFound, Exit::NotPermitted, Exit::Partial].map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5]);
        assert_eq!((Exit::TimedOut.code(), Exit::Interrupted.code()), (6, 130));
    }
}
