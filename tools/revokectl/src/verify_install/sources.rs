//! The document of the HTTPS sources: readable, and without mistakes. The intakes do not start with a bad one.

use revocation_aws::ssm::SsmParameterReader;
use revocation_core::ports::TextReader as _;
use revocation_sources::Sources;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "sources";

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let Some(parameter) = &context.operations().await?.sources_parameter else {
        return Ok(vec![Check::ok(GROUP, "HTTPS intakes", "not deployed")]);
    };
    let document = SsmParameterReader::new(context.aws().await?).read(parameter).await;
    Ok(vec![match document.as_deref().map(Sources::parse) {
        Ok(Ok(sources)) => {
            let count = sources.siem.len() + sources.role_change.len() + sources.scim.len();
            Check::ok(GROUP, parameter.as_str(), format!("{count} sources"))
        }
        Ok(Err(_)) => {
            let next = "cargo xtask check-sources FILE names them; then aws ssm put-parameter --overwrite";
            Check::failed(GROUP, parameter.as_str(), "it has mistakes", next)
        }
        Err(error) => Check::not_seen(GROUP, parameter.as_str(), error.clone()),
    }])
}
