//! While Linktree is well, and in a viral spike, pages that could be there are shown, and fast.
//!
//! Blind to: a page's very first visitors. Broken by: `no-cache-no-limiter`,
//! `unavailable-when-limited`, `page-cached-per-url`, `no-page-without-links`,
//! `title-cut-in-a-letter`, `bad-click-ends-the-process`.

use super::evidence::{fills::Fills, unserved::Unserved, wanted::Wanted, well};
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

const SERVED: Bound = Bound {
    of: "pages-served",
    name: "served_percent",
    what: "least share of page views that are served fast while Linktree is well",
    unit: Unit::Percent,
    default: 99,
};

const FAST: Bound = Bound {
    of: "pages-served",
    name: "fast_ms",
    what: "longest that a page which was filled before takes, but for the time of its own calls",
    unit: Unit::ContractTime,
    default: 1_000,
};

const VIEWS: Minimum = Minimum { name: "page views that could be served", least: 200 };

const PROMISE: Promise = Promise {
    id: "pages-served",
    statement: "While Linktree is well, and in a viral spike, pages are served: whoever was filled \
                before, or could be filled within the cap, is shown, fast, for at least 99 % of the \
                visits.",
    priority: Priority::Critical,
    source: "checklist; assumed contract, section 4: the fast bound",
    why: "the page is the whole product; it must load under high concurrency",
    usual_fix: "cache pages, share fills, and show the expired page when the limiter leaves no room",
    blind_to: "the first half limit window of a page; whether what is shown is right",
    bounds: &[SERVED, FAST],
    minimums: &[VIEWS],
    // A late visitor is answered late, and a mock that cannot answer leaves pages unfilled.
    when_late: Stands::Never,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

const SHOWN: usize = 5; // views in a witness

/// See the module.
pub struct PagesServed;

impl Guarantee for PagesServed {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let woken = |pause: &(Moment, Moment)| (pause.0, pause.1.plus(case.time(&FAST)));
        let down = case.target.down_spans().iter().map(woken);
        let away = down.chain(case.target.pauses().iter().map(woken)).collect();
        Box::new(Serving {
            case,
            fills: Fills::of(case),
            wanted: Wanted::over(case),
            well: well::spans(case),
            away: Spans::joined(away, Duration::ZERO),
            shown: HashMap::new(),
            unserved: Unserved::default(),
            tally: Tally::default(),
            cold: HashMap::new(),
        })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

struct Serving<'c> {
    case: &'c Case,
    fills: Fills<'c>,
    wanted: Wanted<'c>,
    well: Spans,
    /// When the target could not answer as usual.
    away: Spans,
    /// When each page was first shown in this life of the process.
    shown: HashMap<String, Moment>,
    unserved: Unserved,
    tally: Tally,
    /// Views of pages that were not there, by part of the limit window.
    cold: HashMap<String, BTreeMap<u64, Tally>>,
}

/// Page views, and the worst of those that were not served fast.
#[derive(Clone, Debug, Default)]
struct Tally {
    views: usize,
    unserved: usize,
    slow: usize,
    /// Statuses of those that were not served, as far as there was one.
    answers: BTreeMap<Option<u16>, usize>,
    worst: Vec<(Duration, Moment, String)>,
}

impl Judge for Serving<'_> {
    fn operation(&mut self, view: &Operation<'_>) {
        self.wanted.note(view);
        self.unserved.note(self.case, view);
        if view.page().is_none() || !self.case.plan.population.contains(&view.handle) {
            return;
        }
        let case = self.case;
        let was_there = self.was_there(view);
        if view.is_ok() && !was_there {
            self.shown.insert(view.handle.to_string(), view.last);
        }
        let (delta, fast) = (case.harness.delta, case.time(&FAST));
        let ends = [view.sent, view.sent.plus(fast + delta)];
        let is_well = ends.iter().all(|at| self.well.well_inside(*at, delta));
        let is_late = case.harness.too_slow_within(view.sent, view.last);
        if !is_well || is_late || self.away.touch(view.sent.minus(delta), view.last.plus(delta)) {
            return;
        }
        let waited = view.last.since(view.sent).saturating_sub(self.own_calls(view));
        let is_slow = was_there && waited > fast + delta;
        let tally = if was_there {
            self.unserved.view(case, view);
            &mut self.tally
        } else {
            let part = self.wanted.part_of(view.sent);
            self.cold.entry(view.handle.to_string()).or_default().entry(part).or_default()
        };
        tally.note(case, view, waited, is_slow);
    }

    fn verdict(mut self: Box<Self>) -> Verdict {
        let (feasible, cold) = (self.wanted.feasible(), std::mem::take(&mut self.cold));
        let mut excused = 0;
        for (handle, parts) in cold {
            let from = self.wanted.could_be_filled_from(&handle, &feasible).unwrap_or(u64::MAX);
            for (part, tally) in parts {
                if part >= from {
                    self.tally.join(tally);
                } else {
                    excused += tally.views;
                }
            }
        }
        self.weigh(excused)
    }
}

impl Serving<'_> {
    /// Whether the page was shown or wholly filled before, in this life of the process, and may still
    /// be shown.
    fn was_there(&self, view: &Operation<'_>) -> bool {
        let lived = |since: Moment| self.case.target.lived_through(since, view.last);
        let shown = self.shown.get(view.handle.as_ref()).copied();
        let shown = shown.is_some_and(|shown| shown < view.sent && lived(shown));
        let Some(creator) = self.fills.place(&view.handle).map(|place| self.fills.creator(place))
        else {
            return shown;
        };
        let filled = creator.filled_before(view.sent).is_some_and(|fill| lived(fill.at));
        let usable = creator.validated_before(view.sent).is_none_or(|validated| {
            let stale = Duration::from_secs(self.case.contract.cache.stale_if_error_s.into());
            validated.plus(self.case.max_age() + stale) > view.sent
        });
        (shown || filled) && usable
    }

    /// How long Linktree was busy with this page while the visitor waited.
    fn own_calls(&self, view: &Operation<'_>) -> Duration {
        let Some(place) = self.fills.place(&view.handle) else { return Duration::ZERO };
        let asked = self.fills.creator(place).asked.all();
        let first = asked.partition_point(|span| span.1 < view.sent);
        let during = asked[first..].iter().take_while(|span| span.0 <= view.last);
        during.map(|span| span.1.min(view.last).since(span.0.max(view.sent))).sum()
    }

    fn weigh(self, excused: usize) -> Verdict {
        let (case, tally) = (self.case, self.tally);
        let (percent, fast) = (case.percent(&SERVED), case.time(&FAST));
        let bad = tally.unserved + tally.slow;
        let counted = tally.views.max(VIEWS.least as usize);
        let share = (tally.views - bad) * 1_000 / tally.views.max(1);
        let served = Gauge::share_of_at_least("page views served fast", percent * 10);
        let served =
            if tally.views == 0 { served } else { served.shared(share as u64, share as u64) };
        let is_broken = bad * 100 > counted * (100 - percent as usize);
        let observed = format!(
            "{} views of pages that could be there, of which {} were not served and {} came slowly; \
             {excused} views of pages that could not be there yet",
            tally.views, tally.unserved, tally.slow,
        );
        let rule = format!(
            "2xx, and within {} and {} (δ) where the page was filled before, without the time of the \
             calls for it; not judged from a failing rule's begin until the open time and a recovery \
             after its end",
            humane(fast),
            humane(case.harness.delta),
        );
        let seen = tally.views;
        let witness = is_broken.then(|| tally.witness(case));
        let witnesses = self.unserved.witnesses(case, witness);
        Verdict::from_witnesses(seen, VIEWS.name, witnesses).at_least([VIEWS.seen(seen)]).measured(
            [served],
            observed,
            rule,
        )
    }
}

impl Tally {
    fn note(&mut self, case: &Case, view: &Operation<'_>, waited: Duration, is_slow: bool) {
        self.views += 1;
        if !view.is_ok() {
            self.unserved += 1;
            *self.answers.entry(view.status.filter(|_| view.failure.is_none())).or_default() += 1;
        } else if is_slow {
            self.slow += 1;
        } else {
            return;
        }
        let is_worse = self.worst.len() < SHOWN
            || self.worst.last().is_some_and(|(least, ..)| waited > *least);
        if is_worse {
            self.worst.push((waited, view.sent, case.tell_operation(view)));
            self.keep_the_worst();
        }
    }

    fn join(&mut self, other: Self) {
        self.views += other.views;
        self.unserved += other.unserved;
        self.slow += other.slow;
        for (answer, count) in other.answers {
            *self.answers.entry(answer).or_default() += count;
        }
        self.worst.extend(other.worst);
        self.keep_the_worst();
    }

    /// The longest waits first.
    fn keep_the_worst(&mut self) {
        self.worst.sort_by_key(|(waited, sent, _)| (Reverse(*waited), *sent));
        self.worst.truncate(SHOWN);
    }

    fn witness(self, case: &Case) -> Witness {
        let at = self.worst.iter().map(|(_, sent, _)| *sent).min().unwrap_or(case.harness.armed);
        let what = format!(
            "{} of {} page views were not served, and {} came slowly, while Linktree was well",
            self.unserved, self.views, self.slow,
        );
        let said = |(answer, count): (&Option<u16>, &usize)| match answer {
            Some(status) => format!("{count} times {status}"),
            None => format!("{count} times no whole answer"),
        };
        let answers: Vec<String> = self.answers.iter().map(said).collect();
        let answers = (!answers.is_empty()).then(|| format!("answered {}", answers.join(", ")));
        let lines = answers.into_iter().chain(self.worst.into_iter().map(|(_, _, line)| line));
        lines.fold(Witness::new(at, what), Witness::line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::client_rate_cap;
    use crate::plan::PhaseKind::{Control, Heal, Outage, Storm, Warmup};
    use crate::testing::{Decides, History, links, page, read};
    use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
    use mock_server::history::exchange::Exchange;
    use mock_server::world::population::{Group, Population};

    /// Ann's page is filled in the warm-up; control is from 10 s to 100 s.
    fn history() -> History {
        let phases = [(Warmup, 0, 10), (Control, 10, 60), (Storm, 60, 100)];
        lived_in(History::over(&phases))
            .exchanges([read("ann-0001", 1_000), links("ann-0001", 1_010)])
    }

    fn lived_in(mut history: History) -> History {
        let group = |prefix: &str| Group {
            prefix: prefix.into(),
            count: 9,
            min_links: 1,
            max_links: 9,
            ..Group::default()
        };
        history.case.plan.population = Population { groups: ["ann", "bob"].map(group).into() };
        history
    }

    /// So many views of a page from 20 s on that take so long and are answered so.
    fn views(
        handle: &'static str,
        count: u64,
        took_ms: u64,
        status: u16,
    ) -> impl Iterator<Item = Operation<'static>> {
        (0..count).map(move |n| {
            let at = 20_000 + n * 100;
            Operation { status: Some(status), ..page(handle, at, at + took_ms, "v0-ann-0001") }
        })
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&PagesServed);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        verdict
    }

    fn seldom_refused() -> History {
        history()
            .operations(views("ann-0001", 297, 9, 200))
            .operations(views("ann-0001", 4, 9, 502))
    }

    fn often_slow() -> History {
        history()
            .operations(views("ann-0001", 200, 9, 200))
            .operations(views("ann-0001", 100, 1_200, 200))
    }

    pub(super) fn decided() -> Vec<Decides> {
        vec![
            Decides { bound: &SERVED, value: 98, history: seldom_refused },
            Decides { bound: &FAST, value: 2_000, history: often_slow },
        ]
    }

    #[test]
    fn filled_pages_that_are_shown_fast_hold_and_few_views_say_nothing() {
        check(history().operations(views("ann-0001", 300, 9, 200)), Held);
        check(history().operations(views("ann-0001", 199, 9, 200)), Inconclusive);
        check(history(), Inconclusive);
    }

    #[test]
    fn filled_pages_that_are_refused_or_slow_violate_with_the_worst_first() {
        let verdict = check(seldom_refused(), Violated);
        assert!(verdict.witnesses[0].story[0].contains("4 times 502"), "{verdict:?}");
        let slowest = page("ann-0001", 50_000, 59_000, "v0-ann-0001");
        let verdict = check(often_slow().operation(slowest), Violated);
        assert!(verdict.witnesses[0].story[0].contains("59.000 s"), "{verdict:?}");
        check(history().operations(views("ann-0001", 10, 9, 502)), Violated);
    }

    #[test]
    fn a_call_for_the_page_takes_its_own_time() {
        let slow = |n: u64| {
            let end = Moment::from_ms(20_000 + n * 100 + 1_195);
            let call = read("ann-0001", 20_000 + n * 100);
            Exchange { t_first: Some(end), t_w: Some(end), t_end: end, ..call }
        };
        check(often_slow().exchanges((0..100).map(slow)), Held);
    }

    #[test]
    fn who_fails_every_page_could_have_filled_them_and_is_violated() {
        let failing = |handle| history().operations(views(handle, 600, 9, 503));
        check(failing("bob-0001"), Violated);
        assert!(check(failing("nobody"), Inconclusive).observed.contains("0 views of pages that"));
        let crowd = failing("bob-0001").promising(&client_rate_cap::REQUESTS, 1);
        let verdict = check(crowd, Inconclusive);
        assert!(verdict.observed.contains("600 views of pages that could not"), "{verdict:?}");
    }

    #[test]
    fn outages_restarts_pauses_and_a_late_harness_excuse() {
        let refused = || views("ann-0001", 300, 9, 503);
        let outage = [(Control, 0, 10), (Outage, 10, 20), (Heal, 20, 60)];
        let outage = lived_in(History::over(&outage)).operations(refused());
        check(outage, Inconclusive);
        check(history().operations(refused()).killed_until(15_000, 60_000), Inconclusive);
        check(history().operations(refused()).paused(15_000, 60_000), Inconclusive);
        check(history().operations(refused()).lag(10_000, 50_000), Inconclusive);
    }

    #[test]
    fn a_process_that_has_just_begun_has_forgotten_its_pages() {
        let refused = views("ann-0001", 10, 9, 503);
        let held = history().operations(views("ann-0001", 300, 9, 200).skip(50));
        check(held.operations(refused).killed_until(15_000, 16_000), Held);
    }
}
