//! What is known of a running pipeline: the members of `target/local-cloud.json` that are used here.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Addresses, names and credentials. Written by `cargo xtask up`.
#[derive(Clone, Debug, Deserialize)]
pub struct Facts {
    /// Every AWS API.
    pub endpoint: String,
    /// Region.
    pub region: String,
    /// Credentials.
    pub access_key_id: String,
    /// Credentials.
    pub secret_access_key: String,
    /// REST API: this address and every path below it is protected (REQUEST authorizer).
    pub api_url: String,
    /// The path of the REST API behind the TOKEN authorizer.
    pub token_api_url: String,
    /// HTTP API (payload format 2.0).
    pub http_api_url: String,
    /// The enforcement API; `/ext_authz` is below it.
    pub enforcement_url: String,
    /// The introspection endpoint of RFC 7662; `/batch` is below it.
    pub introspect_url: String,
    /// The sign-out endpoint of the shape of RFC 7009.
    pub sign_out_url: String,
    /// The secret of its client `local`.
    pub introspection_secret: String,
    /// The HTTPS intakes.
    pub intakes_url: String,
    /// SCIM 2.0 service provider.
    pub scim_url: String,
    /// A bearer token for it, of the source `scim/entra`.
    pub scim_token: String,
    /// Alerts; a source's name comes after it.
    pub siem_url: String,
    /// Role changes; a source's name comes after it.
    pub role_change_url: String,
    /// The secret of every source, by names such as `siem/plain`.
    pub source_secrets: BTreeMap<String, String>,
    /// Parameter with the document of sources.
    pub sources_parameter: String,
    /// User pool.
    pub user_pool_id: String,
    /// Its client.
    pub client_id: String,
    /// The pool's keys.
    pub jwks_url: String,
    /// Bus of the pipeline.
    pub bus_name: String,
    /// One item a user.
    pub tombstones_table: String,
    /// Its feed of changes.
    pub tombstone_feed_table: String,
    /// The session ledger.
    pub sessions_table: String,
    /// Audit trail.
    pub revocations_table: String,
    /// Signs of compromise and incidents.
    pub compromises_table: String,
    /// The hash chain over the audit trail.
    pub audit_chain_table: String,
    /// Source queue of audit-chain: whatever is sent there is a tick.
    pub audit_chain_queue_url: String,
    /// What the canary's runs came to.
    pub canary_runs_table: String,
    /// Source queue of canary: whatever is sent there is a tick.
    pub canary_queue_url: String,
    /// Source queue of sweeper: whatever is sent there is a tick.
    pub sweeper_queue_url: String,
    /// Reports and digests.
    pub evidence_bucket: String,
    /// The key that signs digests.
    pub audit_signing_key: String,
    /// Receipts, and the subjects each HTTPS source named this hour.
    pub intake_table: String,
    /// Pages.
    pub page_topic_arn: String,
    /// Dead letters of intake-partner.
    pub intake_dlq_url: String,
    /// Dead letters of revoke.
    pub revoke_dlq_url: String,
    /// Source queue of intake-partner.
    pub intake_queue_url: String,
    /// Requests beyond a source's blast radius.
    pub parked_queue_url: String,
    /// Source queue of revoke.
    pub revoke_queue_url: String,
    /// Source queue of notify.
    pub notify_queue_url: String,
    /// Its dead letters.
    pub notify_dlq_url: String,
    /// Source queue of siem-feed.
    pub siem_feed_queue_url: String,
    /// Bulk revocations.
    pub bulk_table: String,
    /// Dead letters of bulk.
    pub bulk_dlq_url: String,
    /// Source queue of compromise-counter.
    pub compromise_queue_url: String,
    /// Its dead letters.
    pub compromise_dlq_url: String,
    /// What the server and the functions write.
    pub log: String,
}

impl Facts {
    /// The facts as the variables by which AWS clients are configured.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        match name {
            "AWS_REGION" => Some(self.region.clone()),
            "AWS_ACCESS_KEY_ID" => Some(self.access_key_id.clone()),
            "AWS_SECRET_ACCESS_KEY" => Some(self.secret_access_key.clone()),
            "AWS_ENDPOINT_URL" => Some(self.endpoint.clone()),
            _ => None,
        }
    }
}
