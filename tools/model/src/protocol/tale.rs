//! A path through the model, told line by line.

use stateright::Path;

use super::calls::Call;
use super::world::World;
use super::{Happens, Protocol};

/// The steps of a path, and what is wrong at its end.
pub(crate) fn tell(protocol: &Protocol, path: Path<World, Happens>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut last = None;
    for (n, (world, happens)) in path.into_vec().into_iter().enumerate() {
        if n == 0 {
            lines.push(format!("0 s    session 1 began; Cognito's clock is {:+} s against ours", world.ahead));
        }
        if let Some(happens) = happens {
            lines.push(format!("{:<6} {}", format!("{} s", world.now), line(protocol, &world, happens)));
        }
        last = Some(world);
    }
    lines.extend(last.iter().flat_map(|world| ending(protocol, world)));
    lines
}

fn line(protocol: &Protocol, world: &World, happens: Happens) -> String {
    let name = |request: u8| {
        let event = protocol.scenario.requests.get(usize::from(request)).map_or("?", |it| it.source.event_id.as_str());
        format!("revocation `{event}`")
    };
    let of = |n: usize| world.deliveries.get(n).map_or_else(String::new, |delivery| name(delivery.request));
    match happens {
        Happens::Second => "(a second passes)".to_owned(),
        Happens::Hour => "(an hour passes)".to_owned(),
        Happens::SignIn => format!("session {} begins, auth_time {}", world.sessions.len() + 1, world.by_cognito()),
        Happens::Refresh(n) => format!("session {} refreshes, iat {}", n + 1, world.by_cognito()),
        Happens::Deliver(request) => format!("{} is delivered", name(request)),
        Happens::GoOn(n) => {
            let call = world.deliveries.get(n).and_then(|delivery| protocol.call(delivery));
            format!("{}: {}", of(n), call.map_or_else(String::new, |call| words(&call)))
        }
        Happens::Hear(n) => format!("{}: hears that Cognito signed out", of(n)),
        Happens::Fail(n) => format!("{}: the lock fails, to be tried again", of(n)),
        Happens::Die(n) => format!("{}: its function dies", of(n)),
    }
}

fn words(call: &Call) -> String {
    match call {
        Call::Begin { not_before } => format!("begins; the cutoff fixed first stands (its own: {not_before})"),
        Call::Raise(cutoff) => format!("tombstone, cutoff {}", cutoff.at),
        Call::Resolve => "resolves the subject".to_owned(),
        Call::Resolved => "writes down whom it found".to_owned(),
        Call::Wrote { step, at, .. } if at.0 > 0 => format!("writes down `{}` at {}", step.as_str(), at.seconds()),
        Call::Wrote { step, .. } => format!("writes down `{}`", step.as_str()),
        Call::Disable => "disables the account".to_owned(),
        Call::SignOut => "Cognito signs out: refresh tokens are dead".to_owned(),
        Call::Seal(seal) => format!("seals, cutoff {}", seal.at),
        Call::Completed => "writes the record".to_owned(),
        Call::Publish => "publishes".to_owned(),
        Call::Published => "writes down that it published".to_owned(),
        Call::Finished => "writes down that it is finished".to_owned(),
        Call::Unforeseen(what) => format!("unforeseen: {what}"),
    }
}

/// What the tombstone is at the end, and what every token is answered.
fn ending(protocol: &Protocol, world: &World) -> Vec<String> {
    let row = &world.row.0;
    let cutoff = row.not_before.map_or("none".to_owned(), |cutoff| cutoff.to_string());
    let sealed = if row.sealed { "sealed" } else { "not sealed" };
    let mut lines = vec![format!("=> tombstone: cutoff {cutoff}, {sealed}")];
    let only_iat = protocol.is(super::Broken::OnlyIat);
    for (n, session) in world.sessions.iter().enumerate() {
        for token in &session.tokens {
            let answer = if world.row.refuses(*token, world.now, only_iat) { "refused" } else { "PERMITTED" };
            lines.push(format!("   session {}: auth_time {}, iat {}: {answer}", n + 1, token.0, token.1));
        }
    }
    lines
}
