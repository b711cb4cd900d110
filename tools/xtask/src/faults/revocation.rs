//! One person's revocation, with a fault somewhere on its way, seen from outside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use fault_proxy::{Script, Seen};
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::ports::NoticeResult;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::case::{Case, Story, Told, may_tell_twice};
use super::world::{Person, Watch, World, now};

/// Beyond any fault's end and the leases that a dead function leaves behind (60 s for a notice).
pub(super) const LIMIT: Duration = Duration::from_secs(200);
/// Whoever was revoked can sign in again within this: the skew and a second, and what a machine that is busy with other cases adds.
pub(super) const AGAIN: Duration = Duration::from_mins(1);
/// How often a sender repeats what was not accepted.
const SENDS: usize = 10;

/// A revocation for compromise, the longest there is.
pub(super) fn request(event_id: &str, sub_id: &Value) -> Value {
    json!({
        "version": "1", "source": {"name": "faults", "event_id": event_id}, "sub_id": sub_id,
        "reason": "compromise", "initiator": {"kind": "system", "id": "faults"},
    })
}

/// Plays the case; answers what came of it, and the calls that were made.
pub(super) async fn play(world: &Arc<World>, case: &Case) -> Result<(Told, Vec<Seen>)> {
    let mut told = Told { name: case.name.clone(), ..Told::default() };
    let _alone = match case.story {
        Story::Siem | Story::Scim => Some(world.intake.lock().await),
        _ => None,
    };
    let name = world.name();
    let person = world.person(&name, None).await?;
    let id = RevocationId::derive("faults", &name);
    let proxied = world.proxy.open(Script {
        markers: vec![name.clone(), person.user.key.sub.0.clone(), person.phone.clone(), id.0.clone()],
        owns: match case.story {
            Story::Siem => vec!["intake-siem"],
            Story::Scim => vec!["intake-scim"],
            _ => Vec::new(),
        },
        rules: case.rules(),
    });
    let watch = Watch::start(world, &person.session.access);
    let asked = Instant::now();
    told.caller = ask(world, case.story, &name, &person).await?;
    let record = ended(world, case, &proxied, &person, &mut told, asked).await?;
    told.ended_ms = record.as_ref().map(|_| asked.elapsed().as_millis());
    if record.is_none() {
        told.lost("no record and notice in time");
    }
    let seen = watch.refused(AGAIN).await;
    told.refused_ms = seen.refused_at.map(|at| at.duration_since(asked).as_millis());
    let calls = proxied.seen();
    told.count(&calls);
    told.may_tell_twice = may_tell_twice(&calls);
    if case.at.is_some() && told.injected == 0 {
        told.not_met();
    }
    after(world, case, &person, &watch, &mut told).await?;
    if let Some(record) = record {
        once(world, case, &person, &record, &mut told).await?;
    }
    Ok((told, calls))
}

/// Asks the way the story goes, and again while it is not accepted, as senders do. Answers what the sender saw.
async fn ask(world: &Arc<World>, story: Story, name: &str, person: &Person) -> Result<String> {
    let mut answers = Vec::new();
    for _ in 0..SENDS {
        let status = match story {
            Story::Siem => alert(world, name, person).await?,
            Story::Scim => deactivation(world, person).await?,
            _ => {
                let detail = request(name, &json!({"format": "email", "email": person.user.email}));
                world.probe.put_event("faults", "Revocation Requested", &detail).await?;
                return Ok("accepted".to_owned());
            }
        };
        answers.push(status.to_string());
        if (200..300).contains(&status) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    Ok(answers.join(", "))
}

async fn alert(world: &Arc<World>, name: &str, person: &Person) -> Result<u16> {
    let body = json!({"event_id": name, "severity": "high", "reason": "compromise", "subjects": [person.user.email],
                      "title": "t"});
    let (probe, id) = (world.probe.clone(), format!("msg-{name}"));
    let send = move || probe.post_signed("siem/plain", &id, now().seconds().0, body.to_string().as_bytes());
    Ok(spawn_blocking(send).await?.map_or(599, |answer| answer.status))
}

async fn deactivation(world: &Arc<World>, person: &Person) -> Result<u16> {
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                      "Operations": [{"op": "replace", "path": "active", "value": false}]});
    let (probe, path) = (world.probe.clone(), format!("/Users/{}", person.user.key.sub.0));
    Ok(spawn_blocking(move || probe.scim("PATCH", &path, Some(&body))).await?.map_or(599, |answer| answer.status))
}

/// Waits for the record and the notice. What is parked because a role was wrong is sent back once the role is right.
async fn ended(
    world: &Arc<World>,
    case: &Case,
    proxied: &fault_proxy::Case,
    person: &Person,
    told: &mut Told,
    asked: Instant,
) -> Result<Option<AuditRecord>> {
    while asked.elapsed() < LIMIT {
        for parked in world.parked(&person.user.key.sub.0).into_iter().chain(world.parked(&person.user.name)) {
            if case.parks() {
                proxied.heal();
                told.redriven += 1;
                world.probe.send(&parked.queue_url, &parked.body).await?;
            } else {
                told.other(format!("parked: {}", parked.reason.as_deref().unwrap_or("by the queue")));
            }
        }
        if let Some(record) = world.probe.records_of(&person.user.key).await?.into_iter().next()
            && world.probe.notice_of(&record.revocation_id, &person.user.key).await?.is_some()
        {
            return Ok(Some(record));
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    Ok(None)
}

/// The old session is over in every form, and a new one is served.
async fn after(world: &Arc<World>, case: &Case, person: &Person, watch: &Watch, told: &mut Told) -> Result<()> {
    if told.refused_ms.is_none() {
        told.lost("the old token was never refused");
        return Ok(());
    }
    if let Ok(fresh) = world.probe.refresh(&person.session).await?
        && world.status(&fresh.access).await? == 200
    {
        told.permitted("the old refresh token");
    }
    if case.story == Story::Scim {
        // Deactivated: nobody signs in.
        if world.probe.sign_in(&person.user).await?.is_ok() {
            told.permitted("a sign-in of a deactivated user");
        }
    } else {
        world.probe.restore_password(&person.user).await?;
        if let Err(last) = world.served_anew(&person.user, AGAIN).await? {
            told.other(format!("a new session is not served: {last}"));
        }
    }
    for (what, token) in [("access", &person.session.access), ("id", &person.session.id)] {
        if world.status(token).await? == 200 {
            told.permitted(format!("the old {what} token, at the end"));
        }
    }
    let seen = watch.seen();
    if seen.permitted_since > 0 {
        told.permitted(format!("the old token, {} times after it was refused", seen.permitted_since));
    }
    Ok(())
}

/// One record, one notice.
async fn once(world: &Arc<World>, case: &Case, person: &Person, record: &AuditRecord, told: &mut Told) -> Result<()> {
    let records = world.probe.records_of(&person.user.key).await?.len();
    // A deactivation over SCIM has no id: a repetition is another revocation, with the same effect.
    if records != 1 && !(case.story == Story::Scim && told.caller.contains(',')) {
        told.other(format!("{records} records"));
    }
    let notice = world.probe.notice_of(&record.revocation_id, &person.user.key).await?;
    let is_to_be_told = notice.as_ref().is_some_and(|notice| matches!(notice.result, NoticeResult::Sent { .. }));
    if case.story == Story::Scim {
        return Ok(());
    }
    if !is_to_be_told {
        told.lost(format!("the notice: {:?}", notice.map(|notice| notice.result)));
    }
    let (probe, phone, email) = (world.probe.clone(), person.phone.clone(), person.user.email.clone());
    let (sms, mut emails) =
        spawn_blocking(move || anyhow::Ok((probe.sms_to(&phone)?, probe.emails_to(&email)?))).await??;
    // Cognito's own, after the reset of the password.
    emails.retain(|email| !email.title.contains("verification code"));
    match sms.len() + emails.len() {
        1 => {}
        0 => told.lost("nobody was told"),
        2 if told.may_tell_twice => told.sent_again = 1,
        n => told.other(format!("told {n} times")),
    }
    Ok(())
}
