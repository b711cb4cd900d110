//! Lists of people as operators keep them in files: whoever comes out is a subject that passes its own checks, once, and the
//! same list has the same id; what is wrong is named by its line and not quoted at length.

#![no_main]

use libfuzzer_sys::fuzz_target;

// Neither needs the rest of the command line, which would bring the AWS SDK.
#[path = "../../tools/revokectl/src/bulk/csv.rs"]
mod csv;
#[path = "../../tools/revokectl/src/failure.rs"]
mod failure;
#[path = "../../tools/revokectl/src/subject/form.rs"]
mod subject;

fuzz_target!(|bytes: &[u8]| {
    match csv::read(bytes) {
        Ok(list) => {
            assert!(!list.entries.is_empty() && list.id.len() == 64);
            assert!(list.entries.iter().all(|entry| entry.check().is_ok()));
            assert!(list.entries.len() + list.repeated <= bytes.len());
            assert_eq!(csv::read(bytes).map(|again| again.id).ok(), Some(list.id));
        }
        Err(failure) => assert!(failure.what.len() < 8_192),
    }
});
