//! The user pools and their app clients: what the pipeline relies on of them, and what makes it better.

use std::time::Duration;

use revocation_aws::cognito::{ClientFacts, CognitoPoolInspector, PoolFacts};
use revocation_core::domain::profile::UserPoolId;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;
use crate::moment::span;

const GROUP: &str = "pools";
/// The longest token life that tombstones are kept for (I5; Cognito allows no longer one).
const LONGEST_TOKEN: u64 = 24 * 3_600;
/// Above this a token that slips through, because an API does not ask, is worth having.
const LONG_TOKEN: u64 = 3_600;

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let operations = context.operations().await?;
    let inspector = CognitoPoolInspector::new(context.aws().await?);
    let mut checks = Vec::new();
    for pool in operations.pools() {
        match inspector.pool(&pool).await {
            Ok(facts) => checks.extend(pool_checks(&pool, &facts, operations.token_gate_function_arn.as_deref())),
            Err(error) => checks.push(Check::not_seen(GROUP, &pool.0, error)),
        }
        checks.extend(clients(&inspector, &pool).await);
    }
    Ok(checks)
}

async fn clients(inspector: &CognitoPoolInspector, pool: &UserPoolId) -> Vec<Check> {
    let ids = match inspector.clients(pool).await {
        Ok(ids) => ids,
        Err(error) => return vec![Check::not_seen(GROUP, format!("{pool}, app clients"), error)],
    };
    let mut checks = Vec::new();
    for id in ids {
        match inspector.app_client(pool, &id).await {
            Ok(facts) => checks.extend(client_checks(&facts)),
            Err(error) => checks.push(Check::not_seen(GROUP, format!("app client {id}"), error)),
        }
    }
    checks
}

fn pool_checks(pool: &UserPoolId, facts: &PoolFacts, gate: Option<&str>) -> Vec<Check> {
    let mut checks = Vec::new();
    let gate_of = |arn: &str| gate.is_some_and(|gate| arn == gate || arn.starts_with(&format!("{gate}:")));
    checks.push(match (gate, facts.before_tokens.as_deref()) {
        (None, _) => Check::warning(
            GROUP,
            format!("{pool}, token gate"),
            "not deployed: between tombstone and sign-out Cognito still makes tokens, which are refused only after the seal",
            "deploy with DeployTokenGate=true; holds and end dates need it, too",
        ),
        (Some(_), Some(arn)) if gate_of(arn) => Check::ok(GROUP, format!("{pool}, token gate"), "attached"),
        (Some(_), other) => Check::failed(
            GROUP,
            format!("{pool}, token gate"),
            other.map_or("not attached: holds and end dates stop nobody".to_owned(), |_| "another function is attached".to_owned()),
            "attach it as infra/README.md says (\"Token gate on a pool of your own\")",
        ),
    });
    let plan = facts.plan.as_deref().unwrap_or("not told");
    let watched = matches!(facts.threat_protection.as_deref(), Some("AUDIT" | "ENFORCED"));
    checks.push(if watched {
        Check::ok(GROUP, format!("{pool}, threat protection"), format!("on (plan {plan})"))
    } else {
        let next = "nothing depends on it; with the plan Plus, risky sign-ins can be a source, and inspect shows them";
        Check::warning(GROUP, format!("{pool}, threat protection"), format!("off (plan {plan})"), next)
    });
    if !facts.deletion_protected {
        let next = "aws cognito-idp update-user-pool … --deletion-protection ACTIVE";
        checks.push(Check::warning(GROUP, pool.0.as_str(), "whoever may delete pools can delete it", next));
    }
    checks
}

fn client_checks(client: &ClientFacts) -> Vec<Check> {
    let what = format!("app client {} ({})", client.name, client.id);
    let mut checks = Vec::new();
    let told = |seconds| span(Duration::from_secs(seconds));
    let (life, refresh) = (client.token_seconds, client.refresh_seconds);
    if life > LONGEST_TOKEN {
        checks.push(Check::failed(
            GROUP,
            &what,
            format!("tokens are good for {}, tombstones refuse for 24 h", told(life)),
            "set AccessTokenValidity and IdTokenValidity to 24 hours or less (better: one)",
        ));
    } else if life > LONG_TOKEN {
        checks.push(Check::warning(
            GROUP,
            &what,
            format!("tokens are good for {}", told(life)),
            "shorter ones bound what an API that does not ask the authorizer lets through; an hour or less",
        ));
    }
    if !client.revokes_tokens {
        checks.push(Check::failed(
            GROUP,
            &what,
            "EnableTokenRevocation is off: tokens carry no origin_jti, so single sessions cannot be ended",
            "aws cognito-idp update-user-pool-client … --enable-token-revocation (with all other settings, which it resets)",
        ));
    }
    if !client.hides_who_exists {
        checks.push(Check::warning(
            GROUP,
            &what,
            "tells whether a user exists",
            "aws cognito-idp update-user-pool-client … --prevent-user-existence-errors ENABLED",
        ));
    }
    if checks.is_empty() {
        checks.push(Check::ok(GROUP, what, format!("tokens {}, refresh tokens {}", told(life), told(refresh))));
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    fn client() -> ClientFacts {
        ClientFacts {
            token_seconds: 3_600,
            refresh_seconds: 30 * 86_400,
            revokes_tokens: true,
            hides_who_exists: true,
            ..ClientFacts::default()
        }
    }

    fn verdicts(checks: &[Check]) -> Vec<Verdict> {
        checks.iter().map(|check| check.verdict).collect()
    }

    #[test]
    fn an_app_client_is_judged_by_what_tombstones_rely_on() {
        let of = |facts: ClientFacts| verdicts(&client_checks(&facts));
        assert_eq!(of(client()), [Verdict::Ok]);
        assert_eq!(of(ClientFacts { token_seconds: 86_400, ..client() }), [Verdict::Warning]);
        assert_eq!(of(ClientFacts { token_seconds: 86_401, ..client() }), [Verdict::Failed]);
        assert_eq!(of(ClientFacts { revokes_tokens: false, ..client() }), [Verdict::Failed]);
        assert_eq!(of(ClientFacts { hides_who_exists: false, ..client() }), [Verdict::Warning]);
    }

    #[test]
    fn the_gate_must_be_the_one_that_is_attached() {
        let gate = "arn:aws:lambda:eu-central-1:111122223333:function:gate";
        let of = |attached: Option<&str>, gate| {
            let facts = PoolFacts { before_tokens: attached.map(str::to_owned), ..PoolFacts::default() };
            verdicts(&pool_checks(&UserPoolId("p".into()), &facts, gate))[0]
        };
        assert_eq!(of(Some(gate), Some(gate)), Verdict::Ok);
        assert_eq!(of(Some(&format!("{gate}:live")), Some(gate)), Verdict::Ok, "an alias of it");
        assert_eq!(of(Some(&format!("{gate}2")), Some(gate)), Verdict::Failed, "another function");
        assert_eq!((of(None, Some(gate)), of(None, None)), (Verdict::Failed, Verdict::Warning));
    }
}
