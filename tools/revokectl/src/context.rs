//! What commands share: options, the screen, and, once somebody asks, AWS, the pipeline's names and who is asking. Nothing
//! of AWS is touched before, so that help and completions are there at once.

use std::cell::RefCell;

use revocation_aws::clients::AwsConfig;
use revocation_aws::ssm::SsmParameterReader;
use revocation_aws::sts::{Caller, StsCallerReader};
use revocation_core::domain::initiator::{Initiator, InitiatorKind};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{Clock as _, TextReader as _};
use revocation_lambda::clock::SystemClock;
use revocation_lambda::env::{ProcessEnv, Variables as _};
use tokio::sync::OnceCell;

use crate::cli::Globals;
use crate::failure::{Exit, Failure};
use crate::operations::Operations;
use crate::screen::Screen;

/// The stack's name where nobody says otherwise, as `infra/samconfig.toml` has it.
const DEFAULT_STACK: &str = "session-revocation";
/// Names of stacks: letters, digits and hyphens, 128 at most (CloudFormation API, `CreateStack`).
const LONGEST_STACK: usize = 128;

/// What commands share.
pub(crate) struct Context {
    /// The global options.
    pub(crate) globals: Globals,
    /// Where the command's words go.
    pub(crate) screen: Screen,
    aws: OnceCell<AwsConfig>,
    operations: OnceCell<Operations>,
    caller: OnceCell<Caller>,
    pending: RefCell<Option<String>>,
}

impl Context {
    /// A context in which nothing is known yet.
    pub(crate) fn new(globals: Globals) -> Self {
        Self {
            screen: Screen::new(&globals, &ProcessEnv),
            globals,
            aws: OnceCell::new(),
            operations: OnceCell::new(),
            caller: OnceCell::new(),
            pending: RefCell::new(None),
        }
    }

    /// Now.
    #[expect(clippy::unused_self, reason = "the clock is the context's to choose")]
    pub(crate) fn now(&self) -> EpochMillis {
        SystemClock.now()
    }

    /// Region and credentials, found as the AWS CLI finds them.
    pub(crate) async fn aws(&self) -> Result<&AwsConfig, Failure> {
        let load = async || {
            let Globals { profile, region, .. } = &self.globals;
            AwsConfig::from_profile(profile.as_deref(), region.as_deref(), &|name| ProcessEnv.get(name)).await
        };
        let loaded = self.aws.get_or_try_init(load).await;
        loaded.map_err(|error| Failure::usage(error.to_string()))
    }

    /// Names and settings of the deployed pipeline.
    pub(crate) async fn operations(&self) -> Result<&Operations, Failure> {
        self.operations.get_or_try_init(|| self.load_operations()).await
    }

    /// Who is asking. It is what the record says, and cannot be chosen.
    pub(crate) async fn caller(&self) -> Result<&Caller, Failure> {
        let ask = async || {
            let reader = StsCallerReader::new(self.aws().await?);
            reader.caller().await.map_err(|error| self.explain(error.into()))
        };
        self.caller.get_or_try_init(ask).await
    }

    /// The caller as the initiator of what is requested.
    pub(crate) async fn initiator(&self) -> Result<Initiator, Failure> {
        Ok(Initiator { kind: InitiatorKind::Admin, id: self.caller().await?.arn.clone() })
    }

    /// What Ctrl-C must tell from now on: what was requested, and how to look. `None`: nothing was.
    pub(crate) fn pending(&self, what: Option<String>) {
        *self.pending.borrow_mut() = what;
    }

    /// The failure that Ctrl-C is.
    pub(crate) fn interrupted(&self) -> Failure {
        match self.pending.borrow().clone() {
            Some(what) => Failure::new(Exit::Interrupted, format!("interrupted; {what}")),
            None => Failure::new(Exit::Interrupted, "interrupted; nothing was requested"),
        }
    }

    /// The stack's name.
    pub(crate) fn stack(&self) -> Result<String, Failure> {
        let named = self.globals.stack.clone().or_else(|| ProcessEnv.get("REVOKECTL_STACK"));
        let stack = named.filter(|name| !name.is_empty()).unwrap_or_else(|| DEFAULT_STACK.to_owned());
        let is_name = stack.len() <= LONGEST_STACK && stack.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if is_name { Ok(stack) } else { Err(Failure::usage("that is no name of a stack: letters, digits and hyphens")) }
    }

    async fn load_operations(&self) -> Result<Operations, Failure> {
        let (stack, aws) = (self.stack()?, self.aws().await?);
        let name = format!("/{stack}/operations");
        match SsmParameterReader::new(aws).read(&name).await {
            Ok(text) => Operations::parse(&text),
            Err(error) if error.code == "parameter_not_found" => {
                let what = format!("no pipeline called {stack} in {} (there is no parameter {name})", aws.region());
                let next = "is it deployed in another Region? --region; under another name? --stack; by a version before revokectl? deploy again";
                Err(Failure::not_found(what).next(next))
            }
            Err(error) => Err(self.explain(error.into())),
        }
    }

    /// Names the profile in the cure.
    pub(crate) fn explain(&self, failure: Failure) -> Failure {
        let profile = self.globals.profile.clone().or_else(|| ProcessEnv.get("AWS_PROFILE"));
        let profile = profile.map_or_else(String::new, |name| format!(" --profile {name}"));
        let next = failure.next.map(|next| next.replace(" --profile <profile>", &profile));
        Failure { next, ..failure }
    }
}
