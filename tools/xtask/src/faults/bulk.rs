//! A group, with a fault somewhere in the bulk engine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use fault_proxy::{Script, Seen};
use revocation_core::domain::bulk::BulkJob;
use revocation_core::domain::revocation_id::RevocationId;
use serde_json::json;

use super::case::{Case, Told};
use super::revocation::LIMIT;
use super::world::{Watch, World};

/// More than one, and few enough to be quick.
const MEMBERS: usize = 3;

/// Plays the case.
pub(super) async fn play(world: &Arc<World>, case: &Case) -> Result<(Told, Vec<Seen>)> {
    let mut told = Told { name: case.name.clone(), ..Told::default() };
    let group = world.name();
    world.probe.add_group(&group).await?;
    let mut members = Vec::new();
    for _ in 0..MEMBERS {
        members.push(world.person(&world.name(), Some(&group)).await?);
    }
    let id = RevocationId::derive("faults", &group);
    let mut markers = vec![group.clone(), id.0.clone()];
    markers.extend(members.iter().flat_map(|member| [member.user.name.clone(), member.user.key.sub.0.clone()]));
    let proxied = world.proxy.open(Script { markers, owns: Vec::new(), rules: case.rules() });
    let watches: Vec<Watch> = members.iter().map(|member| Watch::start(world, &member.session.access)).collect();
    let detail = json!({
        "version": "1", "source": {"name": "faults", "event_id": group}, "reason": "project_end",
        "sub_id": {"format": "group", "group": group}, "initiator": {"kind": "admin", "id": "faults"},
    });
    let asked = Instant::now();
    world.probe.put_event("faults", "Revocation Requested", &detail).await?;
    told.caller = "accepted".into();
    while asked.elapsed() < LIMIT {
        if world.probe.bulk_job(&id).await?.is_some_and(|job| BulkJob::is_over(&job)) {
            told.ended_ms = Some(asked.elapsed().as_millis());
            break;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    if told.ended_ms.is_none() {
        told.lost("the bulk revocation is not over");
    }
    for (member, watch) in members.iter().zip(&watches) {
        let seen = watch.seen();
        let refused = seen.refused_at.map(|at| at.duration_since(asked).as_millis());
        told.refused_ms = told.refused_ms.max(refused);
        if refused.is_none() {
            told.lost("a member is served");
        }
        if seen.permitted_since > 0 || world.status(&member.session.access).await? == 200 {
            told.permitted("a member, after they were refused");
        }
        if world.probe.refresh(&member.session).await?.is_ok() {
            told.permitted("a member's refresh token");
        }
        let records = world.probe.records_of(&member.user.key).await?.len();
        if records != 1 {
            told.other(format!("{records} records of a member"));
        }
    }
    let calls = proxied.seen();
    told.count(&calls);
    if case.at.is_some() && told.injected == 0 {
        told.not_met();
    }
    Ok((told, calls))
}
