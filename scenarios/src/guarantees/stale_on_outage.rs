//! While Linktree is down, filled pages are still served: fast, the last version, the right creator.
//!
//! Blind to: texts. Broken by: `no-stale-on-timeout`, `wrong-creator-under-collapsing`,
//! `look-alikes-share-a-page`, `cache-key-cut-off`, `small-cache`, `first-links-only`,
//! `one-link-for-each-address`.

use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::guarantees::evidence::fills::Fills;
use crate::guarantees::evidence::outages::Outages;
use crate::guarantees::evidence::own_links::OwnLinks;
use crate::guarantees::evidence::sent::Creator;
use crate::guarantees::evidence::trace::{self, Untrue};
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::plan::PhaseKind;
use crate::spans::Spans;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use std::fmt::Display;
use std::time::Duration;

const FAST: Bound = Bound {
    of: "stale-on-outage",
    name: "fast_percent",
    what: "least share of filled pages that are served fast in an outage",
    unit: Unit::Percent,
    default: 99,
};

const PROMISE: Promise = Promise {
    id: "stale-on-outage",
    statement: "While Linktree is down, pages that were ever filled are still served, fast, from the \
                last good version, of the right creator.",
    priority: Priority::High,
    source: "checklist; predicates B6: TRACE, STALE and FRESH; RFC 5861 section 4 (stale-if-error)",
    why: "A blank link-in-bio page during an outage, and visitors who do not come again.",
    usual_fix: "Keep expired pages by handle, and show them when a fill fails or is not tried.",
    blind_to: "Pages that do not tell their version, and texts below a right version.",
    bounds: &[FAST],
    minimums: &[],
    // Every read is judged by itself, and slow ones are excused one by one.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// See the module.
pub struct StaleOnOutage;

struct Watching<'c> {
    case: &'c Case,
    fills: Fills<'c>,
    outages: Outages,
    /// Those that came to pass.
    met: Spans,
    /// When the target could not answer as usual.
    away: Spans,
    /// For each creator, start and end of the first read since the last death that showed a page.
    shown: Vec<Option<(Moment, Moment)>>,
    traced: usize,
    /// Pages of which that was not so.
    untrue: u64,
    judged: usize,
    expired: usize,
    offences: Offences,
    slow: Offences,
    links: OwnLinks<'c>,
}

impl Guarantee for StaleOnOutage {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let fills = Fills::of(case);
        let outages = Outages::of(case, |kind| kind == PhaseKind::Outage);
        Box::new(Watching {
            case,
            met: outages.met(),
            outages,
            away: away(case),
            shown: vec![None; fills.len()],
            fills,
            traced: 0,
            untrue: 0,
            judged: 0,
            expired: 0,
            offences: Offences::default(),
            slow: Offences::default(),
            links: OwnLinks::of(case),
        })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

impl Judge for Watching<'_> {
    fn operation(&mut self, read: &Operation<'_>) {
        if read.page().is_none() {
            return;
        }
        let is_page = read.failure.is_none() && read.status == Some(200);
        let place = self.fills.place(&read.handle);
        if is_page {
            self.trace(read, place);
        }
        if let Some(place) = place {
            if self.met.well_inside(read.sent, self.case.harness.delta) {
                self.outage(read, place, is_page);
            }
            if is_page && read.version().is_some() {
                let shown = self.shown[place]
                    .filter(|shown| self.case.target.lived_through(shown.0, read.sent));
                self.shown[place] = shown.or(Some((read.sent, read.last)));
            }
        }
    }

    fn verdict(mut self: Box<Self>) -> Verdict {
        let (case, slow) = (self.case, self.slow.count());
        let fast = case.percent(&FAST);
        let observed = format!(
            "{} reads of filled pages in outages, {} of expired ones; {} pages traced to Linktree",
            self.judged, self.expired, self.traced,
        );
        let rule = format!(
            "200 with the last version filled, {fast} in 100 within {}; every version one that \
             Linktree sent for this creator, give or take {} (δ)",
            humane(case.times.fast),
            humane(case.harness.delta),
        );
        let bearable = (100 - fast as usize) * self.judged / 100;
        let unshown = self.offences.count() - self.untrue;
        let (other_links, compared) = self.links.close();
        let gauges = [
            Gauge::none_of("pages without all their links").counted(other_links.count(), compared),
            Gauge::none_of("filled pages not shown").counted(unshown, self.judged),
            Gauge::none_of("pages of a wrong version").counted(self.untrue, self.traced),
            Gauge::at_most("slow reads of filled pages", bearable).counted(slow, self.judged),
        ];
        if slow > bearable as u64 {
            self.offences.join(std::mem::take(&mut self.slow));
        }
        self.offences.join(other_links);
        let none = self.outages.doubt().filter(|_| self.expired == 0).map(str::to_owned);
        std::mem::take(&mut self.offences)
            .verdict(self.expired, "reads of expired pages in an outage")
            .because(none)
            .only_if(self.traced > 0, "no page showed its version, so none could be traced")
            .measured(gauges, observed, rule)
    }
}

impl Watching<'_> {
    fn trace(&mut self, read: &Operation<'_>, place: Option<usize>) {
        let Some(version) = read.version() else { return };
        self.traced += 1;
        let case = self.case;
        match trace::untrue(&self.fills, place, version, read, case.max_age(), case.harness.delta) {
            Some(Untrue::Behind { filled, .. })
                if !case.target.lived_through(filled, read.last) => {}
            Some(untrue) => {
                self.untrue += 1;
                self.offences.add(|| witness(case, read, &untrue));
            }
            None => self.links.note(read),
        }
    }

    fn outage(&mut self, read: &Operation<'_>, place: usize, is_page: bool) {
        let (case, creator) = (self.case, self.fills.creator(place));
        let shown = self.shown[place].filter(|shown| shown.1 < read.sent);
        let shown = shown.filter(|shown| case.target.lived_through(shown.0, read.last));
        let filled = creator
            .filled_before(read.sent)
            .filter(|fill| case.target.lived_through(fill.at, read.last));
        let since = shown.map(|shown| shown.1).or(filled.map(|fill| fill.at));
        let (Some(since), Some(validated)) = (since, creator.validated_before(read.sent)) else {
            return;
        };
        let sie = Duration::from_secs(case.contract.cache.stale_if_error_s.into());
        let usable = validated.plus(case.max_age() + sie) > read.sent.plus(case.harness.delta);
        if !usable
            || self
                .away
                .touch(read.sent.minus(case.harness.delta), read.last.plus(case.harness.delta))
        {
            return;
        }
        self.judged += 1;
        self.expired +=
            usize::from(validated.plus(case.max_age() + case.harness.delta) < read.sent);
        let (slow, what) = if !is_page {
            (false, "was not served, though filled")
        } else if read.version().is_none() && shown.is_some() {
            (false, "was blank: it lost its version")
        } else if self.is_slow(read, creator) {
            (true, "came slowly, though filled")
        } else {
            return;
        };
        let offences = if slow { &mut self.slow } else { &mut self.offences };
        let line = || format!("{} it had been filled", case.at(since));
        offences.add(|| witness(case, read, &what).line(line()));
    }

    /// Slow although nothing was asked for it meanwhile: whoever asks first may wait for the answer.
    fn is_slow(&self, read: &Operation<'_>, creator: &Creator<'_>) -> bool {
        let delta = self.case.harness.delta;
        read.last.since(read.sent) > self.case.times.fast + delta
            && !creator.asked.touch(read.sent.minus(delta), read.last.plus(delta))
            && !self.case.harness.too_slow_within(read.sent, read.last)
    }
}

/// When the target was down or stood still, or had just woken up to everybody's requests at once.
fn away(case: &Case) -> Spans {
    let mut spans = case.target.down_spans().to_vec();
    spans.extend(case.target.pauses().iter().map(|pause| (pause.0, pause.1.plus(case.times.fast))));
    Spans::joined(spans, Duration::ZERO)
}

fn witness(case: &Case, read: &Operation<'_>, what: &dyn Display) -> Witness {
    Witness::new(read.last, format!("the page of {} {what}", read.handle))
        .line(case.tell_operation(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Decides, History, blank, links, page, read, refused};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;

    /// Ann's page is filled at once and again at 5 s as `v1`; the outage is from 10 s to 60 s.
    fn history() -> History {
        let newer = |exchange| Exchange { version: Some("v1".into()), ..exchange };
        History::over(&[(PhaseKind::Control, 0, 10), (PhaseKind::Outage, 10, 60)])
            .exchanges([read("ann", 0), links("ann", 10)])
            .exchanges([read("ann", 5_000), links("ann", 5_010)].map(newer))
            .exchange(refused("zoe", 12_000, 503))
    }

    #[track_caller]
    fn judge(history: History, expected: VerdictKind) {
        let verdict = history.judged_by(&StaleOnOutage);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[track_caller]
    fn check(read: Operation<'static>, expected: VerdictKind) {
        judge(history().operation(read), expected);
    }

    /// One slow read and 99 quick ones.
    fn seldom_slow() -> History {
        let quick = (0..99).map(|n| page("ann", 22_000 + n, 22_001 + n, "v1"));
        history().operation(page("ann", 20_000, 21_101, "v1")).operations(quick)
    }

    pub(super) fn decided() -> Vec<Decides> {
        vec![Decides { bound: &FAST, value: 100, history: seldom_slow }]
    }

    #[test]
    fn an_expired_page_in_an_outage_holds_and_a_fresh_one_is_inconclusive() {
        check(page("ann", 20_000, 20_010, "v1"), Held);
        check(page("ann", 5_500, 5_510, "v1"), Inconclusive);
        check(blank("ann", 20_000, 20_010), Inconclusive);
        judge(history(), Inconclusive);
    }

    #[test]
    fn an_outage_that_nobody_met_or_that_let_attempts_through_shows_nothing() {
        let served = || history().operation(page("ann", 20_000, 20_010, "v1"));
        let reason = |history: History| {
            let verdict = history.judged_by(&StaleOnOutage);
            assert_eq!(verdict.kind, Inconclusive, "{verdict:?}");
            verdict.reason.unwrap()
        };
        let through = reason(served().exchange(read("zoe", 30_000)));
        assert!(through.contains("was none") && through.contains("/v1/profiles/zoe"), "{through}");
        let mut unmet = served();
        unmet.case.linktree.exchanges.retain(|one| one.is_success());
        assert_eq!(reason(unmet), "in the outage from 10.000 s to 60.000 s no attempt failed");
    }

    #[test]
    fn a_filled_page_that_is_not_served_is_violated() {
        check(Operation { status: Some(503), ..page("ann", 20_000, 20_010, "-") }, Violated);
        let blank = blank("ann", 20_000, 20_010);
        judge(history().operations([page("ann", 6_000, 6_001, "v1"), blank]), Violated);
    }

    #[test]
    fn pages_never_filled_or_lost_with_the_process_are_excused() {
        let unserved = Operation { status: Some(503), ..page("ann", 20_000, 20_010, "-") };
        let bob = Operation { handle: "bob".into(), ..unserved.clone() };
        let history = || history().operation(page("ann", 15_000, 15_001, "v1"));
        let history = || history().exchange(refused("bob", 7_000, 503));
        judge(history().operation(bob), Held);
        judge(history().operation(unserved).killed_until(16_000, 17_000), Held);
    }

    /// Two reads of Ann's page in the outage, and these.
    fn served(reads: impl IntoIterator<Item = Operation<'static>>) -> History {
        let ann = [15_000, 16_000].map(|at| page("ann", at, at + 1, "v1"));
        history().operations(ann).operations(reads)
    }

    #[test]
    fn a_page_that_was_whole_just_before_the_process_ended_may_never_have_been_kept() {
        let bob = Operation { status: Some(503), ..page("bob", 20_000, 20_010, "-") };
        let fill = [read("bob", 9_000), links("bob", 9_010)];
        let filled = || served([bob.clone()]).exchanges(fill.clone());
        judge(filled(), Violated);
        judge(filled().killed_until(9_050, 9_060), Held); // whole at 9,015 ms, heard by 9,115
        judge(filled().paused(9_012, 9_500), Held); // and given up as it woke up
        judge(filled().paused(10_000, 11_000), Violated);
    }

    #[test]
    fn slow_pages_are_excused_while_it_stands_still_and_wakes_up() {
        let slow = |at| served([page("ann", at, at + 2_500, "v1")]);
        judge(slow(20_000), Violated);
        judge(slow(20_000).paused(19_500, 22_000), Held);
        judge(slow(22_900).paused(19_500, 22_000), Held);
        judge(slow(23_200).paused(19_500, 22_000), Violated);
        judge(slow(20_000).terminated(19_500, 21_000, 23_000), Held);
    }

    #[test]
    fn a_version_of_another_creator_or_of_nobody_or_an_older_one_is_violated() {
        let bob = || history().exchange(read("bob", 7_000));
        judge(bob().operation(page("ann", 20_000, 20_010, "v0-bob")), Violated);
        check(page("ann", 8_000, 8_010, "v9"), Violated);
        check(page("ann", 20_000, 20_010, "v0-ann"), Violated);
        check(page("ann", 4_000, 4_010, "v1"), Violated); // before Linktree sent it
        let fresh = page("ann", 8_000, 8_001, "v0-ann"); // it may have a copy of its own until 9 s
        judge(history().operations([fresh, page("ann", 20_000, 20_010, "v1")]), Held);
    }

    #[test]
    fn a_slow_answer_is_violated_unless_something_was_asked_or_the_harness_was_slow() {
        let slow = || history().operation(page("ann", 20_000, 21_101, "v1"));
        check(page("ann", 20_000, 21_100, "v1"), Held);
        judge(slow(), Violated);
        judge(slow().exchange(refused("ann", 20_100, 503)), Held);
        judge(slow().lag(20_500, 150), Held);
        judge(seldom_slow(), Held);
    }
}
