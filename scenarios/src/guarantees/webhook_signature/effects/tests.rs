//! Effects that can be told from chance, and those that cannot.

use super::super::WebhookSignature;
use super::super::tests::{bare, sound};
use super::testing::page_of;
use super::{CALIBRATING, CONTROLS, COPIES, UNBELIEVABLE};
use crate::testing::{History, delivery, page_changed, shaped_by};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::clock::Moment;
use mock_server::history::record::Delivery;
use std::time::Duration;

/// Where something comes about a page, and what the service does then.
#[derive(Clone, Copy, PartialEq)]
enum What {
    Genuine,
    Control,
    Forged,
    Copies,
}

/// Whether a page is asked for upstream after this one of these deliveries.
type Asks = fn(What, usize) -> bool;

/// How many pages of each kind there are, and when what happens about each, in milliseconds after it was
/// filled. All deliveries but copies come at 400.
#[derive(Clone, Copy)]
struct Storm {
    /// In the order of [`What`].
    pages: [usize; 4],
    /// The call for the page, when what came has an effect.
    asked: u64,
    /// The copy, and the call after it.
    copy: [u64; 2],
    /// Something else that is genuine comes about pages of this kind.
    beside: Option<(What, i64)>,
}

const USUAL: Storm =
    Storm { pages: [12, 22, 12, 8], asked: 450, copy: [1_000, 1_150], beside: None };

/// These pages, whose owners are visited; whether the service asks for the page after what comes is for the
/// caller to say, given the kind and the number.
fn storm(asks: impl Fn(What, usize) -> bool) -> History {
    USUAL.history(asks)
}

impl Storm {
    fn history(self, asks: impl Fn(What, usize) -> bool) -> History {
        let kinds = [What::Genuine, What::Control, What::Forged, What::Copies];
        let kinds = kinds.into_iter().zip(self.pages);
        let mut history = bare(sound());
        let all = kinds.into_iter().flat_map(|(what, count)| (0..count).map(move |n| (what, n)));
        for (place, (what, n)) in all.enumerate() {
            let at_ms = 40_000 + place as u64 * 10_000;
            let handle = format!("page-{place}");
            let hit = asks(what, n);
            // A copy can only be told from the first when the first has had its effect.
            let calls = [self.asked, self.copy[1]];
            let calls: &[u64] = match (what, hit) {
                (What::Copies, true) => &calls,
                (What::Copies, false) | (_, true) => &calls[..1],
                (_, false) => &[],
            };
            history = page_of(history, &handle, at_ms, calls);
            if let Some((_, beside)) = self.beside.filter(|(of, _)| *of == what) {
                let other =
                    delivery(&format!("o{place}"), &handle, at_ms.strict_add_signed(beside), 204);
                history = history.sent([other]);
            }
            let sent =
                |ms: u64, status| page_changed(&format!("m{place}"), &handle, at_ms + ms, status);
            let sent = match what {
                What::Genuine => vec![sent(400, 204)],
                What::Control => Vec::new(),
                What::Forged => {
                    let again = Delivery { attempt: 2, ..shaped_by("body-bit", sent(900, 401)) };
                    vec![shaped_by("body-bit", sent(400, 401)), again]
                }
                What::Copies => {
                    vec![sent(400, 204), Delivery { attempt: 2, ..sent(self.copy[0], 204) }]
                }
            };
            history = history.sent(sent);
        }
        history
    }
}

fn stormed(asks: impl Fn(What, usize) -> bool) -> (VerdictKind, String) {
    let verdict = storm(asks).judged_by(&WebhookSignature);
    (verdict.kind, verdict.observed)
}

#[test]
fn what_is_refused_and_acted_upon_violates_where_effects_can_be_seen() {
    let sound = |what: What| matches!(what, What::Genuine);
    let (kind, observed) = stormed(|what, _| sound(what));
    assert_eq!(kind, Held, "{observed}");
    assert!(
        observed.contains("12 of 12 genuine") && observed.contains("0 of 22 other"),
        "{observed}"
    );
    assert!(observed.contains("0 of 12 that nobody"), "{observed}");
    assert!(observed.contains("0 of 8 copies"), "{observed}");
    assert_eq!(stormed(|what, _| sound(what) || matches!(what, What::Forged)).0, Violated);
    assert_eq!(stormed(|what, _| sound(what) || matches!(what, What::Copies)).0, Violated);
    // One or two may be chance.
    assert_eq!(stormed(|what, n| sound(what) || n < 2 && !matches!(what, What::Control)).0, Held);
    assert_eq!(stormed(|what, n| sound(what) || n < 1).0, Held);
}

#[test]
fn where_effects_cannot_be_seen_statuses_alone_count() {
    for asks in [
        // Never, always, seldom, and of its own accord.
        (|_, _| false) as Asks,
        |_, _| true,
        |what, n| matches!(what, What::Genuine) && n < 9 || matches!(what, What::Forged),
        |what, n| !matches!(what, What::Control) || n < 2,
    ] {
        let (kind, observed) = stormed(asks);
        assert_eq!(kind, Held, "{observed}");
        assert!(observed.contains("statuses only"), "{observed}");
    }
}

#[test]
fn effects_count_from_as_many_as_are_needed_and_within_the_time_in_which_they_show() {
    let forged: Asks = |what, _| matches!(what, What::Genuine | What::Forged);
    let copied: Asks = |what, _| matches!(what, What::Genuine | What::Copies);
    let kind = |storm: Storm, asks: Asks| storm.history(asks).judged_by(&WebhookSignature).kind;
    let of = |pages, asks, expected| {
        assert_eq!(kind(Storm { pages, ..USUAL }, asks), expected, "{pages:?}");
    };
    of([8, 20, 6, 0], forged, Violated);
    of([8, 20, 0, 6], copied, Violated);
    // With fewer it is not said that there was no effect.
    let sound: Asks = |what, _| matches!(what, What::Genuine);
    of([8, 20, 6, 6], sound, Held);
    for (pages, wrong, short) in [
        ([7, 20, 6, 6], forged, &CALIBRATING),
        ([8, 19, 6, 6], forged, &CONTROLS),
        ([8, 20, 5, 6], forged, &UNBELIEVABLE),
        ([8, 20, 6, 5], copied, &COPIES),
    ] {
        of(pages, wrong, Inconclusive);
        let verdict = Storm { pages, ..USUAL }.history(sound).judged_by(&WebhookSignature);
        let reason = verdict.reason.unwrap();
        assert!(reason.contains(short.name) && !reason.contains(';'), "{reason}");
    }
    // Where deliveries have no effect that can be seen, nothing else is asked.
    of([8, 0, 0, 0], |_, _| false, Held);
    of([7, 0, 0, 0], |_, _| false, Inconclusive);
    // Four of five, and of the other moments one.
    let shares: [(Asks, VerdictKind); 5] = [
        (
            |what, n| matches!(what, What::Genuine if n < 8) || matches!(what, What::Forged),
            Violated,
        ),
        (|what, n| matches!(what, What::Genuine if n < 7) || matches!(what, What::Forged), Held),
        (
            |what, n| matches!(what, What::Genuine) || matches!(what, What::Forged if n < 8),
            Violated,
        ),
        (|what, n| matches!(what, What::Genuine) || matches!(what, What::Forged if n < 7), Held),
        (|what, n| !matches!(what, What::Control if n > 0), Violated),
    ];
    for (nth, (asks, expected)) in shares.into_iter().enumerate() {
        assert_eq!(kind(Storm { pages: [10, 22, 10, 8], ..USUAL }, asks), expected, "{nth}");
    }
    for (asked, expected) in [(400, Held), (401, Violated), (1_900, Violated), (1_901, Held)] {
        assert_eq!(kind(Storm { asked, ..USUAL }, forged), expected, "{asked}");
    }
    // What was answered at 405 comes again half a second later at the earliest.
    for (copy, expected) in [(905, Violated), (904, Inconclusive)] {
        assert_eq!(kind(Storm { copy: [copy, 1_150], ..USUAL }, copied), expected, "{copy}");
    }
    for (beside, expected) in
        [(-2_601, Violated), (-2_600, Inconclusive), (1_900, Inconclusive), (1_901, Violated)]
    {
        let storm = Storm { beside: Some((What::Forged, beside)), ..USUAL };
        assert_eq!(kind(storm, forged), expected, "{beside}");
    }
}

#[test]
fn a_witness_of_an_effect_tells_the_call_and_all_are_counted() {
    let forged = |what, _| matches!(what, What::Genuine | What::Forged);
    let verdict = storm(forged).judged_by(&WebhookSignature);
    let effects = crate::testing::measured(&verdict, "effects of what must have none");
    assert_eq!(effects, Some(12));
    let what = &verdict.witnesses[0].what;
    assert!(what.ends_with("was acted upon, though nobody may believe it"), "{what}");
    let witness = &verdict.witnesses[0];
    let asked = storm(forged).case.at(witness.at.plus(Duration::from_millis(50)));
    assert!(witness.story[1].starts_with(&format!("{asked} upstream #")), "{witness:?}");
}

/// The rest of an earlier fill, what comes too late, a page that is old, and a service that stands still.
#[test]
fn what_something_else_explains_is_no_effect() {
    let forged_too = |what: What, _| matches!(what, What::Genuine | What::Forged);
    assert_eq!(storm(forged_too).judged_by(&WebhookSignature).kind, Violated);
    let mut as_links = storm(forged_too);
    for call in as_links.judged().iter_mut().filter(|call| call.t_req.0 % 10_000_000_000 != 0) {
        call.route = mock_server::contract::Route::ProfileLinks;
    }
    assert_eq!(as_links.judged_by(&WebhookSignature).kind, Held);
    let mut late = storm(forged_too);
    for call in late.judged().iter_mut().filter(|call| call.t_req.0 % 10_000_000_000 != 0) {
        call.t_req = call.t_req.plus(Duration::from_millis(1_700));
    }
    assert_eq!(late.judged_by(&WebhookSignature).kind, Held);
    let mut old = storm(forged_too);
    old.case.contract.cache.max_age_s = 1;
    assert_eq!(old.judged_by(&WebhookSignature).kind, Inconclusive);
    let mut unvisited = storm(forged_too);
    unvisited.operations.clear();
    assert_eq!(unvisited.judged_by(&WebhookSignature).kind, Inconclusive);
    let asleep = storm(forged_too).paused(40_100, 890_000);
    assert_eq!(asleep.judged_by(&WebhookSignature).kind, Inconclusive);
}

/// When what was forged came: the pages of forgeries come after those of the first two kinds.
fn forged_at() -> impl Iterator<Item = u64> {
    (34..46).map(|place| 40_000 + place * 10_000 + 400)
}

#[test]
fn what_came_before_or_later_or_was_refused_calibrates_nothing_and_is_no_copy() {
    let forged = |what, _| matches!(what, What::Genuine | What::Forged);
    let copied = |what, _| matches!(what, What::Genuine | What::Copies);
    let kind = |history: History| history.judged_by(&WebhookSignature).kind;
    let mut refused = storm(forged);
    for one in refused.case.linktree.deliveries.iter_mut() {
        let place = one.id.strip_prefix('m').and_then(|place| place.parse::<u32>().ok());
        if place.is_some_and(|place| place < 12) {
            one.status = Some(401);
        }
    }
    assert_eq!(kind(refused), Inconclusive);
    let second = |change: fn(&mut Delivery)| {
        let mut history = storm(copied);
        let second = |one: &&mut Delivery| one.id.starts_with('m') && one.attempt == 2;
        history.case.linktree.deliveries.iter_mut().filter(second).for_each(change);
        kind(history)
    };
    assert_eq!(second(|_| {}), Violated);
    let forge = |one: &mut Delivery| {
        if one.authentic {
            *one = shaped_by("body-bit", Delivery { status: Some(401), ..one.clone() });
        }
    };
    assert_eq!(second(forge), Inconclusive);
    // Whether the first had an effect is not known where its call came after the copy.
    assert_eq!(kind(Storm { asked: 1_100, ..USUAL }.history(copied)), Inconclusive);
    let beside = |what, ms| Storm { beside: Some((what, ms)), ..USUAL };
    assert_eq!(kind(beside(What::Copies, -2_000).history(copied)), Inconclusive);
    assert_eq!(kind(beside(What::Copies, -2_001).history(copied)), Violated);
    // Other moments may have had a delivery long before and long after.
    assert_eq!(kind(beside(What::Control, 9_000).history(forged)), Violated);
    let third = |later: u64| {
        let mut history = storm(copied);
        let seconds = history.case.linktree.deliveries.iter();
        let seconds = seconds.filter(|one| one.id.starts_with('m') && one.attempt == 2);
        let thirds = seconds.filter(|one| one.authentic).map(|one| {
            let t_sent = one.t_sent.plus(Duration::from_millis(later));
            let t_end = t_sent.plus(Duration::from_millis(5));
            Delivery { attempt: 3, t_sent, t_end, ..one.clone() }
        });
        let thirds: Vec<_> = thirds.collect();
        history = history.sent(thirds);
        kind(history)
    };
    assert_eq!(third(1_500), Inconclusive);
    assert_eq!(third(1_501), Violated);
}

#[test]
fn a_page_that_few_visit_or_of_which_nobody_can_tell_shows_no_effect() {
    let forged = |what, _| matches!(what, What::Genuine | What::Forged);
    let kind = |history: History| history.judged_by(&WebhookSignature).kind;
    // So many visits in the second and a half after it, and all others.
    let visited = |most: usize| {
        let mut history = storm(forged);
        for at_ms in forged_at() {
            let (from, until) = (Moment::from_ms(at_ms), Moment::from_ms(at_ms + 1_500));
            let mut seen = 0;
            history.operations.retain(|one| {
                let inside = from < one.sent && one.sent < until;
                seen += usize::from(inside);
                !inside || seen <= most
            });
        }
        kind(history)
    };
    assert_eq!(visited(3), Violated);
    assert_eq!(visited(2), Inconclusive);
    let late = forged_at().fold(storm(forged), |history, at_ms| history.lag(at_ms + 200, 400));
    assert_eq!(kind(late), Inconclusive);
    let paused = |history: History, at_ms| history.paused(at_ms + 300, at_ms + 310);
    assert_eq!(kind(forged_at().fold(storm(forged), paused)), Inconclusive);
}

#[test]
fn whoever_comes_just_as_it_begins_or_ends_is_no_visitor_in_between() {
    let forged = |what, _| matches!(what, What::Genuine | What::Forged);
    let moved = |to: fn(Moment, Moment) -> Moment| {
        let mut history = storm(forged);
        for at_ms in forged_at() {
            let (from, until) = (Moment::from_ms(at_ms), Moment::from_ms(at_ms + 1_500));
            let inside =
                |one: &&mut crate::history::Operation<'_>| from <= one.sent && one.sent <= until;
            history.operations.iter_mut().filter(inside).for_each(|one| one.sent = to(from, until));
        }
        history.judged_by(&WebhookSignature).kind
    };
    assert_eq!(moved(|from, _| from.plus(Duration::from_millis(1))), Violated);
    assert_eq!(moved(|from, _| from), Inconclusive);
    assert_eq!(moved(|_, until| until), Inconclusive);
}

#[test]
fn of_forgeries_alone_it_is_measured_that_they_had_no_effect() {
    let verdict = Storm { pages: [12, 22, 12, 0], ..USUAL }
        .history(|what, _| matches!(what, What::Genuine))
        .judged_by(&WebhookSignature);
    let effects = crate::testing::measured(&verdict, "effects of what must have none");
    assert_eq!(effects, Some(0));
}

#[test]
fn a_page_is_new_for_a_quarter_of_its_age_and_a_first_effect_comes_after_its_cause() {
    let place = |one: &Delivery| one.id.strip_prefix('m').and_then(|n| n.parse::<u32>().ok());
    let later = |one: &mut Delivery, ms| {
        let later = Duration::from_millis(ms);
        (one.t_sent, one.t_end) = (one.t_sent.plus(later), one.t_end.plus(later));
    };
    // Filled at 5 ms, and fresh for four seconds.
    let forged = |ms: u64| {
        let asks = |what, _| matches!(what, What::Genuine | What::Forged);
        let mut history = Storm { asked: 1_060, ..USUAL }.history(asks);
        let all = history.case.linktree.deliveries.iter_mut();
        all.filter(|one| place(one).is_some()).for_each(|one| later(one, ms - 400));
        history.judged_by(&WebhookSignature).kind
    };
    assert_eq!([1_004, 1_005].map(forged), [Violated, Inconclusive]);
    // What copies came first about was asked for at 450 ms, and known at 455.
    let copied = |ms: u64| {
        let mut history = storm(|what, _| matches!(what, What::Genuine | What::Copies));
        let firsts = history.case.linktree.deliveries.iter_mut().filter(|one| one.attempt == 1);
        firsts.filter(|one| place(one) >= Some(46)).for_each(|one| later(one, ms - 400));
        history.judged_by(&WebhookSignature).kind
    };
    assert_eq!([454, 455].map(copied), [Violated, Inconclusive]);
}

#[test]
fn a_call_that_was_made_just_as_it_came_is_none_of_its_effects() {
    let at_once = forged_at()
        .zip(34..)
        .map(|(at_ms, place)| crate::testing::read(&format!("page-{place}"), at_ms));
    let history = storm(|what, _| matches!(what, What::Genuine | What::Forged)).exchanges(at_once);
    let first = history.case.at(Moment::from_ms(forged_at().next().unwrap() + 50));
    let verdict = history.judged_by(&WebhookSignature);
    assert_eq!(verdict.kind, Violated);
    let mut stories = verdict.witnesses.iter().map(|one| &one.story[1]);
    assert!(stories.any(|call| call.starts_with(&format!("{first} upstream #"))), "{verdict:?}");
}
