//! What the SIEM is told: whatever lies on the bus, each event is one line of JSON of its class, the same for each delivery.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::event::Envelope;
use revocation_core::domain::time::EpochMillis;

// Both are pure; the function's crate would bring the AWS SDK.
#[path = "../../functions/siem-feed/src/ocsf.rs"]
mod ocsf;
#[path = "../../functions/siem-feed/src/translate/mod.rs"]
mod translate;

fuzz_target!(|text: &str| {
    let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else { return };
    let Ok(Some(events)) = translate::translate(&envelope, EpochMillis(1_768_469_400_000)) else { return };
    assert_eq!(translate::translate(&envelope, EpochMillis(1_768_469_400_000)), Ok(Some(events.clone())));
    for event in events {
        assert!(!event.line.contains('\n'));
        let line: serde_json::Value = serde_json::from_str(&event.line).expect("an event is JSON");
        assert_eq!(line["class_uid"], event.class_uid);
        assert_eq!(line["metadata"]["version"], ocsf::VERSION);
        let uid = line["metadata"]["uid"].as_str().expect("an event has an id");
        assert!(!uid.is_empty());
    }
});
