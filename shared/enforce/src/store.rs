//! Where tombstones are read, how fresh they must be, and whether sessions are noted.

use std::time::Duration;

use revocation_lambda::env::EnvReader;
use revocation_store::{Freshness, PersonalData};

const SECONDS_A_DAY: u64 = 86_400;
const DEFAULT_RETENTION_DAYS: u64 = 30;
const MOST_RETENTION_DAYS: u64 = 365;

/// Tables and how they are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// `TOMBSTONES_TABLE`.
    pub tombstones_table: String,
    /// `FRESHNESS`: `strict` (default), or milliseconds.
    pub freshness: Freshness,
    /// `TOMBSTONE_FEED_TABLE`: needed unless strict.
    pub feed_table: Option<String>,
    /// `SESSIONS_TABLE`: where sessions are noted; default nowhere.
    pub sessions_table: Option<String>,
    /// `SESSION_RETENTION_DAYS`: how long they are remembered; default 30, at most 365.
    pub retention: Duration,
    /// `SESSION_CLIENT_DATA`: `full` (default) or `none`.
    pub client_data: ClientData,
}

/// Whether IP address and user agent of a session are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientData {
    /// As they are.
    Full,
    /// Not at all.
    None,
}

// === impl StoreSettings ===

impl StoreSettings {
    /// Reads them.
    pub fn read(env: &mut EnvReader<'_>) -> Self {
        let freshness = env.parsed("FRESHNESS", Freshness::Strict);
        let feed_table = env.optional("TOMBSTONE_FEED_TABLE");
        if freshness != Freshness::Strict && feed_table.is_none() {
            env.mistake("TOMBSTONE_FEED_TABLE is not set, which FRESHNESS needs unless it is strict");
        }
        let days = env.parsed("SESSION_RETENTION_DAYS", DEFAULT_RETENTION_DAYS);
        if !(1..=MOST_RETENTION_DAYS).contains(&days) {
            env.mistake(format!("SESSION_RETENTION_DAYS is not 1 to {MOST_RETENTION_DAYS}"));
        }
        let client_data = match env.optional("SESSION_CLIENT_DATA").as_deref() {
            None | Some("full") => ClientData::Full,
            Some("none") => ClientData::None,
            Some(_) => {
                env.mistake("SESSION_CLIENT_DATA is neither full nor none");
                ClientData::None
            }
        };
        Self {
            tombstones_table: env.required("TOMBSTONES_TABLE"),
            freshness,
            feed_table,
            sessions_table: env.optional("SESSIONS_TABLE"),
            retention: Duration::from_secs(days.saturating_mul(SECONDS_A_DAY)),
            client_data,
        }
    }
}

// === impl ClientData ===

impl From<ClientData> for PersonalData {
    fn from(client_data: ClientData) -> Self {
        match client_data {
            ClientData::Full => Self::Plain,
            ClientData::None => Self::LeftOut,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<StoreSettings, usize> {
        struct Map<'a>(&'a [(&'a str, &'a str)]);
        impl revocation_lambda::env::Variables for Map<'_> {
            fn get(&self, name: &str) -> Option<String> {
                self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            }
        }
        let variables = Map(variables);
        let mut env = EnvReader::new(&variables);
        let settings = StoreSettings::read(&mut env);
        env.finish(settings).map_err(|error| error.0.len())
    }

    #[test]
    fn the_defaults_are_strict_and_note_nothing() {
        let settings = read(&[("TOMBSTONES_TABLE", "t")]).unwrap();
        assert_eq!((settings.freshness, settings.sessions_table), (Freshness::Strict, None));
        assert_eq!(settings.retention.as_secs(), 30 * 86_400);
    }

    #[test]
    fn a_snapshot_needs_the_feed() {
        let snapshot = [("TOMBSTONES_TABLE", "t"), ("FRESHNESS", "500")];
        assert_eq!(read(&snapshot), Err(1));
        assert!(read(&[&snapshot[..], &[("TOMBSTONE_FEED_TABLE", "f")]].concat()).is_ok());
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let wrong =
            [("FRESHNESS", "fresh"), ("SESSION_RETENTION_DAYS", "0"), ("SESSION_CLIENT_DATA", "some"), ("X", "y")];
        assert_eq!(read(&wrong), Err(4));
    }
}
