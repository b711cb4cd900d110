//! OCSF 1.3.0, as far as it is written here: what every event has, whatever its class.
//!
//! Source: <https://github.com/ocsf/ocsf-schema/tree/1.3.0>: `events/base_event.json`, `includes/classification.json`,
//! `objects/metadata.json`, `profiles/cloud.json`, `dictionary.json`. Why 1.3.0: `docs/SIEM-FEED.md`.

use revocation_core::domain::time::EpochMillis;
use revocation_core::ports::SiemEvent;
use serde_json::{Map, Value, json};

/// The version of the schema.
pub const VERSION: &str = "1.3.0";
/// How the product is called in `metadata.product`.
pub const PRODUCT: &str = "session-revocation";
/// `activity_id` of what the class has no word for; `activity_name` then says it.
const OTHER: u32 = 99;

/// The classes that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// An incident begins or ends: `events/findings/incident_finding.json`.
    IncidentFinding,
    /// An account was disabled, enabled, locked, reset: `events/iam/account_change.json`.
    AccountChange,
    /// A bulk revocation is over: `events/iam/entity_management.json`.
    EntityManagement,
    /// Sessions end: `events/iam/authentication.json`.
    Authentication,
}

/// What happened, in the words of a class: `activity_id` and `activity_name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity(pub u32, pub &'static str);

/// Of an Account Change: the password must be set anew.
pub const PASSWORD_RESET: Activity = Activity(4, "Password Reset");
/// Of an Account Change: nobody can sign in to it.
pub const DISABLE: Activity = Activity(5, "Disable");

/// `severity_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing needs to be done.
    Informational = 1,
    /// Somebody may want to know.
    Low = 2,
    /// Somebody should look.
    Medium = 3,
    /// Somebody must look.
    High = 4,
    /// At once.
    Critical = 5,
}

/// Where and when the event was put on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The `detail-type`.
    pub detail_type: &'a str,
    /// The account.
    pub account: Option<&'a str>,
    /// The Region.
    pub region: Option<&'a str>,
    /// When; the same on every delivery.
    pub logged_at: EpochMillis,
}

/// An event before what all have in common is added.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Its class.
    pub class: Class,
    /// What happened.
    pub activity: Activity,
    /// How bad it is.
    pub severity: Severity,
    /// When it happened.
    pub at: EpochMillis,
    /// Unique, and the same on every delivery: what a SIEM removes duplicates by.
    pub uid: String,
    /// What ties events of one cause together.
    pub correlation_uid: String,
    /// Labels by which a SIEM may leave it out.
    pub labels: Vec<&'static str>,
    /// One sentence, without names.
    pub message: String,
    /// The members of the class.
    pub members: Map<String, Value>,
}

// === impl Class ===

impl Class {
    /// `class_uid`.
    #[must_use]
    pub fn uid(self) -> u32 {
        match self {
            Self::IncidentFinding => 2_005,
            Self::AccountChange => 3_001,
            Self::Authentication => 3_002,
            Self::EntityManagement => 3_004,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::IncidentFinding => "Incident Finding",
            Self::AccountChange => "Account Change",
            Self::Authentication => "Authentication",
            Self::EntityManagement => "Entity Management",
        }
    }

    fn category(self) -> (u32, &'static str) {
        match self {
            Self::IncidentFinding => (2, "Findings"),
            Self::AccountChange | Self::Authentication | Self::EntityManagement => (3, "Identity & Access Management"),
        }
    }
}

// === impl Activity ===

impl Activity {
    /// Something the class has no word for.
    #[must_use]
    pub fn other(name: &'static str) -> Self {
        Self(OTHER, name)
    }
}

// === impl Severity ===

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Informational => "Informational",
            Self::Low => "Low",
            Self::Medium => "Medium",
            Self::High => "High",
            Self::Critical => "Critical",
        }
    }
}

// === impl Draft ===

impl Draft {
    /// The event as a line.
    #[must_use]
    pub fn finish(self, origin: &Origin<'_>) -> SiemEvent {
        let mut event = self.members.clone();
        event.append(&mut self.classification());
        event.insert("metadata".into(), self.metadata(origin));
        if let Some(region) = origin.region {
            // `type_id` 10: AWS account (`objects/account.json`).
            let account = origin.account.map(|uid| json!({"uid": uid, "type_id": 10, "type": "AWS Account"}));
            let mut cloud = json!({"provider": "AWS", "region": region});
            if let (Some(members), Some(account)) = (cloud.as_object_mut(), account) {
                members.insert("account".into(), account);
            }
            event.insert("cloud".into(), cloud);
        }
        SiemEvent { class_uid: self.class.uid(), line: Value::Object(event).to_string() }
    }

    fn classification(&self) -> Map<String, Value> {
        let (class, Activity(activity_id, activity_name)) = (self.class, self.activity);
        let (category_uid, category_name) = class.category();
        // A type's name is made of the schema's own words, so that of `Other` is not the activity's.
        let caption = if activity_id == OTHER { "Other" } else { activity_name };
        let classification = json!({
            "activity_id": activity_id, "activity_name": activity_name,
            "category_uid": category_uid, "category_name": category_name,
            "class_uid": class.uid(), "class_name": class.name(),
            "type_uid": class.uid() * 100 + activity_id, "type_name": format!("{}: {caption}", class.name()),
            "severity_id": self.severity as u8, "severity": self.severity.name(),
            "time": self.at.0, "message": self.message,
        });
        classification.as_object().cloned().unwrap_or_default()
    }

    fn metadata(&self, origin: &Origin<'_>) -> Value {
        let mut metadata = json!({
            "version": VERSION,
            "uid": self.uid,
            "correlation_uid": self.correlation_uid,
            "event_code": origin.detail_type,
            "logged_time": origin.logged_at.0,
            "product": {
                "name": PRODUCT, "vendor_name": PRODUCT, "version": env!("CARGO_PKG_VERSION"), "feature": {"name": "siem-feed"},
            },
        });
        if let Some(members) = metadata.as_object_mut() {
            if origin.region.is_some() {
                members.insert("profiles".into(), json!(["cloud"]));
            }
            if !self.labels.is_empty() {
                members.insert("labels".into(), json!(self.labels));
            }
        }
        metadata
    }
}
