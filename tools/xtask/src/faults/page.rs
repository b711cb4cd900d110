//! Four accounts with signs of compromise within an hour: one page, whatever happens to the counter at the fourth.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fault_proxy::{Script, Seen};
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_probe::{NewUser, User};
use serde_json::{Value, json};

use super::case::{Case, Problem, Told, may_tell_twice};
use super::revocation::{LIMIT, request};
use super::world::{World, now};

/// How many accounts are too many (the template's threshold is 3).
const TOO_MANY: usize = 4;
/// For a second page to show itself before the case ends; the whole run is looked through at its end as well.
const ANOTHER: Duration = Duration::from_secs(1);

/// Plays the case.
pub(super) async fn play(world: &Arc<World>, case: &Case) -> Result<(Told, Vec<Seen>)> {
    let at = world.window()?;
    let mut told = Told { name: case.name.clone(), window: Some(at), ..Told::default() };
    let mut accounts = Vec::new();
    for n in 0..TOO_MANY {
        let name = world.name();
        accounts
            .push((world.probe.add_user(&NewUser { name: &name, ..NewUser::default() }).await?, sign(&name, at, n)));
    }
    let (fourth, others) = accounts.split_last().context("four accounts")?;
    let quiet = world.proxy.open(script(others.iter().map(|(user, _)| user), case, false));
    for (_, sign) in others {
        world.probe.send(&world.probe.facts.compromise_queue_url, &sign.to_string()).await?;
    }
    let start = Instant::now();
    // The last thing a sign below the threshold makes the counter do is to read the others.
    while reads(&quiet.seen()) < others.len() && start.elapsed() < LIMIT {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let proxied = world.proxy.open(script(std::iter::once(&fourth.0), case, true));
    let asked = Instant::now();
    told.caller = "accepted".into();
    world.probe.send(&world.probe.facts.compromise_queue_url, &fourth.1.to_string()).await?;
    while pages(world, at) == 0 && asked.elapsed() < LIMIT {
        for parked in world.parked(&fourth.0.name) {
            if case.parks() {
                proxied.heal();
                told.redriven += 1;
                world.probe.send(&parked.queue_url, &parked.body).await?;
            } else {
                told.other(format!("parked: {}", parked.reason.as_deref().unwrap_or("by the queue")));
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    if pages(world, at) == 0 {
        told.lost("nobody was paged");
    } else {
        told.ended_ms = Some(asked.elapsed().as_millis());
    }
    let calls = proxied.seen();
    // Everything once more, as a queue may deliver it.
    for (_, sign) in &accounts {
        world.probe.send(&world.probe.facts.compromise_queue_url, &sign.to_string()).await?;
    }
    tokio::time::sleep(ANOTHER).await;
    told.count(&calls);
    told.may_tell_twice = may_tell_twice(&calls);
    if case.at.is_some() && told.injected == 0 {
        told.not_met();
    }
    Ok((told, calls))
}

/// Looks through the pages of the whole run for a second one of an incident.
pub(super) fn look_for_doubles(world: &World, told: &mut Told) {
    let Some(at) = told.window else { return };
    match pages(world, at) {
        0 | 1 => {}
        2 if told.may_tell_twice => told.sent_again = 1,
        n => told.problems.push(Problem::DoublePage(format!("{n} pages of one incident"))),
    }
}

fn pages(world: &World, at: i64) -> usize {
    let is_ours = |first: EpochSeconds| (at - 60..=at + 60).contains(&first.0);
    world.pages().iter().filter(|page| is_ours(page.first_at)).count()
}

fn reads(seen: &[Seen]) -> usize {
    seen.iter().filter(|seen| seen.action == "dynamodb:Query" && seen.about == "compromises").count()
}

fn script<'a>(users: impl Iterator<Item = &'a User>, case: &Case, faulty: bool) -> Script {
    let markers = users.flat_map(|user| [user.name.clone(), user.key.sub.0.clone()]).collect();
    Script { markers, owns: Vec::new(), rules: if faulty { case.rules() } else { Vec::new() } }
}

/// What the rule puts on the counter's queue.
fn sign(name: &str, at: i64, n: usize) -> Value {
    let mut detail = request(name, &json!({"format": "email", "email": format!("{name}@example.com")}));
    let seconds = at + i64::try_from(n).unwrap_or(0);
    if let Some(members) = detail.as_object_mut() {
        members.insert("occurred_at".to_owned(), json!(EpochMillis(seconds * 1_000).rfc3339()));
    }
    json!({"id": name, "source": "faults", "detail-type": "Revocation Requested", "time": now().rfc3339(),
           "detail": detail})
}
