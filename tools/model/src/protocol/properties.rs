//! What must hold in every state, and what must be possible at all.

use revocation_core::domain::audit::Step;
use revocation_core::domain::tombstone::{LONGEST_REFRESH_LIFE, LONGEST_TOKEN_LIFE};
use stateright::Property;

use super::Protocol;
use super::calls::Call;
use super::effect::wrote;
use super::world::{Row, Session, World};

pub(crate) const LOCKED_OUT_FIRST: &str = "I1 the tombstone stands before Cognito is asked to sign out";
pub(crate) const ONLY_FORWARD: &str = "I2 a cutoff is never moved back";
pub(crate) const FIXED_ONCE: &str = "I2 no cutoff stands that no trail fixed";
pub(crate) const NEW_IS_SERVED: &str = "I2 what began after everything was done is served";
pub(crate) const OVER_IS_REFUSED: &str = "I3 what was signed out and sealed is refused, tokens of the gap included";
pub(crate) const LOCKED_OUT: &str = "I4 what began before the request is refused once the tombstone is acknowledged";
pub(crate) const OUTLIVES: &str = "I5 the tombstone outlives what it must refuse";
pub(crate) const RESUMED: &str = "I7 what was delivered to the end of its deliveries is finished";
pub(crate) const SETTLES: &str = "I3 when everything is finished, the tombstone is sealed";
pub(crate) const ONCE: &str = "I8 a delivery after the end does nothing but look";
pub(crate) const FORESEEN: &str = "the model foresees every call of the code";

/// The first three are what a tombstone is for; each is looked at with what a reader that lags may see.
pub(crate) fn all(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut all = vec![
        Property::always(LOCKED_OUT_FIRST, |_, world: &World| !world.seen.called_out_first),
        Property::always(ONLY_FORWARD, |_, world: &World| !world.seen.moved_back),
        Property::always(FIXED_ONCE, |_, world: &World| world.row.cutoff() <= world.seen.latest),
        Property::always(NEW_IS_SERVED, |protocol: &Protocol, world: &World| {
            every(world, |session| !session.is_owed || served(protocol, world, session))
        }),
        Property::always(OVER_IS_REFUSED, |protocol: &Protocol, world: &World| {
            every(world, |session| {
                !is_over(world, session, world.now - protocol.scenario.lag)
                    || session.tokens.iter().all(|token| refused(protocol, world, *token))
            })
        }),
        Property::always(LOCKED_OUT, |protocol: &Protocol, world: &World| {
            every(world, |session| {
                // Where Cognito dates a refresh anew, a token of the gap looks like one of a new session: the seal's to end.
                let told_apart = if protocol.scenario.remints { 1 } else { usize::MAX };
                !is_locked_out(world, session, world.now - protocol.scenario.lag)
                    || session.tokens.iter().take(told_apart).all(|token| refused(protocol, world, *token))
            })
        }),
        Property::always(OUTLIVES, |_, world: &World| every(world, |session| is_outlived(world, session))),
        Property::always(RESUMED, |protocol: &Protocol, world: &World| {
            requests(world).all(|request| {
                let is_at_work = world.deliveries.iter().any(|delivery| usize::from(delivery.request) == request);
                let is_spent = world.delivered.get(request) >= Some(&protocol.scenario.deliveries);
                !is_spent || is_at_work || is_finished(world, request)
            })
        }),
        Property::always(SETTLES, |_, world: &World| {
            let begun = || requests(world).filter(|request| world.delivered.get(*request) > Some(&0));
            let is_quiet = world.deliveries.is_empty() && begun().all(|request| is_finished(world, request));
            !is_quiet || begun().count() == 0 || world.row.0.sealed
        }),
        Property::always(ONCE, |protocol: &Protocol, world: &World| {
            world
                .deliveries
                .iter()
                .filter(|delivery| delivery.is_late)
                .all(|delivery| matches!(protocol.call(delivery), None | Some(Call::Begin { .. })))
        }),
        Property::always(FORESEEN, |protocol: &Protocol, world: &World| {
            !world.deliveries.iter().any(|delivery| matches!(protocol.call(delivery), Some(Call::Unforeseen(_))))
        }),
    ];
    if protocol.broken.is_none() {
        all.extend(examples(protocol));
    }
    all
}

/// What must be possible: without these, the properties above would say nothing.
fn examples(protocol: &Protocol) -> Vec<Property<Protocol>> {
    let mut all = vec![Property::sometimes(
        "everything is finished and a new session is served",
        |protocol: &Protocol, world: &World| {
            requests(world).all(|request| is_finished(world, request))
                && world.sessions.iter().skip(1).any(|session| session.is_owed && served(protocol, world, session))
        },
    )];
    if protocol.scenario.refreshes > 0 {
        all.push(Property::sometimes("a session refreshes between tombstone and sign-out", |_, world: &World| {
            world.seen.locked_out.iter().any(Option::is_some)
                && world.sessions.iter().any(|session| {
                    session.before != 0
                        && session.ended_at.is_none()
                        && session.tokens.last().is_some_and(|token| token.1 > world.row.cutoff())
                })
        }));
    }
    if protocol.scenario.at_once > 1 {
        // Known: their records are equal, so that neither can tell whose stands. It is logged and measured twice.
        all.push(Property::sometimes("two deliveries at work at once both report the end", |_, world: &World| {
            world.seen.reports.iter().any(|reports| *reports > 1)
        }));
        // Known, and not Cognito's to prevent: its sign-out knows no condition. docs/MODEL.md.
        all.push(Property::sometimes(
            "a duplicate at work beside the first signs a new session out",
            |_, world: &World| world.sessions.iter().any(|session| session.is_owed && session.ended_at.is_some()),
        ));
    }
    all
}

fn requests(world: &World) -> impl Iterator<Item = usize> {
    0..world.trails.len()
}

fn every(world: &World, holds: impl Fn(&Session) -> bool) -> bool {
    world.sessions.iter().all(holds)
}

fn is_finished(world: &World, request: usize) -> bool {
    world.trails.get(request).and_then(Option::as_ref).is_some_and(|trail| trail.finished)
}

/// By every reader, however far it lags.
fn refused(protocol: &Protocol, world: &World, token: (i64, i64)) -> bool {
    readable(world).all(|row| row.refuses(token, world.now, protocol.is(super::Broken::OnlyIat)))
}

/// By every reader, all of its tokens.
fn served(protocol: &Protocol, world: &World, session: &Session) -> bool {
    let only_iat = protocol.is(super::Broken::OnlyIat);
    session.tokens.iter().all(|token| !readable(world).any(|row| row.refuses(*token, world.now, only_iat)))
}

fn readable(world: &World) -> impl Iterator<Item = &Row> {
    world.stale.iter().map(|(_, row)| row).chain([&world.row])
}

/// Whether a seal acknowledged before `by` confirms a sign-out that ended it.
fn is_over(world: &World, session: &Session, by: i64) -> bool {
    let Some(ended_at) = session.ended_at else { return false };
    world.seen.sealed.iter().enumerate().any(|(request, sealed)| {
        let confirmed = wrote(world, request, Step::GlobalSignOut).map(|at| at.seconds().0);
        promised(*sealed, world, by) && confirmed.is_some_and(|confirmed| ended_at <= confirmed)
    })
}

/// Whether it began before a request whose tombstone was acknowledged before `by`.
fn is_locked_out(world: &World, session: &Session, by: i64) -> bool {
    world
        .seen
        .locked_out
        .iter()
        .enumerate()
        .any(|(request, locked_out)| promised(*locked_out, world, by) && session.before & (1 << request) != 0)
}

/// At once where readers do not lag, otherwise once they cannot lag that far.
fn promised(acknowledged: Option<i64>, world: &World, by: i64) -> bool {
    acknowledged.is_some_and(|at| if by == world.now { at <= by } else { at < by })
}

fn is_outlived(world: &World, session: &Session) -> bool {
    if !is_locked_out(world, session, world.now) && !is_over(world, session, world.now) {
        return true;
    }
    let seconds = |life: std::time::Duration| i64::try_from(life.as_secs()).unwrap_or(i64::MAX);
    let auth_time = session.tokens.first().map_or(0, |token| token.0);
    let last = session.tokens.iter().map(|token| token.1).max().unwrap_or(0);
    let tokens_live = last + seconds(LONGEST_TOKEN_LIFE);
    let refresh_lives =
        if session.ended_at.is_none() { auth_time + seconds(LONGEST_REFRESH_LIFE) } else { tokens_live };
    world.row.0.expires_at.is_some_and(|end| end.0 >= tokens_live.max(refresh_lives))
}
