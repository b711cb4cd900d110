//! Operators' actions on accounts, against a real pool: who is kept out, who is let in again, and what stays revoked.

use revocation_core::domain::action::{ActionOutcome, ActionRecord};
use revocation_core::domain::hold::Bar;
use revocation_core::ports::Clock as _;
use revocation_lambda::clock::SystemClock;
use revocation_probe::{Probe, User, until};
use serde_json::{Value, json};

use crate::world::{LIMIT, ask, fresh, probe, record, request, served_again, status, user};

/// What Cognito answers when the token gate refuses.
const REFUSED_BY_THE_GATE: &str = "UserLambdaValidationException";

fn action(user: &User, action: &str) -> Value {
    json!({
        "version": "1", "source": {"name": "tests", "event_id": fresh(action)},
        "sub_id": {"format": "email", "email": user.email}, "action": action,
        "initiator": {"kind": "admin", "id": "arn:aws:iam::111122223333:user/ops"},
    })
}

/// Asks for it, and waits for its record.
async fn act(probe: &Probe, user: &User, detail: &Value) -> ActionRecord {
    probe.put_event("tests", "Account Action Requested", detail).await.unwrap();
    let event_id = detail["source"]["event_id"].as_str().unwrap();
    let look = async || {
        let records = probe.actions_on(&user.key).await?;
        Ok(records.into_iter().find(|record| record.source.event_id == event_id))
    };
    until("the action's record", LIMIT, look).await.unwrap().0
}

#[tokio::test]
async fn on_hold_nothing_is_served_and_after_the_release_all_but_what_was_revoked() {
    let probe = probe();
    let (person, old) = user(&probe, "held").await;
    ask(&probe, &request(&fresh("e"), &person.email, "user_request")).await;
    record(&probe, &person.key).await;
    let session = served_again(&probe, &person).await;
    let mut hold = action(&person, "hold");
    hold["hold"] = json!({"message": "Call the service desk."});
    assert_eq!(act(&probe, &person, &hold).await.outcome, ActionOutcome::Done);
    assert_eq!([status(&probe, &session.access), status(&probe, &session.id)], [401, 401]);
    assert_eq!(probe.sign_in(&person).await.unwrap().err().as_deref(), Some(REFUSED_BY_THE_GATE));
    assert_eq!(probe.refresh(&session).await.unwrap().err().as_deref(), Some(REFUSED_BY_THE_GATE));
    let released = act(&probe, &person, &action(&person, "release")).await;
    assert_eq!((released.outcome, released.still_barred_by), (ActionOutcome::Done, Some(vec![])));
    assert_eq!(status(&probe, &session.access), 200, "a hold ends no session");
    assert_eq!(status(&probe, &old.access), 401, "I2: what was revoked stays so");
    assert!(probe.refresh(&session).await.unwrap().is_ok());
    assert!(probe.sign_in(&person).await.unwrap().is_ok());
    // I8: the hold comes once more, whole, and holds nobody.
    probe.put_event("tests", "Account Action Requested", &hold).await.unwrap();
    probe.settled(LIMIT).await.unwrap();
    assert_eq!(status(&probe, &session.access), 200);
    assert_eq!(probe.actions_on(&person.key).await.unwrap().len(), 2);
    assert_eq!(probe.records_of(&person.key).await.unwrap().len(), 1, "the two kinds of record are told apart");
}

#[tokio::test]
async fn a_hold_with_an_end_ends_by_itself() {
    let probe = probe();
    let (person, session) = user(&probe, "held-shortly").await;
    let mut hold = action(&person, "hold");
    let end = SystemClock.now().plus(std::time::Duration::from_secs(4));
    hold["hold"] = json!({"until": end.rfc3339()});
    act(&probe, &person, &hold).await;
    assert_eq!(status(&probe, &session.access), 401);
    let served = async || Ok((status(&probe, &session.access) == 200).then_some(()));
    until("the end of the hold", LIMIT, served).await.unwrap();
    assert!(SystemClock.now() > end);
}

#[tokio::test]
async fn disable_and_enable_keep_out_and_let_in_and_say_what_still_stands() {
    let probe = probe();
    let (person, session) = user(&probe, "disabled").await;
    assert_eq!(act(&probe, &person, &action(&person, "disable")).await.outcome, ActionOutcome::Done);
    assert!(!probe.is_enabled(&person).await.unwrap());
    assert!(probe.sign_in(&person).await.unwrap().is_err());
    assert_eq!(status(&probe, &session.access), 200, "tokens already issued are a revocation's business");
    act(&probe, &person, &action(&person, "hold")).await;
    let enabled = act(&probe, &person, &action(&person, "enable")).await;
    assert_eq!((enabled.outcome, enabled.still_barred_by), (ActionOutcome::Done, Some(vec![Bar::Hold])));
    assert!(probe.is_enabled(&person).await.unwrap());
    assert_eq!(probe.sign_in(&person).await.unwrap().err().as_deref(), Some(REFUSED_BY_THE_GATE));
    act(&probe, &person, &action(&person, "release")).await;
    assert!(probe.sign_in(&person).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_password_is_reset_and_a_stranger_is_nobody() {
    let probe = probe();
    let (person, _) = user(&probe, "reset").await;
    assert_eq!(act(&probe, &person, &action(&person, "reset_password")).await.outcome, ActionOutcome::Done);
    assert!(probe.sign_in(&person).await.unwrap().is_err(), "the old password is no good");
    let mut stranger = action(&person, "disable");
    stranger["sub_id"]["email"] = json!(format!("{}@example.com", fresh("stranger")));
    probe.put_event("tests", "Account Action Requested", &stranger).await.unwrap();
    probe.settled(LIMIT).await.unwrap();
    assert!(probe.is_enabled(&person).await.unwrap());
}

#[tokio::test]
async fn protected_groups_are_spared_unless_overridden() {
    let probe = probe();
    let (person, session) = user(&probe, "protected").await;
    probe.add_to_group(&person.name, "admins").await.unwrap();
    for asked in ["disable", "hold", "reset_password"] {
        let record = act(&probe, &person, &action(&person, asked)).await;
        assert_eq!((record.outcome, record.code.as_deref()), (ActionOutcome::Refused, Some("protected_group")));
    }
    assert!(probe.is_enabled(&person).await.unwrap());
    assert_eq!(status(&probe, &session.access), 200);
    let mut hold = action(&person, "hold");
    hold["override_protection"] = json!(true);
    let record = act(&probe, &person, &hold).await;
    assert_eq!((record.outcome, record.override_protection), (ActionOutcome::Done, true));
    assert_eq!(status(&probe, &session.access), 401);
}

#[tokio::test]
async fn a_release_does_not_open_an_unsealed_tombstone() {
    let probe = probe();
    let (person, _) = user(&probe, "unsealed").await;
    let long_ago = 1_000_000_000;
    probe.put_tombstone_json(&person.key, &json!({"not_before": long_ago, "sealed": false})).await.unwrap();
    let record = act(&probe, &person, &action(&person, "release")).await;
    assert_eq!(record.still_barred_by, Some(vec![Bar::Unsealed]));
    assert_eq!(probe.sign_in(&person).await.unwrap().err().as_deref(), Some(REFUSED_BY_THE_GATE));
}
