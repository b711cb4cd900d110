use revocation_testkit::keys::{jwks, key_a, key_b};

use super::*;
use crate::deny::DenyReason;
use crate::key_cache::REFRESH_FLOOR;
use crate::testing::{Bench, POOL, pool};
use crate::verifier::Verifier;

#[tokio::test]
async fn a_file_is_read_and_read_again_after_the_floor() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("{POOL}.json"));
    std::fs::write(&file, jwks(&[key_a()])).unwrap();
    let source = FileJwks::new(folder.path().join("{user_pool_id}.json"));
    let bench = Bench::new();
    let verifier = Verifier::builder(std::sync::Arc::new(source), bench.clock.clone()).pool(pool()).build().unwrap();
    let (old, new) = (bench.access().build(), bench.access().signed_by(key_b()).build());
    assert!(verifier.verify(&old).await.is_ok());
    std::fs::write(&file, jwks(&[key_b()])).unwrap();
    assert_eq!(verifier.verify(&new).await, Err(DenyReason::UnknownKey), "within the floor");
    bench.clock.advance(REFRESH_FLOOR);
    assert!(verifier.verify(&new).await.is_ok());
    assert_eq!(verifier.verify(&old).await, Err(DenyReason::UnknownKey));
    // Gone: the last good keys stay.
    std::fs::remove_file(&file).unwrap();
    bench.clock.advance(REFRESH_FLOOR);
    assert_eq!(verifier.verify(&old).await, Err(DenyReason::KeysUnavailable));
    assert!(verifier.verify(&bench.access().signed_by(key_b()).build()).await.is_ok());
}

#[tokio::test]
async fn what_is_no_file_is_an_error_and_a_large_one_is_not_read_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let fetch = async |path: &Path| FileJwks::new(path).fetch(&pool()).await;
    let missing = fetch(&folder.path().join("missing")).await.unwrap_err();
    assert_eq!((missing.operation, missing.code.as_str()), ("jwks:fetch", "not_found"));
    assert_eq!(fetch(folder.path()).await.unwrap_err().code, "unreadable", "a folder");
    #[cfg(target_os = "linux")]
    assert_eq!(fetch(Path::new("/dev/zero")).await.unwrap_err().code, "unreadable", "a device without an end");
    let large = folder.path().join("large");
    std::fs::write(&large, vec![b' '; 10 * MAX_JWKS_BYTES]).unwrap();
    assert_eq!(fetch(&large).await.unwrap().len(), MAX_JWKS_BYTES + 1);
}

#[tokio::test]
async fn without_a_source_there_is_nothing_to_fetch() {
    assert!(!Bundled.fetches());
    assert_eq!(Bundled.fetch(&pool()).await, Err(PortError::reject(OPERATION, "no_source")));
}
