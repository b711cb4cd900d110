//! The evidence bucket as whoever installed it checks it. Reads only.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::BucketVersioningStatus;
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use revocation_core::ports::PortError;

use crate::clients::AwsConfig;
use crate::error::port_error;

const VERSIONING: &str = "s3:GetBucketVersioning";
const LOCK: &str = "s3:GetBucketObjectLockConfiguration";
const PUBLIC: &str = "s3:GetBucketPublicAccessBlock";

/// Looks at a bucket.
pub struct S3BucketInspector {
    client: Client,
    bucket: String,
}

impl S3BucketInspector {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[VERSIONING, LOCK, PUBLIC];

    /// That bucket.
    #[must_use]
    pub fn new(aws: &AwsConfig, bucket: impl Into<String>) -> Self {
        Self { client: aws.s3(), bucket: bucket.into() }
    }

    /// Whether every version is kept.
    pub async fn keeps_versions(&self) -> Result<bool, PortError> {
        let answer = self.client.get_bucket_versioning().bucket(&self.bucket).send().await;
        let status = answer.map_err(|error| port_error(VERSIONING, &error))?.status;
        Ok(status == Some(BucketVersioningStatus::Enabled))
    }

    /// For how many days what is written cannot be deleted, and in which mode; `None`: Object Lock is off.
    pub async fn locked_for(&self) -> Result<Option<(i32, String)>, PortError> {
        let answer = match self.client.get_object_lock_configuration().bucket(&self.bucket).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ObjectLockConfigurationNotFoundError") => return Ok(None),
            Err(error) => return Err(port_error(LOCK, &error)),
        };
        let rule = answer.object_lock_configuration.and_then(|it| it.rule).and_then(|it| it.default_retention);
        Ok(rule.and_then(|rule| Some((rule.days?, rule.mode?.as_str().to_owned()))))
    }

    /// Whether the bucket refuses to be made public in any way.
    pub async fn is_private(&self) -> Result<bool, PortError> {
        let answer = match self.client.get_public_access_block().bucket(&self.bucket).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => return Ok(false),
            Err(error) => return Err(port_error(PUBLIC, &error)),
        };
        let all = |on: [Option<bool>; 4]| on.iter().all(|on| *on == Some(true));
        Ok(answer.public_access_block_configuration.is_some_and(|it| {
            all([it.block_public_acls, it.block_public_policy, it.ignore_public_acls, it.restrict_public_buckets])
        }))
    }
}
