//! `DigestStore` on S3, and every version of a digest for whoever verifies.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ObjectVersion;
use revocation_core::domain::audit_chain::{Digest, Span};
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::{DigestStore, PortError};

use super::{GET, LIST, PUT};
use crate::clients::AwsConfig;
use crate::error::port_error;

const LIST_VERSIONS: &str = "s3:ListBucketVersions";
/// Where the digests of hours are, in a folder a day.
const HOURS: &str = "digests/hours/";
/// Ours have 600 bytes. What is larger is none of ours, and not read to its end.
const MOST_BYTES: i64 = 64 * 1024;

/// Digests in one bucket.
pub struct S3Digests {
    client: Client,
    bucket: String,
}

/// Reads digests as a verification needs them.
pub struct S3DigestReader {
    client: Client,
    bucket: String,
}

/// A version of an object below `digests/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptDigest {
    /// A digest, with the key of its object, and when S3 took this version: that is not the writer's word.
    Digest(String, EpochMillis, Box<Digest>),
    /// Something else, by the key of its object.
    Unreadable(String),
    /// The object's current version says that it is deleted.
    Deleted(String),
}

impl S3Digests {
    /// The actions it needs. Without `ListBucket` S3 answers 403 for an object that is not there.
    pub const IAM_ACTIONS: &[&str] = &[GET, PUT, LIST];

    /// The digests in `bucket`.
    #[must_use]
    pub fn new(aws: &AwsConfig, bucket: impl Into<String>) -> Self {
        Self { client: aws.s3(), bucket: bucket.into() }
    }
}

#[async_trait]
impl DigestStore for S3Digests {
    async fn latest(&self, day: &str, span: Span) -> Result<Option<Digest>, PortError> {
        let get = self.client.get_object().bucket(&self.bucket).key(Digest::object_key(day, span));
        let object = match get.send().await {
            Ok(object) => object,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(port_error(GET, &error)),
        };
        let bytes = object.body.collect().await.map_err(|_| PortError::retry(GET, "bad_response"))?.into_bytes();
        // One that cannot be read is written anew; its version stays, and a verification names it.
        Ok(serde_json::from_slice(&bytes).ok())
    }

    async fn put(&self, digest: &Digest) -> Result<(), PortError> {
        let body = serde_json::to_vec_pretty(digest).map_err(|_| PortError::reject(PUT, "not_serializable"))?;
        self.client
            .put_object()
            .bucket(&self.bucket)
            .key(Digest::object_key(&digest.day, digest.span))
            .content_type("application/json")
            .body(ByteStream::from(body))
            .send()
            .await
            .map(drop)
            .map_err(|error| port_error(PUT, &error))
    }
}

impl S3DigestReader {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[LIST_VERSIONS, "s3:GetObjectVersion"];

    /// The digests in `bucket`.
    #[must_use]
    pub fn new(aws: &AwsConfig, bucket: impl Into<String>) -> Self {
        Self { client: aws.s3(), bucket: bucket.into() }
    }

    /// The first day that has a digest.
    pub async fn first_day(&self) -> Result<Option<String>, PortError> {
        // Keys of days begin with digits, which sort before `hours/`.
        let list = self.client.list_object_versions().bucket(&self.bucket).prefix("digests/").max_keys(1);
        let page = list.send().await.map_err(|error| port_error(LIST_VERSIONS, &error))?;
        let first = page.versions().iter().filter_map(|version| version.key());
        let first = first.chain(page.delete_markers().iter().filter_map(|marker| marker.key())).min();
        Ok(first.and_then(day_of))
    }

    /// The days that have a digest of an hour, deleted or not, the oldest first, from the day after `after` on; a thousand at a
    /// time.
    pub async fn days(&self, after: Option<&str>) -> Result<Vec<String>, PortError> {
        let list = self.client.list_object_versions().bucket(&self.bucket).prefix(HOURS).delimiter("/");
        let marker = after.map(|day| format!("{HOURS}{day}/"));
        let page = list.set_key_marker(marker).send().await.map_err(|error| port_error(LIST_VERSIONS, &error))?;
        let mut days: Vec<String> =
            page.common_prefixes().iter().filter_map(|one| one.prefix()).filter_map(day_of).collect();
        days.retain(|day| after.is_none_or(|after| day.as_str() > after));
        days.sort();
        Ok(days)
    }

    /// Every version of every digest of a day.
    pub async fn all(&self, day: &str) -> Result<Vec<KeptDigest>, PortError> {
        let mut kept = Vec::new();
        for prefix in [Digest::object_key(day, Span::Day), format!("{HOURS}{day}/")] {
            let (mut key_marker, mut version_marker) = (None, None);
            loop {
                let page = self
                    .client
                    .list_object_versions()
                    .bucket(&self.bucket)
                    .prefix(&prefix)
                    .set_key_marker(key_marker)
                    .set_version_id_marker(version_marker)
                    .send()
                    .await
                    .map_err(|error| port_error(LIST_VERSIONS, &error))?;
                for version in page.versions() {
                    let key = version.key().unwrap_or_default();
                    kept.push(match version.size() {
                        Some(size) if size > MOST_BYTES => KeptDigest::Unreadable(key.to_owned()),
                        _ => self.read(key, version).await?,
                    });
                }
                let gone = page.delete_markers().iter().filter(|marker| marker.is_latest() == Some(true));
                kept.extend(gone.filter_map(|marker| Some(KeptDigest::Deleted(marker.key()?.to_owned()))));
                if page.is_truncated() != Some(true) {
                    break;
                }
                (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
            }
        }
        Ok(kept)
    }

    async fn read(&self, key: &str, version: &ObjectVersion) -> Result<KeptDigest, PortError> {
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let object = get.set_version_id(version.version_id().map(str::to_owned)).send().await;
        let object = object.map_err(|error| port_error(GET, &error))?;
        let bytes = object.body.collect().await.map_err(|_| PortError::retry(GET, "bad_response"))?.into_bytes();
        let digest = serde_json::from_slice::<Digest>(&bytes).ok();
        // A digest of another day would be compared with the wrong chain.
        let digest = digest.filter(|digest| Digest::object_key(&digest.day, digest.span) == key);
        Ok(match digest {
            Some(digest) => {
                let taken_at = version.last_modified().and_then(|at| at.to_millis().ok()).unwrap_or_default();
                KeptDigest::Digest(key.to_owned(), EpochMillis(taken_at), Box::new(digest))
            }
            None => KeptDigest::Unreadable(key.to_owned()),
        })
    }
}

/// `digests/2026-11-26.json`, `digests/hours/2026-11-26/07.json`.
fn day_of(key: &str) -> Option<String> {
    let rest = key.strip_prefix("digests/")?;
    let rest = rest.strip_prefix("hours/").unwrap_or(rest);
    rest.get(..10).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_the_day() {
        for span in [Span::Day, Span::Hour(7)] {
            assert_eq!(day_of(&Digest::object_key("2026-11-26", span)).as_deref(), Some("2026-11-26"));
        }
        assert_eq!(day_of("digests/x"), None);
    }
}
