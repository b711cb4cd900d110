//! Who is asking, and where.

use revocation_aws::sts::Caller;

use super::Check;

const GROUP: &str = "caller";

/// Root needs no permission, and can be named as initiator of everything: nobody should work as it.
pub(super) fn checks(caller: &Caller, region: &str) -> Vec<Check> {
    let found = format!("{} in {region}", caller.arn);
    if caller.arn.ends_with(":root") {
        let next = "work as a role of your own: the audit trail says who by this name (tools/revokectl/README.md has the policy)";
        return vec![Check::warning(GROUP, "identity", found, next)];
    }
    vec![Check::ok(GROUP, "identity", found)]
}
