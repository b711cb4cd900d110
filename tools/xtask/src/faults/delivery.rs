//! What goes wrong outside a single call: deliveries that come twice, late or in another order, messages that are no events,
//! and services that are down for a time.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fault_proxy::{Fault, Lasting, Rule, Script, Seen};
use revocation_core::domain::revocation_id::RevocationId;
use serde_json::{Value, json};

use super::case::{Case, Told};
use super::revocation::{AGAIN, LIMIT, request};
use super::world::{Person, Watch, World, now};

/// How long each service is down: for about three deliveries, and for about five (1 + 2 + 4 + 8 + 16 s).
const SHORT: Duration = Duration::from_secs(6);
/// See [`SHORT`].
const LONG: Duration = Duration::from_secs(31);
/// In full length, as outages are: Cognito's takes nearly all of the deliveries that a message has.
const MINUTES: [(&str, Duration); 2] = [("cognito-idp", Duration::from_mins(10)), ("dynamodb", Duration::from_mins(1))];
/// How often a message comes that comes more than once.
const TIMES: usize = 10;

/// A story of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Delivery {
    /// The same event ten times at once.
    Duplicates,
    /// The same event once more after the person has signed in anew (I2).
    LateDuplicate,
    /// The second of two revocations is delivered before the first.
    Reordered,
    /// A message that is no event, before a revocation, on the same queue (I12).
    Poison(&'static str),
    /// A service is down when the revocation is asked for.
    Outage {
        /// As in IAM's actions.
        service: &'static str,
        /// From then on.
        lasts: Duration,
        /// By issuer and `sub`, which need no look-up, or by e-mail address.
        by_key: bool,
    },
    /// Cognito's clock is so many seconds ahead of the functions', or behind them.
    Clock(i8),
}

/// All of them, with their names.
pub(super) fn all() -> Vec<(String, Delivery)> {
    let mut all = vec![
        ("duplicates".to_owned(), Delivery::Duplicates),
        ("late-duplicate".to_owned(), Delivery::LateDuplicate),
        ("reordered".to_owned(), Delivery::Reordered),
    ];
    all.extend([-2, 2].map(|offset| (format!("clock/{offset:+}s"), Delivery::Clock(offset))));
    all.extend(
        ["revoke", "notify", "compromise", "intake"].map(|queue| (format!("poison/{queue}"), Delivery::Poison(queue))),
    );
    for service in ["cognito-idp", "dynamodb", "events", "sns"] {
        all.extend([(SHORT, false), (LONG, false), (LONG, true)].map(|(lasts, by_key)| outage(service, lasts, by_key)));
    }
    // First: nobody waits for them at the end.
    let minutes =
        MINUTES.iter().flat_map(|&(service, lasts)| [false, true].map(|by_key| outage(service, lasts, by_key)));
    all.splice(0..0, minutes);
    all
}

fn outage(service: &'static str, lasts: Duration, by_key: bool) -> (String, Delivery) {
    let named = if by_key { "by-key" } else { "by-email" };
    (format!("outage/{service}/{}s/{named}", lasts.as_secs()), Delivery::Outage { service, lasts, by_key })
}

// === impl Delivery ===

impl Delivery {
    /// Whether it takes longer than a few deliveries.
    pub(super) fn is_long(self) -> bool {
        self.outage() > SHORT
    }

    /// How long nothing can end.
    fn outage(self) -> Duration {
        match self {
            Self::Outage { lasts, .. } => lasts,
            _ => Duration::ZERO,
        }
    }
}

/// Plays the case.
pub(super) async fn play(world: &Arc<World>, case: &Case, delivery: Delivery) -> Result<(Told, Vec<Seen>)> {
    let mut told = Told { name: case.name.clone(), caller: "accepted".into(), ..Told::default() };
    let _clock = match delivery {
        Delivery::Clock(offset) => Some(Clock::set(world, offset)?),
        _ => None,
    };
    let name = world.name();
    let person = world.person(&name, None).await?;
    let markers = vec![
        name.clone(),
        person.user.key.sub.0.clone(),
        person.phone.clone(),
        RevocationId::derive("faults", &name).0,
    ];
    let proxied = world.proxy.open(Script { markers, ..Script::default() });
    let watch = Watch::start(world, &person.session.access);
    let by_email = json!({"format": "email", "email": person.user.email});
    let asked = Instant::now();
    let mut records = 1;
    match delivery {
        Delivery::Duplicates => {
            for _ in 0..TIMES {
                put(world, &request(&name, &by_email)).await?;
            }
        }
        Delivery::LateDuplicate | Delivery::Clock(_) => put(world, &request(&name, &by_email)).await?,
        Delivery::Reordered => {
            let event = |id: &str| envelope(id, &request(id, &by_email));
            let (first, second) = (event(&name), event(&format!("{name}-second")));
            world.probe.send(&world.probe.facts.revoke_queue_url, &second).await?;
            world.probe.send(&world.probe.facts.revoke_queue_url, &first).await?;
            records = 2;
        }
        Delivery::Poison(queue) => {
            poison(world, &name, queue).await?;
            put(world, &request(&name, &by_email)).await?;
        }
        Delivery::Outage { service, lasts, by_key } => {
            let (action, lasting) = (format!("{service}:*"), Lasting::For(lasts));
            let rule = Rule { function: "", action, nth: 1, fault: Fault::ServerError, lasting };
            proxied.add(rule);
            let sub_id = if by_key {
                json!({"format": "iss_sub", "iss": world.issuer(), "sub": person.user.key.sub.0})
            } else {
                by_email
            };
            put(world, &request(&name, &sub_id)).await?;
        }
    }
    settle(world, &person, records, asked, asked + delivery.outage(), &mut told).await?;
    told.refused_ms = watch.refused(AGAIN).await.refused_at.map(|at| at.duration_since(asked).as_millis());
    world.probe.restore_password(&person.user).await?;
    let anew = world.served_anew(&person.user, AGAIN).await?;
    if let Err(last) = &anew {
        told.other(format!("a new session is not served: {last}"));
    }
    if let (Delivery::LateDuplicate, Ok(session)) = (delivery, anew) {
        put(world, &request(&name, &json!({"format": "email", "email": person.user.email}))).await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        // Once ended, it would not be served again; a busy authorizer refuses for a moment.
        if !world.waits_for(&session.access, 200, AGAIN).await {
            told.other("a late duplicate ended the honest new session");
        }
    }
    finish(world, &person, &watch, records, &mut told).await?;
    if let Delivery::Poison(_) = delivery {
        poison_is_parked(world, &name, &mut told).await?;
    }
    let calls = proxied.seen();
    told.count(&calls);
    if matches!(delivery, Delivery::Outage { .. }) && told.injected == 0 {
        told.not_met();
    }
    Ok((told, calls))
}

/// Cognito's clock is off until this is dropped (`serve.py`, edge 14).
struct Clock(PathBuf);

impl Clock {
    fn set(world: &World, offset: i8) -> Result<Self> {
        let dir = Path::new(&world.probe.facts.log).parent().context("the log is in no folder")?;
        let file = dir.join("cognito-clock");
        fs::write(&file, offset.to_string()).context("cannot set the clock")?;
        Ok(Self(file))
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

async fn put(world: &Arc<World>, detail: &Value) -> Result<()> {
    world.probe.put_event("faults", "Revocation Requested", detail).await.map(drop)
}

/// An event as a rule puts it on a queue.
fn envelope(id: &str, detail: &Value) -> String {
    json!({"id": id, "source": "faults", "detail-type": "Revocation Requested", "time": now().rfc3339(),
           "detail": detail})
    .to_string()
}

async fn poison(world: &Arc<World>, name: &str, queue: &str) -> Result<()> {
    let facts = &world.probe.facts;
    let url = match queue {
        "notify" => &facts.notify_queue_url,
        "compromise" => &facts.compromise_queue_url,
        "intake" => &facts.intake_queue_url,
        _ => &facts.revoke_queue_url,
    };
    world.probe.send(url, &format!("no event at all, poison-{name}-poison")).await
}

/// It is in the dead-letter queue, with a reason that quotes nothing of it.
async fn poison_is_parked(world: &Arc<World>, name: &str, told: &mut Told) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Some(parked) = world.parked(&format!("poison-{name}-poison")).pop() {
            match parked.reason {
                Some(reason) if !reason.contains("poison") => {}
                reason => told.other(format!("parked with {reason:?}")),
            }
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    told.lost("the poison is in no dead-letter queue");
    Ok(())
}

/// Waits for the records, and for a notice of each, until [`LIMIT`] after nothing is in their way any more.
async fn settle(
    world: &Arc<World>,
    person: &Person,
    records: usize,
    asked: Instant,
    free: Instant,
    told: &mut Told,
) -> Result<()> {
    while free.elapsed() < LIMIT {
        let written = world.probe.records_of(&person.user.key).await?;
        let mut notices = 0;
        for record in &written {
            notices += usize::from(world.probe.notice_of(&record.revocation_id, &person.user.key).await?.is_some());
        }
        if notices >= records {
            told.ended_ms = Some(asked.elapsed().as_millis());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(400)).await;
    }
    told.lost("no record and notice in time");
    Ok(())
}

async fn finish(world: &Arc<World>, person: &Person, watch: &Watch, records: usize, told: &mut Told) -> Result<()> {
    if world.status(&person.session.access).await? == 200 {
        told.permitted("the old token, at the end");
    }
    let seen = watch.seen();
    if seen.permitted_since > 0 {
        told.permitted(format!("the old token, {} times after it was refused", seen.permitted_since));
    }
    if seen.refused_at.is_none() {
        told.lost("the old token was never refused");
    }
    let written = world.probe.records_of(&person.user.key).await?.len();
    if written != records {
        told.other(format!("{written} records"));
    }
    let sms = world.sms_to(&person.phone).await?;
    if sms != records {
        told.other(format!("told {sms} times"));
    }
    for parked in world.parked(&person.user.key.sub.0) {
        told.other(format!("parked: {}", parked.reason.as_deref().unwrap_or("by the queue")));
    }
    Ok(())
}
