//! Revocations an operator asks for: what would happen, the request, and what came of it.

mod everyone;
mod follow;
mod plan;

use std::time::Instant;

use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_core::domain::event::Event;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::{Effect, EventSource, RevocationRequest, VERSION};
use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::SessionScope;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::domain::text::LocalizedText;
use revocation_core::ports::EventPublisher as _;

use crate::assent;
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::random;
use crate::screen::Tone;
use crate::subject::Target;

pub(crate) use everyone::carry_out as carry_out_for_everyone;

/// Name of the source of everything an operator asks for.
pub(crate) const SOURCE: &str = "operator";
/// `source` of events that revokectl puts on the bus.
pub(crate) const EVENT_SOURCE: &str = "revocation.operator";

/// What an operator wants ended.
#[derive(Clone, Debug)]
pub(crate) struct Wish<'a> {
    /// Whose.
    pub(crate) target: Target,
    /// Why.
    pub(crate) reason: ReasonCode,
    /// Why, in words, for the record.
    pub(crate) comment: Option<&'a str>,
    /// Disable the account instead of resetting its password.
    pub(crate) lockout: bool,
    /// Which sessions, where not all.
    pub(crate) session: Option<SessionScope>,
}

/// Shows what would happen, asks, requests it, and waits until it is done.
pub(crate) async fn carry_out(context: &Context, wish: Wish<'_>, dry_run: bool) -> Result<Exit, Failure> {
    let request = request(context, &wish).await?;
    let plan = plan::Plan::of(context, &request, &wish.target).await?;
    if dry_run {
        return plan.show(context).map(|()| Exit::Done);
    }
    if !context.globals.yes {
        plan.show(context)?;
    }
    assent::assent(context, &plan.question()).await?;
    ask_and_follow(context, &request).await
}

/// Requests it, and waits until it is done, unless that is not wanted.
async fn ask_and_follow(context: &Context, request: &RevocationRequest) -> Result<Exit, Failure> {
    let (id, sent) = (request.id(), Instant::now());
    publish(context, &id, Event::RevocationRequested(request.clone())).await?;
    if context.globals.no_wait {
        let told = serde_json::json!({"revocation_id": id, "outcome": "requested"});
        context.screen.result(&told, |_| format!("requested: {id}\nlook with: revokectl audit show {id}"))?;
        return Ok(Exit::Done);
    }
    follow::to_the_end(context, request, sent).await
}

async fn request(context: &Context, wish: &Wish<'_>) -> Result<RevocationRequest, Failure> {
    let request = of_everything(context, wish.target.sub_id.clone(), wish.reason, wish.comment).await?;
    checked(RevocationRequest { lockout: wish.lockout, session: wish.session.clone(), ..request })
}

/// A request to end everything whoever is named has.
pub(crate) async fn of_everything(
    context: &Context,
    sub_id: SubjectIdentifier,
    reason: ReasonCode,
    comment: Option<&str>,
) -> Result<RevocationRequest, Failure> {
    Ok(RevocationRequest {
        version: VERSION.to_owned(),
        source: EventSource { name: SOURCE.to_owned(), event_id: random::event_id()? },
        sub_id,
        reason,
        initiator: context.initiator().await?,
        reason_admin: comment.map(LocalizedText::english).unwrap_or_default(),
        reason_user: LocalizedText::default(),
        occurred_at: None,
        effect: Effect::SignOut,
        lockout: false,
        session: None,
        approve_by: None,
        txn: None,
        pools: Vec::new(),
    })
}

fn checked(request: RevocationRequest) -> Result<RevocationRequest, Failure> {
    // What revoke would park is told now.
    request.check().map_err(|bad| Failure::usage(bad.to_string()))?;
    Ok(request)
}

/// Puts a request on the bus.
pub(crate) async fn publish(context: &Context, id: &RevocationId, request: Event) -> Result<(), Failure> {
    put(context, request, &Told::of(id, "requested", "audit show")).await?;
    if !context.screen.is_json() && !context.globals.no_wait {
        context.screen.line(context.screen.paint(Tone::Faint, format_args!("requested  {id}")));
    }
    Ok(())
}

/// What a person is told of an event, should the command end before its effect is seen.
pub(crate) struct Told {
    /// While nobody knows whether the bus has it.
    unknown: String,
    /// Once it has.
    sent: String,
}

impl Told {
    /// Of what was `requested` or said of the revocation `id`, and the command that shows it.
    pub(crate) fn of(id: &RevocationId, requested: &str, look: &str) -> Self {
        let look = format!("look with: revokectl {look} {id}");
        Self {
            unknown: format!("nobody knows whether {id} was {requested}; {look}"),
            sent: format!("{id} was {requested}, which goes on without us; {look}"),
        }
    }

    /// The failure of a call whose answer was lost. Whoever asks again asks under another id.
    fn in_doubt(&self, failure: Failure) -> Failure {
        let what = format!("{}: {}", failure.what, self.unknown);
        Failure { what, ..failure }.next("look before you ask again: that would be another request")
    }
}

/// Puts an event on the bus. From here on Ctrl-C tells of it.
pub(crate) async fn put(context: &Context, event: Event, told: &Told) -> Result<(), Failure> {
    let operations = context.operations().await?;
    let publisher = EventBridgePublisher::new(context.aws().await?, &operations.bus_name, EVENT_SOURCE);
    context.pending(Some(told.unknown.clone()));
    if let Err(error) = publisher.publish(&[event]).await {
        context.pending(None);
        let refused = error.was_refused();
        let failure = context.explain(error.into());
        return Err(if refused { failure } else { told.in_doubt(failure) });
    }
    context.pending(Some(told.sent.clone()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use revocation_core::ports::PortError;

    use super::*;

    #[test]
    fn a_lost_answer_names_the_request_and_does_not_call_another_one_harmless() {
        let id = RevocationId("rv_1".into());
        let lost = Failure::from(PortError::retry("events:PutEvents", "timeout"));
        let told = Told::of(&id, "requested", "job show").in_doubt(lost);
        assert!(told.what.contains("nobody knows whether rv_1 was requested; look with: revokectl job show rv_1"));
        assert!(told.next.is_some_and(|next| !next.contains("nothing is done twice")));
    }
}
