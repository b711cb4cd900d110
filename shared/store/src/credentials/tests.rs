use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::*;

/// Gives credentials that live 15 minutes from `now`, or none.
#[derive(Clone, Debug, Default)]
struct Provider {
    asked: Arc<AtomicU32>,
    now: Arc<Mutex<u64>>,
    out_of_order: Arc<Mutex<bool>>,
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let number = self.asked.fetch_add(1, Ordering::SeqCst);
        if *self.out_of_order.lock().unwrap() {
            return future::ProvideCredentials::ready(Err(CredentialsError::not_loaded_no_source()));
        }
        let expires: SystemTime = UNIX_EPOCH + Duration::from_secs(*self.now.lock().unwrap() + 900);
        let credentials = Credentials::new(format!("id{number}"), "secret", None, Some(expires), "test");
        future::ProvideCredentials::ready(Ok(credentials))
    }
}

fn cache() -> (Provider, CredentialCache) {
    let provider = Provider::default();
    (provider.clone(), CredentialCache::new(SharedCredentialsProvider::new(provider)))
}

impl Provider {
    fn at(&self, seconds: u64) -> EpochMillis {
        *self.now.lock().unwrap() = seconds;
        EpochMillis(i64::try_from(seconds * 1_000).unwrap())
    }
}

async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_provider_is_asked_once_and_again_before_they_expire_without_a_request_waiting() {
    let (provider, cache) = cache();
    for _ in 0..3 {
        assert_eq!(cache.get(provider.at(1_000)).await.ok().unwrap().access_key_id, "id0");
    }
    // 3 minutes before the end: the old ones serve while new ones are fetched.
    assert_eq!(cache.get(provider.at(1_720)).await.ok().unwrap().access_key_id, "id0");
    settle().await;
    assert_eq!(cache.get(provider.at(1_721)).await.ok().unwrap().access_key_id, "id1");
    assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_provider_out_of_order_leaves_what_still_works_and_is_not_stormed() {
    let (provider, cache) = cache();
    cache.get(provider.at(1_000)).await.ok().unwrap();
    *provider.out_of_order.lock().unwrap() = true;
    for second in 1_720..1_724 {
        assert!(cache.get(provider.at(second)).await.is_ok());
        settle().await;
    }
    assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
    for _ in 0..20 {
        assert_eq!(cache.get(provider.at(1_900)).await.err(), Some(Failure::NoCredentials));
    }
    assert_eq!(provider.asked.load(Ordering::SeqCst), 3);
    *provider.out_of_order.lock().unwrap() = false;
    assert!(cache.get(provider.at(1_901)).await.is_ok());
}

#[tokio::test]
async fn refused_credentials_are_fetched_anew_unless_they_are_new() {
    let (provider, cache) = cache();
    let first = cache.get(provider.at(1_000)).await.ok().unwrap();
    assert!(!cache.forget(&first, provider.at(1_001)));
    assert!(cache.forget(&first, provider.at(1_100)));
    assert_eq!(cache.get(provider.at(1_100)).await.ok().unwrap().access_key_id, "id1");
    // Somebody else's late refusal of the first does not cost the second.
    cache.forget(&first, provider.at(1_200));
    assert_eq!(cache.get(provider.at(1_200)).await.ok().unwrap().access_key_id, "id1");
}
