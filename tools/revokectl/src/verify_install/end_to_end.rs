//! The end-to-end run: a user is made, signed in where an app client lets it, revoked over the bus with the reason `canary` (which
//! tells nobody and counts for nothing), watched until everything refuses it, and deleted.

use std::time::{Duration, Instant};

use revocation_aws::cognito::{CognitoPoolInspector, CognitoThrowaway, Session, Throwaway};
use revocation_aws::dynamodb::{DynamoAuditReader, DynamoTombstoneReader};
use revocation_aws::eventbridge::EventBridgePublisher;
use revocation_aws::https::HttpsClient;
use revocation_core::domain::audit::{Outcome, Trail};
use revocation_core::domain::event::Event;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::reason::ReasonCode;
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::{EventPublisher as _, PortError, TombstoneReader as _};

use super::Check;
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::span;
use crate::random;
use crate::revocation::{EVENT_SOURCE, of_everything};

const GROUP: &str = "end to end";
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(100);
/// What the pipeline promises (docs/RUNBOOK.md); slower is worth a look.
const SOON: Duration = Duration::from_secs(5);
/// Names of users that are made here, by which one that was left behind is found.
const NAME: &str = "revokectl-probe-";

/// What is run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run {
    /// A protected address that answers 2xx to a good token.
    pub(crate) api: Option<String>,
    /// The app client to sign in by; `None`: the first that takes passwords.
    pub(crate) client: Option<String>,
}

/// A user who is there, and perhaps signed in.
struct Probe {
    user: Throwaway,
    session: Option<(String, Session)>,
}

pub(super) async fn checks(context: &Context, run: &Run) -> Result<Vec<Check>, Failure> {
    let users = CognitoThrowaway::new(context.aws().await?);
    let Some(pool) = context.operations().await?.pools().into_iter().next() else {
        return Ok(vec![Check::failed(GROUP, "user", "the pipeline knows no pool", "deploy the stack again")]);
    };
    let name = format!("{NAME}{}", random::event_id()?);
    context.pending(Some(format!("the user {name} may be left in {pool}: delete it")));
    let email = format!("{name}@example.com");
    let named_by_email =
        CognitoPoolInspector::new(context.aws().await?).pool(&pool).await.is_ok_and(|pool| pool.named_by_email);
    let username = if named_by_email { &email } else { &name };
    let user = match users.create(&pool, username, &email).await {
        Ok(user) => user,
        Err(error) => {
            context.pending(None);
            return Ok(vec![Check::not_seen(GROUP, "a user to revoke", error)]);
        }
    };
    let done = revoked(context, run, &users, &pool, &user).await;
    // Whatever came of it.
    let deleted = users.delete(&user).await;
    context.pending(None);
    let mut checks = done?;
    if let Err(error) = deleted {
        let next = format!("aws cognito-idp admin-delete-user --user-pool-id {pool} --username {username}");
        let found = format!("it was left behind ({})", error.code);
        checks.push(Check::warning(GROUP, "the user", found, next));
    }
    Ok(checks)
}

async fn revoked(
    context: &Context,
    run: &Run,
    users: &CognitoThrowaway,
    pool: &UserPoolId,
    user: &Throwaway,
) -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    let session = match sign_in(context, run, users, pool, user).await {
        Ok(Some(signed_in)) => Some(signed_in),
        Ok(None) => {
            let next = "name one with --client; USER_PASSWORD_AUTH on a client of your own for this is enough";
            checks.push(Check::warning(GROUP, "signed in", "no app client takes passwords: no token was tried", next));
            None
        }
        Err(error) => {
            checks.push(Check::not_seen(GROUP, "signed in", error));
            None
        }
    };
    let probe = Probe { user: user.clone(), session };
    if let Some((_, session)) = &probe.session {
        checks.push(Check::ok(GROUP, "signed in", "a token was made"));
        checks.extend(served(run, session).await);
    }
    let request = of_everything(
        context,
        SubjectIdentifier::IssSub { iss: pool.issuer(), sub: user.key.sub.0.clone() },
        ReasonCode::Canary,
        Some("revokectl verify-install"),
    )
    .await?;
    let sent = Instant::now();
    let bus = &context.operations().await?.bus_name;
    let publisher = EventBridgePublisher::new(context.aws().await?, bus, EVENT_SOURCE);
    if let Err(error) = publisher.publish(&[Event::RevocationRequested(request.clone())]).await {
        checks.push(Check::not_seen(GROUP, "requested", error));
        return Ok(checks);
    }
    checks.extend(refused(context, run, &probe, sent).await);
    checks.extend(recorded(context, &request, sent).await?);
    checks.push(sealed(context, &probe).await?);
    if let Some((client, session)) = &probe.session {
        checks.push(match users.refreshes(client, &session.refresh).await {
            Ok(false) => Check::ok(GROUP, "refresh", "refused by Cognito"),
            Ok(true) => {
                let next = "revokectl audit show of the record: did the sign-out fail? revokectl status";
                Check::failed(GROUP, "refresh", "Cognito still makes tokens for the session", next)
            }
            Err(error) => Check::not_seen(GROUP, "refresh", error),
        });
    }
    Ok(checks)
}

/// The client's id with the session; `None` where no client takes passwords.
async fn sign_in(
    context: &Context,
    run: &Run,
    users: &CognitoThrowaway,
    pool: &UserPoolId,
    user: &Throwaway,
) -> Result<Option<(String, Session)>, PortError> {
    let client = match &run.client {
        Some(client) => Some(client.clone()),
        None => client_that_takes_passwords(context, pool).await?,
    };
    let Some(client) = client else { return Ok(None) };
    let random = random::event_id().map_err(|_| PortError::reject("random", "no_random_numbers"))?;
    // Of every class of characters a policy may ask for.
    let password = format!("Aa1!{random}");
    users.set_password(user, &password).await?;
    let session = users.sign_in(&client, user, &password).await?;
    Ok(Some((client, session)))
}

async fn client_that_takes_passwords(context: &Context, pool: &UserPoolId) -> Result<Option<String>, PortError> {
    let Ok(aws) = context.aws().await else { return Ok(None) };
    let inspector = CognitoPoolInspector::new(aws);
    for id in inspector.clients(pool).await? {
        let client = inspector.app_client(pool, &id).await?;
        if client.takes_passwords && !client.has_secret {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Before: or what is refused afterwards proves nothing.
async fn served(run: &Run, session: &Session) -> Option<Check> {
    let api = run.api.as_deref()?;
    Some(match HttpsClient::new().status_with_bearer(api, &session.access).await {
        Ok(status @ 200..=299) => Check::ok(GROUP, "before", format!("the API serves the token ({status})")),
        Ok(status) => Check::failed(
            GROUP,
            "before",
            format!("the API answers {status} to a token that is good"),
            "is its authorizer ours, and are pool and client in TokenPools? revokectl token inspect tells why",
        ),
        Err(error) => Check::failed(GROUP, "before", format!("the API does not answer: {error}"), "check --api"),
    })
}

/// Until the API refuses the token.
async fn refused(context: &Context, run: &Run, probe: &Probe, sent: Instant) -> Option<Check> {
    let (api, (_, session)) = (run.api.as_deref()?, probe.session.as_ref()?);
    let https = HttpsClient::new();
    while sent.elapsed() < context.globals.timeout {
        // An HTTP API answers 403 to what an authorizer refuses, a REST API as its gateway responses say.
        if let Ok(401 | 403) = https.status_with_bearer(api, &session.access).await {
            return Some(in_time("access token", "the API refuses it", sent.elapsed()));
        }
        tokio::time::sleep(PAUSE).await;
    }
    let next = "revokectl status; is the authorizer's cache off (above)?";
    Some(Check::failed(GROUP, "access token", format!("still served after {}", span(sent.elapsed())), next))
}

fn in_time(what: &str, found: &str, after: Duration) -> Check {
    let found = format!("{found} {} after the request", span(after));
    if after <= SOON {
        return Check::ok(GROUP, what, found);
    }
    let next = format!("more than {}: a cold start, the first time; else revokectl status", span(SOON));
    Check::warning(GROUP, what, found, next)
}

async fn recorded(context: &Context, request: &RevocationRequest, sent: Instant) -> Result<Vec<Check>, Failure> {
    let (id, table) = (request.id(), &context.operations().await?.revocations_table);
    let reader = DynamoAuditReader::new(context.aws().await?, table);
    let mut tombstoned = None;
    while sent.elapsed() < context.globals.timeout {
        match reader.trail(&id).await {
            Ok(Some(trail)) => {
                if tombstoned.is_none() && !trail.steps.is_empty() {
                    tombstoned = Some(in_time("tombstone", "seen in the trail", sent.elapsed()));
                }
                if trail.finished {
                    return Ok(tombstoned.into_iter().chain([ended(&trail, sent.elapsed())]).collect());
                }
            }
            Ok(None) => {}
            Err(error) => return Ok(vec![Check::not_seen(GROUP, "record", error)]),
        }
        tokio::time::sleep(PAUSE).await;
    }
    let next = format!("revokectl status; revokectl audit show {id}; revokectl dlq show revoke");
    Ok(vec![Check::failed(GROUP, "record", format!("not finished after {}", span(sent.elapsed())), next)])
}

fn ended(trail: &Trail, after: Duration) -> Check {
    let id = &trail.started.revocation_id;
    let complete = !trail.completed.is_empty() && trail.completed.values().all(|it| it.outcome == Outcome::Complete);
    if complete {
        return Check::ok(GROUP, "record", format!("{id} is complete, after {}", span(after)));
    }
    let next = format!("revokectl audit show {id}: which step failed, and with which code");
    Check::failed(GROUP, "record", "not every step was done", next)
}

async fn sealed(context: &Context, probe: &Probe) -> Result<Check, Failure> {
    let table = &context.operations().await?.tombstones_table;
    let read = DynamoTombstoneReader::new(context.aws().await?, table).read(&probe.user.key).await;
    Ok(match read {
        Ok(Some(tombstone)) if tombstone.sealed && tombstone.not_before.is_some() => {
            Check::ok(GROUP, "tombstone sealed", "what the session refreshed meanwhile is refused, too")
        }
        Ok(Some(_)) => Check::failed(
            GROUP,
            "tombstone sealed",
            "it is not: Cognito has not confirmed the sign-out",
            "revokectl status; revokectl dlq show revoke",
        ),
        Ok(None) => Check::failed(GROUP, "tombstone sealed", "there is none", "revokectl status"),
        Err(error) => Check::not_seen(GROUP, "tombstone sealed", error),
    })
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn slow_is_told_and_not_failed() {
        assert_eq!(in_time("x", "y", Duration::from_secs(5)).verdict, Verdict::Ok);
        assert_eq!(in_time("x", "y", Duration::from_secs(6)).verdict, Verdict::Warning);
    }
}
