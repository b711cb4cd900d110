use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use tokio::time::sleep;

use super::*;

/// An attempt of a request, which is then dropped.
const ATTEMPT: Duration = Duration::from_millis(300);

/// Gives credentials that live 15 minutes from `now`, or none; at once, or after a while.
#[derive(Clone, Debug, Default)]
struct Provider {
    asked: Arc<AtomicU32>,
    now: Arc<Mutex<u64>>,
    out_of_order: Arc<Mutex<bool>>,
    takes: Arc<Mutex<Duration>>,
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
        let takes = *self.takes.lock().unwrap();
        future::ProvideCredentials::new(async move {
            if !takes.is_zero() {
                sleep(takes).await;
            }
            Ok(credentials)
        })
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

#[tokio::test(start_paused = true)]
async fn a_provider_slower_than_a_request_is_heard_all_the_same() {
    let (provider, cache) = cache();
    *provider.takes.lock().unwrap() = Duration::from_millis(400);
    assert!(timeout(ATTEMPT, cache.get(provider.at(1_000))).await.is_err(), "the first gives up");
    // The next waits for what the first began.
    let next = timeout(ATTEMPT, cache.get(provider.at(1_000))).await.unwrap();
    assert_eq!(next.ok().unwrap().access_key_id, "id0");
    assert_eq!(cache.get(provider.at(1_001)).await.ok().unwrap().access_key_id, "id0");
    assert_eq!(provider.asked.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_is_given_up_and_asked_again() {
    let (provider, cache) = cache();
    cache.get(provider.at(1_000)).await.ok().unwrap();
    *provider.takes.lock().unwrap() = Duration::from_hours(1);
    // Asked in the background, while the old ones serve.
    for second in 1_720..1_724 {
        assert!(cache.get(provider.at(second)).await.is_ok());
        settle().await;
    }
    assert_eq!(provider.asked.load(Ordering::SeqCst), 2);
    // They have run out. Nobody waits for longer than the provider may take, and then it is asked anew.
    assert!(timeout(ATTEMPT, cache.get(provider.at(1_900))).await.is_err());
    sleep(PROVIDER_LIMIT).await;
    *provider.takes.lock().unwrap() = Duration::ZERO;
    assert_eq!(cache.get(provider.at(1_905)).await.ok().unwrap().access_key_id, "id2");
    // One that hangs without any in hand says so in the end.
    let (provider, cache) = self::cache();
    *provider.takes.lock().unwrap() = Duration::from_hours(1);
    assert_eq!(cache.get(provider.at(1_000)).await.err(), Some(Failure::NoCredentials));
}
