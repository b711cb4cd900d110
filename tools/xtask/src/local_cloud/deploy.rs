//! Deploying the template, through `deploy.py`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::server::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Server};
use crate::repo::Repo;
use crate::venv::Venv;
use crate::{functions, run};

/// Name of the local stack.
pub(super) const STACK: &str = "local";
/// Who local notices come from.
pub(super) const SENDER_EMAIL: &str = "security@example.org";

/// What a deployment made.
#[derive(Deserialize)]
pub(super) struct Deployed {
    /// Outputs of the stack by name.
    pub(super) outputs: BTreeMap<String, String>,
    /// Secrets of the HTTPS sources, by the source's name, such as `siem/plain`.
    pub(super) secrets: BTreeMap<String, String>,
}

/// Deploys `infra/template.yaml` and the sources of `sources.yaml`.
pub(super) fn deploy(repo: &Repo, venv: &Venv, server: &Server, more: Option<&(&str, String)>) -> Result<Deployed> {
    let mut command = venv.python();
    command
        .arg(repo.root().join("tools/xtask/local_cloud/deploy.py"))
        .args(["--endpoint", &server.endpoint(), "--stack", STACK, "--template"])
        .arg(repo.root().join("infra/template.yaml"))
        .arg("--functions")
        .arg(functions::packages(repo))
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_REGION", REGION);
    let parameters = parameters(&server.endpoint());
    for (name, value) in parameters.iter().chain(more) {
        command.arg("--parameter").arg(format!("{name}={value}"));
    }
    let printed = run::capture(&mut command)
        .with_context(|| format!("deploying to the local cloud failed; its log is {}", server.log().display()))?;
    serde_json::from_str(&printed).context("deploy.py printed something else than outputs and secrets")
}

/// What differs from a deployment to AWS: parameters, never the template.
fn parameters(endpoint: &str) -> [(&'static str, String); 21] {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    [
        ("Architecture", architecture.to_owned()),
        ("SenderEmail", SENDER_EMAIL.to_owned()),
        ("RunbookUrl", "https://runbook.example.org/compromise".to_owned()),
        ("OrganisationName", "Example Ltd".to_owned()),
        ("DeletionProtection", "false".to_owned()),
        ("ClientAuthFlows", CLIENT_AUTH_FLOWS.to_owned()),
        // The pool's id is not known before the deployment; the authorizer puts it in.
        ("JwksUrl", format!("{endpoint}/{{user_pool_id}}/.well-known/jwks.json")),
        ("DeployHttpsIntakes", "true".to_owned()),
        ("ProtectedGroups", "admins".to_owned()),
        ("DeployEnforcementApi", "true".to_owned()),
        ("IntrospectionClients", "local".to_owned()),
        // The end date in both tokens, so that both can be tried.
        ("TokenGateVersion", "V2_0".to_owned()),
        ("SiemFeed", "firehose".to_owned()),
        // Made by deploy.py.
        ("SiemFirehoseName", "siem-feed".to_owned()),
        ("DeployCanary", "true".to_owned()),
        // Runs when a test asks for one, and disturbs none.
        ("CanarySchedule", "DISABLED".to_owned()),
        ("CanarySiemSource", "canary".to_owned()),
        ("CanarySiemSecret", "revocation/sources/siem-canary".to_owned()),
        ("CanaryScimSecret", "revocation/sources/scim-canary".to_owned()),
        // A test waits for a run that fails by it.
        ("CanaryHardLimitSeconds", "20".to_owned()),
        ("HttpApiUpstream", format!("{endpoint}/restapis/{{rest_api_id}}/v1/_user_request_")),
    ]
}

/// Password flows as well, so that a test can sign people in.
const CLIENT_AUTH_FLOWS: &str =
    "ALLOW_USER_SRP_AUTH,ALLOW_REFRESH_TOKEN_AUTH,ALLOW_USER_PASSWORD_AUTH,ALLOW_ADMIN_USER_PASSWORD_AUTH";
