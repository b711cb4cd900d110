//! The request, read: RFC 7009, section 2.1, with client credentials as RFC 6749, section 2.3.1 has them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use revocation_core::ports::ClientSecret;
use revocation_edge::Request;
use revocation_verify::MAX_TOKEN_BYTES;

use crate::answer::Refused;

/// A form is a token and some words.
const MAX_FORM_BYTES: usize = MAX_TOKEN_BYTES + 2_048;
const MAX_FIELDS: usize = 16;

/// A form. Not `Debug`: it holds a token and a secret (I10).
pub struct Form {
    pub(crate) token: String,
    pub(crate) kind: Kind,
    pub(crate) extent: Extent,
    pub(crate) client: Credentials,
}

/// What an app client says of itself.
pub struct Credentials {
    /// `client_id`.
    pub id: String,
    /// `client_secret`.
    pub secret: Option<ClientSecret>,
}

/// `token_type_hint`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    Refresh,
    Unsaid,
}

/// `everywhere`: what is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// This session (absent, or `false`).
    Here,
    /// All of the user's sessions (`true`).
    Everywhere,
    /// All but this one (`others`).
    Others,
}

// === impl Form ===

impl Form {
    /// Reads a request.
    pub(crate) fn read(request: &Request) -> Result<Self, Refused> {
        let media_type = request.header("content-type").unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refused::InvalidRequest("the content type is not application/x-www-form-urlencoded"));
        }
        if request.body.len() > MAX_FORM_BYTES {
            return Err(Refused::InvalidRequest("the form is too large"));
        }
        // In the address it would stand in logs.
        if !request.query.is_empty() {
            return Err(Refused::InvalidRequest("parameters are taken from the form only"));
        }
        let body = std::str::from_utf8(&request.body).map_err(|_| Refused::InvalidRequest("the form is not UTF-8"))?;
        let fields = Fields::read(body)?;
        let token = fields.get("token")?.filter(|token| !token.is_empty());
        Ok(Self {
            token: token.ok_or(Refused::InvalidRequest("`token` is missing"))?.to_owned(),
            kind: match fields.get("token_type_hint")? {
                Some("access_token") => Kind::Access,
                Some("refresh_token") => Kind::Refresh,
                // RFC 7009, section 2.1: a hint that is not known may be ignored.
                _ => Kind::Unsaid,
            },
            extent: match fields.get("everywhere")? {
                None | Some("" | "false") => Extent::Here,
                Some("true") => Extent::Everywhere,
                Some("others") => Extent::Others,
                Some(_) => return Err(Refused::InvalidRequest("`everywhere` is not true, false or others")),
            },
            client: credentials(request.header("authorization"), &fields)?,
        })
    }
}

/// From `Authorization: Basic`, or from the form; not from both.
fn credentials(authorization: Option<&str>, fields: &Fields) -> Result<Credentials, Refused> {
    let in_form = fields.get("client_id")?;
    let secret = fields.get("client_secret")?.filter(|secret| !secret.is_empty());
    let Some(authorization) = authorization else {
        let id = in_form.ok_or(Refused::InvalidClient)?.to_owned();
        return Ok(Credentials { id, secret: secret.map(|secret| ClientSecret(secret.to_owned())) });
    };
    let basic = basic(authorization).ok_or(Refused::InvalidClient)?;
    if secret.is_some() || in_form.is_some_and(|id| id != basic.id) {
        return Err(Refused::InvalidRequest("the client authenticates in two ways"));
    }
    Ok(basic)
}

fn basic(authorization: &str) -> Option<Credentials> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    let text = STANDARD.decode(encoded.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(text).ok()?;
    let (id, secret) = text.split_once(':')?;
    let secret = Some(decoded(secret)?).filter(|secret| !secret.is_empty()).map(ClientSecret);
    Some(Credentials { id: decoded(id)?, secret })
}

/// The fields of a form. A name that stands twice is refused (RFC 6749, section 3.2).
struct Fields(Vec<(String, String)>);

impl Fields {
    fn read(body: &str) -> Result<Self, Refused> {
        let pairs = body.split('&').filter(|pair| !pair.is_empty());
        let mut fields = Vec::new();
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let field = decoded(name).zip(decoded(value));
            fields.push(field.ok_or(Refused::InvalidRequest("the form is not well encoded"))?);
            if fields.len() > MAX_FIELDS {
                return Err(Refused::InvalidRequest("the form has too many fields"));
            }
        }
        Ok(Self(fields))
    }

    fn get(&self, name: &str) -> Result<Option<&str>, Refused> {
        let mut found = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(Refused::InvalidRequest("a field stands twice")),
        }
    }
}

fn decoded(text: &str) -> Option<String> {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

// === impl Extent ===

impl Extent {
    /// Stable name, for metrics and ids.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Everywhere => "everywhere",
            Self::Others => "others",
        }
    }
}
