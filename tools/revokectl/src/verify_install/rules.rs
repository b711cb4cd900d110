//! The rules of the bus, and the stack's own on the account's bus: whether events go on.

use revocation_aws::eventbridge::{EventBridgeRules, Rule};

use super::Check;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "rules";

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let reader = EventBridgeRules::new(context.aws().await?);
    let bus = &context.operations().await?.bus_name;
    let prefix = format!("{}-", context.stack()?);
    let own = reader.rules(Some(bus), None).await;
    // Schedules, and what AWS delivers to no other bus: found by the names CloudFormation gives.
    let default = reader.rules(None, Some(&prefix)).await;
    Ok([("bus", own), ("account's bus", default)]
        .into_iter()
        .map(|(what, found)| match found {
            Ok(rules) => judge(what, &rules),
            Err(error) => Check::not_seen(GROUP, what, error),
        })
        .collect())
}

fn judge(what: &str, rules: &[Rule]) -> Check {
    let off: Vec<&str> = rules.iter().filter(|rule| !rule.enabled).map(|rule| rule.name.as_str()).collect();
    if rules.is_empty() {
        let next = "deploy the stack again; is this its name (--stack)?";
        return Check::failed(GROUP, what, "there are no rules: nothing reaches the pipeline", next);
    }
    if off.is_empty() {
        return Check::ok(GROUP, what, format!("{} rules, all enabled", rules.len()));
    }
    let found = format!("disabled: {}", off.join(", "));
    Check::failed(GROUP, what, found, "aws events enable-rule --name … --event-bus-name …, unless it was meant")
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_rule_that_is_disabled_fails_by_its_name() {
        let rule = |name: &str, enabled| Rule { name: name.into(), enabled };
        assert_eq!(judge("bus", &[rule("a", true)]).verdict, Verdict::Ok);
        assert_eq!(judge("bus", &[]).verdict, Verdict::Failed);
        let off = judge("bus", &[rule("a", true), rule("b", false)]);
        assert!(off.verdict == Verdict::Failed && off.found.contains('b'));
    }
}
