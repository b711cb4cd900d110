//! What the tests share: the running pipeline, users of their own, and requests.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::profile::SubjectKey;
use revocation_probe::{Facts, NewUser, Probe, Tokens, User, until};
use serde_json::{Value, json};

/// Ends a test that hangs; nothing takes nearly as long.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Held by tests of what the whole pipeline has once: the count of compromises (by whoever sends reasons that count, too)
/// and the queue of parked requests.
pub(crate) static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

static NEXT: AtomicU32 = AtomicU32::new(0);

#[expect(clippy::disallowed_methods, reason = "how `cargo xtask test` tells a test binary where the cloud is")]
pub(crate) fn probe() -> Probe {
    let file = std::env::var("LOCAL_CLOUD_FILE").expect("no local cloud: run `cargo xtask test`");
    Probe::read(Path::new(&file)).unwrap()
}

/// The cloud's facts as the variables by which AWS clients are configured.
pub(crate) fn variable(facts: &Facts, name: &str) -> Option<String> {
    match name {
        "AWS_REGION" => Some(facts.region.clone()),
        "AWS_ACCESS_KEY_ID" => Some(facts.access_key_id.clone()),
        "AWS_SECRET_ACCESS_KEY" => Some(facts.secret_access_key.clone()),
        "AWS_ENDPOINT_URL" => Some(facts.endpoint.clone()),
        _ => None,
    }
}

/// A name nobody else has, in this run or an earlier one against the same cloud.
pub(crate) fn fresh(stem: &str) -> String {
    format!("{stem}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) async fn user(probe: &Probe, stem: &str) -> (User, Tokens) {
    let name = fresh(stem);
    let user = probe.add_user(&NewUser { name: &name, ..NewUser::default() }).await.unwrap();
    let session = probe.sign_in(&user).await.unwrap().unwrap();
    (user, session)
}

/// A canonical request for an e-mail address.
pub(crate) fn request(event_id: &str, email: &str, reason: &str) -> Value {
    json!({
        "version": "1", "source": {"name": "tests", "event_id": event_id},
        "sub_id": {"format": "email", "email": email}, "reason": reason,
        "initiator": {"kind": "system", "id": "tests"},
    })
}

pub(crate) async fn ask(probe: &Probe, detail: &Value) {
    probe.put_event("tests", "Revocation Requested", detail).await.unwrap();
}

/// Waits for the subject's first record.
pub(crate) async fn record(probe: &Probe, subject: &SubjectKey) -> AuditRecord {
    let look = async || Ok(probe.records_of(subject).await?.into_iter().next());
    until("an audit record", LIMIT, look).await.unwrap().0
}

pub(crate) fn status(probe: &Probe, token: &str) -> u16 {
    probe.call(token).unwrap().status
}

pub(crate) async fn served_again(probe: &Probe, user: &User) -> Tokens {
    let look = async || {
        let Ok(session) = probe.sign_in(user).await? else { return Ok(None) };
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok((probe.call(&session.access)?.status == 200).then_some(session))
    };
    until("to be served again", LIMIT, look).await.unwrap().0
}

/// Beside the test binary, in whose folder's parent Cargo puts the others. `cargo xtask test` builds it first.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let built = own.parent().and_then(|deps| deps.parent()).unwrap().join("revokectl");
    assert!(built.is_file(), "no {}: run `cargo build -p revokectl`", built.display());
    built
}

/// `revokectl` as an operator of this pipeline runs it.
pub(crate) fn command(probe: &Probe, arguments: &[&str]) -> Command {
    let facts = &probe.facts;
    let mut command = Command::new(program());
    command
        .args(arguments)
        .env_clear()
        // No profile of whoever runs the tests.
        .env("HOME", "/nonexistent")
        .env("REVOKECTL_STACK", "local")
        .env("AWS_REGION", &facts.region)
        .env("AWS_ACCESS_KEY_ID", &facts.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &facts.secret_access_key)
        .env("AWS_ENDPOINT_URL", &facts.endpoint)
        .stdin(Stdio::null());
    command
}
