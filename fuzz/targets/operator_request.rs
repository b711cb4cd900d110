//! What operators and other functions put on the bus besides revocations: actions on accounts, and control of bulk jobs. What
//! is accepted is within its bounds, and read back as the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use revocation_core::domain::action::AccountActionRequest;
use revocation_core::domain::bulk::{Control, ControlRequest};
use revocation_core::domain::request::RevocationRequest;
use revocation_core::domain::time::EpochMillis;

/// What is steered: a job that names its approver.
const JOB: &str = r#"{"version":"1","source":{"name":"fuzz","event_id":"1"},"sub_id":{"format":"group","group":"g"},
"reason":"project_end","initiator":{"kind":"admin","id":"ops"},"approve_by":"other"}"#;

fuzz_target!(|text: &str| {
    if let Ok(request) = AccountActionRequest::parse(text) {
        let written = serde_json::to_string(&request).expect("a request is JSON");
        assert_eq!(AccountActionRequest::parse(&written), Ok(request));
    }
    if let Ok(request) = ControlRequest::parse(text) {
        assert!(!request.source.event_id.is_empty() && !request.initiator.id.is_empty());
        let job = RevocationRequest::parse(JOB).expect("it is one");
        let heard = Control::default().after(&request, &job, EpochMillis(1));
        // Heard once: said again it is nothing new.
        if let Ok(Some(control)) = heard {
            assert_eq!(control.after(&request, &job, EpochMillis(2)), Ok(None));
        }
    }
});
