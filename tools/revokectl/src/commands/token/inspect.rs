//! `token inspect`: why a token would be refused. Offline, unless the tombstone is asked for.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use revocation_aws::dynamodb::DynamoTombstoneReader;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::TombstoneReader as _;
use revocation_lambda::clock::SystemClock;
use revocation_verify::{KeySet, MAX_JWKS_BYTES, MAX_TOKEN_BYTES, TokenUse};
use serde::Serialize;

use super::claims::Claims;
use super::judge::{self, Check, Verdict};
use crate::context::Context;
use crate::failure::{Exit, Failure};
use crate::grid::Grid;
use crate::moment::stamp;
use crate::screen::{Screen, Tone};

/// Say why a token would be refused, without ever showing it whole.
///
/// The token is read from standard input or a file, never from the command line, where others could see it. Everything is
/// looked at on this machine; only --tombstone-from-store asks AWS.
#[derive(clap::Args)]
#[command(after_help = "\
Exits with 0 whether the token would be taken or not; .refused_for in the JSON tells.

Examples:
  pbpaste | revokectl token inspect
  curl -s https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123/.well-known/jwks.json > jwks.json
  revokectl token inspect token.txt --jwks jwks.json --client 1example23456789
  revokectl token inspect token.txt --tombstone-from-store --output json | jq -r .refused_for")]
pub(crate) struct Args {
    /// File with the token [default: standard input].
    file: Option<PathBuf>,
    /// The pool's keys (JWKS), to check the signature with.
    #[arg(long, value_name = "FILE")]
    jwks: Option<PathBuf>,
    /// App client whose tokens are taken; may be given several times [default: any].
    #[arg(long = "client", value_name = "ID")]
    clients: Vec<String>,
    /// The only kind of token that is taken [default: both].
    #[arg(long = "use", value_name = "USE", value_parser = ["access", "id"])]
    token_use: Option<String>,
    /// Read the person's tombstone, too.
    #[arg(long)]
    tombstone_from_store: bool,
}

/// What was found.
#[derive(Serialize)]
struct Findings {
    /// Stable code of the first refusal; `None`: nothing that was looked at speaks against it.
    refused_for: Option<String>,
    checks: Vec<Check>,
    claims: Claims,
}

/// Inspects it.
pub(super) async fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let keys = args.jwks.as_deref().map(keys).transpose()?;
    let token = read(context, args.file.as_deref()).await?;
    let claims = Claims::read(&token);
    let uses = args.token_use.as_deref().and_then(TokenUse::parse);
    let uses = uses.map_or_else(|| vec![TokenUse::Access, TokenUse::Id], |one| vec![one]);
    let mut checks = judge::token(&token, &claims, keys, (&args.clients, &uses), Arc::new(SystemClock)).await?;
    drop(token);
    checks.push(tombstone(context, args, &claims).await?);
    let refused = checks.iter().find(|check| check.verdict == Verdict::Refused);
    let refused_for = refused.and_then(|check| check.why.clone());
    let findings = Findings { refused_for, checks, claims };
    context.screen.result(&findings, |screen| draw(screen, &findings))?;
    Ok(Exit::Done)
}

async fn tombstone(context: &Context, args: &Args, claims: &Claims) -> Result<Check, Failure> {
    if !args.tombstone_from_store {
        return Ok(judge::unknown("tombstone", "not looked up: give --tombstone-from-store"));
    }
    let Some(key) = claims.key() else {
        return Ok(judge::unknown("tombstone", "the token names nobody"));
    };
    let operations = context.operations().await?;
    if !operations.user_pool_ids.contains(&key.user_pool_id.0) {
        return Ok(judge::unknown("tombstone", "its pool is none of this pipeline's"));
    }
    let reader = DynamoTombstoneReader::new(context.aws().await?, &operations.tombstones_table);
    let explain = |error: revocation_core::ports::PortError| context.explain(error.into());
    let own = reader.read(&key).await.map_err(explain)?;
    let everybodys = reader.read_pool(&key.user_pool_id).await.map_err(explain)?;
    Ok(judge::tombstones(claims, &[own, everybodys], context.now().seconds()))
}

async fn read(context: &Context, file: Option<&Path>) -> Result<String, Failure> {
    // A byte more than the longest token, so that a longer one is seen to be too long; and what is written around one.
    let most = u64::try_from(MAX_TOKEN_BYTES).unwrap_or(u64::MAX).saturating_add(1_024);
    let from: Box<dyn std::io::Read + Send> = if let Some(file) = file.filter(|file| file.as_os_str() != "-") {
        let opened = std::fs::File::open(file);
        Box::new(opened.map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?)
    } else {
        if context.screen.is_interactive() {
            context.screen.note("paste the token, then Enter and Ctrl-D");
        }
        Box::new(std::io::stdin())
    };
    // On a thread of its own, so that Ctrl-C is heard meanwhile.
    let bytes = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        from.take(most).read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = bytes.await.ok().and_then(Result::ok).ok_or_else(|| Failure::other("cannot read the token"))?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::usage("that is no token: it is no text"))?;
    let token: String = bare(&text).split_whitespace().collect();
    if token.is_empty() { Err(Failure::usage("there is no token to read")) } else { Ok(token) }
}

/// Without what stands before it in a header, and the line breaks of a terminal.
fn bare(text: &str) -> &str {
    let text = text.trim().trim_matches('"');
    let header = text.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let text = header.map_or(text, |(_, value)| value).trim();
    let scheme = text.split_once(char::is_whitespace).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    scheme.map_or(text, |(_, token)| token)
}

fn keys(file: &Path) -> Result<KeySet, Failure> {
    let size = std::fs::metadata(file).map(|file| file.len()).unwrap_or_default();
    if size > u64::try_from(MAX_JWKS_BYTES).unwrap_or(u64::MAX) {
        return Err(Failure::usage(format!("{} is too large for a key set", file.display())));
    }
    let document = std::fs::read(file);
    let document = document.map_err(|error| Failure::usage(format!("cannot read {}: {error}", file.display())))?;
    KeySet::parse(&document).map_err(|bad| Failure::usage(format!("{} is no key set: {bad}", file.display())))
}

fn draw(screen: &Screen, findings: &Findings) -> String {
    let mut grid = Grid::new(["", "checked", "found"]);
    for check in &findings.checks {
        let (mark, found) = match check.verdict {
            Verdict::Good => ("✓", "nothing against it".to_owned()),
            Verdict::Refused => ("✗", format!("refused: {}", check.why.as_deref().unwrap_or_default())),
            Verdict::Unknown => ("?", check.why.clone().unwrap_or_default()),
        };
        grid.row([mark.into(), check.what.into(), found.into()]);
    }
    let verdict = match &findings.refused_for {
        Some(code) => screen.paint(Tone::Bad, format_args!("it would be refused: {code}")),
        None if findings.checks.iter().any(|check| check.verdict == Verdict::Unknown) => {
            screen.paint(Tone::Warning, "nothing that was looked at speaks against it")
        }
        None => screen.paint(Tone::Good, "it would be taken"),
    };
    format!("{verdict}\n{}\n{}", screen.draw(grid), screen.draw(facts(&findings.claims)))
}

fn facts(claims: &Claims) -> Grid {
    let mut facts = Grid::of_facts();
    let time = |at: i64| format!("{at}  {}", stamp(EpochMillis::from(EpochSeconds(at)), &TimeZone::UTC));
    let text = |text: &Option<String>| text.clone();
    for (name, value) in [
        ("iss", text(&claims.iss)),
        ("sub", text(&claims.sub)),
        ("token_use", text(&claims.token_use)),
        ("client", text(&claims.client_id)),
        ("scope", text(&claims.scope)),
        ("groups", Some(claims.groups.to_string())),
        ("auth_time", claims.auth_time.map(time)),
        ("iat", claims.iat.map(time)),
        ("nbf", claims.nbf.map(time)),
        ("exp", claims.exp.map(time)),
        ("origin_jti", text(&claims.origin_jti)),
        ("jti", text(&claims.jti)),
        ("kid", text(&claims.kid)),
    ] {
        if let Some(value) = value {
            facts.row([name.into(), value.into()]);
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_out_of_what_it_was_copied_with() {
        for text in
            ["a.b.c", " a.b.c\n", "Bearer a.b.c", "bearer  a.b.c", "\"a.b.c\"", "Authorization: Bearer a.b.c\r\n"]
        {
            assert_eq!(bare(text).trim(), "a.b.c", "{text:?}");
        }
    }
}
