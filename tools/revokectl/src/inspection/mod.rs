//! Everything that is known of an account, gathered at once. Each look fails by itself.

pub(crate) mod draw;

use revocation_aws::cloudtrail::{Call, CloudTrailLookup};
use revocation_aws::cognito::{AccountFacts, CognitoInspector, CognitoMembershipReader, RememberedDevice, SignIn};
use revocation_aws::dynamodb::{
    DynamoAuditReader, DynamoSessionLedger, DynamoSessionRefusals, DynamoTombstoneReader, Entry, Listing,
};
use revocation_core::domain::action::ActionRecord;
use revocation_core::domain::audit::AuditRecord;
use revocation_core::domain::hold::Bar;
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::session::SessionRecord;
use revocation_core::domain::time::EpochMillis;
use revocation_core::domain::tombstone::Tombstone;
use revocation_core::ports::{
    MembershipReader as _, PortError, RefusalReader as _, SessionKey, SessionLedger as _, TombstoneReader as _,
};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::look::Look;
use crate::subject::Target;

/// Records of the past that are shown, the newest first.
const MOST_RECORDS: usize = 20;

/// What is to be looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    /// How many sign-ins and calls.
    pub(crate) last: usize,
    /// Second factors, which is billed.
    pub(crate) mfa: bool,
}

/// What is known of an account.
#[derive(Debug, Serialize)]
pub(crate) struct Inspection {
    subject: SubjectKey,
    /// `None`: Cognito does not know them.
    profile: Option<Profile>,
    account: Look<Option<AccountFacts>>,
    second_factors: Look<Vec<String>>,
    groups: Look<Vec<String>>,
    protected_groups: Vec<String>,
    tombstone: Look<Option<Tombstone>>,
    /// What keeps them from new tokens.
    barred_by: Look<Vec<Bar>>,
    sign_ins: Look<Vec<SignIn>>,
    devices: Look<Vec<RememberedDevice>>,
    /// Sessions of the ledger.
    sessions: Look<Vec<Session>>,
    /// Cognito's own list of sessions.
    cognito_sessions: Look<Vec<Session>>,
    past: Look<Vec<Past>>,
    cloudtrail: Look<Vec<Call>>,
    #[serde(skip)]
    now: EpochMillis,
}

/// A session, and whether it goes on.
#[derive(Debug, Serialize)]
pub(crate) struct Session {
    #[serde(flatten)]
    record: SessionRecord,
    /// No revocation has ended it.
    goes_on: bool,
    /// When an API first refused it because it was ended; `None`: nobody has tried since, as far as is known.
    refused_at: Look<Option<EpochMillis>>,
}

/// Something that was done to the account.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Past {
    /// Its sessions were ended.
    Revocation(Box<AuditRecord>),
    /// An operator acted on it.
    Action(Box<ActionRecord>),
}

/// Looks at everything at once.
pub(crate) async fn gather(context: &Context, target: Target, scope: Scope) -> Result<Inspection, Failure> {
    let (aws, operations, now) = (context.aws().await?, context.operations().await?, context.now());
    let Target { key, profile, .. } = target;
    let inspector = CognitoInspector::new(aws);
    let tombstones = DynamoTombstoneReader::new(aws, &operations.tombstones_table);
    let memberships = CognitoMembershipReader::new(aws);
    let most = i32::try_from(scope.last).unwrap_or(i32::MAX);
    let known = profile.as_ref();
    let (account, tombstone, groups, sign_ins, devices, second_factors, sessions, past) = tokio::join!(
        inspector.account(&key),
        tombstones.read(&key),
        of(known, |profile| memberships.groups_of(profile)),
        of(known, |profile| inspector.sign_ins(profile, most)),
        of(known, |profile| inspector.devices(profile)),
        second_factors(&inspector, known.filter(|_| scope.mfa)),
        sessions(context, &key),
        past(context, &key),
    );
    // After the account: its address is one of the names.
    let names = names(profile.as_ref(), account.as_ref().ok().and_then(Option::as_ref));
    let cloudtrail = calls(&CloudTrailLookup::new(aws), &names, now, scope.last).await;
    let tombstone: Look<_> = tombstone.into();
    let bars = |it: &Option<Tombstone>| it.as_ref().map(|it| it.bars(now.seconds())).unwrap_or_default();
    Ok(Inspection {
        barred_by: tombstone.map(bars),
        subject: key,
        profile,
        account: account.into(),
        second_factors: if scope.mfa { second_factors } else { Look::skipped(MFA_IS_BILLED) },
        groups,
        protected_groups: operations.protected_groups.iter().filter(|group| !group.is_empty()).cloned().collect(),
        tombstone,
        sign_ins,
        devices,
        sessions: sessions?,
        cognito_sessions: Look::skipped(NO_SUCH_CALL),
        past: past?,
        cloudtrail,
        now,
    })
}

const MFA_IS_BILLED: &str =
    "--mfa looks (AdminGetUser); it counts the person as active this month, which is billed if they are not already";
/// `AdminListUserSessions` is in botocore 1.44.5, and not in aws-sdk-cognitoidentityprovider 1.144.
const NO_SUCH_CALL: &str =
    "AWS's SDK for Rust does not have AdminListUserSessions yet (aws cognito-idp admin-list-user-sessions does)";

impl Inspection {
    /// Whether something could not be seen that should have been.
    pub(crate) fn is_partial(&self) -> bool {
        self.account.is_at_fault()
            || self.second_factors.is_at_fault()
            || self.groups.is_at_fault()
            || self.tombstone.is_at_fault()
            || self.sign_ins.is_at_fault()
            || self.devices.is_at_fault()
            || self.sessions.is_at_fault()
            || self.sessions.known().is_some_and(|all| all.iter().any(|session| session.refused_at.is_at_fault()))
            || self.past.is_at_fault()
            || self.cloudtrail.is_at_fault()
    }
}

/// A look at a user, if Cognito knows one.
async fn of<'a, T, F: Future<Output = Result<T, PortError>>>(
    profile: Option<&'a Profile>,
    look: impl FnOnce(&'a Profile) -> F,
) -> Look<T> {
    match profile {
        Some(profile) => look(profile).await.into(),
        None => Look::skipped("Cognito knows no such user (any more)"),
    }
}

async fn second_factors(inspector: &CognitoInspector, profile: Option<&Profile>) -> Look<Vec<String>> {
    of(profile, |profile| inspector.second_factors(profile)).await
}

async fn sessions(context: &Context, subject: &SubjectKey) -> Result<Look<Vec<Session>>, Failure> {
    let Some(table) = &context.operations().await?.sessions_table else {
        return Ok(Look::skipped("no session ledger is kept here (parameter SessionLedger)"));
    };
    let ledger = DynamoSessionLedger::new(context.aws().await?, table);
    let (all, going_on) = tokio::join!(ledger.sessions(subject), ledger.going_on(subject));
    let looked = all.and_then(|all| Ok((all, going_on?)));
    let (all, going_on) = match looked {
        Ok(looked) => looked,
        Err(error) => return Ok(Err(error).into()),
    };
    let going_on: Vec<String> = going_on.into_iter().map(|session| session.origin_jti).collect();
    let key = |record: &SessionRecord| -> SessionKey { (subject.clone(), record.origin_jti.clone()) };
    let refusals = DynamoSessionRefusals::new(context.aws().await?, table);
    // Its own look: without the permission for it the sessions are shown all the same.
    let refused: Look<_> = refusals.refused_at(&all.iter().map(key).collect::<Vec<_>>()).await.into();
    let session = |record: SessionRecord| Session {
        goes_on: going_on.contains(&record.origin_jti),
        refused_at: refused.map(|refused| refused.get(&key(&record)).copied()),
        record,
    };
    Ok(Look::Known(all.into_iter().map(session).collect()))
}

async fn past(context: &Context, subject: &SubjectKey) -> Result<Look<Vec<Past>>, Failure> {
    let operations = context.operations().await?;
    let reader = DynamoAuditReader::new(context.aws().await?, &operations.revocations_table);
    Ok(read_past(&reader, subject).await.into())
}

async fn read_past(reader: &DynamoAuditReader, subject: &SubjectKey) -> Result<Vec<Past>, PortError> {
    let listing = Listing::Subject(subject.clone());
    let (mut past, mut after) = (Vec::new(), None);
    loop {
        let page = reader.page(&listing, (EpochMillis(0), EpochMillis(i64::MAX)), after).await?;
        past.extend(page.entries.iter().filter_map(Past::read));
        after = page.next;
        if after.is_none() || past.len() >= MOST_RECORDS {
            past.truncate(MOST_RECORDS);
            return Ok(past);
        }
    }
}

/// Names by which the person may be known to CloudTrail.
fn names(profile: Option<&Profile>, account: Option<&AccountFacts>) -> Vec<String> {
    let username = profile.map(|profile| profile.username.clone());
    let email = account.and_then(|account| account.email.clone());
    let email = email.filter(|email| Some(email) != username.as_ref());
    username.into_iter().chain(email).collect()
}

async fn calls(trail: &CloudTrailLookup, names: &[String], now: EpochMillis, most: usize) -> Look<Vec<Call>> {
    if names.is_empty() {
        return Look::skipped("there is no name to ask for");
    }
    let mut calls = Vec::new();
    for name in names {
        match trail.calls_of(name, now).await {
            Ok(found) => calls.extend(found),
            Err(error) => return Err(error).into(),
        }
    }
    calls.sort_by_key(|call| std::cmp::Reverse(call.at));
    calls.truncate(most);
    Look::Known(calls)
}

// === impl Past ===

impl Past {
    /// The record in an entry; `None` for entries of another kind, or of another version.
    fn read(entry: &Entry) -> Option<Self> {
        match entry.step.split_once('/')?.0 {
            "completed" => serde_json::from_str(&entry.body).ok().map(Self::Revocation),
            "action" => serde_json::from_str(&entry.body).ok().map(Self::Action),
            _ => None,
        }
    }
}
