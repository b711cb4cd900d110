//! Mappings for the senders that are met most, shipped as documents: `shared/sources/presets/`.

/// A mapping to begin with; every cell can be overridden.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Preset {
    /// Datadog Cloud SIEM, with the payload of `presets/datadog.payload.json`.
    Datadog,
    /// Splunk's webhook alert action.
    Splunk,
    /// Microsoft Sentinel: the incident as a Logic App gets it.
    Sentinel,
    /// Elastic Security through Kibana's webhook connector, with the body of `presets/elastic.payload.mustache`.
    Elastic,
    /// `CrowdStrike` Falcon Fusion SOAR, with the payload of `presets/crowdstrike.payload.json`.
    Crowdstrike,
    /// PagerDuty's webhooks of version 3.
    Pagerduty,
    /// Our own form, for anyone else.
    Plain,
}

// === impl Preset ===

impl Preset {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Datadog, Self::Splunk, Self::Sentinel, Self::Elastic, Self::Crowdstrike, Self::Pagerduty, Self::Plain];

    /// The preset of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == name)
    }

    /// The name in configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Datadog => "datadog",
            Self::Splunk => "splunk",
            Self::Sentinel => "sentinel",
            Self::Elastic => "elastic",
            Self::Crowdstrike => "crowdstrike",
            Self::Pagerduty => "pagerduty",
            Self::Plain => "plain",
        }
    }

    /// Its mapping, as a YAML document in the form of a source's `mapping`.
    #[must_use]
    pub fn mapping(self) -> &'static str {
        match self {
            Self::Datadog => include_str!("../../presets/datadog.yaml"),
            Self::Splunk => include_str!("../../presets/splunk.yaml"),
            Self::Sentinel => include_str!("../../presets/sentinel.yaml"),
            Self::Elastic => include_str!("../../presets/elastic.yaml"),
            Self::Crowdstrike => include_str!("../../presets/crowdstrike.yaml"),
            Self::Pagerduty => include_str!("../../presets/pagerduty.yaml"),
            Self::Plain => include_str!("../../presets/plain.yaml"),
        }
    }
}
