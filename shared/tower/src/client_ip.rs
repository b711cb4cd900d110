//! The address a request came from, for the ledger of sessions. It is personal data, and decides nothing.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use http::HeaderMap;
use http::header::HeaderName;
use http::request::Parts;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How the client's address is known. Whoever sends a request can write any header into it, so none is believed unless this
/// says so.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum ClientIp {
    /// It is not.
    #[default]
    Unknown,
    /// It is the peer's: a [`SocketAddr`] among the request's extensions.
    Peer,
    /// By `X-Forwarded-For`, to which each proxy adds whom it heard from at the right end. With this many proxies of one's
    /// own in front (one load balancer: 1), it is the entry so far from the right; everything further left is hearsay.
    ForwardedFor {
        /// How many proxies of one's own add an entry.
        trusted_proxies: NonZeroUsize,
    },
    /// Some other way, such as axum's `ConnectInfo`.
    By(Arc<Way>),
}

/// A way to know the client's address by a request.
pub type Way = dyn Fn(&Parts) -> Option<IpAddr> + Send + Sync;

// === impl ClientIp ===

impl ClientIp {
    pub(crate) fn of(&self, parts: &Parts) -> Option<IpAddr> {
        match self {
            Self::Unknown => None,
            Self::Peer => parts.extensions.get::<SocketAddr>().map(SocketAddr::ip),
            Self::ForwardedFor { trusted_proxies } => forwarded(&parts.headers, *trusted_proxies),
            Self::By(way) => way(parts),
        }
    }
}

impl fmt::Debug for ClientIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("Unknown"),
            Self::Peer => f.write_str("Peer"),
            Self::ForwardedFor { trusted_proxies } => write!(f, "ForwardedFor({trusted_proxies})"),
            Self::By(_) => f.write_str("By(..)"),
        }
    }
}

/// The entry the outermost trusted proxy added. Several headers are one list (RFC 9110, section 5.3).
fn forwarded(headers: &HeaderMap, trusted_proxies: NonZeroUsize) -> Option<IpAddr> {
    // A value that is not text is one entry that is no address.
    let values = headers.get_all(FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or("?"));
    let entries: Vec<&str> = values.flat_map(|value| value.split(',')).collect();
    let entry = entries.get(entries.len().checked_sub(trusted_proxies.get())?)?.trim();
    // Load balancers can be told to add the port (RFC 7239 writes IPv6 in brackets).
    let bare = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port).or_else(bare)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn of(way: &ClientIp, values: &[&str]) -> Option<String> {
        let request = values.iter().fold(Request::builder(), |request, value| request.header(FORWARDED_FOR, *value));
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        parts.extensions.insert(SocketAddr::from(([192, 0, 2, 9], 443)));
        way.of(&parts).map(|ip| ip.to_string())
    }

    #[test]
    fn a_forwarded_address_is_counted_from_the_right() {
        let behind = |n| ClientIp::ForwardedFor { trusted_proxies: NonZeroUsize::new(n).unwrap() };
        for (n, values, expected) in [
            (1, &["192.0.2.1"][..], Some("192.0.2.1")),
            (1, &["6.6.6.6, 192.0.2.1"], Some("192.0.2.1")),
            (1, &["6.6.6.6", "192.0.2.1"], Some("192.0.2.1")),
            (2, &["6.6.6.6, 192.0.2.1 ,10.0.0.1"], Some("192.0.2.1")),
            (2, &["6.6.6.6,192.0.2.1", "10.0.0.1"], Some("192.0.2.1")),
            (1, &["192.0.2.1:443"], Some("192.0.2.1")),
            (1, &["2001:db8::1"], Some("2001:db8::1")),
            (1, &["[2001:db8::1]"], Some("2001:db8::1")),
            (1, &["[2001:db8::1]:443"], Some("2001:db8::1")),
            (2, &["192.0.2.1"], None),
            (1, &[], None),
            (1, &["192.0.2.1,"], None),
            (1, &["192.0.2.1, evil"], None),
            (1, &["192.0.2.1", "\u{e9}"], None),
        ] {
            assert_eq!(of(&behind(n), values).as_deref(), expected, "{n} {values:?}");
        }
    }

    #[test]
    fn no_header_is_believed_unasked() {
        let forged = &["6.6.6.6"];
        assert_eq!(of(&ClientIp::default(), forged), None);
        assert_eq!(of(&ClientIp::Peer, forged).as_deref(), Some("192.0.2.9"));
        let way = ClientIp::By(Arc::new(|_| "::1".parse().ok()));
        assert_eq!(of(&way, forged).as_deref(), Some("::1"));
    }
}
