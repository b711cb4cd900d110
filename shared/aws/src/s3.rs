//! The evidence bucket: digests of the audit chain, and files of reports. Nothing here deletes, and the bucket keeps versions.

mod bucket;
mod digests;
mod files;

pub use bucket::S3BucketInspector;
pub use digests::{KeptDigest, S3DigestReader, S3Digests};
pub use files::S3Files;

const GET: &str = "s3:GetObject";
const PUT: &str = "s3:PutObject";
const LIST: &str = "s3:ListBucket";
