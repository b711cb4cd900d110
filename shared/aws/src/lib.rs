//! Adapters: the ports of `revocation-core` on AWS services, one module a service, one feature a module.
//!
//! Every adapter says in `IAM_ACTIONS` which actions it needs; a test compares them with the template (I14).

#[cfg(feature = "sdk")]
pub mod clients;
#[cfg(feature = "cloudtrail")]
pub mod cloudtrail;
#[cfg(feature = "cognito")]
pub mod cognito;
#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "sdk")]
mod error;
#[cfg(feature = "eventbridge")]
pub mod eventbridge;
#[cfg(all(feature = "dynamodb", feature = "kms", feature = "s3"))]
pub mod evidence;
#[cfg(feature = "firehose")]
pub mod firehose;
#[cfg(feature = "https")]
pub mod https;
#[cfg(feature = "jwks")]
pub mod jwks;
#[cfg(feature = "kms")]
pub mod kms;
#[cfg(feature = "https")]
pub mod pagerduty;
#[cfg(test)]
#[cfg(any(feature = "cognito", feature = "dynamodb", feature = "eventbridge", feature = "firehose"))]
mod played;
#[cfg(feature = "rest")]
pub mod rest;
#[cfg(feature = "s3")]
pub mod s3;
#[cfg(feature = "secrets")]
pub mod secrets;
#[cfg(feature = "ses")]
pub mod ses;
#[cfg(feature = "sns")]
pub mod sns;
#[cfg(feature = "sqs")]
pub mod sqs;
#[cfg(feature = "ssm")]
pub mod ssm;
#[cfg(feature = "profile")]
pub mod sts;
