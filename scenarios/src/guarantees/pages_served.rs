//! While Linktree is well, and in a viral spike, pages that could be there are shown, fast and whole.
//!
//! Blind to: a page's very first visitors. Broken by: `no-cache-no-limiter`,
//! `unavailable-when-limited`, `page-cached-per-url`, `no-page-without-links`,
//! `title-cut-in-a-letter`, `bad-click-ends-the-process`, `links-in-reverse-order`,
//! `one-fetch-at-a-time`, `workers-wait-for-linktree`.

mod tally;

use super::evidence::{
    own_links::OwnLinks, there::There, unserved::Unserved, wanted::Wanted, well,
};
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::Verdict;
use mock_server::clock::Moment;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tally::Tally;

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

/// Where most of what visitors saw says nothing, since nobody can know which pages could have been there, a
/// share of the rest would be called that of all. Services that keep what is promised had 71 and more in the
/// spike, one that turned away nearly half of all visitors 55.
const JUDGED: Minimum =
    Minimum { name: "views of pages that could be there, in a hundred page views", least: 60 };

const PROMISE: Promise = Promise {
    id: "pages-served",
    statement: "While Linktree is well, and in a viral spike, pages are served: whoever was filled \
                before, or could be filled within the cap, is shown, fast, for at least 99 % of the \
                visits.",
    priority: Priority::Critical,
    source: "checklist; `fast_ms` of the assumed contract",
    why: "the page is the whole product; it must load under high concurrency",
    usual_fix: "cache pages, share fills, and show the expired page when the limiter leaves no room",
    blind_to: "the first half limit window of a page; which pages are shown while more are asked for than \
               the cap lets through, but for those that a quarter of all visitors ask for; texts and \
               addresses of what is shown",
    bounds: &[SERVED, FAST],
    minimums: &[VIEWS, JUDGED],
    // A late visitor is answered late, and a mock that cannot answer leaves pages unfilled.
    when_late: Stands::Never,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

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
            there: There::of(case),
            wanted: Wanted::over(case),
            well: well::spans(case),
            away: Spans::joined(away, Duration::ZERO),
            unserved: Unserved::default(),
            links: OwnLinks::of(case),
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
    there: There<'c>,
    wanted: Wanted<'c>,
    well: Spans,
    /// When the target could not answer as usual.
    away: Spans,
    unserved: Unserved,
    links: OwnLinks<'c>,
    tally: Tally,
    /// Views of pages that were not there, by part of the limit window.
    cold: HashMap<String, BTreeMap<u64, Tally>>,
}

impl Judge for Serving<'_> {
    fn operation(&mut self, view: &Operation<'_>) {
        self.wanted.note(view);
        self.unserved.note(self.case, view);
        if view.page().is_none() || !self.case.plan.population.contains(&view.handle) {
            return;
        }
        let case = self.case;
        let was_there = self.there.note(view);
        let (delta, fast) = (case.harness.delta, case.time(&FAST));
        let ends = [view.sent, view.sent.plus(fast + delta)];
        let is_well = ends.iter().all(|at| self.well.well_inside(*at, delta));
        let is_late = case.harness.too_slow_within(view.sent, view.last);
        if !is_well || is_late || self.away.touch(view.sent.minus(delta), view.last.plus(delta)) {
            return;
        }
        if view.is_ok() {
            self.links.note(view);
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
    /// How long Linktree was busy with this page while the visitor waited.
    fn own_calls(&self, view: &Operation<'_>) -> Duration {
        let fills = self.there.fills;
        let Some(place) = fills.place(&view.handle) else { return Duration::ZERO };
        let asked = &fills.creator(place).asked;
        let Some((first, _)) = asked.ending_at_or_after(view.sent) else { return Duration::ZERO };
        let during = asked.all()[first..].iter().take_while(|span| span.0 <= view.last);
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
        let (mut offences, whole) = self.links.judged();
        for witness in self.unserved.witnesses(case, witness) {
            offences.add(witness.at, || witness);
        }
        let judged = seen * 100 / (seen + excused).max(1);
        let strength = [VIEWS.seen(seen), JUDGED.seen(judged)];
        offences.verdict(seen, VIEWS.name).at_least(strength).measured(
            [served, whole],
            observed,
            rule,
        )
    }
}

#[cfg(test)]
mod tests;
