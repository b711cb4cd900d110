//! Counting accounts with signs of compromise: when is it an incident, and is it a new one (I9)?
//!
//! Everything is decided by the time at which things *occurred*, so that the order of delivery does not matter:
//!
//! - More than `threshold` distinct accounts within `window` (both ends included) are an *exceedance*.
//! - An exceedance that no known incident covers opens one, and that is paged, once.
//! - A sign within `window` of an incident's first sign, or of its last *exceedance*, belongs to it: it keeps counting.
//! - Once nothing exceeded the threshold for `window`, the incident is resolved. A few signs an hour do not keep it open: they
//!   would swallow every later surge. A sign that belongs to it and arrives later still belongs to it: it cannot page a
//!   second time. If by that the threshold was exceeded meanwhile, it is open again.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::time::{EpochMillis, EpochSeconds};

/// Signs older than this are recorded but never page: the incidents of that time are forgotten, so that a replay of
/// old events could otherwise page again. Half a day shorter than [`INCIDENTS_KEPT`].
pub const STALE_AFTER: Duration = Duration::from_hours(24 * 7);
/// How long incidents are remembered after their last sign; longer than [`STALE_AFTER`] plus any sane window.
pub const INCIDENTS_KEPT: Duration = Duration::from_hours(24 * 9);
/// The longest window that may be configured.
pub const LONGEST_WINDOW: Duration = Duration::from_hours(24);
/// Signs so soon after an exceedance are not looked at for another one: a long attack would have everything read with every
/// sign. An incident may be over by so much too early.
const LOOK_AGAIN_AFTER: Duration = Duration::from_mins(1);
/// How many subjects a page names.
pub const SUBJECTS_NAMED: usize = 10;
/// For how long one invocation has the page to itself. Longer than the function's time limit of 20 s, so that only a
/// crashed one loses it.
pub const TELLING_LEASE: Duration = Duration::from_secs(30);

/// An account showed a sign of compromise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Sign {
    /// When it occurred.
    pub at: EpochSeconds,
    /// Which account: `<user_pool_id>#<sub>`, or a hash of the identifier if it could not be resolved.
    pub account: String,
}

/// When many are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// More than this many accounts …
    pub threshold: usize,
    /// … within this time raise a page.
    pub window: Duration,
}

/// Too many accounts within the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exceedance {
    /// The first sign of it.
    pub first: EpochSeconds,
    /// The last sign of it.
    pub last: EpochSeconds,
}

/// An exceedance and what follows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Unique; the deduplication key towards pagers.
    pub id: String,
    /// Its first sign.
    pub first: EpochSeconds,
    /// Its last sign so far.
    pub last: EpochSeconds,
    /// The last sign of its last exceedance; missing in incidents of an older form, where `last` stands for it.
    #[serde(default)]
    pub last_exceeded: Option<EpochSeconds>,
    /// When it was noticed.
    pub opened_at: EpochMillis,
    /// When nothing had exceeded the threshold for a window.
    pub resolved_at: Option<EpochMillis>,
    /// Which pagers know of which stage.
    pub told: BTreeMap<Stage, BTreeSet<String>>,
    /// Until when the invocation that is telling them has it to itself.
    pub telling_until: EpochMillis,
}

/// What a page says of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It began.
    Triggered,
    /// Nothing has exceeded the threshold for a window.
    Resolved,
}

/// The incidents of the last days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentLog {
    /// Raised by one with every save.
    pub version: u64,
    /// In the order in which they were opened.
    pub incidents: Vec<Incident>,
}

/// What is sent to the people on call. Schema: `events/schemas/compromise-threshold-exceeded.v1.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Version of this form.
    pub version: String,
    /// The incident.
    pub incident_id: String,
    /// Whether it began or is over.
    pub stage: Stage,
    /// The window, minutes.
    pub window_minutes: u64,
    /// The threshold that was exceeded.
    pub threshold: usize,
    /// Distinct accounts so far.
    pub count: usize,
    /// The first [`SUBJECTS_NAMED`] of them, as `sub`.
    pub subjects: Vec<String>,
    /// The first sign, epoch seconds.
    pub first_at: EpochSeconds,
    /// The last sign so far, epoch seconds.
    pub last_at: EpochSeconds,
    /// What to do.
    pub runbook_url: String,
}

// === impl Rule ===

impl Rule {
    /// The exceedance `sign` is part of, given all `signs` within the window before and after it.
    #[must_use]
    pub fn exceedance(&self, sign: &Sign, signs: &[Sign]) -> Option<Exceedance> {
        let mut signs: Vec<&Sign> = signs.iter().filter(|other| self.together(other.at, sign.at)).collect();
        signs.sort();
        let (mut found, mut last): (Option<Exceedance>, _) = (None, sign.at);
        // How often each account is within the window that `opening` opens. A window that opens later does not contain `sign`.
        let (mut accounts, mut ahead) = (BTreeMap::<&str, usize>::new(), signs.iter().peekable());
        for opening in signs.iter().take_while(|opening| opening.at <= sign.at) {
            while let Some(next) = ahead.next_if(|next| self.together(opening.at, next.at)) {
                *accounts.entry(&next.account).or_default() += 1;
                last = next.at;
            }
            if accounts.len() > self.threshold {
                found.get_or_insert(Exceedance { first: opening.at, last }).last = last;
            }
            if let Entry::Occupied(mut count) = accounts.entry(&opening.account) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
        found
    }

    /// Whether two times lie within one window.
    fn together(&self, a: EpochSeconds, b: EpochSeconds) -> bool {
        a.0.abs_diff(b.0) <= self.window.as_secs()
    }
}

// === impl IncidentLog ===

impl IncidentLog {
    /// The incident a sign at `at` belongs to.
    pub fn covering(&mut self, at: EpochSeconds, rule: &Rule) -> Option<&mut Incident> {
        self.incidents.iter_mut().rev().find(|incident| incident.covers(at, rule))
    }

    /// Opens an incident. Nobody is telling of it yet.
    pub fn open(&mut self, exceedance: &Exceedance, now: EpochMillis) -> &mut Incident {
        let incident = Incident {
            id: format!("inc-{}-{}", now.0, self.version),
            first: exceedance.first,
            last: exceedance.last,
            last_exceeded: Some(exceedance.last),
            opened_at: now,
            resolved_at: None,
            told: BTreeMap::new(),
            telling_until: EpochMillis(0),
        };
        self.incidents.push(incident);
        let newest = self.incidents.len().saturating_sub(1);
        #[expect(clippy::indexing_slicing, reason = "the element was pushed on the line above")]
        &mut self.incidents[newest]
    }

    /// Resolves incidents that are over and forgets old ones. Returns whether anything changed.
    pub fn age(&mut self, rule: &Rule, now: EpochMillis) -> bool {
        let before = self.clone();
        for incident in &mut self.incidents {
            if incident.resolved_at.is_none() && now.seconds() > incident.last_exceeded().plus(rule.window) {
                incident.resolved_at = Some(now);
            }
        }
        self.incidents.retain(|incident| now.seconds() <= incident.last.plus(INCIDENTS_KEPT));
        *self != before
    }
}

// === impl Incident ===

impl Incident {
    /// The last sign of its last exceedance.
    fn last_exceeded(&self) -> EpochSeconds {
        self.last_exceeded.unwrap_or(self.last)
    }

    /// Whether a sign at `at` may be part of an exceedance that ends later than all known ones.
    #[must_use]
    pub fn may_go_on(&self, at: EpochSeconds) -> bool {
        at > self.last_exceeded().plus(LOOK_AGAIN_AFTER)
    }

    /// Takes in a sign at `now`, and the exceedance it is part of. Returns whether anything changed.
    pub fn join(&mut self, at: EpochSeconds, exceedance: Option<&Exceedance>, rule: &Rule, now: EpochMillis) -> bool {
        let before = self.clone();
        let exceeded = exceedance.map_or(self.last_exceeded(), |found| found.last.max(self.last_exceeded()));
        self.last_exceeded = Some(exceeded);
        self.first = self.first.min(at);
        self.last = self.last.max(at).max(exceeded);
        if self.resolved_at.is_some() && now.seconds() <= exceeded.plus(rule.window) {
            // It was resolved too early: a sign was late. Its end will be told when it comes.
            self.resolved_at = None;
            self.told.remove(&Stage::Resolved);
        }
        *self != before
    }

    /// The stage that `pager` must still be told of. The beginning is told even if it is over by now.
    #[must_use]
    pub fn untold(&self, pager: &str) -> Option<Stage> {
        let knows = |stage| self.told.get(&stage).is_some_and(|told| told.contains(pager));
        if !knows(Stage::Triggered) {
            return Some(Stage::Triggered);
        }
        (self.resolved_at.is_some() && !knows(Stage::Resolved)).then_some(Stage::Resolved)
    }

    /// By when things occurred alone, never by when the resolution was noticed: a tick that comes late (a backlog after an
    /// outage) must not swallow what happened meanwhile.
    fn covers(&self, at: EpochSeconds, rule: &Rule) -> bool {
        at.plus(rule.window) >= self.first && at <= self.last_exceeded().plus(rule.window)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: Rule = Rule { threshold: 3, window: Duration::from_hours(1) };

    fn sign(minute: i64, account: &str) -> Sign {
        Sign { at: EpochSeconds(minute * 60), account: account.to_owned() }
    }

    /// A sign that may still page must find every incident it could belong to, or it pages a second time.
    #[test]
    fn i09_incidents_are_remembered_for_longer_than_a_sign_may_page() {
        assert_eq!(STALE_AFTER.as_secs(), 604_800, "a week, as README says");
        assert!(INCIDENTS_KEPT >= STALE_AFTER + LONGEST_WINDOW);
    }

    #[test]
    fn i09_three_are_not_too_many_and_four_are() {
        let mut signs = vec![sign(0, "a"), sign(1, "b"), sign(2, "c")];
        assert_eq!(RULE.exceedance(&signs[2], &signs), None);
        signs.push(sign(3, "d"));
        assert_eq!(
            RULE.exceedance(&signs[3], &signs),
            Some(Exceedance { first: EpochSeconds(0), last: EpochSeconds(180) })
        );
    }

    #[test]
    fn i09_the_same_account_counts_once() {
        let signs = [sign(0, "a"), sign(1, "a"), sign(2, "b"), sign(3, "c"), sign(4, "a")];
        assert_eq!(RULE.exceedance(&signs[4], &signs), None);
    }

    #[test]
    fn i09_any_sixty_minutes_both_ends_included() {
        let apart = |minutes| vec![sign(0, "a"), sign(20, "b"), sign(40, "c"), sign(minutes, "d")];
        assert!(RULE.exceedance(&sign(60, "d"), &apart(60)).is_some());
        assert!(RULE.exceedance(&sign(61, "d"), &apart(61)).is_none());
        // The late arrival is the first by time.
        assert!(RULE.exceedance(&sign(0, "a"), &apart(60)).is_some());
    }

    #[test]
    fn i09_late_signs_belong_to_the_resolved_incident_and_new_ones_do_not() {
        let mut log = IncidentLog::default();
        log.open(&Exceedance { first: EpochSeconds(0), last: EpochSeconds(600) }, EpochMillis(600_000));
        assert!(!log.age(&RULE, EpochMillis(4_200_000)), "the window is not empty yet");
        // The tick comes hours late.
        assert!(log.age(&RULE, EpochMillis(20_000_000)));
        assert!(log.covering(EpochSeconds(600 + 3_600), &RULE).is_some(), "late");
        assert!(log.covering(EpochSeconds(600 + 3_601), &RULE).is_none(), "happened before the tick, but is new");
        assert!(log.age(&RULE, EpochMillis(600_000).plus(INCIDENTS_KEPT + Duration::from_secs(1))));
        assert!(log.incidents.is_empty());
    }

    #[test]
    fn i09_signs_below_the_threshold_do_not_keep_an_incident_open() {
        let mut log = IncidentLog::default();
        let incident = log.open(&Exceedance { first: EpochSeconds(0), last: EpochSeconds(0) }, EpochMillis(0));
        assert!(!incident.may_go_on(EpochSeconds(60)) && incident.may_go_on(EpochSeconds(61)));
        assert!(incident.join(EpochSeconds(3_600), None, &RULE, EpochMillis(3_600_000)));
        assert_eq!(incident.last, EpochSeconds(3_600), "it is counted");
        assert!(log.covering(EpochSeconds(3_601), &RULE).is_none());
        assert!(log.age(&RULE, EpochMillis(3_601_000)));
        assert!(log.incidents[0].resolved_at.is_some());
    }

    #[test]
    fn an_incident_of_an_older_form_goes_on_from_its_last_sign() {
        let old = r#"{"id":"i","first":0,"last":600,"opened_at":0,"resolved_at":null,"told":{},"telling_until":0}"#;
        let mut incident: Incident = serde_json::from_str(old).unwrap();
        assert!(incident.covers(EpochSeconds(4_200), &RULE) && !incident.covers(EpochSeconds(4_201), &RULE));
        incident.join(EpochSeconds(4_200), None, &RULE, EpochMillis(4_200_000));
        assert!(!incident.covers(EpochSeconds(4_201), &RULE));
    }

    #[test]
    fn i09_an_incident_resolved_too_early_is_open_again_and_told_anew_when_it_ends() {
        let mut log = IncidentLog::default();
        let incident = log.open(&Exceedance { first: EpochSeconds(0), last: EpochSeconds(0) }, EpochMillis(0));
        incident.told.insert(Stage::Triggered, BTreeSet::from(["p".into()]));
        log.age(&RULE, EpochMillis(3_700_000));
        let incident = log.covering(EpochSeconds(3_000), &RULE).unwrap();
        assert_eq!(incident.untold("p"), Some(Stage::Resolved));
        incident.told.insert(Stage::Resolved, BTreeSet::from(["p".into()]));
        let exceedance = Exceedance { first: EpochSeconds(0), last: EpochSeconds(3_000) };
        assert!(incident.join(EpochSeconds(3_000), Some(&exceedance), &RULE, EpochMillis(3_710_000)));
        assert_eq!((incident.resolved_at, incident.untold("p")), (None, None), "no second page");
        log.age(&RULE, EpochMillis(6_700_000));
        let incident = &mut log.incidents[0];
        assert_eq!(incident.untold("p"), Some(Stage::Resolved));
        incident.told.insert(Stage::Resolved, BTreeSet::from(["p".into()]));
        // Over for longer than the window: a sign that comes later still is counted, and wakes nobody.
        incident.join(EpochSeconds(100), None, &RULE, EpochMillis(9_000_000));
        assert!(incident.resolved_at.is_some() && incident.untold("p").is_none(), "told twice that it is over");
    }

    /// Each window by itself, as the rule is worded.
    fn one_by_one(sign: &Sign, signs: &[Sign]) -> Option<Exceedance> {
        let near: Vec<&Sign> = signs.iter().filter(|other| RULE.together(other.at, sign.at)).collect();
        let opening = near.iter().filter(|opening| opening.at <= sign.at);
        let windows = opening.map(|opening| {
            let within = near.iter().filter(|other| other.at >= opening.at && RULE.together(opening.at, other.at));
            (opening.at, within.collect::<Vec<_>>())
        });
        let exceeding = windows.filter(|(_, within)| {
            within.iter().map(|sign| &sign.account).collect::<BTreeSet<_>>().len() > RULE.threshold
        });
        let ends = exceeding.filter_map(|(first, within)| Some((first, within.iter().map(|sign| sign.at).max()?)));
        ends.map(|(first, last)| Exceedance { first, last })
            .reduce(|a, b| Exceedance { first: a.first.min(b.first), last: a.last.max(b.last) })
    }

    proptest! {
        #[test]
        fn i09_the_window_that_moves_finds_what_each_window_by_itself_does(
            signs in prop::collection::vec((0_i64..200, 0_u8..8), 1..40), which in any::<prop::sample::Index>(),
        ) {
            let signs: Vec<Sign> = signs.into_iter().map(|(at, account)| sign(at, &account.to_string())).collect();
            let sign = which.get(&signs);
            prop_assert_eq!(RULE.exceedance(sign, &signs), one_by_one(sign, &signs));
        }
    }
}
