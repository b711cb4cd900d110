//! The act of a service of one's own behind the Tower layer: `shared/tower/examples/axum_service.rs`, started as a process.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result};
use revocation_probe::{Probe, Tokens};
use serde_json::json;

use super::teller::Teller;
use crate::repo::Repo;
use crate::run;

/// The service, ended when it is dropped.
struct Service {
    process: Child,
    url: String,
}

impl Service {
    fn start(repo: &Repo, probe: &Probe) -> Result<Self> {
        let mut cargo = run::build(repo);
        cargo.args(["--quiet", "--example", "axum_service", "--features", "revocation-tower/axum"]);
        run::run(&mut cargo).context("the example does not build; the compiler's errors are above")?;
        let facts = &probe.facts;
        let pools = json!([{
            "user_pool_id": facts.user_pool_id, "client_ids": [facts.client_id], "jwks_url": facts.jwks_url,
        }]);
        let mut process = Command::new(repo.built("debug", "examples/axum_service"))
            .env("AWS_REGION", &facts.region)
            .env("AWS_ACCESS_KEY_ID", &facts.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &facts.secret_access_key)
            .env("AWS_ENDPOINT_URL", &facts.endpoint)
            .env("TOMBSTONES_TABLE", &facts.tombstones_table)
            .env("TOKEN_POOLS", pools.to_string())
            .env("LOG_LEVEL", "warn")
            .stdout(Stdio::piped())
            .spawn()
            .context("the example does not start")?;
        let mut line = String::new();
        let said = process.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        said.context("the example says nothing")?.context("the example says nothing")?;
        let url = line.trim().strip_prefix("listening on ").context("the example does not listen")?.to_owned();
        Ok(Self { process, url })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Gone already: nothing is left to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// It serves who is signed in, and not who was revoked.
pub(super) fn axum_service(teller: &Teller, probe: &Probe, good: &Tokens, revoked: &Tokens) -> Result<()> {
    let service = Service::start(&Repo::find()?, probe)?;
    let url = format!("{}/whoami", service.url);
    let answer = probe.call_at(&url, Some(&good.access))?;
    teller.check(answer.status == 200, format_args!("an axum service with the layer serves bob: {}", answer.status))?;
    for (token, who) in [(Some(revoked.access.as_str()), "alice's token"), (None, "a request without one")] {
        let answer = probe.call_at(&url, token)?;
        let challenge = answer.www_authenticate.unwrap_or_default();
        let refusal = format!("{who} is refused: {}, WWW-Authenticate: {challenge}", answer.status);
        teller.check(answer.status == 401 && challenge.starts_with("Bearer"), refusal)?;
    }
    Ok(())
}
