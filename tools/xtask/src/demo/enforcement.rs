//! The acts about enforcement: single sessions, introspection, an end date, the gate while a sign-out is held back.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use revocation_core::domain::audit::AuditRecord;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{NewUser, Probe, Tokens, User, until};
use serde_json::{Value, json};

use super::cast::sign_in;
use super::story::{LIMIT, served, served_again};
use super::teller::Teller;
use crate::run;

const PHONE: &str = "Example-App/7 (Android)";
const LAPTOP: &str = "Mozilla/5.0 (X11; Linux x86_64)";
const END_DATE: &str = "custom:project_end_date";
/// Long enough to sign in and be served once.
const CONTRACT_LASTS: Duration = Duration::from_secs(4);

/// Somebody with two sessions, each used by a device of its own.
struct OnTwoDevices {
    user: User,
    phone: Tokens,
    laptop: Tokens,
}

impl OnTwoDevices {
    async fn new(teller: &Teller, probe: &Probe, name: &str) -> Result<Self> {
        let user = probe.add_user(&NewUser { name, ..NewUser::default() }).await?;
        let (phone, laptop) = (sign_in(probe, &user).await?, sign_in(probe, &user).await?);
        for (session, device) in [(&phone, PHONE), (&laptop, LAPTOP)] {
            let answer = used_by(probe, session, device)?;
            teller.check(answer == 200, format_args!("{name} is served on “{device}”: {answer}"))?;
        }
        // The ledger is written beside the requests.
        noted(probe, &[&phone, &laptop], &user).await?;
        Ok(Self { user, phone, laptop })
    }
}

fn used_by(probe: &Probe, session: &Tokens, device: &str) -> Result<u16> {
    let bearer = format!("Bearer {}", session.access);
    let headers = [("authorization", bearer.as_str()), ("user-agent", device)];
    Ok(probe.request("GET", &probe.facts.api_url, &headers, None)?.status)
}

async fn noted(probe: &Probe, sessions: &[&Tokens], user: &User) -> Result<()> {
    let look = async || {
        // A Lambda's background work goes on beside its next request.
        for (session, device) in sessions.iter().zip([PHONE, LAPTOP]) {
            used_by(probe, session, device)?;
        }
        let known = probe.sessions_of(&user.key).await?;
        Ok(sessions.iter().all(|session| known.contains(&origin_jti(session).unwrap_or_default())).then_some(()))
    };
    until("both sessions in the ledger", LIMIT, look).await.map(drop)
}

/// The session's name, as its tokens have it.
fn origin_jti(session: &Tokens) -> Result<String> {
    let payload = session.access.split('.').nth(1).context("no token")?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
    Ok(claims.get("origin_jti").and_then(Value::as_str).context("no origin_jti")?.to_owned())
}

/// An application signs its own user out on one device.
pub(super) async fn own_sign_out(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let peggy = OnTwoDevices::new(teller, probe, "peggy").await?;
    let start = Instant::now();
    let fields = [
        ("client_id", probe.facts.client_id.as_str()),
        ("token_type_hint", "refresh_token"),
        ("token", &peggy.phone.refresh),
    ];
    let answer = probe.post_form(&probe.facts.sign_out_url, &fields)?;
    ensure!(answer.status == 200, "POST /sign-out answered {}: {}", answer.status, answer.body);
    teller.saw_after(start.elapsed(), "her telephone's app posts its refresh token to /sign-out: 200");
    for (token, what) in [(&peggy.phone.access, "access"), (&peggy.phone.id, "ID")] {
        let status = probe.call(token)?.status;
        teller.check(status == 401, format_args!("its {what} token is refused at once: {status}"))?;
    }
    teller.check(probe.refresh(&peggy.phone).await?.is_err(), "its refresh token is refused by Cognito")?;
    served(teller, probe, &peggy.user, &peggy.laptop)?;
    teller.check(probe.refresh(&peggy.laptop).await?.is_ok(), "her laptop goes on, and refreshes")?;
    Ok(vec![peggy.user])
}

/// An operator signs one device out, over the bus.
pub(super) async fn that_device(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let lena = OnTwoDevices::new(teller, probe, "lena").await?;
    let detail = json!({
        "version": "1", "source": {"name": "helpdesk", "event_id": "lena-lost-her-laptop"},
        "sub_id": {"format": "opaque", "id": lena.user.key.sub.0}, "reason": "user_request",
        "initiator": {"kind": "admin", "id": "service-desk"}, "session": {"only": origin_jti(&lena.laptop)?},
    });
    let start = Instant::now();
    probe.put_event("helpdesk", "Revocation Requested", &detail).await?;
    let refused = async || Ok((probe.call(&lena.laptop.access)?.status == 401).then_some(()));
    until("the laptop's refusal", LIMIT, refused).await?;
    teller.saw_after(start.elapsed(), "“sign out that device”: the laptop is refused");
    let refreshed = probe.refresh(&lena.laptop).await?.ok().context("Cognito knows nothing of it")?;
    let status = probe.call(&refreshed.access)?.status;
    teller.check(status == 401, format_args!("so is what its refresh token still gets from Cognito: {status}"))?;
    served(teller, probe, &lena.user, &lena.phone)?;
    let record = async || {
        let records = probe.records_of(&lena.user.key).await?;
        Ok(records.into_iter().find(|record| record.sessions_ended == Some(1)))
    };
    let (record, _): (AuditRecord, _) = until("the audit record", LIMIT, record).await?;
    let ended = record.sessions.first().context("no session in the record")?;
    let (ip, agent) = (ended.ip.as_deref().unwrap_or("-"), ended.user_agent.as_deref().unwrap_or("-"));
    teller.check(agent == LAPTOP, format_args!("the record says which: {ip}, “{agent}”"))?;
    Ok(vec![lena.user])
}

/// A service in any language asks, here by `curl`.
pub(super) fn introspection(teller: &Teller, probe: &Probe, good: &Tokens, revoked: &Tokens) -> Result<()> {
    for (token, active) in [(&good.access, true), (&revoked.access, false)] {
        let answer = introspected(probe, token)?;
        teller.check(
            answer.get("active") == Some(&json!(active)),
            format_args!("curl … /introspect: {}", shown(&answer)),
        )?;
    }
    Ok(())
}

fn introspected(probe: &Probe, token: &str) -> Result<Value> {
    let (url, user) = (&probe.facts.introspect_url, format!("local:{}", probe.facts.introspection_secret));
    // The token by standard input: arguments are for everybody on the machine to read.
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "10", "--config", "-", url]);
    let config = format!("user = \"{user}\"\ndata-urlencode = \"token={token}\"\n");
    let printed = run::capture_with_input(&mut curl, &config)?;
    serde_json::from_str(&printed).with_context(|| format!("introspection answered {printed}"))
}

fn shown(answer: &Value) -> String {
    let say = |name: &str| answer.get(name).map(|value| format!("{name}: {value}"));
    ["active", "username", "scope"].into_iter().filter_map(say).collect::<Vec<_>>().join(", ")
}

/// A contract ends: no event, no administrator.
pub(super) async fn contract_end(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let user = probe.add_user(&NewUser { name: "trent", ..NewUser::default() }).await?;
    let ends = SystemClock.now().plus(CONTRACT_LASTS);
    probe.set_attribute(&user, END_DATE, &ends.rfc3339()).await?;
    let session = sign_in(probe, &user).await?;
    served(teller, probe, &user, &session)?;
    let refused = async || Ok(Some(probe.call(&session.access)?.status).filter(|status| *status == 401));
    let (status, _) = until("the end of the contract", LIMIT, refused).await?;
    teller.saw(format_args!("the second his project_end_date passes, his token is refused: {status}"));
    let refusal = probe.refresh(&session).await?.err().context("refreshed after the end")?;
    teller.check(true, format_args!("token-gate refuses his refresh: {refusal}"))?;
    teller.check(probe.sign_in(&user).await?.is_err(), "and a new sign-in")?;
    Ok(vec![user])
}

/// Between tombstone and sign-out, the gap in which an old session could refresh.
pub(super) async fn held_back(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let user = probe.add_user(&NewUser { name: "victor", ..NewUser::default() }).await?;
    let session = sign_in(probe, &user).await?;
    served(teller, probe, &user, &session)?;
    let now = SystemClock.now().seconds().0;
    probe.put_tombstone_json(&user.key, &json!({"not_before": now, "sealed": false})).await?;
    teller.saw("a revocation has written its tombstone; Cognito's sign-out is held back");
    let refusal = probe.refresh(&session).await?.err().context("refreshed in the gap")?;
    teller.check(true, format_args!("token-gate refuses the refresh in the gap: {refusal}"))?;
    let detail = json!({
        "version": "1", "source": {"name": "helpdesk", "event_id": "victor"},
        "sub_id": {"format": "opaque", "id": user.key.sub.0}, "reason": "anomaly",
        "initiator": {"kind": "system", "id": "helpdesk"},
    });
    probe.put_event("helpdesk", "Revocation Requested", &detail).await?;
    let sealed = async || Ok(probe.records_of(&user.key).await?.into_iter().find(|r| r.sealed_at.is_some()));
    until("the seal", LIMIT, sealed).await?;
    served_again(teller, probe, &user).await?;
    Ok(vec![user])
}
