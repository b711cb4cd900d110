use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread;

use super::*;

/// A server for one request on this machine: sends `answer`, returns what it was asked.
fn serve(answer: Vec<u8>) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/keys", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0_u8; 4_096];
        let length = stream.read(&mut asked).unwrap();
        // The client may hang up before it has all.
        let _ = stream.write_all(&answer);
        String::from_utf8_lossy(&asked[..length]).into_owned()
    });
    (url, asked)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n").as_bytes(), body].concat()
}

#[tokio::test]
async fn gets_a_body_and_posts_json() {
    let (url, asked) = serve(answer("200 OK", "content-length: 2\r\n", b"{}"));
    assert_eq!(HttpsClient::new().get(&url).await, Ok(b"{}".to_vec()));
    assert!(asked.join().unwrap().starts_with("GET /keys HTTP/1.1"));
    let (url, asked) = serve(answer("202 Accepted", "content-length: 0\r\n", b""));
    assert_eq!(HttpsClient::new().post_json(&url, b"[1]".to_vec()).await, Ok(202));
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("POST /keys HTTP/1.1") && asked.contains("content-type: application/json"), "{asked}");
}

#[tokio::test]
async fn tells_the_status_of_any_request_and_sends_its_headers() {
    let (url, asked) = serve(answer("401 Unauthorized", "content-length: 0\r\n", b""));
    let headers = [("authorization", "Bearer token"), ("content-type", "application/scim+json")];
    assert_eq!(HttpsClient::new().status_of(Method::PATCH, &url, &headers, b"{}".to_vec()).await, Ok(401));
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("PATCH /keys HTTP/1.1") && asked.contains("authorization: Bearer token"), "{asked}");
}

#[tokio::test]
async fn a_redirect_is_an_error_and_not_followed() {
    let (url, _) = serve(answer("302 Found", "location: https://evil.example/\r\ncontent-length: 0\r\n", b""));
    assert_eq!(HttpsClient::new().get(&url).await, Err(HttpsError::Status(302)));
}

#[tokio::test]
async fn a_large_answer_is_cut_off_however_it_is_announced() {
    let body = vec![b'x'; MAX_RESPONSE_BYTES + 1];
    for headers in [format!("content-length: {}\r\n", body.len()), String::new()] {
        let (url, _) = serve(answer("200 OK", &headers, &body));
        assert_eq!(HttpsClient::new().get(&url).await, Err(HttpsError::TooLarge), "{headers}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_hangs_up_is_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(HttpsClient::new().get(&format!("http://{closed}/")).await, Err(HttpsError::Unreachable));
    let (url, _) = serve(Vec::new());
    assert_eq!(HttpsClient::new().get(&url).await, Err(HttpsError::Unreachable));
    let (url, _) = serve(answer("200 OK", "content-length: 9\r\n", b"{}"));
    assert_eq!(HttpsClient::new().get(&url).await, Err(HttpsError::Unreachable), "cut short");
}

#[tokio::test]
async fn a_server_that_does_not_answer_costs_three_seconds() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    assert_eq!(HttpsClient::new().get(&url).await, Err(HttpsError::Timeout));
}

#[tokio::test]
async fn plain_text_at_a_tls_port_is_unreachable() {
    let (url, _) = serve(answer("200 OK", "content-length: 2\r\n", b"{}"));
    assert_eq!(HttpsClient::new().get(&url.replace("http:", "https:")).await, Err(HttpsError::Unreachable));
}

#[test]
fn plain_http_stays_on_this_machine() {
    for good in ["https://example.com/a", "http://127.0.0.1:4566/p", "http://localhost/", "http://[::1]:1/"] {
        assert_eq!(HttpsClient::check(good), Ok(()), "{good}");
    }
    for bad in [
        "http://example.com/",
        "http://127.0.0.1@example.com/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "http://169.254.169.254/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "/keys",
        "https://",
        "",
    ] {
        assert_eq!(HttpsClient::check(bad), Err(HttpsError::BadUrl), "{bad}");
    }
}
