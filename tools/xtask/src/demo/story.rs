//! The story, act by act.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::incident::Stage;
use revocation_core::domain::request::Effect;
use revocation_probe::{NewUser, PageInbox, Probe, Tokens, User, until};

use super::audit_table;
use super::cast::{Player, Told, okta, player, removed_from_group, sign_in};
use super::contractors;
use super::enforcement;
use super::intakes;
use super::layer;
use super::teller::Teller;
use crate::say;

/// Nothing here takes nearly as long; it only ends a story that hangs.
pub(super) const LIMIT: Duration = Duration::from_secs(20);
const BOBS_PHONE: &str = "+12065550100";

/// Tells it. Fails at the first thing that is not as told.
pub(super) async fn tell(probe: &Probe, revokectl: &Path, reports: PathBuf) -> Result<()> {
    let teller = Teller::new();
    let pages = probe.page_inbox("demo-pages").await?;
    let mut told = Vec::new();

    Teller::act(1, "Everybody signs in and is served");
    let alice = player(probe, NewUser { name: "alice", ..NewUser::default() }).await?;
    let bob = player(probe, NewUser { name: "bob", phone: Some(BOBS_PHONE), ..NewUser::default() }).await?;
    let carol = player(probe, NewUser { name: "carol", group: Some("admins"), ..NewUser::default() }).await?;
    let mut others = Vec::new();
    for name in ["dave", "erin", "frank", "grace"] {
        others.push(player(probe, NewUser { name, ..NewUser::default() }).await?);
    }
    for player in [&alice, &bob, &carol].into_iter().chain(&others) {
        served(&teller, probe, &player.user, &player.session)?;
    }

    Teller::act(2, "Okta deactivates alice");
    let event = okta("deactivate-alice", "user.lifecycle.deactivate", "Deactivate Okta user", &alice.user);
    tell_and_wait(&teller, probe, &event, &alice).await?;
    told.push(event);
    let refreshed = probe.refresh(&alice.session).await?;
    teller.check(refreshed.is_err(), "her refresh token is refused by Cognito")?;
    teller.check(!probe.is_enabled(&alice.user).await?, "her account is disabled")?;
    teller.check(probe.sign_in(&alice.user).await?.is_err(), "she cannot sign in")?;
    served(&teller, probe, &bob.user, &bob.session)?;

    Teller::act(3, "An anomaly is detected on bob's account");
    let event = okta("risk-bob", "user.risk.detect", "User risk level changed to HIGH", &bob.user);
    tell_and_wait(&teller, probe, &event, &bob).await?;
    told.push(event);
    let (sms, after) = until("an SMS to bob", LIMIT, async || Ok(probe.sms_to(BOBS_PHONE)?.into_iter().next())).await?;
    teller.saw_after(after, format_args!("bob gets an SMS: “{}”", sms.text));
    let bobs_new_session = served_again(&teller, probe, &bob.user).await?;

    Teller::act(4, "carol is taken out of the group admins");
    let before = probe.call(&carol.session.access)?.body;
    teller.check(before.to_string().contains("admins"), "her token says admins")?;
    probe.remove_from_group("carol", "admins").await?;
    let event = removed_from_group("remove-carol", &carol.user, "admins");
    tell_and_wait(&teller, probe, &event, &carol).await?;
    told.push(event);
    let session = served_again(&teller, probe, &carol.user).await?;
    let after = probe.call(&session.access)?.body;
    teller.check(!after.to_string().contains("admins"), "her new token does not say admins any more")?;

    Teller::act(5, "Accounts are compromised one after the other; bob's was the first");
    for (number, player) in (2_usize..).zip(&others) {
        let uuid = format!("breach-{}", player.user.name);
        let event = okta(&uuid, "security.breached_credential.detected", "Breached credential", &player.user);
        tell_and_wait(&teller, probe, &event, player).await?;
        told.push(event);
        counted(probe, number).await?;
        paged(&teller, probe, &pages, number).await?;
    }

    Teller::act(6, "The same events arrive once more");
    let tombstones = tombstones(probe, &[&alice, &bob, &carol]).await?;
    let day = probe.records_on(&today()).await?.len();
    for event in &told {
        event.put(probe).await?;
    }
    probe.settled(LIMIT).await?;
    teller.check(probe.records_on(&today()).await?.len() == day, "no new audit record")?;
    teller.check(self::tombstones(probe, &[&alice, &bob, &carol]).await? == tombstones, "no cutoff has moved")?;
    teller.check(probe.sms_to(BOBS_PHONE)?.len() == 1, "bob has got no second SMS")?;
    teller.check(probe.take_pages(&pages).await?.is_empty(), "nobody is paged again")?;
    served(&teller, probe, &bob.user, &bobs_new_session)?;

    Teller::act(7, "An identity provider deactivates people over SCIM");
    let mut users = intakes::scim(&teller, probe).await?;
    Teller::act(8, "A SIEM raises an alert, and a forger tries to");
    users.extend(intakes::siem(&teller, probe).await?);
    Teller::act(9, "A role system tells of an upgrade and of downgrades");
    users.extend(intakes::roles(&teller, probe).await?);

    Teller::act(10, "peggy signs out on her telephone, by her application");
    users.extend(enforcement::own_sign_out(&teller, probe).await?);
    Teller::act(11, "lena has lost her laptop: “sign out that device”");
    users.extend(enforcement::that_device(&teller, probe).await?);
    Teller::act(12, "Services in any language ask about tokens");
    enforcement::introspection(&teller, probe, &bobs_new_session, &alice.session)?;
    Teller::act(13, "A service of your own, with the layer");
    layer::axum_service(&teller, probe, &bobs_new_session, &alice.session)?;
    Teller::act(14, "A contract ends, and nobody tells anybody");
    users.extend(enforcement::contract_end(&teller, probe).await?);
    Teller::act(15, "A sign-out is held back");
    users.extend(enforcement::held_back(&teller, probe).await?);

    say::line("\nThe audit trail\n");
    users.extend([alice, bob, carol].into_iter().chain(others).map(|player| player.user));
    say::line(audit_table::table(probe, &users).await?);
    Teller::act(16, "A contractor's sixty people leave; an operator ends it, an auditor asks");
    contractors::leave(&teller, probe, revokectl, &reports).await?;
    say::line(format_args!("\nAs told, in {:.1} s.", teller.elapsed().as_secs_f64()));
    Ok(())
}

pub(super) fn served(teller: &Teller, probe: &Probe, user: &User, session: &Tokens) -> Result<()> {
    let (access, id) = (probe.call(&session.access)?.status, probe.call(&session.id)?.status);
    teller.check((access, id) == (200, 200), format_args!("{} is served: {access}, {id}", user.name))
}

/// Puts the event on the bus and waits until the player's tokens are refused.
async fn tell_and_wait(teller: &Teller, probe: &Probe, event: &Told, player: &Player) -> Result<()> {
    let start = Instant::now();
    event.put(probe).await?;
    wait_until_refused(teller, probe, start, player).await
}

/// Waits until the player's tokens are refused, and what was told at `start` is done.
pub(super) async fn wait_until_refused(teller: &Teller, probe: &Probe, start: Instant, player: &Player) -> Result<()> {
    let name = &player.user.name;
    let refused = async || Ok(Some(probe.call(&player.session.access)?).filter(|answer| answer.status != 200));
    let (answer, _) = until("a refusal", LIMIT, refused).await?;
    let challenge = answer.www_authenticate.unwrap_or_default();
    let refusal = format!("{name}'s access token is refused: {}, WWW-Authenticate: {challenge}", answer.status);
    teller.saw_after(start.elapsed(), &refusal);
    // 401 and the challenge send a client's SDK to refresh and then to sign in.
    ensure!(answer.status == 401 && challenge.contains("invalid_token"), "not the refusal a client understands");
    let id = probe.call(&player.session.id)?.status;
    teller.check(id == 401, format_args!("{name}'s ID token is refused: {id}"))?;
    let sealed = async || {
        let records = probe.records_of(&player.user.key).await?;
        let ended = |record: &AuditRecord| record.sealed_at.is_some() || record.effect == Effect::Refresh;
        Ok(records.into_iter().next().filter(ended))
    };
    let (record, _) = until("the seal", LIMIT, sealed).await?;
    let done = match record.effect {
        Effect::SignOut => "signed out in Cognito, sealed, recorded",
        Effect::Refresh => "recorded",
    };
    teller.saw_after(start.elapsed(), done);
    Ok(())
}

/// Signs in anew, in a second after the cutoff, and is served.
pub(super) async fn served_again(teller: &Teller, probe: &Probe, user: &User) -> Result<Tokens> {
    let look = async || {
        let session = sign_in(probe, user).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok((probe.call(&session.access)?.status == 200).then_some(session))
    };
    let (session, after) = until("to be served again", LIMIT, look).await?;
    teller.saw_after(after, format_args!("{} signs in again and is served", user.name));
    Ok(session)
}

async fn counted(probe: &Probe, number: usize) -> Result<()> {
    let look = async || Ok((probe.signs_recorded().await? == number).then_some(()));
    until("the count of compromised accounts", LIMIT, look).await?;
    probe.settled(LIMIT).await
}

async fn paged(teller: &Teller, probe: &Probe, inbox: &PageInbox, number: usize) -> Result<()> {
    let pages = probe.take_pages(inbox).await?;
    if number != 4 {
        return teller.check(pages.is_empty(), format_args!("account number {number}: nobody is paged"));
    }
    teller.check(pages.len() == 1, "account number 4: exactly one page")?;
    let page = pages.first().context("no page")?;
    let says = page.stage == Stage::Triggered && page.count == 4 && page.threshold == 3;
    teller.check(says, format_args!("it says: incident {}, {} accounts", page.incident_id, page.count))
}

async fn tombstones(probe: &Probe, players: &[&Player]) -> Result<Vec<String>> {
    let mut cutoffs = Vec::new();
    for player in players {
        let item = probe.tombstone_item(&player.user.key).await?.context("no tombstone")?;
        cutoffs.push(format!("{:?} {:?}", item.get("not_before"), item.get("sealed")));
    }
    Ok(cutoffs)
}

fn today() -> String {
    use revocation_core::ports::Clock as _;
    revocation_lambda::clock::SystemClock.now().utc_day()
}
