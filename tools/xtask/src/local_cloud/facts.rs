//! What others need to know of a running local cloud: `target/local-cloud.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Serialize;

use super::deploy::{Deployed, SENDER_EMAIL};
use super::server::{ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, Server};
use crate::functions;

/// Addresses, names and credentials of a local cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Facts {
    /// Every AWS API.
    pub(crate) endpoint: String,
    /// Region it plays.
    pub(crate) region: String,
    /// Account it plays.
    pub(crate) account_id: String,
    /// Credentials of the local account's root.
    pub(crate) access_key_id: String,
    /// Their secret; it opens nothing but this server.
    pub(crate) secret_access_key: String,
    /// REST API: this address and every path below it is protected (REQUEST authorizer).
    pub(crate) api_url: String,
    /// The one path of the REST API behind the TOKEN authorizer.
    pub(crate) token_api_url: String,
    /// HTTP API: this address and every path below it is protected (payload format 2.0, simple response).
    pub(crate) http_api_url: String,
    /// The enforcement API: `/introspect`, `/introspect/batch` and `/ext_authz` are below it.
    pub(crate) enforcement_url: String,
    /// The introspection endpoint of RFC 7662.
    pub(crate) introspect_url: String,
    /// The sign-out endpoint of the shape of RFC 7009.
    pub(crate) sign_out_url: String,
    /// The secret of its client `local`.
    pub(crate) introspection_secret: String,
    /// The HTTPS intakes; `/healthz` below it tells whether they are up.
    pub(crate) intakes_url: String,
    /// SCIM 2.0 service provider.
    pub(crate) scim_url: String,
    /// A bearer token for it, of the source `scim/entra`.
    pub(crate) scim_token: String,
    /// Alerts; a source's name comes after it.
    pub(crate) siem_url: String,
    /// Standard Webhooks secret of the source `siem/plain`.
    pub(crate) siem_secret: String,
    /// Role changes; a source's name comes after it.
    pub(crate) role_change_url: String,
    /// Standard Webhooks secret of the source `role-change/erp`.
    pub(crate) role_change_secret: String,
    /// The secret of every source in `tools/xtask/local_cloud/sources.yaml`, by names such as `siem/plain`.
    pub(crate) source_secrets: BTreeMap<String, String>,
    /// Parameter with the document of sources.
    pub(crate) sources_parameter: String,
    /// User pool.
    pub(crate) user_pool_id: String,
    /// Its client; it has no secret.
    pub(crate) client_id: String,
    /// `iss` of the pool's tokens.
    pub(crate) issuer: String,
    /// The pool's keys.
    pub(crate) jwks_url: String,
    /// Bus of the pipeline.
    pub(crate) bus_name: String,
    /// One item per user.
    pub(crate) tombstones_table: String,
    /// Its feed of changes.
    pub(crate) tombstone_feed_table: String,
    /// The session ledger.
    pub(crate) sessions_table: String,
    /// Audit trail.
    pub(crate) revocations_table: String,
    /// Counts and incidents.
    pub(crate) compromises_table: String,
    /// The hash chain over the audit trail.
    pub(crate) audit_chain_table: String,
    /// Source queue of audit-chain: whatever is sent there is a tick.
    pub(crate) audit_chain_queue_url: String,
    /// Reports and digests.
    pub(crate) evidence_bucket: String,
    /// The key that signs digests.
    pub(crate) audit_signing_key: String,
    /// Receipts, and the subjects each HTTPS source named this hour.
    pub(crate) intake_table: String,
    /// Pages.
    pub(crate) page_topic_arn: String,
    /// Notices to managers and HR.
    pub(crate) notice_topic_arn: String,
    /// Alarms.
    pub(crate) operations_topic_arn: String,
    /// Sender of notices.
    pub(crate) sender_email: String,
    /// Source queue of intake-partner.
    pub(crate) intake_queue_url: String,
    /// Its dead letters.
    pub(crate) intake_dlq_url: String,
    /// Requests beyond a source's blast radius.
    pub(crate) parked_queue_url: String,
    /// Source queue of revoke.
    pub(crate) revoke_queue_url: String,
    /// Its dead letters.
    pub(crate) revoke_dlq_url: String,
    /// Source queue of compromise-counter.
    pub(crate) compromise_queue_url: String,
    /// Its dead letters.
    pub(crate) compromise_dlq_url: String,
    /// Source queue of notify.
    pub(crate) notify_queue_url: String,
    /// Its dead letters.
    pub(crate) notify_dlq_url: String,
    /// Bulk revocations.
    pub(crate) bulk_table: String,
    /// Dead letters of bulk.
    pub(crate) bulk_dlq_url: String,
    /// Names the functions have in Lambda, and their log groups.
    pub(crate) functions: Vec<DeployedFunction>,
    /// Process of the server; it leads a process group.
    pub(crate) pid: u32,
    /// What the server writes.
    pub(crate) log: String,
}

/// A function as deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct DeployedFunction {
    /// Name of its package.
    pub(crate) package: String,
    /// Name in Lambda.
    pub(crate) name: String,
    /// Log group.
    pub(crate) log_group: String,
}

/// Package, and what the template's outputs for it begin with.
const FUNCTIONS: [(&str, &str, &str); functions::ALL.len()] = [
    ("intake-partner", "IntakePartnerFunctionName", "IntakeLogGroupName"),
    ("revoke", "RevokeFunctionName", "RevokeLogGroupName"),
    ("report", "ReportFunctionName", "ReportLogGroupName"),
    ("audit-chain", "AuditChainFunctionName", "AuditChainLogGroupName"),
    ("compromise-counter", "CompromiseCounterFunctionName", "CompromiseLogGroupName"),
    ("notify", "NotifyFunctionName", "NotifyLogGroupName"),
    ("authorizer", "AuthorizerFunctionName", "AuthorizerLogGroupName"),
    ("intake-scim", "IntakeScimFunctionName", "ScimLogGroupName"),
    ("intake-siem", "IntakeSiemFunctionName", "SiemLogGroupName"),
    ("intake-role-change", "IntakeRoleChangeFunctionName", "RoleChangeLogGroupName"),
    ("token-gate", "TokenGateFunctionName", "TokenGateLogGroupName"),
    ("introspect", "IntrospectFunctionName", "IntrospectLogGroupName"),
    ("sign-out", "SignOutFunctionName", "SignOutLogGroupName"),
    ("bulk", "BulkFunctionName", "BulkLogGroupName"),
    ("siem-feed", "SiemFeedFunctionName", "SiemFeedLogGroupName"),
];

// === impl Facts ===

impl Facts {
    pub(super) fn new(deployed: Deployed, server: &Server) -> Result<Self> {
        let Deployed { outputs, secrets } = deployed;
        let output = |name: &str| {
            let found = outputs.get(name).cloned();
            found.with_context(|| format!("infra/template.yaml has no output `{name}`, which local-cloud.json needs"))
        };
        let secret = |source: &str| {
            let found = secrets.get(source).cloned();
            found.with_context(|| format!("sources.yaml has no source `{source}`, which local-cloud.json needs"))
        };
        let endpoint = server.endpoint();
        let user_pool_id = output("UserPoolId")?;
        let api_url = format!("{endpoint}/restapis/{}/v1/_user_request_", output("ExampleApiId")?);
        let enforcement_url = format!("{endpoint}/_aws/execute-api/{}/$default", output("EnforcementApiId")?);
        let deployed = FUNCTIONS.iter().map(|(package, name, log_group)| {
            Ok(DeployedFunction { package: (*package).to_owned(), name: output(name)?, log_group: output(log_group)? })
        });
        let functions = deployed.collect::<Result<_>>()?;
        Ok(Self {
            region: REGION.to_owned(),
            account_id: output("AccountId")?,
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            token_api_url: format!("{api_url}/token-authorized"),
            api_url,
            http_api_url: format!("{endpoint}/_aws/execute-api/{}/$default", output("ExampleHttpApiId")?),
            introspect_url: format!("{enforcement_url}/introspect"),
            sign_out_url: format!("{enforcement_url}/sign-out"),
            enforcement_url,
            introspection_secret: secret("introspection/local")?,
            intakes_url: output("IntakesUrl")?,
            scim_url: output("ScimUrl")?,
            scim_token: secret("scim/entra")?,
            siem_url: output("SiemUrl")?,
            siem_secret: secret("siem/plain")?,
            role_change_url: output("RoleChangeUrl")?,
            role_change_secret: secret("role-change/erp")?,
            sources_parameter: output("SourcesParameter")?,
            issuer: format!("https://cognito-idp.{REGION}.amazonaws.com/{user_pool_id}"),
            jwks_url: format!("{endpoint}/{user_pool_id}/.well-known/jwks.json"),
            user_pool_id,
            client_id: output("UserPoolClientId")?,
            bus_name: output("BusName")?,
            tombstones_table: output("TombstonesTable")?,
            tombstone_feed_table: output("TombstoneFeedTable")?,
            sessions_table: output("SessionsTable")?,
            revocations_table: output("RevocationsTable")?,
            compromises_table: output("CompromisesTable")?,
            audit_chain_table: output("AuditChainTable")?,
            audit_chain_queue_url: output("AuditChainQueueUrl")?,
            evidence_bucket: output("EvidenceBucket")?,
            audit_signing_key: output("AuditSigningKeyArn")?,
            intake_table: output("IntakeTable")?,
            page_topic_arn: output("PageTopicArn")?,
            notice_topic_arn: output("NoticeTopicArn")?,
            operations_topic_arn: output("OperationsTopicArn")?,
            sender_email: SENDER_EMAIL.to_owned(),
            intake_queue_url: output("IntakeQueueUrl")?,
            intake_dlq_url: output("IntakeDeadLettersUrl")?,
            parked_queue_url: output("ParkedRequestsQueueUrl")?,
            revoke_queue_url: output("RevokeQueueUrl")?,
            revoke_dlq_url: output("RevokeDeadLettersUrl")?,
            compromise_queue_url: output("CompromiseQueueUrl")?,
            compromise_dlq_url: output("CompromiseDeadLettersUrl")?,
            notify_queue_url: output("NotifyQueueUrl")?,
            notify_dlq_url: output("NotifyDeadLettersUrl")?,
            bulk_table: output("BulkTable")?,
            bulk_dlq_url: output("BulkDeadLettersUrl")?,
            functions,
            pid: server.pid(),
            log: server.log().display().to_string(),
            endpoint,
            source_secrets: secrets,
        })
    }

    /// Writes the file whole or not at all.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("cannot write the facts as JSON")?;
        let draft = file.with_extension("draft");
        fs::write(&draft, text + "\n")
            .and_then(|()| fs::rename(&draft, file))
            .with_context(|| format!("cannot write {}", file.display()))
    }
}
