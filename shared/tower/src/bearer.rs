//! The one token of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::answer::Denial;

/// The token of `Authorization: Bearer <token>` (RFC 6750, section 2.1; the scheme's case does not matter, RFC 9110, section
/// 11.1). Neither a query string nor a form is looked at: tokens there end in access logs and browser histories.
pub(crate) fn token(headers: &HeaderMap) -> Result<&str, Denial> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    // Of several, which one the service will look at cannot be known.
    let value = match (values.next(), values.next()) {
        (Some(value), None) => value,
        (None, _) => return Err(Denial::NoToken),
        (Some(_), Some(_)) => return Err(Denial::SeveralTokens),
    };
    let value = value.to_str().map_err(|_| Denial::NotBearer)?.trim_matches(' ');
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim_start_matches(' ')),
        None if value.is_empty() => Err(Denial::NoToken),
        Some(_) | None => Err(Denial::NotBearer),
    }
}
