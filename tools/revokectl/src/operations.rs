//! Names and settings of a deployed pipeline, from the one parameter the stack writes for its operators
//! (`OperationsParameter` in `infra/template.yaml`).

use std::collections::BTreeMap;

use revocation_core::domain::policy::{Policy, PolicyOverrides};
use revocation_core::domain::profile::UserPoolId;
use serde::{Deserialize, Deserializer};

use crate::failure::Failure;

/// What the stack tells its operators. Members this build does not know are ignored, and those of parts that are not
/// deployed are empty, which reads as `None`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Operations {
    /// One item per user.
    pub(crate) tombstones_table: String,
    /// The audit trail.
    pub(crate) revocations_table: String,
    /// The session ledger.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) sessions_table: Option<String>,
    /// Counts and incidents.
    pub(crate) compromises_table: String,
    /// Receipts, and the subjects each source named this hour.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) intake_table: Option<String>,
    /// Bulk revocations.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) bulk_table: Option<String>,
    /// The hash chain over the audit trail.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) audit_chain_table: Option<String>,
    /// Reports, and digests of the chain.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) evidence_bucket: Option<String>,
    /// The KMS key that signs the digests.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) audit_signing_key: Option<String>,
    /// The authorizer of API Gateway.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) authorizer_function_arn: Option<String>,
    /// What Cognito asks before it makes tokens.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) token_gate_function_arn: Option<String>,
    /// The bus.
    pub(crate) bus_name: String,
    /// Pools in which subjects are looked up.
    pub(crate) user_pool_ids: Vec<String>,
    /// Groups whose members are not locked by accident.
    #[serde(default)]
    pub(crate) protected_groups: Vec<String>,
    /// Upstream issuer to the provider's name in the pool.
    #[serde(default)]
    pub(crate) issuer_providers: BTreeMap<String, String>,
    /// The deployment's changes to the policy table.
    #[serde(default)]
    pub(crate) policy_overrides: PolicyOverrides,
    /// Parameter with the document of the HTTPS sources.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) sources_parameter: Option<String>,
    /// More accounts than this within the window raise a page.
    pub(crate) compromise_threshold: usize,
    /// The window, minutes.
    pub(crate) compromise_window_minutes: u64,
    /// Requests beyond a source's blast radius.
    #[serde(default, deserialize_with = "deployed")]
    pub(crate) parked_queue_url: Option<String>,
    /// The canary, where it is deployed.
    #[serde(default)]
    pub(crate) canary: Option<Canary>,
    /// The functions' queues, by the function's name.
    pub(crate) queues: BTreeMap<String, Queue>,
}

/// A function's queue.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Queue {
    /// What the function is fed from.
    pub(crate) url: String,
    /// What it could not handle, and what the bus could not deliver.
    pub(crate) dead_letters_url: String,
}

/// The canary's users and records.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Canary {
    /// The pool of its users.
    pub(crate) user_pool_id: String,
    /// Whose sessions it ends.
    pub(crate) user: String,
    /// Whose it does not.
    pub(crate) control: String,
    /// The secret with the password of both.
    pub(crate) password_secret: String,
    /// What its runs came to.
    pub(crate) runs_table: String,
}

impl Operations {
    /// Reads the parameter.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        serde_json::from_str(text).map_err(|error| {
            Failure::other(format!("the stack's operations parameter is not what this revokectl reads: {error}"))
                .next("stack and revokectl are of different versions: deploy the stack, or install the revokectl, of the other's")
        })
    }

    /// What follows from a reason here.
    pub(crate) fn policy(&self) -> Policy {
        Policy::with(&self.policy_overrides)
    }

    /// The pools by their ids.
    pub(crate) fn pools(&self) -> Vec<UserPoolId> {
        self.user_pool_ids.iter().cloned().map(UserPoolId).collect()
    }
}

/// CloudFormation cannot leave a member out: one that is empty is not deployed.
fn deployed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()))
}
