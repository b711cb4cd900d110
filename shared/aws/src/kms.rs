//! `DigestSigner` on KMS: an asymmetric key whose private part nobody has.

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use revocation_core::domain::audit_chain::{Digest, DigestSignature};
use revocation_core::ports::{DigestSigner, PortError};

use crate::clients::AwsConfig;
use crate::error::port_error;

const SIGN: &str = "kms:Sign";
const VERIFY: &str = "kms:Verify";
/// A key of spec `ECC_NIST_P256`: short signatures that every tool checks.
const ALGORITHM: SigningAlgorithmSpec = SigningAlgorithmSpec::EcdsaSha256;

/// Signs with one key.
pub struct KmsDigestSigner {
    client: Client,
    key: String,
}

/// Checks signatures of one key.
pub struct KmsDigestVerifier {
    client: Client,
    key: String,
}

impl KmsDigestSigner {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[SIGN];

    /// A signer with the key of this ARN.
    #[must_use]
    pub fn new(aws: &AwsConfig, key: impl Into<String>) -> Self {
        Self { client: aws.kms(), key: key.into() }
    }
}

#[async_trait]
impl DigestSigner for KmsDigestSigner {
    async fn sign(&self, digest: &Digest) -> Result<DigestSignature, PortError> {
        let sign = self.client.sign().key_id(&self.key).message_type(MessageType::Raw).signing_algorithm(ALGORITHM);
        let signed =
            sign.message(Blob::new(digest.message())).send().await.map_err(|error| port_error(SIGN, &error))?;
        let value = signed.signature.ok_or(PortError::retry(SIGN, "bad_response"))?;
        Ok(DigestSignature {
            key: self.key.clone(),
            algorithm: ALGORITHM.as_str().to_owned(),
            value: aws_smithy_types::base64::encode(value),
        })
    }
}

impl KmsDigestVerifier {
    /// The actions it needs.
    pub const IAM_ACTIONS: &[&str] = &[VERIFY];

    /// A verifier with the key of this ARN, whatever key a digest says it is signed by.
    #[must_use]
    pub fn new(aws: &AwsConfig, key: impl Into<String>) -> Self {
        Self { client: aws.kms(), key: key.into() }
    }

    /// Whether the digest's signature is the key's.
    pub async fn is_signed(&self, digest: &Digest) -> Result<bool, PortError> {
        let Some(signature) = &digest.signature else { return Ok(false) };
        let Ok(value) = aws_smithy_types::base64::decode(&signature.value) else { return Ok(false) };
        let verify = self.client.verify().key_id(&self.key).message_type(MessageType::Raw).signing_algorithm(ALGORITHM);
        match verify.message(Blob::new(digest.message())).signature(Blob::new(value)).send().await {
            Ok(answer) => Ok(answer.signature_valid()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(aws_sdk_kms::operation::verify::VerifyError::is_kms_invalid_signature_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(port_error(VERIFY, &error)),
        }
    }
}
