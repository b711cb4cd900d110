//! The document of sources: whatever it says, it is a document or a list of mistakes with lines that exist.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revocation_sources::Sources;

fuzz_target!(|text: &str| {
    if let Err(mistakes) = Sources::parse(text) {
        assert!(!mistakes.to_string().is_empty());
    }
});
