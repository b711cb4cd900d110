#![expect(clippy::option_option, reason = "released, held without an end, held with one")]

use proptest::prelude::*;

use super::*;
use crate::domain::session::{EndedSessions, SessionCutoff};
use crate::domain::tombstone::{Cutoff, CutoffKind, Refusal, Seal, TokenStamp};

fn id(n: u8) -> RevocationId {
    RevocationId(format!("rv_{n}"))
}

/// What the nth action requested at `at` does.
fn change(n: u8, at: i64, hold: Option<Option<i64>>) -> HoldChange {
    let hold = hold.map(|until| Hold { until: until.map(EpochSeconds), message: format!("held by {n}") });
    HoldChange { stamp: ActionStamp { at: EpochMillis(at), by: RevocationId(format!("ac_{n}")) }, hold }
}

fn stamp(at: i64) -> TokenStamp<'static> {
    TokenStamp { auth_time: Some(EpochSeconds(at)), iat: Some(EpochSeconds(at)), ..TokenStamp::default() }
}

#[test]
fn i08_a_hold_that_comes_after_its_release_does_not_hold_again() {
    let mut tombstone = Tombstone::default();
    let (hold, release) = (change(1, 1_000, Some(None)), change(2, 2_000, None));
    assert_eq!(tombstone.change_hold(&hold), HoldChanged::Stands);
    assert_eq!(tombstone.change_hold(&hold), HoldChanged::Stands, "a redelivery");
    assert_eq!(tombstone.refusal(&stamp(5_000), EpochSeconds(5_000)), Some(Refusal::Hold));
    assert_eq!(tombstone.change_hold(&release), HoldChanged::Stands);
    assert_eq!(tombstone.change_hold(&hold), HoldChanged::Superseded);
    assert_eq!(tombstone.refusal(&stamp(5_000), EpochSeconds(5_000)), None);
    assert_eq!(tombstone.change_hold(&change(3, 3_000, Some(None))), HoldChanged::Stands, "a new one does");
}

#[test]
fn i05_a_seal_does_not_shorten_the_life_of_a_hold_or_of_what_is_known_of_its_release() {
    for hold in [Some(None), Some(Some(9_000)), None] {
        let mut tombstone = Tombstone::default();
        tombstone.raise(&Cutoff { revocation_id: id(1), at: EpochSeconds(1_000), kind: CutoffKind::Sessions });
        tombstone.change_hold(&change(1, 1_000_000, hold));
        tombstone.seal(&Seal::of(id(1), EpochMillis(1_001_000), std::time::Duration::ZERO, EpochMillis(1_001_000)));
        assert!(tombstone.sealed);
        assert!(tombstone.expires_at >= Some(EpochSeconds(1_000).plus(LONGEST_REFRESH_LIFE)), "{hold:?}");
    }
}

#[test]
fn i02_a_release_opens_no_tombstone() {
    let mut tombstone = Tombstone::default();
    tombstone.raise(&Cutoff { revocation_id: id(1), at: EpochSeconds(1_000), kind: CutoffKind::Sessions });
    tombstone.change_hold(&change(1, 1_000_000, Some(None)));
    assert_eq!(tombstone.bars(EpochSeconds(2_000)), [Bar::Hold, Bar::Unsealed]);
    tombstone.change_hold(&change(2, 1_001_000, None));
    assert_eq!(tombstone.bars(EpochSeconds(2_000)), [Bar::Unsealed]);
    assert_eq!(tombstone.refusal(&stamp(1_000), EpochSeconds(2_000)), Some(Refusal::Cutoff));
}

#[derive(Clone, Debug)]
enum Write {
    Raise(u8, i64, bool),
    Seal(u8, i64),
    EndOne(u8, i64),
    EndOthers(u8, i64),
    Hold(u8, i64, Option<Option<i64>>),
}

fn histories() -> impl Strategy<Value = Vec<Write>> {
    let at = || 1_000..1_020_i64;
    let until = proptest::option::of(proptest::option::of(1_000..3_000_i64));
    let one = prop_oneof![
        (0..3u8, at(), any::<bool>()).prop_map(|(n, at, claims)| Write::Raise(n, at, claims)),
        (0..3u8, at()).prop_map(|(n, at)| Write::Seal(n, at)),
        (0..3u8, at()).prop_map(|(n, at)| Write::EndOne(n, at)),
        (0..3u8, at()).prop_map(|(n, at)| Write::EndOthers(n, at)),
        (0..6u8, at(), until).prop_map(|(n, at, hold)| Write::Hold(n, at, hold)),
    ];
    proptest::collection::vec(one, 1..14)
}

fn apply(tombstone: &mut Tombstone, write: &Write) {
    match write {
        Write::Raise(n, at, claims) => {
            let kind = if *claims { CutoffKind::Claims } else { CutoffKind::Sessions };
            tombstone.raise(&Cutoff { revocation_id: id(*n), at: EpochSeconds(*at), kind });
        }
        Write::Seal(n, at) => {
            let confirmed = EpochSeconds(*at).into();
            tombstone.seal(&Seal::of(id(*n), confirmed, std::time::Duration::ZERO, EpochMillis(1_030_000)));
        }
        Write::EndOne(n, at) | Write::EndOthers(n, at) => {
            let session = format!("session-{n}");
            let ended = match write {
                Write::EndOne(..) => EndedSessions::One(session),
                _ => EndedSessions::Others { spared: session },
            };
            tombstone.end_sessions(&SessionCutoff { revocation_id: id(9), at: EpochSeconds(*at), ended });
        }
        Write::Hold(n, at, hold) => drop(tombstone.change_hold(&change(*n, *at * 1_000, *hold))),
    }
}

proptest! {
    /// Holds and all else in a tombstone do not know each other, but for how long the item is kept.
    #[test]
    fn i02_i05_no_interleaving_with_holds_moves_a_cutoff_or_brings_a_token_back(history in histories()) {
        let (mut with, mut without) = (Tombstone::default(), Tombstone::default());
        for write in &history {
            apply(&mut with, write);
            if !matches!(write, Write::Hold(..)) {
                apply(&mut without, write);
            }
            prop_assert!(with.expires_at >= without.expires_at);
            if with.hold_changed.is_some() {
                // To within the seconds by which a cutoff may be older than the hold.
                let least = EpochSeconds(1_000).plus(LONGEST_REFRESH_LIFE);
                prop_assert!(with.expires_at >= Some(least), "{:?}", with.expires_at);
            }
            let mut rest = with.clone();
            (rest.hold, rest.hold_changed, rest.expires_at) = (None, None, without.expires_at);
            prop_assert_eq!(&rest, &without);
            for at in [1_000, 1_010, 1_021] {
                for session in [None, Some("session-0"), Some("session-1")] {
                    let token = TokenStamp { origin_jti: session, ..stamp(at) };
                    let now = EpochSeconds(2_000);
                    let expected = if with.is_held(now) { Some(Refusal::Hold) } else { without.refusal(&token, now) };
                    prop_assert_eq!(with.refusal(&token, now), expected);
                }
            }
        }
    }

    /// Whatever the order of delivery, and however often each is delivered, the action requested last decides.
    #[test]
    fn i08_the_action_requested_last_decides(
        changes in proptest::collection::vec(
            (0..6u8, 1_000..1_004_i64, proptest::option::of(proptest::option::of(1_000..3_000_i64))), 1..6,
        ),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        // An id is one request: it says one thing, at one time.
        let mut changes: Vec<HoldChange> = changes.into_iter().map(|(n, at, hold)| change(n, at, hold)).collect();
        changes.sort_by(|a, b| a.stamp.by.cmp(&b.stamp.by));
        changes.dedup_by(|a, b| a.stamp.by == b.stamp.by);
        let mut tombstone = Tombstone::default();
        for index in &order {
            tombstone.change_hold(index.get(&changes));
        }
        for change in changes.iter().rev() {
            tombstone.change_hold(change);
        }
        let last = changes.iter().max_by(|a, b| a.stamp.cmp(&b.stamp)).unwrap();
        prop_assert_eq!(&tombstone.hold, &last.hold);
    }
}

#[test]
fn new_tokens_are_barred_by_a_hold_and_by_an_outstanding_sign_out_alone() {
    let at = EpochSeconds(1_000);
    let held = Tombstone { hold: Some(Hold { until: None, message: String::new() }), ..Tombstone::default() };
    assert_eq!(held.bars(at), [Bar::Hold]);
    let open = Tombstone { not_before: Some(at), ..Tombstone::default() };
    assert_eq!(open.bars(at), [Bar::Unsealed]);
    assert_eq!(Tombstone { sealed: true, ..open }.bars(at), []);
    let claims = Tombstone { claims_not_before: Some(at), ..Tombstone::default() };
    assert_eq!(claims.bars(at), [], "its sessions go on");
}
