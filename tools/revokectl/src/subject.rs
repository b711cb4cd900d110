//! Whom an operator means: the accounts an identifier stands for.

mod form;

use revocation_aws::cognito::CognitoSubjectResolver;
use revocation_core::domain::profile::{Profile, SubjectKey};
use revocation_core::domain::subject::SubjectIdentifier;
use revocation_core::ports::SubjectResolver as _;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::short;
use form::of_pool;
pub(crate) use form::parse;

/// Accounts that are listed when several match.
const MOST_LISTED: usize = 20;

/// An account that was found, or a key that was named outright although nobody is found under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Names exactly this account.
    pub(crate) sub_id: SubjectIdentifier,
    /// Pool and `sub`.
    pub(crate) key: SubjectKey,
    /// The account; `None` if Cognito does not know it (any more).
    pub(crate) profile: Option<Profile>,
}

/// Everyone the identifier means, in every pool of the pipeline.
pub(crate) async fn find(context: &Context, identifier: &SubjectIdentifier) -> Result<Vec<Profile>, Failure> {
    let resolver = resolver(context).await?;
    resolver.resolve(identifier).await.map_err(|error| context.explain(error.into()))
}

/// Pool and `sub`, where the identifier itself names them.
pub(crate) async fn key_of(context: &Context, identifier: &SubjectIdentifier) -> Result<Option<SubjectKey>, Failure> {
    Ok(resolver(context).await?.key_of(identifier))
}

/// The one account that is meant. Of several, the operator chooses, or the command fails with the list.
pub(crate) async fn one(context: &Context, text: &str) -> Result<Target, Failure> {
    let identifier = parse(text)?;
    let mut found = find(context, &identifier).await?;
    if found.len() > 1 {
        let chosen = choose(context, &found).await?;
        found = vec![chosen];
    }
    if let Some(profile) = found.pop() {
        return Ok(Target::of(profile));
    }
    match key_of(context, &identifier).await? {
        Some(key) => Ok(Target { sub_id: of_pool(&key.user_pool_id, &key.sub.0), key, profile: None }),
        None => Err(nobody(context, &identifier).await),
    }
}

/// Nobody is found.
pub(crate) async fn nobody(context: &Context, identifier: &SubjectIdentifier) -> Failure {
    let pools = context.operations().await.map(|operations| operations.user_pool_ids.join(", ")).unwrap_or_default();
    let what = format!("nobody is found by that {} in {pools}", identifier.format());
    let next = "somebody deleted is still named by pool and sub, as the audit trail has it: <pool>#<sub>";
    Failure::not_found(what).next(next)
}

async fn resolver(context: &Context) -> Result<CognitoSubjectResolver, Failure> {
    let operations = context.operations().await?;
    let providers = operations.issuer_providers.clone();
    Ok(CognitoSubjectResolver::new(context.aws().await?, &operations.user_pool_ids, providers))
}

async fn choose(context: &Context, found: &[Profile]) -> Result<Profile, Failure> {
    let listed: Vec<String> = found.iter().take(MOST_LISTED).map(described).collect();
    let more = found.len().saturating_sub(MOST_LISTED);
    let more = if more > 0 { format!("\n… and {more} more") } else { String::new() };
    if !context.screen.is_interactive() || context.globals.yes || context.screen.is_json() {
        let what = format!("{} accounts match:\n{}{more}", found.len(), listed.join("\n"));
        return Err(Failure::usage(what).next("name one of them by <pool>#<sub>; each is revoked by itself"));
    }
    context.screen.note(format_args!("{} accounts match:", found.len()));
    for (at, line) in listed.iter().enumerate() {
        context.screen.note(format_args!("  {}  {line}", at + 1));
    }
    let answer = context.screen.ask("Which one? [number, or nothing to stop] ").await?;
    let chosen = answer.parse::<usize>().ok().and_then(|number| found.get(number.checked_sub(1)?));
    chosen.cloned().ok_or_else(|| Failure::usage("none was chosen; nothing was requested"))
}

/// `<pool>#<sub>  <user name>`
fn described(profile: &Profile) -> String {
    let federated = if profile.federated { "  (federated)" } else { "" };
    format!("{}  {}{federated}", profile.key, short(&profile.username, 64))
}

// === impl Target ===

impl Target {
    fn of(profile: Profile) -> Self {
        let key = profile.key.clone();
        Self { sub_id: of_pool(&key.user_pool_id, &key.sub.0), key, profile: Some(profile) }
    }
}
