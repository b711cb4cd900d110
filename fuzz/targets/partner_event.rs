//! Events of partners and of AWS, as they lie on the intake's queue: whatever the detail, what comes out is requests that pass
//! their own checks, a stable code, or an error that quotes nothing.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::event::Envelope;
use revocation_core::domain::profile::UserPoolId;

// The translations are pure; the function's crate would bring the AWS SDK.
#[path = "../../functions/intake-partner/src/translate/mod.rs"]
mod translate;

use translate::{Origin, Settings, Verdict};

static SETTINGS: LazyLock<[Settings; 2]> = LazyLock::new(|| {
    let pools = Settings { user_pools: vec![UserPoolId("eu-central-1_Sample001".into())], ..Settings::default() };
    let provider = Some("Idp".to_owned());
    let role = vec!["arn:aws:iam::111122223333:role/scim".to_owned()];
    let full = Settings { okta_provider: provider.clone(), auth0_provider: provider, own_roles: role, ..pools.clone() };
    [pools, full]
});

fuzz_target!(|text: &str| {
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else { return };
    for settings in SETTINGS.iter() {
        match translate::translate(&envelope, settings) {
            Ok(Verdict::Requests(requests)) => {
                assert!(!requests.is_empty() && Origin::of(&envelope).as_str() != "unknown");
                for request in requests {
                    assert_eq!(request.check(), Ok(()));
                    // It is put on the bus, and read there.
                    let written = serde_json::to_string(&request).expect("a request is JSON");
                    let read = revocation_core::domain::request::RevocationRequest::parse(&written);
                    assert_eq!(read.as_ref(), Ok(&request));
                }
            }
            Ok(Verdict::Irrelevant(code)) => assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')),
            Err(error) => drop(error.to_string()),
        }
    }
});
