//! Against a store of which only one write finds the item as it describes it.

use std::sync::Arc;

use revocation_core::domain::revocation_id::RevocationId;
use revocation_core::domain::session::EndedSessions;
use revocation_core::domain::time::{EpochMillis, EpochSeconds};
use revocation_core::ports::Clock;

use super::*;
use crate::played::{Call, Calls, play};

/// The states an item can be in, each with a write of its own.
const STATES: usize = 10;

struct StandsStill;

impl Clock for StandsStill {
    fn now(&self) -> EpochMillis {
        EpochMillis(10_000)
    }
}

/// A store that refuses the condition of each write but one; and the writes it was sent.
fn store(fitting: Option<usize>) -> (DynamoTombstoneWriter, Calls) {
    let (aws, calls) = play(move |before, _| {
        let refused = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#;
        Some(if Some(before) == fitting { (200, "{}".to_owned()) } else { (400, refused.to_owned()) })
    });
    (DynamoTombstoneWriter::new(&aws, "tombstones", "feed", Arc::new(StandsStill)), calls)
}

fn update(call: &Call) -> &str {
    call.body["UpdateExpression"].as_str().unwrap()
}

async fn end_others(writer: &DynamoTombstoneWriter) -> Result<(), PortError> {
    let ended = EndedSessions::Others { spared: "here".into() };
    let cutoff = SessionCutoff { revocation_id: RevocationId("rv_1".into()), at: EpochSeconds(10), ended };
    writer.end_others(&SubjectKey::new("pool", "sub"), &cutoff, "here").await
}

#[tokio::test]
async fn i02_everywhere_but_here_is_done_only_when_a_write_said_so() {
    // Each write met the item in a state of another: somebody else's came between them, every time.
    let (writer, sent) = store(None);
    assert_eq!(end_others(&writer).await, Err(PortError::retry(UPDATE, "contended")));
    assert_eq!(sent.lock().unwrap().len(), MOST_CHANGES_OF_HANDS * STATES);
    // A later one stands.
    let (writer, sent) = store(Some(STATES - 1));
    assert_eq!(end_others(&writer).await, Ok(()));
    assert_eq!(update(sent.lock().unwrap().last().unwrap()), "SET others_not_before = others_not_before");
    // Somebody else's write came between the second and the third of the first turn: the second turn finds what it left.
    let (writer, sent) = store(Some(STATES + 3));
    assert_eq!(end_others(&writer).await, Ok(()));
    let sent = sent.lock().unwrap();
    assert_eq!(sent.len(), STATES + 4);
    assert!(update(sent.last().unwrap()).ends_with("not_before = others_not_before"), "{sent:?}");
}
