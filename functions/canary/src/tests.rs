//! The decisions of a run, on a stage that plays Cognito, the API and an intake. Time passes only where the run waits.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::account::Password;
use revocation_core::domain::event::Envelope;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{
    AppClient, Authenticator, PortError, Redeemed, RefreshTokens, SessionTokens, TextReader, Unredeemed,
};
use revocation_testkit::clock::FakeClock;
use tokio::time::{Instant, sleep};

use super::*;
use crate::api::{Answer, ProtectedApi};
use crate::run::Ended;
use crate::subject::TokenSubject;

const LIMIT: Duration = Duration::from_secs(30);
/// A call takes this long on the stage.
const CALL: Duration = Duration::from_millis(20);

/// What happens, in milliseconds after the request; `None`: never.
#[derive(Clone)]
struct Script {
    sign_in: Result<(), PortError>,
    served: Answer,
    /// So many sign-ins end in a session that is refused, as within the skew after a seal.
    too_early: usize,
    takes_ids: bool,
    intake: Result<(), PortError>,
    access: Option<u64>,
    id: Option<u64>,
    refresh: Option<u64>,
    refreshed: Option<u64>,
    /// The access token is served again between these two.
    lagging: Option<(u64, u64)>,
    refused_as: Answer,
    refresh_error: Option<PortError>,
    control: Answer,
    control_refreshes: bool,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            sign_in: Ok(()),
            served: Answer::Served,
            too_early: 0,
            takes_ids: true,
            intake: Ok(()),
            access: Some(700),
            id: Some(800),
            refresh: Some(1_200),
            refreshed: Some(1_300),
            lagging: None,
            refused_as: Answer::Refused,
            refresh_error: None,
            control: Answer::Served,
            control_refreshes: true,
        }
    }
}

#[derive(Default)]
struct Stage {
    script: Script,
    asked_at: Mutex<Option<Instant>>,
    undone: Mutex<u32>,
    passwords: Mutex<Vec<String>>,
    recorded: Mutex<Vec<CanaryRun>>,
}

impl Stage {
    /// Whether so many milliseconds have passed since the request.
    fn is_past(&self, ms: Option<u64>) -> bool {
        let asked_at = *self.asked_at.lock().unwrap();
        asked_at.zip(ms).is_some_and(|(asked_at, ms)| asked_at.elapsed() >= Duration::from_millis(ms))
    }

    fn was_asked(&self) -> bool {
        self.asked_at.lock().unwrap().is_some()
    }
}

fn token(who: &str, what: &str) -> String {
    let claims = format!(r#"{{"iss":"https://cognito-idp.eu-central-1.amazonaws.com/pool","sub":"{who}"}}"#);
    format!("head.{}.{what}", URL_SAFE_NO_PAD.encode(claims))
}

#[async_trait]
impl TextReader for Stage {
    async fn read(&self, _: &str) -> Result<String, PortError> {
        Ok("correct-horse".to_owned())
    }
}

#[async_trait]
impl Authenticator for Stage {
    async fn sign_in(&self, username: &str, password: &Password) -> Result<SessionTokens, PortError> {
        self.script.sign_in.clone()?;
        self.passwords.lock().unwrap().push(password.expose().to_owned());
        let [access, id, refresh] = ["access", "id", "refresh"].map(|what| token(username, what));
        Ok(SessionTokens { access, id, refresh })
    }
}

#[async_trait]
impl ProtectedApi for Stage {
    async fn call(&self, presented: &str) -> Answer {
        sleep(CALL).await;
        if self.passwords.lock().unwrap().len() <= self.script.too_early {
            return Answer::Refused;
        }
        let Script { served, takes_ids, access, id, refreshed, lagging, refused_as, control, .. } = &self.script;
        let is_lagging = lagging.is_some_and(|(from, to)| self.is_past(Some(from)) && !self.is_past(Some(to)));
        let is_refused = match presented {
            own if own == token("canary", "access") => self.is_past(*access) && !is_lagging,
            own if own == token("canary", "id") && !takes_ids => return Answer::Refused,
            own if own == token("canary", "id") => self.is_past(*id),
            own if own == token("canary", "refreshed") => self.is_past(*refreshed),
            other if other == token("control", "access") && self.was_asked() => return control.clone(),
            _ => false,
        };
        if is_refused { refused_as.clone() } else { served.clone() }
    }
}

#[async_trait]
impl RefreshTokens for Stage {
    async fn redeem(&self, _: AppClient<'_>, presented: &str) -> Result<Result<Redeemed, Unredeemed>, PortError> {
        sleep(CALL).await;
        if presented == token("control", "refresh") {
            let redeemed = Redeemed { access_token: token("control", "refreshed"), refresh_token: None };
            return Ok(self.script.control_refreshes.then_some(redeemed).ok_or(Unredeemed::NoGood));
        }
        if let Some(error) = &self.script.refresh_error {
            return Err(error.clone());
        }
        let redeemed = Redeemed { access_token: token("canary", "refreshed"), refresh_token: None };
        Ok((!self.is_past(self.script.refresh)).then_some(redeemed).ok_or(Unredeemed::NoGood))
    }

    async fn revoke(&self, _: AppClient<'_>, _: &str) -> Result<(), PortError> {
        unreachable!("the canary ends its session by the pipeline alone")
    }
}

#[async_trait]
impl Intake for Stage {
    fn path(&self) -> CanaryPath {
        CanaryPath::Scim
    }

    async fn ask(&self, subject: &TokenSubject, _: &str) -> Result<(), PortError> {
        assert_eq!(subject.sub, "canary");
        *self.asked_at.lock().unwrap() = Some(Instant::now());
        self.script.intake.clone()
    }

    async fn undo(&self, _: &TokenSubject) -> Result<(), PortError> {
        *self.undone.lock().unwrap() += 1;
        Ok(())
    }
}

#[async_trait]
impl CanaryRuns for Stage {
    async fn begin(&self, run: &CanaryRun) -> Result<bool, PortError> {
        let mut recorded = self.recorded.lock().unwrap();
        let is_new = recorded.iter().all(|one| one.tick != run.tick);
        recorded.push(run.clone());
        Ok(is_new)
    }

    async fn end(&self, run: &CanaryRun) -> Result<(), PortError> {
        self.recorded.lock().unwrap().push(run.clone());
        Ok(())
    }
}

fn canary(stage: &Arc<Stage>) -> Canary {
    Canary {
        authenticator: stage.clone(),
        refresh_tokens: stage.clone(),
        api: stage.clone(),
        secrets: stage.clone(),
        password_secret: "secret".to_owned(),
        client_id: "client".to_owned(),
        user_name: "canary".to_owned(),
        control_name: "control".to_owned(),
        hard_limit: LIMIT,
    }
}

async fn play(script: Script) -> (Ended, Arc<Stage>) {
    let stage = Arc::new(Stage { script, ..Stage::default() });
    let ended = canary(&stage).run(stage.as_ref(), "canary-1").await;
    (ended, stage)
}

fn refused() -> PortError {
    PortError::reject("op", "refused")
}

#[tokio::test(start_paused = true)]
async fn a_green_run_measures_until_the_last_of_the_sessions_tokens_is_refused() {
    let (ended, stage) = play(Script::default()).await;
    assert_eq!((ended.outcome, &ended.detail), (CanaryOutcome::Enforced, &None));
    // No earlier than it was, and no later than a look and a pause after it.
    let within = |ms: Option<u64>, was: u64| assert!((was..was + 400).contains(&ms.unwrap()), "{ms:?} for {was}");
    within(ended.times.access_ms, 700);
    within(ended.times.id_ms, 800);
    within(ended.times.refresh_ms, 1_200);
    within(ended.times.all_ms, 1_300);
    assert_eq!(*stage.passwords.lock().unwrap(), ["correct-horse", "correct-horse"]);
    assert_eq!(*stage.undone.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn each_failure_is_told_apart() {
    use CanaryOutcome::{ControlRefused, IntakeRefused, NotRefused, NotServed, RefreshWorks, SignInFailed};
    let down = Answer::Unclear("status_503".to_owned());
    let base = Script::default;
    let cases = [
        (Script { sign_in: Err(refused()), ..base() }, SignInFailed, "op: refused"),
        (Script { served: down.clone(), ..base() }, NotServed, "status_503"),
        (Script { served: Answer::Refused, ..base() }, NotServed, "refused"),
        (Script { intake: Err(refused()), ..base() }, IntakeRefused, "op: refused"),
        (Script { access: None, ..base() }, NotRefused, "access_token: served"),
        (Script { id: None, ..base() }, NotRefused, "id_token: served"),
        // I3: what was refreshed between tombstone and sign-out.
        (Script { refreshed: None, ..base() }, NotRefused, "refreshed_token: served"),
        (Script { refresh: None, ..base() }, RefreshWorks, "refresh: served"),
        (Script { refresh_error: Some(refused()), ..base() }, RefreshWorks, "refresh: op: refused"),
        // An API that is down has not refused.
        (Script { refused_as: down.clone(), ..base() }, NotRefused, "access_token: status_503"),
        (Script { control: Answer::Refused, ..base() }, ControlRefused, "access_token: refused"),
        (Script { control_refreshes: false, ..base() }, ControlRefused, "refresh: refused"),
        // Nor has it harmed the control user.
        (Script { control: down, ..base() }, NotServed, "control: status_503"),
    ];
    for (script, outcome, detail) in cases {
        let refreshing_for_ever = script.refresh.is_none();
        let script = if refreshing_for_ever { Script { refreshed: Some(0), ..script } } else { script };
        let (ended, _) = play(script).await;
        assert_eq!((ended.outcome, ended.detail.as_deref()), (outcome, Some(detail)));
        assert!(
            ended.times.all_ms.is_some()
                == (ended.detail.as_deref().unwrap().starts_with("control") || outcome == ControlRefused),
            "{ended:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_hard_limit_ends_a_run_and_not_a_moment_earlier() {
    let almost = u64::try_from(LIMIT.as_millis()).unwrap() - 500;
    let late = Script { access: Some(almost), ..Script::default() };
    assert_eq!(play(late).await.0.outcome, CanaryOutcome::Enforced);
    let start = Instant::now();
    let never = play(Script { access: None, ..Script::default() }).await;
    assert_eq!(never.0.outcome, CanaryOutcome::NotRefused);
    assert!(start.elapsed() < LIMIT + Duration::from_secs(1), "{:?}", start.elapsed());
    // Even then the account is put back as it was.
    assert_eq!(*never.1.undone.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_lags_behind_is_waited_for() {
    let script = Script { lagging: Some((1_000, 4_000)), ..Script::default() };
    let times = play(script).await.0.times;
    assert!(times.access_ms >= Some(4_000) && times.all_ms >= times.access_ms, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn where_the_api_takes_no_id_tokens_none_is_waited_for() {
    let (ended, _) = play(Script { takes_ids: false, id: None, ..Script::default() }).await;
    assert_eq!((ended.outcome, ended.times.id_ms), (CanaryOutcome::Enforced, None));
}

#[tokio::test(start_paused = true)]
async fn a_run_right_after_another_signs_in_once_more() {
    // Two sign-ins a try.
    for (too_early, outcome) in [(2, CanaryOutcome::Enforced), (6, CanaryOutcome::NotServed)] {
        let (ended, stage) = play(Script { too_early, ..Script::default() }).await;
        assert_eq!(ended.outcome, outcome);
        assert_eq!(stage.passwords.lock().unwrap().len(), too_early.min(4) + 2);
    }
}

struct Named(CanaryPath, Arc<Stage>);

#[async_trait]
impl Intake for Named {
    fn path(&self) -> CanaryPath {
        self.0
    }

    async fn ask(&self, subject: &TokenSubject, id: &str) -> Result<(), PortError> {
        self.1.ask(subject, id).await
    }
}

fn handler(stage: &Arc<Stage>, clock: &Arc<FakeClock>) -> CanaryHandler {
    let intakes =
        [CanaryPath::Bus, CanaryPath::Siem].map(|path| -> Arc<dyn Intake> { Arc::new(Named(path, stage.clone())) });
    CanaryHandler { canary: canary(stage), intakes: intakes.to_vec(), runs: stage.clone(), clock: clock.clone() }
}

async fn tick(handler: &CanaryHandler, id: &str, detail: &str, received_at: EpochMillis) -> Result<(), Failure> {
    let text = format!(
        r#"{{"id":"{id}","source":"aws.events","detail-type":"Scheduled Event","time":"2026-01-01T00:00:00Z",
            "detail":{detail}}}"#
    );
    let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
    handler.handle(Delivery { envelope, received_at }).await
}

#[tokio::test(start_paused = true)]
async fn the_paths_take_turns_and_every_run_is_recorded_once() {
    let (stage, clock) = (Arc::new(Stage::default()), Arc::new(FakeClock::default()));
    let handler = handler(&stage, &clock);
    for id in ["a", "a", "b", "c"] {
        tick(&handler, id, "{}", clock.now()).await.unwrap();
        clock.advance(INTERVAL);
    }
    let recorded = stage.recorded.lock().unwrap();
    let ended: Vec<_> = recorded.iter().filter(|run| run.outcome.is_some()).collect();
    // The tick that came twice ran once.
    assert_eq!(ended.iter().map(|run| run.tick.rsplit('#').next().unwrap()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(
        ended.iter().map(|run| run.path).collect::<Vec<_>>(),
        [CanaryPath::Bus, CanaryPath::Bus, CanaryPath::Siem]
    );
}

#[tokio::test(start_paused = true)]
async fn a_tick_may_choose_a_configured_path_and_a_stale_one_is_left_out() {
    let (stage, clock) = (Arc::new(Stage::default()), Arc::new(FakeClock::default()));
    let handler = handler(&stage, &clock);
    let now = clock.now();
    tick(&handler, "a", r#"{"path":"siem"}"#, now).await.unwrap();
    assert_eq!(stage.recorded.lock().unwrap().last().unwrap().path, CanaryPath::Siem);
    for bad in [r#"{"path":"scim"}"#, r#"{"path":"by hand"}"#, "[1]"] {
        assert!(tick(&handler, "b", bad, now).await.is_err(), "{bad}");
    }
    let before = stage.recorded.lock().unwrap().len();
    clock.advance(STALE + Duration::from_secs(1));
    tick(&handler, "c", "{}", now).await.unwrap();
    assert_eq!(stage.recorded.lock().unwrap().len(), before, "two runs at once would disturb each other");
}
