//! `up`: a local cloud that stays.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::functions::Profile;
use crate::local_cloud::{Facts, LocalCloud, StartOptions};
use crate::repo::Repo;
use crate::say;

/// Build, start the local cloud and deploy; stay until Ctrl-C.
///
/// Addresses, names and credentials are written to target/local-cloud.json while it runs.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Come back at once and leave it running; `cargo xtask down` ends it.
    #[arg(long)]
    detach: bool,
    /// Deploy what was built last instead of building.
    #[arg(long)]
    no_build: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> Result<()> {
    let repo = Repo::find()?;
    let options =
        StartOptions { build: (!args.no_build).then_some(Profile::Dev), ..StartOptions::up(&repo, args.detach) };
    let mut cloud = LocalCloud::start(&repo, &options)?;
    show(&cloud.facts);
    say::line(format_args!("written to   {}", cloud.facts_file().display()));
    if args.detach {
        say::line("running; `cargo xtask down` ends it");
        return Ok(());
    }
    say::line("running; Ctrl-C ends it");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot wait for Ctrl-C; use `cargo xtask up --detach`")?;
    runtime.block_on(until_told(&mut cloud))?;
    say::step("ending the local cloud");
    Ok(())
}

/// Waits for Ctrl-C or a request to terminate; fails if the server ends first.
async fn until_told(cloud: &mut LocalCloud) -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    loop {
        tokio::select! {
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
            () = tokio::time::sleep(Duration::from_secs(1)) => {
                if !cloud.is_running() {
                    bail!("the local cloud ended by itself, or by `cargo xtask down`; its log is {}", cloud.facts.log);
                }
            }
        }
    }
}

fn show(facts: &Facts) {
    for (name, value) in [
        ("endpoint", &facts.endpoint),
        ("REST API", &facts.api_url),
        ("HTTP API", &facts.http_api_url),
        ("user pool", &facts.user_pool_id),
        ("client", &facts.client_id),
        ("bus", &facts.bus_name),
        ("log", &facts.log),
    ] {
        say::line(format_args!("{name:<12} {value}"));
    }
    let Facts { endpoint, region, access_key_id, secret_access_key, .. } = facts;
    say::line("for the AWS CLI and revokectl, in your shell:");
    say::line(format_args!(
        "export REVOKECTL_STACK=local AWS_ENDPOINT_URL={endpoint} AWS_REGION={region} AWS_DEFAULT_REGION={region} \
         AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret_access_key}"
    ));
}
