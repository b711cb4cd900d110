use std::sync::Mutex;

use revocation_core::ports::PortError;

use super::*;

#[derive(Default)]
struct Recorder {
    parked: Mutex<Vec<(String, String)>>,
    waits: Mutex<Vec<(String, Duration)>>,
    full: bool,
}

#[async_trait]
impl DeadLetterQueue for Recorder {
    async fn park(&self, id: &str, _body: &str, reason: &str) -> Result<(), PortError> {
        if self.full {
            return Err(PortError::retry("sqs:SendMessage", "throttled"));
        }
        self.parked.lock().unwrap().push((id.to_owned(), reason.to_owned()));
        Ok(())
    }
}

#[async_trait]
impl RedeliveryTimer for Recorder {
    async fn redeliver_in(&self, handle: &str, delay: Duration) -> Result<(), PortError> {
        self.waits.lock().unwrap().push((handle.to_owned(), delay));
        Ok(())
    }
}

impl Clock for Recorder {
    fn now(&self) -> EpochMillis {
        EpochMillis(1_000_000)
    }
}

/// Does what the event's `source` says.
struct Obedient;

#[async_trait]
impl EventHandler for Obedient {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        match delivery.envelope.source.as_str() {
            "ok" => Ok(()),
            "retry" => Err(PortError::retry("op", "throttled").into()),
            "reject" => Err(PortError::reject("op", "not_authorized").into()),
            other => panic!("asked to: {other}"),
        }
    }
}

fn message(id: &str, body: &str) -> SqsMessage {
    serde_json::from_value(serde_json::json!({
        "messageId": id, "receiptHandle": format!("handle-{id}"), "body": body,
        "attributes": {"ApproximateReceiveCount": "3", "SentTimestamp": "999000"},
        "messageAttributes": {},
    }))
    .unwrap()
}

fn event(id: &str, source: &str) -> SqsMessage {
    message(id, &format!(r#"{{"id":"{id}","source":"{source}","detail-type":"t","detail":{{}}}}"#))
}

async fn run(recorder: Recorder, records: Vec<SqsMessage>) -> (Vec<String>, Arc<Recorder>) {
    let recorder = Arc::new(recorder);
    let function = QueueFunction {
        name: "test",
        handler: Arc::new(Obedient),
        dead_letters: recorder.clone(),
        timer: recorder.clone(),
        clock: recorder.clone(),
    };
    let mut batch = SqsEvent::default();
    batch.records = records;
    let response = Arc::new(function).run(batch).await;
    let mut failed: Vec<String> = response.batch_item_failures.into_iter().map(|f| f.item_identifier).collect();
    failed.sort();
    (failed, recorder)
}

#[tokio::test]
async fn i12_each_message_fails_alone() {
    let batch =
        vec![event("a", "ok"), event("b", "retry"), event("c", "reject"), event("d", "panic"), message("e", "{")];
    let (failed, recorder) = run(Recorder::default(), batch).await;
    assert_eq!(failed, ["b", "d"], "only what may succeed later comes back");
    let mut parked = recorder.parked.lock().unwrap().clone();
    parked.sort();
    assert_eq!(
        parked,
        [("c".into(), "op: not_authorized".into()), ("e".into(), "the message is not an EventBridge event".into())]
    );
    assert_eq!(recorder.waits.lock().unwrap()[0].0, "handle-b");
}

#[tokio::test]
async fn i07_what_cannot_be_parked_comes_back() {
    let (failed, _) = run(Recorder { full: true, ..Recorder::default() }, vec![event("c", "reject")]).await;
    assert_eq!(failed, ["c"]);
}

#[tokio::test]
async fn an_empty_batch_has_no_failures() {
    assert!(run(Recorder::default(), vec![]).await.0.is_empty());
}

#[test]
fn the_wait_grows_and_is_bounded() {
    assert!((0..64).all(|n| backoff(1, n * 7_919) == Duration::from_secs(1)), "never at once");
    assert!((1..20).all(|n| backoff(n, 0) == shortest_wait(n) && backoff(n, u64::MAX) >= shortest_wait(n)));
    assert!(backoff(4, 7) >= Duration::from_secs(4));
    assert!((0..64).all(|n| backoff(u32::MAX, n * 7_919) <= LONGEST_WAIT));
}

/// Notes the trace each event is handled in, after the others had their turn.
#[derive(Default)]
struct Tracer(Mutex<Vec<(String, Option<String>)>>);

#[async_trait]
impl EventHandler for Tracer {
    async fn handle(&self, delivery: Delivery<'_>) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        let trace = trace::current().map(|header| header.id().to_owned());
        self.0.lock().unwrap().push((delivery.envelope.id, trace));
        Ok(())
    }
}

#[tokio::test]
async fn each_message_is_handled_in_the_trace_it_was_sent_in_or_else_in_that_of_the_invocation() {
    let root = |n: u8| format!("1-5759e988-{}", n.to_string().repeat(24));
    let header = |n: u8| format!("Root={};Parent=53995c3f42cd8ad8;Sampled=1", root(n));
    let traced = |id: &str, n: u8| {
        let mut message = event(id, "ok");
        message.attributes.insert("AWSTraceHeader".to_owned(), header(n));
        message
    };
    let recorder = Arc::new(Recorder::default());
    let listener = Arc::new(Tracer::default());
    let function = Arc::new(QueueFunction {
        name: "test",
        handler: listener.clone(),
        dead_letters: recorder.clone(),
        timer: recorder.clone(),
        clock: recorder,
    });
    let mut batch = SqsEvent::default();
    batch.records = vec![traced("a", 1), traced("b", 2), event("c", "ok")];
    in_trace(TraceHeader::parse(&header(3)), Arc::clone(&function).run(batch.clone())).await;
    let mut seen = std::mem::take(&mut *listener.0.lock().unwrap());
    seen.sort();
    assert_eq!(seen, [("a".into(), Some(root(1))), ("b".into(), Some(root(2))), ("c".into(), Some(root(3)))]);
    function.run(batch).await;
    assert!(listener.0.lock().unwrap().contains(&("c".into(), None)), "nothing is left of the trace before");
}
