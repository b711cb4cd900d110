//! What a revocation would do: whom it meets, what follows from its reason here, and which sessions are known.

use revocation_aws::dynamodb::DynamoSessionLedger;
use revocation_core::domain::audit::Step;
use revocation_core::domain::policy::{Actions, Lock, NoticeChannel};
use revocation_core::domain::profile::Profile;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::session::SessionScope;
use revocation_core::domain::time::EpochMillis;
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::grid::Grid;
use crate::moment::span;
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
    federated: bool,
    reason: ReasonCode,
    comment: Option<String>,
    initiator: String,
    session: Option<SessionScope>,
    steps: Vec<Step>,
    notice: NoticeChannel,
    counts_towards_a_page: bool,
    /// Sessions the ledger knows of; `None`: there is none, or it cannot be read.
    sessions_known: Option<usize>,
    /// When the last of them was last seen.
    last_seen: Option<EpochMillis>,
    #[serde(skip)]
    now: EpochMillis,
    #[serde(skip)]
    ledger_says: Option<String>,
}

impl Plan {
    /// What `request` would do.
    pub(super) async fn of(context: &Context, request: &RevocationRequest, target: &Target) -> Result<Self, Failure> {
        let operations = context.operations().await?;
        let policy = operations.policy();
        let row = policy.row(request.reason);
        let steps = target
            .profile
            .as_ref()
            .map_or_else(|| vec![Step::Tombstone], |profile: &Profile| steps(policy.actions(request, profile)));
        let (mut known, mut ledger_says) = (None, None);
        if let Some(table) = &operations.sessions_table {
            match DynamoSessionLedger::new(context.aws().await?, table).going_on(&target.key).await {
                Ok(mut sessions) => {
                    let meant = request.session.as_ref();
                    sessions.retain(|one| meant.is_none_or(|scope| scope.means(&one.origin_jti)));
                    known = Some(sessions);
                }
                // Enforcement does not need it, so neither does the operator.
                Err(error) => ledger_says = Some(error.to_string()),
            }
        }
        Ok(Self {
            user_pool_id: target.key.user_pool_id.0.clone(),
            sub: target.key.sub.0.clone(),
            username: target.profile.as_ref().map(|profile| profile.username.clone()),
            federated: target.profile.as_ref().is_some_and(|profile| profile.federated),
            reason: request.reason,
            comment: request.reason_admin.english_or_first().map(str::to_owned),
            initiator: request.initiator.id.clone(),
            session: request.session.clone(),
            steps,
            notice: row.notice,
            counts_towards_a_page: row.counts_as_compromise,
            last_seen: known.as_ref().and_then(|all| all.first()).map(|session| session.last_seen),
            sessions_known: known.map(|all| all.len()),
            now: context.now(),
            ledger_says,
        })
    }

    /// Shows it.
    pub(super) fn show(&self, context: &Context) -> Result<(), Failure> {
        context.screen.result(&serde_json::json!({"would": self}), |screen| self.draw(screen))
    }

    /// What is asked before it is done.
    pub(super) fn question(&self) -> String {
        let who = self.username.as_deref().map_or_else(|| self.sub.clone(), plain);
        match &self.session {
            None => format!("End every session of {who}?"),
            Some(_) => format!("End this session of {who}?"),
        }
    }

    fn draw(&self, screen: &Screen) -> String {
        let mut facts = Grid::of_facts();
        let federated = if self.federated { " (federated)" } else { "" };
        let username = self.username.as_ref().map_or("Cognito does not know them (any more)".to_owned(), Clone::clone);
        facts.row(["who".into(), format!("{username}{federated}").into()]);
        facts.row(["pool, sub".into(), format!("{}#{}", self.user_pool_id, self.sub).into()]);
        facts.row(["reason".into(), self.reason.into()]);
        if let Some(comment) = &self.comment {
            facts.row(["comment".into(), comment.into()]);
        }
        if let Some(session) = &self.session {
            facts.row(["session".into(), session.origin_jti().into()]);
        }
        facts.row(["on whose behalf".into(), (&self.initiator).into()]);
        facts.row(["sessions known".into(), self.sessions().into()]);
        let steps = self.steps.iter().enumerate().map(|(at, step)| format!("{}. {}", at + 1, meaning(*step)));
        facts.row(["would happen".into(), crate::grid::Cell::lines(steps)]);
        facts.row(["then".into(), crate::grid::Cell::lines(self.consequences())]);
        let title = screen.paint(Tone::Strong, "This would happen:");
        format!("{title}\n{}", screen.draw(facts))
    }

    fn sessions(&self) -> String {
        let seen = self.last_seen.map(|at| format!(", last seen {} ago", span(self.now.since(at)))).unwrap_or_default();
        match (self.sessions_known, &self.ledger_says) {
            (Some(known), _) => format!("{known}{seen}; others there may be end as well"),
            (None, Some(error)) => format!("not known ({error})"),
            (None, None) => "not known: no session ledger is kept here".to_owned(),
        }
    }

    fn consequences(&self) -> Vec<String> {
        let told = match self.notice {
            NoticeChannel::None => "the person is not told",
            NoticeChannel::Sms => "the person is told by SMS, else by e-mail",
            NoticeChannel::Email => "the person is told by e-mail",
            NoticeChannel::Topic => "the notice topic is told (manager, HR), not the person",
        };
        let mut all = vec![told.to_owned()];
        if self.counts_towards_a_page {
            all.push("it counts as a sign of compromise, of which many page the on-call".to_owned());
        }
        all
    }
}

/// In the order in which `revoke` takes them (`shared/core/src/usecase/revoke/steps.rs`).
fn steps(actions: Actions) -> Vec<Step> {
    let lock = match actions.lock {
        Lock::None => None,
        Lock::Disable => Some(Step::Disable),
        Lock::ResetPassword => Some(Step::ResetPassword),
    };
    let sign_out = actions.sign_out.then_some([Step::GlobalSignOut, Step::Seal]).into_iter().flatten();
    let devices = actions.forget_devices.then_some(Step::ForgetDevices);
    [Step::Tombstone].into_iter().chain(lock).chain(sign_out).chain(devices).collect()
}

/// A step in words.
pub(super) fn meaning(step: Step) -> &'static str {
    match step {
        Step::Tombstone => "every API refuses their tokens (tombstone)",
        Step::Disable => "the account is disabled",
        Step::ResetPassword => "the password must be reset before the next sign-in",
        Step::GlobalSignOut => "Cognito ends every session; no refresh any more",
        Step::Seal => "the cutoff is final: what is older stays refused (seal)",
        Step::ForgetDevices => "remembered devices are forgotten",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_locked_before_it_is_signed_out_as_revoke_does_it() {
        let actions = Actions { sign_out: true, lock: Lock::Disable, forget_devices: true };
        let order = [Step::Tombstone, Step::Disable, Step::GlobalSignOut, Step::Seal, Step::ForgetDevices];
        assert_eq!(steps(actions), order);
        let one_session = Actions { sign_out: false, lock: Lock::None, forget_devices: false };
        assert_eq!(steps(one_session), [Step::Tombstone]);
    }
}
