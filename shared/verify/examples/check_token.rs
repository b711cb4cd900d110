//! Checks a token by a JWK set in a file, without any network, and says what is wrong with it. Tombstones are not asked: this
//! is the half of the check that needs no AWS.
//!
//! `cargo run -p revocation-verify --example check_token -- eu-central-1_AbC my-client jwks.json < token.txt`
//!
//! The token comes on standard input: among the arguments, everybody on the machine could read it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program answers on its terminal")]

use std::io::Read as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use revocation_core::domain::profile::UserPoolId;
use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::Clock;
use revocation_verify::{FileJwks, MAX_TOKEN_BYTES, PoolConfig, Verifier};

struct WallClock;

impl Clock for WallClock {
    #[expect(clippy::disallowed_methods, reason = "the example is a program of its own")]
    fn now(&self) -> EpochMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        EpochMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [pool, client, file] = arguments.as_slice() else {
        eprintln!("usage: check_token <user pool id> <client id> <JWK set file> < token");
        return Ok(ExitCode::from(64));
    };
    let mut token = String::new();
    let most = u64::try_from(MAX_TOKEN_BYTES)?.saturating_add(2);
    std::io::stdin().take(most).read_to_string(&mut token)?;

    let pool = PoolConfig::new(UserPoolId(pool.clone()), vec![client.clone()]);
    let verifier = Verifier::builder(Arc::new(FileJwks::new(file)), Arc::new(WallClock)).pool(pool).build()?;
    match verifier.verify(token.trim_end()).await {
        Ok(token) => {
            println!("good: {:?} token of {} until {}", token.token_use, token.subject, token.exp);
            Ok(ExitCode::SUCCESS)
        }
        Err(reason) => {
            println!("denied: {reason}");
            Ok(ExitCode::FAILURE)
        }
    }
}
