//! `Revocation Requested` from the bus: what is accepted can be written, and is read back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::request::RevocationRequest;

fuzz_target!(|text: &str| {
    if let Ok(request) = RevocationRequest::parse(text) {
        let written = serde_json::to_string(&request).expect("a request is JSON");
        assert_eq!(RevocationRequest::parse(&written), Ok(request));
    }
});
