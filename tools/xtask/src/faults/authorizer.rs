//! The authorizer while its reads fail: who was revoked is never permitted, who was not is served again afterwards, and a
//! revocation that falls into that time holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use fault_proxy::{Fault, Lasting, Rule, Script, Seen};
use serde_json::json;

use super::case::{Case, Told};
use super::revocation::{AGAIN, LIMIT, request};
use super::world::{Watch, World};

/// For how long the reads fail: many times the authorizer's budget for one.
const OUTAGE: Duration = Duration::from_millis(2_500);

/// Plays the case.
pub(super) async fn play(world: &Arc<World>, case: &Case) -> Result<(Told, Vec<Seen>)> {
    let mut told = Told { name: case.name.clone(), ..Told::default() };
    let names = [world.name(), world.name(), world.name()];
    let revoked = world.person(&names[0], None).await?;
    let honest = world.person(&names[1], None).await?;
    let meanwhile = world.person(&names[2], None).await?;
    revoke(world, &names[0], &revoked.user.email).await?;
    if !world.waits_for(&revoked.session.access, 401, LIMIT).await {
        told.lost("not refused to begin with");
        return Ok((told, Vec::new()));
    }
    let people = [&revoked, &honest, &meanwhile];
    let markers = people.map(|person| person.user.key.sub.0.clone()).to_vec();
    let proxied = world.proxy.open(Script { markers, owns: Vec::new(), rules: rules(case) });
    let watch = Watch::start(world, &meanwhile.session.access);
    let asked = Instant::now();
    revoke(world, &names[2], &meanwhile.user.email).await?;
    let mut statuses = Vec::new();
    while asked.elapsed() < OUTAGE {
        if world.status(&revoked.session.access).await.is_ok_and(|status| status == 200) {
            told.permitted("a revoked token while reads fail");
        }
        if let Ok(status) = world.status(&honest.session.access).await
            && !statuses.contains(&status)
        {
            statuses.push(status);
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    statuses.sort_unstable();
    told.caller = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    proxied.heal();
    if !world.waits_for(&honest.session.access, 200, AGAIN).await {
        told.other("an honest session is not served afterwards");
    }
    if !world.waits_for(&meanwhile.session.access, 401, LIMIT).await {
        told.lost("the revocation of the meantime");
    }
    if world.status(&revoked.session.access).await? == 200 {
        told.permitted("a revoked token afterwards");
    }
    let seen = watch.refused(AGAIN).await;
    told.refused_ms = seen.refused_at.map(|at| at.duration_since(asked).as_millis());
    if seen.permitted_since > 0 {
        told.permitted(format!("the token of the meantime, {} times after it was refused", seen.permitted_since));
    }
    told.ended_ms = Some(asked.elapsed().as_millis());
    let calls = proxied.seen();
    told.count(&calls);
    if case.at.is_some() && told.injected == 0 {
        told.not_met();
    }
    Ok((told, calls))
}

/// All such calls for the time of the outage; a process is killed at the first two.
fn rules(case: &Case) -> Vec<Rule> {
    let lasting = |fault| match fault {
        Fault::KillBefore | Fault::KillAfter => Lasting::Calls(2),
        _ => Lasting::For(OUTAGE),
    };
    let rule = |rule: Rule| Rule { nth: 1, lasting: lasting(rule.fault), ..rule };
    case.rules().into_iter().map(rule).collect()
}

async fn revoke(world: &Arc<World>, name: &str, email: &str) -> Result<()> {
    let detail = request(name, &json!({"format": "email", "email": email}));
    world.probe.put_event("faults", "Revocation Requested", &detail).await.map(drop)
}
