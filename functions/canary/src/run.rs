//! One run, step by step. Each way to fail is told apart, for each has another cure.
//!
//! ```text
//! sign two users in ─▶ both are served ─▶ ask for a revocation of one ─▶ until every token of theirs is refused ─▶ the other
//!                                                                                                  is served still
//! ```

use std::sync::Arc;
use std::time::Duration;

use revocation_core::domain::account::Password;
use revocation_core::domain::canary::{CanaryOutcome, CanaryTimes};
use revocation_core::ports::{
    AppClient, Authenticator, PortError, Redeemed, RefreshTokens, SessionTokens, TextReader, Unredeemed,
};
use tokio::time::{Instant, sleep};

use crate::api::{Answer, ProtectedApi};
use crate::intake::Intake;
use crate::subject::TokenSubject;

/// Between two looks: what is measured is at most so much too long.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);
/// How often a session is begun. One that begins within the clock skew after the last run's is refused, as anybody's is.
const BEGIN_TRIES: u32 = 3;
/// Between two of them: more than the skew of 2 s that deployments have (`ClockSkewSeconds`).
const BEGIN_PAUSE: Duration = Duration::from_secs(3);
/// How often a token that should be served is tried: a function may start cold, a connection break.
const SERVED_TRIES: u32 = 3;
/// Between two of them.
const SERVED_PAUSE: Duration = Duration::from_millis(500);

/// What runs.
pub struct Canary {
    /// Signs the users in.
    pub authenticator: Arc<dyn Authenticator>,
    /// Refreshes their sessions.
    pub refresh_tokens: Arc<dyn RefreshTokens>,
    /// Serves them, or not.
    pub api: Arc<dyn ProtectedApi>,
    /// Knows their password.
    pub secrets: Arc<dyn TextReader>,
    /// Where the password is.
    pub password_secret: String,
    /// The app client; it has no secret.
    pub client_id: String,
    /// Whose sessions are revoked.
    pub user_name: String,
    /// Whose are not.
    pub control_name: String,
    /// After so long without every token refused, the run has failed.
    pub hard_limit: Duration,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// In a word.
    pub outcome: CanaryOutcome,
    /// More of a failure, as a stable code.
    pub detail: Option<String>,
    /// What was measured, as far as it came.
    pub times: CanaryTimes,
}

struct Failed(CanaryOutcome, String);

// === impl Canary ===

impl Canary {
    /// One run.
    pub async fn run(&self, intake: &dyn Intake, id: &str) -> Ended {
        let mut times = CanaryTimes::default();
        match self.steps(intake, id, &mut times).await {
            Ok(()) => Ended { outcome: CanaryOutcome::Enforced, detail: None, times },
            Err(Failed(outcome, detail)) => Ended { outcome, detail: Some(detail), times },
        }
    }

    async fn steps(&self, intake: &dyn Intake, id: &str, times: &mut CanaryTimes) -> Result<(), Failed> {
        let (person, control) = self.begin().await?;
        let subject = TokenSubject::of(&person.access);
        let subject = subject.ok_or(Failed(CanaryOutcome::SignInFailed, "unreadable_token".to_owned()))?;
        let takes_ids = match self.served(&person.id).await {
            Ok(()) => true,
            // The API takes access tokens alone.
            Err(Answer::Refused) => false,
            Err(answer) => return Err(Failed(CanaryOutcome::NotServed, format!("id_token: {}", answer.code()))),
        };
        let start = Instant::now();
        let asked = intake.ask(&subject, id).await;
        let watched = match asked {
            Ok(()) => self.until_refused(&person, takes_ids, start, times).await,
            Err(error) => Err(failed(CanaryOutcome::IntakeRefused, &error)),
        };
        // Even if it was not taken: nobody knows that of a request without an answer.
        if let Err(error) = intake.undo(&subject).await {
            tracing::error!(%error, "the account stays as the intake left it: the next run will not sign in");
        }
        watched?;
        self.is_unharmed(&control).await
    }

    /// Both users signed in, and served.
    async fn begin(&self) -> Result<(SessionTokens, SessionTokens), Failed> {
        for _ in 1..BEGIN_TRIES {
            if let Ok(both) = self.try_to_begin().await {
                return Ok(both);
            }
            sleep(BEGIN_PAUSE).await;
        }
        self.try_to_begin().await
    }

    async fn try_to_begin(&self) -> Result<(SessionTokens, SessionTokens), Failed> {
        let (person, control) = self.sign_in().await.map_err(|error| failed(CanaryOutcome::SignInFailed, &error))?;
        for token in [&person.access, &control.access] {
            let answer = self.served(token).await;
            answer.map_err(|answer| Failed(CanaryOutcome::NotServed, answer.code().to_owned()))?;
        }
        Ok((person, control))
    }

    async fn sign_in(&self) -> Result<(SessionTokens, SessionTokens), PortError> {
        let password = Password::new(self.secrets.read(&self.password_secret).await?);
        let person = self.authenticator.sign_in(&self.user_name, &password).await?;
        Ok((person, self.authenticator.sign_in(&self.control_name, &password).await?))
    }

    async fn served(&self, token: &str) -> Result<(), Answer> {
        for _ in 1..SERVED_TRIES {
            if self.api.call(token).await == Answer::Served {
                return Ok(());
            }
            sleep(SERVED_PAUSE).await;
        }
        match self.api.call(token).await {
            Answer::Served => Ok(()),
            answer => Err(answer),
        }
    }

    /// Until everything the session has is refused at one look: a reader whose snapshot lags behind may serve again what
    /// another refused. What is refreshed meanwhile is watched, too (I3).
    async fn until_refused(
        &self,
        person: &SessionTokens,
        takes_ids: bool,
        start: Instant,
        times: &mut CanaryTimes,
    ) -> Result<(), Failed> {
        let mut refresh_token = person.refresh.clone();
        let mut refreshed = None;
        loop {
            let access = self.api.call(&person.access).await;
            note(&mut times.access_ms, access == Answer::Refused, start);
            let id = if takes_ids { self.api.call(&person.id).await } else { Answer::Refused };
            note(&mut times.id_ms, takes_ids && id == Answer::Refused, start);
            let refresh = match self.redeem(&refresh_token).await {
                Ok(Ok(redeemed)) => {
                    refreshed = Some(redeemed.access_token);
                    refresh_token = redeemed.refresh_token.unwrap_or(refresh_token);
                    Answer::Served
                }
                Ok(Err(_)) => Answer::Refused,
                Err(error) => Answer::Unclear(error.to_string()),
            };
            note(&mut times.refresh_ms, refresh == Answer::Refused, start);
            let refreshed = match &refreshed {
                Some(token) => self.api.call(token).await,
                None => Answer::Refused,
            };
            let looks =
                [("access_token", &access), ("id_token", &id), ("refreshed_token", &refreshed), ("refresh", &refresh)];
            let Some((what, answer)) = looks.into_iter().find(|(_, answer)| **answer != Answer::Refused) else {
                times.all_ms = Some(elapsed_ms(start));
                return Ok(());
            };
            if start.elapsed() >= self.hard_limit {
                let outcome = if what == "refresh" { CanaryOutcome::RefreshWorks } else { CanaryOutcome::NotRefused };
                return Err(Failed(outcome, format!("{what}: {}", answer.code())));
            }
            sleep(PAUSE).await;
        }
    }

    async fn is_unharmed(&self, control: &SessionTokens) -> Result<(), Failed> {
        match self.served(&control.access).await {
            Ok(()) => {}
            Err(Answer::Refused) => {
                return Err(Failed(CanaryOutcome::ControlRefused, "access_token: refused".to_owned()));
            }
            Err(answer) => return Err(Failed(CanaryOutcome::NotServed, format!("control: {}", answer.code()))),
        }
        match self.redeem(&control.refresh).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Failed(CanaryOutcome::ControlRefused, "refresh: refused".to_owned())),
            Err(error) => Err(Failed(CanaryOutcome::NotServed, format!("control: {error}"))),
        }
    }

    async fn redeem(&self, token: &str) -> Result<Result<Redeemed, Unredeemed>, PortError> {
        self.refresh_tokens.redeem(AppClient { id: &self.client_id, secret: None }, token).await
    }
}

fn failed(outcome: CanaryOutcome, error: &PortError) -> Failed {
    Failed(outcome, error.to_string())
}

/// Keeps when it was first refused of the looks that all found it so.
fn note(first: &mut Option<u64>, is_refused: bool, start: Instant) {
    *first = is_refused.then(|| first.unwrap_or_else(|| elapsed_ms(start)));
}

fn elapsed_ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
