//! The evidence bucket: private, every version kept, and locked where that was asked for.

use revocation_aws::s3::S3BucketInspector;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "evidence";

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let operations = context.operations().await?;
    let Some(bucket) = &operations.evidence_bucket else {
        let next = "deploy a version that has one";
        return Ok(vec![Check::warning(GROUP, "bucket", "this stack has none: no digests, no reports", next)]);
    };
    let inspector = S3BucketInspector::new(context.aws().await?, bucket);
    let mut checks = vec![
        match inspector.keeps_versions().await {
            Ok(true) => Check::ok(GROUP, "versions", "every one is kept"),
            Ok(false) => Check::failed(
                GROUP,
                "versions",
                "not kept: a digest can be replaced without a trace",
                format!("aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"),
            ),
            Err(error) => Check::not_seen(GROUP, "versions", error),
        },
        match inspector.is_private().await {
            Ok(true) => Check::ok(GROUP, "public access", "blocked"),
            Ok(false) => {
                Check::failed(GROUP, "public access", "not blocked, and reports hold names", "deploy the stack again")
            }
            Err(error) => Check::not_seen(GROUP, "public access", error),
        },
        match inspector.locked_for().await {
            Ok(Some((days, mode))) => Check::ok(GROUP, "Object Lock", format!("{days} days, {}", mode.to_lowercase())),
            Ok(None) => Check::warning(
                GROUP,
                "Object Lock",
                "off: whoever may delete versions can take evidence back",
                "a new stack with EvidenceLockDays; a bucket that exists cannot be locked by CloudFormation",
            ),
            Err(error) => Check::not_seen(GROUP, "Object Lock", error),
        },
    ];
    checks.push(if operations.audit_signing_key.is_some() {
        Check::ok(GROUP, "signature", "digests are signed")
    } else {
        let next = "AuditSigningKeyArn: a KMS key of an account that the pipeline's operators do not administer";
        Check::warning(GROUP, "signature", "digests are not signed", next)
    });
    Ok(checks)
}
