//! What is written of a sighting.

use std::time::Duration;

use revocation_core::domain::time::EpochMillis;
use serde_json::{Map, Value, json};

/// What happened to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was used.
    Seen,
    /// It was refused, because it had been ended.
    Refused,
}

/// A sighting to be written.
pub(super) struct Note {
    pub(super) kind: Kind,
    /// The session's hash in [`Seen`].
    pub(super) hash: u64,
    pub(super) subject: String,
    pub(super) origin_jti: String,
    pub(super) client_id: String,
    pub(super) auth_time: Option<i64>,
    pub(super) at: EpochMillis,
    pub(super) ip: Option<String>,
    pub(super) user_agent: Option<String>,
}

// === impl Note ===

impl Note {
    /// `UpdateItem`.
    pub(super) fn update(self, table: &str, retention: Duration) -> Value {
        match self.kind {
            Kind::Seen => self.seen(table, retention),
            Kind::Refused => self.refused(table, retention),
        }
    }

    /// Sightings arrive late and out of order: a later one stands, and the first one stays the first.
    fn seen(self, table: &str, retention: Duration) -> Value {
        let note = self;
        let expires_at = note.at.seconds().plus(retention);
        let n = |number: i64| json!({"N": number.to_string()});
        let mut set = vec![
            ("client_id", json!({"S": note.client_id})),
            ("last_seen", n(note.at.0)),
            ("expires_at", n(expires_at.0)),
        ];
        set.extend(note.auth_time.map(|at| ("auth_time", n(at))));
        set.extend(note.ip.map(|ip| ("ip", json!({"S": ip}))));
        set.extend(note.user_agent.map(|agent| ("user_agent", json!({"S": agent}))));
        let mut expression = "SET #first_seen = if_not_exists(#first_seen, :last_seen)".to_owned();
        let (mut names, mut values) = (Map::new(), Map::new());
        names.insert("#first_seen".to_owned(), "first_seen".into());
        for (name, value) in set {
            expression.extend([", #", name, " = :", name]);
            names.insert(format!("#{name}"), name.into());
            values.insert(format!(":{name}"), value);
        }
        json!({
            "TableName": table,
            "Key": {"subject": {"S": note.subject}, "origin_jti": {"S": note.origin_jti}},
            "UpdateExpression": expression,
            "ConditionExpression": "attribute_not_exists(#last_seen) OR #last_seen < :last_seen",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        })
    }

    /// The first refusal stands. A session that was never noted gets an item without `first_seen`, which is none to whoever
    /// counts sessions.
    fn refused(self, table: &str, retention: Duration) -> Value {
        let n = |number: i64| json!({"N": number.to_string()});
        json!({
            "TableName": table,
            "Key": {"subject": {"S": self.subject}, "origin_jti": {"S": self.origin_jti}},
            "UpdateExpression": "SET refused_at = :at, expires_at = if_not_exists(expires_at, :expires_at)",
            "ConditionExpression": "attribute_not_exists(refused_at) OR refused_at > :at",
            "ExpressionAttributeValues": {":at": n(self.at.0), ":expires_at": n(self.at.seconds().plus(retention).0)},
        })
    }
}
