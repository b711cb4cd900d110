//! A service behind the layer, with a real table: configured by the authorizer's variables (`TOMBSTONES_TABLE`, `TOKEN_POOLS`,
//! `TOKEN_USES`, `STORE_OUTAGE`, `END_DATE_CLAIM`), and `AWS_REGION`, `AWS_ACCESS_KEY_ID` … as in a Lambda function. Listens at
//! `LISTEN` (default `127.0.0.1:0`), and prints where: `listening on http://127.0.0.1:41231`.
//!
//! `cargo run -p revocation-tower --features axum --example axum_service`

#![expect(clippy::print_stdout, reason = "whoever started it wants to know where it listens")]

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::Arc;

use authorizer::config::Config;
use axum::Router;
use axum::routing::get;
use revocation_aws::clients::AwsConfig;
use revocation_aws::dynamodb::DynamoTombstoneReader;
use revocation_lambda::env::{EnvReader, ProcessEnv, Variables as _};
use revocation_lambda::logging;
use revocation_tower::{ClientIp, Decision, Permitted, RevocationLayer};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    logging::init(&ProcessEnv);
    logging::exit(run().await)
}

async fn run() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let config = Config::from_env(&ProcessEnv)?;
    let aws = AwsConfig::from_env(&|name| ProcessEnv.get(name))?;
    let reader = DynamoTombstoneReader::new(&aws, &*config.tombstones_table);
    let checker = Arc::new(authorizer::checker(config, Arc::new(reader))?);
    authorizer::warm(&checker).await;

    let layer = RevocationLayer::new(checker)
        .client_ip(ClientIp::ForwardedFor { trusted_proxies: NonZeroUsize::MIN })
        .on_decision(|decision| match decision {
            Decision::Permitted(permit) => tracing::info!(sub = %permit.subject.sub, "served"),
            Decision::Denied(denial) => tracing::info!(reason = denial.code(), "refused"),
        });
    let protected = Router::new().route("/whoami", get(who_am_i)).layer(layer);
    let service = protected.route("/health", get(|| async { "ok" }));

    let listen = EnvReader::new(&ProcessEnv).optional("LISTEN").unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    Ok(axum::serve(listener, service).await?)
}

async fn who_am_i(Permitted(permit): Permitted) -> String {
    format!("{}\n", permit.subject.sub)
}
