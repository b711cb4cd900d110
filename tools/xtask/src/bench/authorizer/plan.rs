//! What is measured, in the words of `tools/bench-harness`, and what that answers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::node::NodePeer;

pub(super) const OURS: &str = "ours";
pub(super) const OURS_REMEMBERING: &str = "ours, token met before";
pub(super) const NODE: &str = "Node peer";
pub(super) const NODE_CONNECTED: &str = "Node peer, connected in init";
pub(super) const NOTHING: &str = "floor: an invocation";
pub(super) const READ: &str = "floor: a read of the store";

/// What `functions/authorizer/examples/bench_handler.rs` prints as `case`.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pool: String,
    client: String,
    subject: String,
    jwks: Value,
    event: String,
    item: Value,
}

/// A program to measure.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Variant {
    pub(super) name: &'static str,
    pub(super) command: Vec<String>,
    env: BTreeMap<String, String>,
    warm_ups: usize,
    reads: bool,
}

/// Measures.
pub(super) struct Harness {
    pub(super) binary: PathBuf,
    /// For its files.
    pub(super) dir: PathBuf,
    pub(super) case: Case,
    /// With one core there is nothing to pin.
    pub(super) cores: usize,
}

/// The store as it is played.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoreKind {
    pub(super) tls: bool,
    pub(super) delay_us: u64,
}

/// Where the harness runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Placement {
    /// On the instance's core. Each waits while the other works, so a time is the sum of both; and nobody wakes a sleeping
    /// core, which in a virtual machine takes 10 to 20 µs each time, and longer the less the machine does.
    Together,
    /// On a core of its own, if there are two.
    Apart,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Warm {
    pub(super) name: String,
    pub(super) invocations: usize,
    pub(super) time: Spread,
    /// The least and the greatest median of a block of invocations.
    pub(super) block_p50_us: [f64; 2],
    pub(super) cpu_us: Option<f64>,
    pub(super) rss_kib: Option<u64>,
    pub(super) rss_anon_kib: Option<u64>,
    pub(super) reads_per_invocation: f64,
    pub(super) answer: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names the harness prints, units included")]
pub(super) struct Spread {
    pub(super) min_us: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Cold {
    pub(super) name: String,
    pub(super) runs: usize,
    pub(super) init_us: f64,
    pub(super) first_us: f64,
    pub(super) total_us: f64,
    pub(super) init_cpu_us: f64,
    pub(super) first_cpu_us: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Throttled {
    pub(super) name: String,
    pub(super) runs: usize,
    pub(super) first_us: f64,
    pub(super) least_us: f64,
    pub(super) most_us: f64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Throughput {
    pub(super) name: String,
    pub(super) instances: usize,
    pub(super) per_second: f64,
    pub(super) rounds: Vec<f64>,
}

// === impl Case ===

impl Case {
    /// The environment of an authorizer in Lambda. Every variant gets the same.
    fn environment(&self) -> BTreeMap<String, String> {
        let pools = json!([{ "user_pool_id": self.pool, "client_ids": [self.client], "jwks": self.jwks }]);
        // As long as what Lambda hands out; it is sent and signed with each read.
        let session_token = "IQoJb3JpZ2luX2VjEXAMPLE".repeat(40);
        let variables = [
            ("AWS_LAMBDA_RUNTIME_API", "{api}"),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "ASIAIOSFODNN7EXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            ("AWS_SESSION_TOKEN", &session_token),
            ("AWS_ENDPOINT_URL_DYNAMODB", "{store}"),
            ("SSL_CERT_FILE", "{roots}"),
            ("AWS_CA_BUNDLE", "{authority}"),
            ("NODE_EXTRA_CA_CERTS", "{authority}"),
            ("TOMBSTONES_TABLE", "tombstones"),
            ("TOKEN_POOLS", &pools.to_string()),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    pub(super) fn ours(&self, binary: &Path, warm_ups: usize) -> Variant {
        let command = vec![binary.display().to_string()];
        let mut env = self.environment();
        // The peer verifies every signature, and so does this one: a client may send each token once.
        env.insert("SIGNATURE_CACHE".to_owned(), "0".to_owned());
        Variant { name: OURS, command, env, warm_ups, reads: true }
    }

    /// As [`Self::ours`], as it is deployed: a token met before is known again, and only its tombstone is read.
    pub(super) fn ours_remembering(&self, binary: &Path, warm_ups: usize) -> Variant {
        Variant { name: OURS_REMEMBERING, env: self.environment(), ..self.ours(binary, warm_ups) }
    }

    pub(super) fn node(&self, peer: &NodePeer, warm_ups: usize) -> Variant {
        let mut env = self.environment();
        env.insert("LAMBDA_TASK_ROOT".to_owned(), peer.bundle.display().to_string());
        env.insert("_HANDLER".to_owned(), "authorizer.handler".to_owned());
        Variant { name: NODE, command: peer.command.clone(), env, warm_ups, reads: true }
    }

    /// As [`Self::node`], with its first read in the init phase.
    pub(super) fn node_connected(&self, peer: &NodePeer) -> Variant {
        let mut variant = self.node(peer, 0);
        variant.name = NODE_CONNECTED;
        variant.env.insert("WARM".to_owned(), "1".to_owned());
        variant
    }
}

// === impl Harness ===

impl Harness {
    /// The instance that does nothing.
    pub(super) fn nothing(&self) -> Variant {
        let words = [&*self.binary.to_string_lossy(), "answer-nothing", "{api}"];
        let command = words.map(str::to_owned).to_vec();
        Variant { name: NOTHING, command, env: BTreeMap::new(), warm_ups: 200, reads: false }
    }

    /// Where an instance under measurement runs.
    pub(super) fn instance_core(&self) -> usize {
        self.cores.min(2) - 1
    }

    /// Measures one instance of each variant at a time.
    pub(super) fn measure<F: DeserializeOwned>(
        &self,
        store: StoreKind,
        placement: Placement,
        variants: &[Variant],
        work: &Value,
    ) -> Result<F> {
        let core = self.instance_core();
        let harness_core = match placement {
            Placement::Together => core,
            Placement::Apart => 0,
        };
        self.run(store, variants, work, Some(harness_core), &[core])
    }

    /// Measures an instance of a variant on each of two cores at once.
    pub(super) fn throughput(&self, store: StoreKind, variants: &[Variant], work: &Value) -> Result<Vec<Throughput>> {
        let cores: Vec<usize> = (0..self.cores.min(2)).collect();
        self.run(store, variants, work, None, &cores)
    }

    fn run<F: DeserializeOwned>(
        &self,
        store: StoreKind,
        variants: &[Variant],
        work: &Value,
        harness_core: Option<usize>,
        cores: &[usize],
    ) -> Result<F> {
        let plan = json!({
            "event": self.case.event, "subject": self.case.subject,
            "found": json!({ "Item": self.case.item }).to_string(),
            "delay_us": store.delay_us, "tls": store.tls, "dir": self.dir, "harness_core": harness_core, "cores": cores,
            "variants": variants, "work": work,
        });
        let mut command = Command::new(&self.binary);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start the harness")?;
        let stdin = child.stdin.take();
        let plan = plan.to_string();
        // Beside reading what it says: a harness that ends early must not leave us writing.
        let writer = thread::spawn(move || stdin.is_none_or(|mut stdin| stdin.write_all(plan.as_bytes()).is_ok()));
        let output = child.wait_with_output().context("lost the harness")?;
        writer.join().ok();
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let (status, dir) = (output.status, self.dir.display());
            bail!("the harness failed ({status}); instances' own words are in {dir}:\n{}", said.trim_end());
        }
        serde_json::from_slice(&output.stdout).context("the harness printed something else")
    }
}
