//! SDK errors as port errors: a stable code, whether trying again helps, and nothing of the service's message.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use revocation_core::domain::disposition::Disposition;
use revocation_core::ports::PortError;

/// Errors of the services used here that the same call will meet again. Everything not listed may pass: an unknown
/// error costs a few retries, a wrong entry here would cost a revocation.
const FOR_GOOD: [&str; 25] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    // SES: a malformed address.
    "BadRequestException",
    "InvalidParameter",
    "InvalidParameterException",
    "InvalidParameterValue",
    "InvalidUserPoolConfigurationException",
    "MailFromDomainNotVerifiedException",
    "MessageRejected",
    "NoSuchBucket",
    "NotAuthorizedException",
    "NotFound",
    "NotFoundException",
    // A secondary Region of a replicated pool: it will not do it however often it is asked.
    "OperationNotEnabledException",
    "OptedOut",
    "OptedOutException",
    "ParameterNotFound",
    "ResourceNotFoundException",
    "UnknownOperationException",
    "UnsupportedOperation",
    "UserPoolAddOnNotEnabledException",
    "ValidationError",
    "ValidationException",
];

/// What every operation's own error is.
pub(crate) trait OperationError: ProvideErrorMetadata + Error + 'static {}

impl<E: ProvideErrorMetadata + Error + 'static> OperationError for E {}

/// Maps an SDK error.
pub(crate) fn port_error<E: OperationError>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> PortError {
    match error {
        // Never in a function, whose credentials are in its environment; a person's may be missing or have expired.
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) if without_credentials(error) => {
            PortError::reject(operation, "no_credentials")
        }
        SdkError::TimeoutError(_) => PortError::retry(operation, "timeout"),
        SdkError::DispatchFailure(_) => PortError::retry(operation, "unreachable"),
        SdkError::ConstructionFailure(_) => PortError::reject(operation, "request_not_built"),
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) => {
                let disposition = if FOR_GOOD.contains(&code) { Disposition::Reject } else { Disposition::Retry };
                PortError { operation, code: snake_case(code), disposition }
            }
            None => PortError::retry(operation, "unnamed_service_error"),
        },
        _ => PortError::retry(operation, "bad_response"),
    }
}

/// Whether the call was not sent because there are no credentials to sign it with.
fn without_credentials(error: &(dyn Error + 'static)) -> bool {
    error.is::<CredentialsError>() || error.source().is_some_and(without_credentials)
}

/// `TooManyRequestsException` → `too_many_requests`.
fn snake_case(code: &str) -> String {
    let mut text = String::new();
    for c in code.trim_end_matches("Exception").chars().filter(char::is_ascii_alphanumeric).take(64) {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_stable_words() {
        assert_eq!(snake_case("TooManyRequestsException"), "too_many_requests");
        assert_eq!(snake_case("AccessDenied"), "access_denied");
    }
}
