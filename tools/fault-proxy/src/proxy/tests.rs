//! The proxy in front of a service that counts, as a client sees it.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use super::*;
use crate::script::Lasting;

/// A service that answers everything with 200 and says how often it was asked.
fn service() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\ndone");
        }
    });
    (url, asked)
}

fn request(target: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-amz-target: {target}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// The whole answer; empty if the connection was cut.
fn call(proxy: &FaultProxy, target: &str, body: &str) -> String {
    let url = proxy.endpoint("revoke").unwrap();
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(request(target, body).as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn with(fault: Fault) -> (FaultProxy, Case, Arc<AtomicUsize>) {
    let (url, asked) = service();
    let proxy = FaultProxy::start(&["revoke"], &url, None).unwrap();
    let rule =
        Rule { function: "revoke", action: "dynamodb:PutItem".into(), nth: 1, fault, lasting: Lasting::Calls(1) };
    let case = proxy.open(Script { markers: vec!["ada".into()], owns: Vec::new(), rules: vec![rule] });
    (proxy, case, asked)
}

#[test]
fn what_a_caller_sees_and_whether_the_service_did_it() {
    for (fault, answer, asked_by_then) in [
        (Fault::Throttled, "ProvisionedThroughputExceededException", 0),
        (Fault::Denied, "AccessDeniedException", 0),
        (Fault::ServerError, "503", 0),
        (Fault::Reset, "", 0),
        (Fault::Lost, "", 1),
        (Fault::Garbage, "200", 1),
        (Fault::Slow, "done", 1),
    ] {
        let (proxy, case, asked) = with(fault);
        let seen = call(&proxy, "DynamoDB_20120810.PutItem", "of ada");
        assert!(seen.contains(answer) && seen.is_empty() == answer.is_empty(), "{fault:?}: {seen}");
        assert_eq!(asked.load(Ordering::SeqCst), asked_by_then, "{fault:?}");
        assert!(call(&proxy, "DynamoDB_20120810.PutItem", "of ada").ends_with("done"), "once is enough");
        assert_eq!(case.seen().len(), 2);
    }
}

#[test]
fn what_is_no_case_passes() {
    let (proxy, case, asked) = with(Fault::Reset);
    assert!(call(&proxy, "DynamoDB_20120810.PutItem", "of ben").ends_with("done"));
    assert!(call(&proxy, "DynamoDB_20120810.GetItem", "of ada").ends_with("done"));
    case.heal();
    assert!(call(&proxy, "DynamoDB_20120810.PutItem", "of ada").ends_with("done"));
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}

#[test]
fn put_events_fails_in_part_with_200() {
    let (url, _) = service();
    let proxy = FaultProxy::start(&["revoke"], &url, None).unwrap();
    let rule =
        Rule { function: "", action: "events:*".into(), nth: 1, fault: Fault::Partial, lasting: Lasting::Calls(1) };
    let _case = proxy.open(Script { markers: vec!["ada".into()], owns: Vec::new(), rules: vec![rule] });
    let seen = call(&proxy, "AWSEvents.PutEvents", r#"{"Entries":[{"Detail":"ada"},{"Detail":"x"}]}"#);
    assert!(seen.contains("200 OK") && seen.contains(r#""FailedEntryCount":2"#), "{seen}");
}

/// Needs `/proc` to find the process.
#[cfg(target_os = "linux")]
#[test]
fn the_caller_is_killed_after_the_service_did_it() {
    let (proxy, _case, asked) = with(Fault::KillAfter);
    let url = proxy.endpoint("revoke").unwrap();
    let (host, port) = url.trim_start_matches("http://").split_once(':').unwrap();
    // A process of its own that calls and would then wait for a minute.
    let script = format!("exec 3<>/dev/tcp/{host}/{port}; printf '%s' \"$REQUEST\" >&3; exec sleep 60 <&3");
    let request = request("DynamoDB_20120810.PutItem", "of ada");
    let ended = Command::new("bash").args(["-c", &script]).env("REQUEST", request).status().unwrap();
    assert!(!ended.success());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}
