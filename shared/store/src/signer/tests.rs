use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;

use super::*;
use crate::credentials::CredentialCache;
use crate::testing::general_signature;

const TARGET: &str = "DynamoDB_20120810.GetItem";

#[tokio::test]
async fn signs_as_the_general_way_does() {
    for token in [None, Some("IQoJb3JpZ2luX2VjE/+a==")] {
        let credentials = Credentials::new("AKID", "wJalr/secret", token.map(str::to_owned), None, "test");
        let cache = CredentialCache::new(SharedCredentialsProvider::new(credentials.clone()));
        for host in ["dynamodb.eu-central-1.amazonaws.com", "localhost:4566"] {
            let signer = Signer::new("eu-central-1".into(), host.into());
            // Around midnight, so that a key of yesterday shows; and long ago.
            for at in [1_790_000_000_123, 1_767_225_599_999, 1_767_225_600_000, 1_767_225_599_000, 1_000] {
                let at = EpochMillis(at);
                let identity = cache.get(at).await.unwrap();
                for body in [&b"{}"[..], b"", "{\"é\":1}".as_bytes()] {
                    let made = signer.sign(&identity, TARGET, body, at).unwrap();
                    let expected = general_signature(&credentials, host, made.date.to_str().unwrap(), body, at);
                    assert_eq!(made.authorization.to_str().unwrap(), expected);
                }
            }
        }
    }
}

#[tokio::test]
async fn i10_the_signature_is_not_printed() {
    let credentials = Credentials::new("AKID", "secret", Some("token".into()), None, "test");
    let cache = CredentialCache::new(SharedCredentialsProvider::new(credentials));
    let identity = cache.get(EpochMillis(0)).await.unwrap();
    let signed = Signer::new("r".into(), "h".into()).sign(&identity, TARGET, b"", EpochMillis(0)).unwrap();
    assert!(signed.authorization.is_sensitive() && identity.token.as_ref().unwrap().is_sensitive());
}
