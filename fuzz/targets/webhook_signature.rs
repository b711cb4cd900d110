//! Credentials of webhooks: headers and body, by every method. Nothing that was not signed with the secret gets in.
//!
//! Input: a line for the signature, one for the id, one for the time; the rest is the body.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::time::EpochSeconds;
use revocation_sources::authenticate::standard_webhooks::signatures;
use revocation_sources::authenticate::{Authentication, Presented, SecretList, authenticate, match_bearer};

const NOW: EpochSeconds = EpochSeconds(1_800_000_000);

static SECRETS: LazyLock<SecretList> = LazyLock::new(|| {
    let text = r#"{"secrets":[{"name":"a","value":"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}]}"#;
    SecretList::parse(text).expect("a list of one secret")
});
static METHODS: LazyLock<Vec<Authentication>> = LazyLock::new(|| {
    let secret = || "s".to_owned();
    vec![
        Authentication::StandardWebhooks { secret: secret() },
        Authentication::GithubSignature { secret: secret() },
        Authentication::PagerdutySignature { secret: secret() },
        Authentication::Header { header: "x-secret".to_owned(), secret: secret() },
        Authentication::Bearer { secret: secret() },
        Authentication::Path { secret: secret() },
        Authentication::OktaEventHook { secret: secret() },
    ]
});

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.splitn(4, |byte| *byte == b'\n');
    let mut line = || std::str::from_utf8(lines.next().unwrap_or_default()).unwrap_or_default();
    let (signature, id, timestamp) = (line(), line(), line());
    let body = lines.next().unwrap_or_default();
    let _ = (signatures(signature), match_bearer(&SECRETS, signature), SecretList::parse(signature));
    let header = |name: &str| match name {
        "webhook-id" => Some(id),
        "webhook-timestamp" => Some(timestamp),
        _ => Some(signature),
    };
    let presented = Presented { headers: &header, body, path_secret: Some(signature) };
    // The plain secret would be a lucky find; a valid signature under it, a miracle.
    let knows_it = signature.contains("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=");
    for method in METHODS.iter() {
        assert!(knows_it || authenticate(method, &presented, &SECRETS, NOW).is_err(), "{}", method.method());
    }
});
