//! IP addresses and user agents, bounded and in the form in which they are stored.

use std::net::IpAddr;

use ring::hmac;

use crate::signer::push_hex;

/// Characters of a user agent kept. Browsers' have 120.
const USER_AGENT_CHARS: usize = 256;

/// How IP addresses and user agents are stored.
#[derive(Clone)]
pub enum PersonalData {
    /// As they are.
    Plain,
    /// As HMAC-SHA256 of them, hexadecimal: equal ones can be told, and with the key a suspected one be confirmed.
    Hashed(hmac::Key),
    /// Not at all.
    LeftOut,
}

impl PersonalData {
    /// Keyed hashes. Whoever knows the key can search for an address; keep it as a secret, and the same for all writers.
    #[must_use]
    pub fn hashed(key: &[u8]) -> Self {
        Self::Hashed(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// An address, in one form for each.
    pub(super) fn ip(&self, ip: &str) -> Option<String> {
        let ip: IpAddr = ip.trim().parse().ok()?;
        self.store(ip.to_canonical().to_string())
    }

    /// A user agent, without what is no text, cut.
    pub(super) fn user_agent(&self, agent: &str) -> Option<String> {
        let agent: String = agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS).collect();
        if agent.is_empty() { None } else { self.store(agent) }
    }

    fn store(&self, text: String) -> Option<String> {
        match self {
            Self::Plain => Some(text),
            Self::Hashed(key) => {
                let mut hash = String::with_capacity(64);
                push_hex(&mut hash, hmac::sign(key, text.as_bytes()).as_ref());
                Some(hash)
            }
            Self::LeftOut => None,
        }
    }
}
