use std::sync::Mutex;

use revocation_core::domain::disposition::Disposition;
use revocation_core::domain::event::Envelope;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::PortError;

use super::*;

const EVENT: &str = r#"{"id":"e1","source":"aws.partner/okta.com/acme/prod","detail-type":"SystemLog","detail":
  {"uuid":"ab62","eventType":"user.lifecycle.deactivate","outcome":{"result":"SUCCESS"},
   "target":[{"id":"a","type":"User","alternateId":"a@example.com"},{"id":"b","type":"User","alternateId":"b"}]}}"#;

/// Remembers what was published, or fails.
#[derive(Default)]
struct FakePublisher {
    published: Mutex<Vec<Vec<Event>>>,
    down: bool,
}

#[async_trait]
impl EventPublisher for FakePublisher {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        if self.down {
            return Err(PortError::retry("events:PutEvents", "throttled"));
        }
        self.published.lock().unwrap().push(events.to_vec());
        Ok(())
    }
}

async fn handle(event: &str, down: bool) -> (Result<(), Failure>, Vec<Vec<Event>>) {
    let bus = Arc::new(FakePublisher { down, ..FakePublisher::default() });
    let intake = PartnerIntake { publisher: bus.clone(), settings: Settings::default() };
    let envelope: Envelope<'_> = serde_json::from_str(event).unwrap();
    let result = intake.handle(Delivery { envelope, received_at: EpochMillis(0) }).await;
    let published = bus.published.lock().unwrap().clone();
    (result, published)
}

#[tokio::test]
async fn all_requests_of_an_event_are_published_together() {
    let (result, published) = handle(EVENT, false).await;
    assert!(result.is_ok());
    let [events] = published.as_slice() else { panic!("{published:?}") };
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| matches!(event, Event::RevocationRequested(request) if request.check().is_ok())));
}

#[tokio::test]
async fn irrelevant_events_are_acknowledged_and_nothing_is_published() {
    let (result, published) = handle(&EVENT.replace("SUCCESS", "FAILURE"), false).await;
    assert!(result.is_ok() && published.is_empty());
}

#[tokio::test]
async fn i07_malformed_events_and_failed_publications_are_reported() {
    let (result, published) = handle(&EVENT.replace("\"User\"", "\"AppUser\""), false).await;
    assert!(format!("{:?}", result.unwrap_err()).contains("NoUser"));
    assert!(published.is_empty());
    let (result, _) = handle(EVENT, true).await;
    assert!(format!("{:?}", result.unwrap_err()).contains(&format!("{:?}", Disposition::Retry)));
}
