//! A user pool's public keys over HTTPS.

use async_trait::async_trait;
use revocation_core::ports::PortError;
use revocation_verify::{JwksSource, PoolConfig};

use crate::https::HttpsClient;

/// Fetches a pool's keys from its `jwks_url`.
#[derive(Debug, Default)]
pub struct HttpsJwks(HttpsClient);

#[async_trait]
impl JwksSource for HttpsJwks {
    async fn fetch(&self, pool: &PoolConfig) -> Result<Vec<u8>, PortError> {
        self.0.get(&pool.jwks_url).await.map_err(|error| error.port_error("jwks:fetch"))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;
    use std::thread;

    use revocation_core::domain::profile::UserPoolId;

    use super::*;

    #[tokio::test]
    async fn the_document_at_the_pools_address_is_fetched_and_an_error_keeps_its_code() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let pool = |path: &str| PoolConfig {
            jwks_url: format!("http://{}/{path}", listener.local_addr().unwrap()),
            ..PoolConfig::new(UserPoolId("eu-central-1_AbC".into()), Vec::new())
        };
        let (good, gone) = (pool("good"), pool("gone"));
        let server = thread::spawn(move || {
            for _ in 0..2 {
                let (mut stream, _) = listener.accept().unwrap();
                let mut asked = [0_u8; 1_024];
                let length = stream.read(&mut asked).unwrap();
                let found = asked[..length].starts_with(b"GET /good ");
                let (status, body) = if found { ("200 OK", "{}") } else { ("404 Not Found", "no") };
                write!(stream, "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{body}").unwrap();
            }
        });
        let source = HttpsJwks::default();
        assert_eq!(source.fetch(&good).await, Ok(b"{}".to_vec()));
        assert_eq!(source.fetch(&gone).await, Err(PortError::retry("jwks:fetch", "status_404")));
        let elsewhere = PoolConfig { jwks_url: "http://example.com/".to_owned(), ..gone };
        assert_eq!(source.fetch(&elsewhere).await, Err(PortError::reject("jwks:fetch", "bad_url")));
        server.join().unwrap();
    }
}
