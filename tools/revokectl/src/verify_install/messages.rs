//! Whether people can be told: in the sandboxes of SNS and SES only those can whose number or address was verified.

use revocation_aws::ses::SesAccountReader;
use revocation_aws::sns::SnsSandboxReader;
use revocation_core::ports::PortError;

use super::Check;
use crate::context::Context;
use crate::failure::Failure;

const GROUP: &str = "messages";

pub(super) async fn checks(context: &Context) -> Result<Vec<Check>, Failure> {
    let aws = context.aws().await?;
    let (sms, email) = (SnsSandboxReader::new(aws), SesAccountReader::new(aws));
    let (sms, email) = tokio::join!(sms.is_in_sandbox(), email.is_restricted());
    Ok(vec![
        judge("SMS", sms, "SNS console, Text messaging: exit the sandbox, raise the spending limit (a day or two)"),
        judge("e-mail", email, "SES console: request production access (a day or two); verify the sender's domain"),
    ])
}

fn judge(what: &str, restricted: Result<bool, PortError>, next: &str) -> Check {
    match restricted {
        Ok(false) => Check::ok(GROUP, what, "goes to anybody"),
        Ok(true) => Check::warning(GROUP, what, "in the sandbox: goes to verified recipients only", next),
        Err(error) => Check::not_seen(GROUP, what, error),
    }
}
