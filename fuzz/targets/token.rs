//! Tokens and key sets: no text is permitted that the key did not sign, whatever its header and claims.
//!
//! Input: a byte that says what the rest is – a token, header and claims of one (a line each), or a JWK set.

#![no_main]

use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;
use revocation_verify::{Bundled, KeySet, PoolConfig, Verifier};

/// RFC 7515, appendix A.2: a public key whose private half we do not use.
const KEYS: &str = r#"{"keys":[{"kty":"RSA","kid":"test-key-a","alg":"RS256","use":"sig","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}]}"#;

struct Still;

impl Clock for Still {
    fn now(&self) -> EpochMillis {
        EpochMillis(1_800_000_000_000)
    }
}

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let keys = KeySet::parse(KEYS.as_bytes()).expect("one key");
    let pool = PoolConfig::new(UserPoolId("eu-central-1_Test".into()), vec!["client-1".into()]).with_keys(keys);
    Verifier::builder(Arc::new(Bundled), Arc::new(Still)).pool(pool).build().expect("a verifier")
});

fn is_permitted(token: &str) -> bool {
    let mut asked = std::pin::pin!(VERIFIER.verify(token));
    let mut context = Context::from_waker(Waker::noop());
    // With keys at hand there is nothing to wait for, but a lock.
    loop {
        if let Poll::Ready(answer) = asked.as_mut().poll(&mut context) {
            return answer.is_ok();
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((what, rest)) = bytes.split_first() else { return };
    match what % 3 {
        0 => {
            if let Ok(text) = std::str::from_utf8(rest) {
                assert!(!is_permitted(text));
            }
        }
        1 => {
            let mut parts = rest.splitn(3, |byte| *byte == b'\n').map(|part| URL_SAFE_NO_PAD.encode(part));
            let mut part = || parts.next().unwrap_or_default();
            let token = format!("{}.{}.{}", part(), part(), part());
            assert!(!is_permitted(&token), "{token}");
        }
        _ => {
            let _ = KeySet::parse(rest);
        }
    }
});
