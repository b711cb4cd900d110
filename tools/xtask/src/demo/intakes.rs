//! The acts in which the sources speak HTTPS, through the API Gateway in front of the intakes.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use revocation_core::domain::profile::SubjectKey;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Answer, NewUser, Probe, User};
use serde_json::{Value, json};

use super::cast::{Player, player, sign_in};
use super::story::{LIMIT, served, served_again, wait_until_refused};
use super::teller::Teller;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// An identity provider provisions people over SCIM, and deactivates them. Answers who played.
pub(super) async fn scim(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let heidi = provisioned(teller, probe, "heidi").await?;
    let ivan = provisioned(teller, probe, "ivan").await?;
    // Entra: a capital letter, and the word instead of the boolean.
    let entra = json!({"schemas": [PATCH], "Operations": [{"op": "Replace", "path": "active", "value": "False"}]});
    deactivate(teller, probe, "Entra's PATCH", &heidi, &entra).await?;
    // Okta: no path.
    let okta = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"active": false}}]});
    deactivate(teller, probe, "Okta's PATCH", &ivan, &okta).await?;
    let path = format!("/Users/{}", ivan.user.key.sub.0);
    let again = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "active", "value": true}]});
    answered(&probe.scim("PATCH", &path, Some(&again))?, 200)?;
    teller
        .check(probe.call(&ivan.session.access)?.status == 401, "ivan is reactivated: his old token stays refused")?;
    served_again(teller, probe, &ivan.user).await?;
    Ok(vec![heidi.user, ivan.user])
}

async fn provisioned(teller: &Teller, probe: &Probe, name: &str) -> Result<Player> {
    let (email, password) = (format!("{name}@example.com"), format!("Correct-horse-7-{name}"));
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": email, "externalId": format!("hr-{name}"),
        "active": true, "emails": [{"value": email, "type": "work", "primary": true}], "password": password,
    });
    let answer = probe.scim("POST", "/Users", Some(&body))?;
    answered(&answer, 201)?;
    let sub = answer.body.get("id").and_then(Value::as_str).context("the new user has no id")?;
    let user = User::provisioned(&email, &email, SubjectKey::new(&probe.facts.user_pool_id, sub), &password);
    let session = sign_in(probe, &user).await?;
    let player = Player { user, session };
    served(teller, probe, &player.user, &player.session)?;
    Ok(player)
}

async fn deactivate(teller: &Teller, probe: &Probe, how: &str, player: &Player, body: &Value) -> Result<()> {
    let start = Instant::now();
    let answer = probe.scim("PATCH", &format!("/Users/{}", player.user.key.sub.0), Some(body))?;
    answered(&answer, 200)?;
    teller.check(answer.body.get("active") == Some(&json!(false)), format_args!("{how}: 200, active is false"))?;
    wait_until_refused(teller, probe, start, player).await?;
    teller.check(!probe.is_enabled(&player.user).await?, "the account is disabled")
}

/// A SIEM raises an alert; and somebody else tries to. Answers who played.
pub(super) async fn siem(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let judy = player(probe, NewUser { name: "judy", ..NewUser::default() }).await?;
    let alert = |email: &str| {
        json!({
            "event_id": "alert-judy", "severity": "high", "reason": "policy_violation", "subjects": [email],
            "title": "Customer data copied to a private account",
        })
        .to_string()
    };
    let body = alert(&judy.user.email).into_bytes();
    let now = SystemClock.now().seconds().0;

    let headers = [
        ("webhook-id", "msg-1"),
        ("webhook-timestamp", &now.to_string()),
        ("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ];
    let forged = probe.post(&probe.hook_url("siem/plain")?, &headers, &body)?;
    teller.check(forged.status == 401, format_args!("a forged alert: 401, {}", code(&forged)))?;
    let oversized = probe.post_signed("siem/plain", "msg-1", now, &vec![b' '; 256 * 1024 + 1])?;
    teller.check(oversized.status == 413, "an oversized one: 413")?;
    served(teller, probe, &judy.user, &judy.session)?;

    let start = Instant::now();
    let answer = probe.post_signed("siem/plain", "msg-1", now, &body)?;
    teller.check(answer.status == 202, "the true one: 202")?;
    wait_until_refused(teller, probe, start, &judy).await?;

    let again = probe.post_signed("siem/plain", "msg-1", now, &body)?;
    let told = again.body.get("status").and_then(Value::as_str).unwrap_or_default();
    teller.check((again.status, told) == (200, "repeated"), "sent again: acknowledged, without a second effect")?;
    let late = probe.post_signed("siem/plain", "msg-1", now - 301, &body)?;
    teller.check(late.status == 401, format_args!("replayed after five minutes: 401, {}", code(&late)))?;
    let other = probe.post_signed("siem/plain", "msg-2", now, alert("bob@example.com").as_bytes())?;
    teller.check(other.status == 409, format_args!("the same id with another content: 409, {}", code(&other)))?;
    probe.settled(LIMIT).await?;
    let records = probe.records_of(&judy.user.key).await?;
    teller.check(records.len() == 1, "one audit record")?;
    teller.check(records.iter().all(|record| record.source.name == "siem/plain"), "it names the source siem/plain")?;
    Ok(vec![judy.user])
}

/// A role system tells of changes. Answers who played.
pub(super) async fn roles(teller: &Teller, probe: &Probe) -> Result<Vec<User>> {
    let mallory = player(probe, NewUser { name: "mallory", ..NewUser::default() }).await?;
    let niaj = player(probe, NewUser { name: "niaj", ..NewUser::default() }).await?;
    let olivia = player(probe, NewUser { name: "olivia", ..NewUser::default() }).await?;

    let up = role_updated(probe, "role-change/erp", &niaj, "roles", (&["viewer"], &["admin"]))?;
    let told = up.body.get("change").and_then(Value::as_str).unwrap_or_default();
    teller.check((up.status, told) == (200, "upgrade"), "niaj becomes admin: 200, nothing to revoke")?;
    served(teller, probe, &niaj.user, &niaj.session)?;

    let start = Instant::now();
    let down = role_updated(probe, "role-change/erp", &mallory, "roles", (&["admin"], &["viewer"]))?;
    teller.check(down.status == 202, "mallory is admin no more: 202")?;
    wait_until_refused(teller, probe, start, &mallory).await?;
    served_again(teller, probe, &mallory.user).await?;

    let start = Instant::now();
    let claims = role_updated(probe, "role-change/crm", &olivia, "permissions", (&["read", "export"], &["read"]))?;
    teller.check(claims.status == 202, "olivia may not export any more, claims-only: 202")?;
    wait_until_refused(teller, probe, start, &olivia).await?;
    refreshed(teller, probe, &olivia).await?;
    Ok(vec![mallory.user, niaj.user, olivia.user])
}

/// Claims-only: the client refreshes, and goes on without signing in.
async fn refreshed(teller: &Teller, probe: &Probe, player: &Player) -> Result<()> {
    let look = async || {
        let session = probe.refresh(&player.session).await?.map_err(|code| anyhow::anyhow!("no refresh: {code}"))?;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        Ok((probe.call(&session.access)?.status == 200).then_some(()))
    };
    let ((), after) = revocation_probe::until("to be served after a refresh", LIMIT, look).await?;
    teller.saw_after(after, format_args!("{} refreshes silently and is served", player.user.name));
    Ok(())
}

fn role_updated(
    probe: &Probe,
    source: &str,
    player: &Player,
    members: &str,
    (old, new): (&[&str], &[&str]),
) -> Result<Answer> {
    let now = SystemClock.now();
    let body = json!({
        "type": "role.updated", "timestamp": now.rfc3339(),
        "data": {
            "subject": {"format": "email", "email": player.user.email},
            "old": {members: old}, "new": {members: new}, "actor": {"id": "hr-7"},
        },
    });
    let id = format!("role-{}", player.user.name);
    probe.post_signed(source, &id, now.seconds().0, body.to_string().as_bytes())
}

fn answered(answer: &Answer, status: u16) -> Result<()> {
    ensure!(answer.status == status, "{} instead of {status}: {}", answer.status, answer.body);
    Ok(())
}

fn code(answer: &Answer) -> &str {
    answer.body.get("code").and_then(Value::as_str).unwrap_or_default()
}
