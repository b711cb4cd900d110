//! Files of reports: put in parts, so that none is ever whole in memory.

use std::io::Read;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use revocation_core::ports::PortError;

use super::PUT;
use crate::clients::AwsConfig;
use crate::error::port_error;

const ABORT: &str = "s3:AbortMultipartUpload";
/// At least 5 MiB (Amazon S3 user guide, "Multipart upload limits"); small enough for an attempt's 3 s at 3 MB/s.
const PART: usize = 8 * 1024 * 1024;

/// Writes files into one bucket.
pub struct S3Files {
    client: Client,
    bucket: String,
}

impl S3Files {
    /// The actions it needs; the parts of an upload are authorised as putting its object.
    pub const IAM_ACTIONS: &[&str] = &[PUT, ABORT];

    /// Files in `bucket`.
    #[must_use]
    pub fn new(aws: &AwsConfig, bucket: impl Into<String>) -> Self {
        Self { client: aws.s3(), bucket: bucket.into() }
    }

    /// Puts a file: whole or not at all. Reading it blocks: it is on this machine.
    pub async fn put(&self, key: &str, content_type: &str, mut file: impl Read + Send) -> Result<(), PortError> {
        let first = part(&mut file)?;
        if first.len() < PART {
            let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
            let put = put.body(ByteStream::from(first)).send().await;
            return put.map(drop).map_err(|error| port_error(PUT, &error));
        }
        let create = self.client.create_multipart_upload().bucket(&self.bucket).key(key).content_type(content_type);
        // The SDK sends one with each part by itself, and S3 refuses parts with a checksum of an upload without.
        let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32);
        let created = create.send().await.map_err(|error| port_error(PUT, &error))?;
        let upload = created.upload_id.ok_or(PortError::retry(PUT, "bad_response"))?;
        let done = self.parts(key, &upload, first, file).await;
        if done.is_err() {
            let abort = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(&upload);
            if let Err(error) = abort.send().await {
                tracing::warn!(error = %port_error(ABORT, &error), "parts of a file are left to the bucket's lifecycle");
            }
        }
        done
    }

    async fn parts(
        &self,
        key: &str,
        upload: &str,
        mut bytes: Vec<u8>,
        mut file: impl Read + Send,
    ) -> Result<(), PortError> {
        let mut parts = Vec::new();
        for number in 1.. {
            let put = self.client.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number);
            let put = put.body(ByteStream::from(bytes)).send().await.map_err(|error| port_error(PUT, &error))?;
            let completed = CompletedPart::builder().part_number(number).set_e_tag(put.e_tag);
            parts.push(completed.set_checksum_crc32(put.checksum_crc32).build());
            bytes = part(&mut file)?;
            if bytes.is_empty() {
                break;
            }
        }
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let complete = self.client.complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        complete.multipart_upload(parts).send().await.map(drop).map_err(|error| port_error(PUT, &error))
    }
}

/// The next part, shorter only at the file's end.
fn part(file: &mut impl Read) -> Result<Vec<u8>, PortError> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(PART).unwrap_or(u64::MAX);
    let read = file.take(limit).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|_| PortError::retry(PUT, "file_not_readable"))
}
