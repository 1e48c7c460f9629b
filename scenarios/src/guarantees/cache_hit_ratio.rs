//! Nine in ten page reads of a viral creator need no call to Linktree.
//!
//! Blind to: an exposed ratio that is wrong within what only the integration knows. Broken by:
//! `cache-ttl-too-short`, `misses-counted-as-hits`, `fills-not-shared`, `expired-fills-not-shared`,
//! `fill-lock-expires-early`.

mod shared;

use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::exposed_ratio::ExposedRatio;
use crate::guarantees::evidence::scrapes;
use crate::guarantees::evidence::well;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use shared::Shared;
use std::cmp::Reverse;
use std::collections::HashMap;

const PERCENT: Bound = Bound {
    of: "cache-hit-ratio",
    name: "percent",
    what: "least share of a viral creator's page reads that need no call to Linktree",
    unit: Unit::Percent,
    default: 90,
};

const PROMISE: Promise = Promise {
    id: "cache-hit-ratio",
    statement: "More than 90 % of a viral creator's page reads are served without an upstream call; \
                the exposed ratio is true.",
    priority: Priority::Standard,
    source: "checklist; the share of reads that no call to Linktree was made for; a read that \
             fails was not served",
    why: "Without a cache a single viral page eats the whole rate cap, and every other page with it.",
    usual_fix: "Cache pages for their `max-age`, and let visitors who come during a fill share it.",
    blind_to: "Creators who are read less, and an exposed ratio that is wrong within what only the \
               integration can know of a read.",
    bounds: &[PERCENT],
    minimums: &[READS, OVERLAPPING],
    // The fewer visitors come within a page's life, the more of them need a call.
    when_late: Stands::Never,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

/// Fewer reads say nothing of a share of one in ten.
const READS: Minimum = Minimum { name: "page reads of the viral creator", least: 100 };
/// Where the plan slows page reads down, visitors come while a page is being fetched.
const OVERLAPPING: Minimum =
    Minimum { name: "reads of the viral creator beside a fetch of the page", least: 20 };

/// Fetches shown in a witness.
const SHOWN: usize = 5;

/// See the module.
pub struct CacheHitRatio;

struct Offloading<'c> {
    case: &'c Case,
    judged: Spans,
    reads: HashMap<String, Count>,
    /// Of these, those that were not served.
    failed: HashMap<String, Count>,
    shared: Shared<'c>,
    exposed: ExposedRatio<'c>,
}

/// How many lay certainly, and how many perhaps, within the judged phases.
#[derive(Clone, Copy, Default)]
struct Count {
    least: u64,
    most: u64,
}

impl Guarantee for CacheHitRatio {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let judged = well::spans(case);
        let (shared, exposed) = (Shared::of(case, &judged), ExposedRatio::of(case));
        let (reads, failed) = (HashMap::new(), HashMap::new());
        Box::new(Offloading { case, judged, reads, failed, shared, exposed })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

impl Judge for Offloading<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.exposed.operation(operation);
        let away = self.case.target.disturbed_within(operation.sent, operation.last);
        if operation.page().is_none() || (away && !operation.is_ok()) {
            return;
        }
        self.shared.operation(operation);
        let counts = [Some(&mut self.reads), (!operation.is_ok()).then_some(&mut self.failed)];
        for counts in counts.into_iter().flatten() {
            if !counts.contains_key(operation.handle.as_ref()) {
                counts.insert(operation.handle.to_string(), Count::default());
            }
            let count = counts.get_mut(operation.handle.as_ref()).expect("it was put there");
            count.add(self.case, &self.judged, operation.sent);
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let viral = self.reads.iter().max_by_key(|(handle, count)| (count.least, Reverse(*handle)));
        let viral = viral.map(|(handle, count)| (handle.clone(), *count));
        match viral {
            Some((handle, reads)) if reads.least > 0 => self.weigh(&handle, reads),
            _ => Verdict::inconclusive("no page was read while Linktree was well").measured(
                self.gauges(),
                "no reads",
                "",
            ),
        }
    }
}

impl Offloading<'_> {
    fn percent(&self) -> u64 {
        self.case.percent(&PERCENT)
    }

    /// What is measured: the offload, and whether the metrics tell it.
    fn gauges(&self) -> [Gauge; 3] {
        [
            Gauge::share_of_at_least("page reads without a fetch", self.percent() * 10),
            Gauge::none_of("fetches that visitors could have shared"),
            Gauge::share_of_at_most("exposed ratio off by", 0),
        ]
    }

    fn weigh(self, handle: &str, reads: Count) -> Verdict {
        let percent = self.percent();
        let (all, shown) = self.fetches(handle);
        let forced = self.forced();
        let failed = self.failed.get(handle).copied().unwrap_or_default();
        let fetches = Count {
            least: all.least.saturating_sub(forced) + failed.least,
            most: all.most.saturating_sub(forced) + failed.most,
        };
        let (overlapping, needless) = self.shared.of_page(handle, percent);
        let passes = |fetches: u64, reads: u64| fetches * 100 <= (100 - percent) * reads;
        // Thousandths, rounded down, pass exactly where the numbers themselves do.
        let share = |fetches: u64, reads: u64| reads.saturating_sub(fetches) * 1_000 / reads.max(1);
        let (worst, best) = (share(fetches.most, reads.least), share(fetches.least, reads.most));
        let [offload, sharing, off_by] = self.gauges();
        let offload = offload.shared(worst, best);
        let compulsory = self.compulsory();
        let feasible = passes(compulsory, reads.least);
        let ((lies, exposed), fell) = (self.exposed.compare(), self.exposed.fell());
        let (exposed, off_by) = match exposed {
            Some((words, off)) => (words, off_by.shared(off, off)),
            None if fell.is_some() => ("not to be told".to_owned(), off_by),
            None => match scrapes::unread(self.case, "cache_hits") {
                Some(why) => (format!("not known: {why}"), off_by),
                None => ("not exposed".to_owned(), off_by),
            },
        };
        let observed = format!(
            "{} page reads of {handle} cost {} logical fetches, {forced} of them for restarts and \
             pauses, and {} were not served; {overlapping} came while the page was fetched; the ratio is \
             {exposed}",
            reads.least, all.most, failed.most,
        );
        let rule = format!(
            "give or take {} (δ) at the phases' ends, and a true ratio in the metrics",
            humane(self.case.harness.delta)
        );
        let mut offences = Offences::default();
        if reads.least >= READS.least && feasible && !passes(fetches.least, reads.most) {
            let at = shown.first().map_or(self.case.harness.armed, |fetch| fetch.t_req);
            offences.add(at, || {
                let best = best as f64 / 10.0;
                let what = format!(
                    "only {best:.1} % of {handle}'s page reads were served without a fetch; {} failed",
                    failed.least,
                );
                let lines = shown.iter().map(|fetch| self.case.tell(fetch));
                lines.fold(Witness::new(at, what), Witness::line)
            });
        }
        let missed: usize = needless.iter().map(|one| one.0).sum();
        for (_, episode) in needless {
            offences.add(episode.from, || self.shared.witness(handle, episode));
        }
        offences.join(lies);
        let slowed = if self.shared.are_slowed() { OVERLAPPING.least } else { 0 };
        let strength = [
            READS.of(usize::try_from(reads.least).unwrap_or(usize::MAX), READS.least),
            OVERLAPPING.of(overlapping, slowed),
        ];
        let seen = usize::try_from(reads.least).unwrap_or(usize::MAX);
        let infeasible = format!(
            "a max-age of {} s forces {compulsory} fetches in these phases, too many for {} reads",
            self.case.max_age().as_secs(),
            reads.least,
        );
        offences
            .verdict(seen, &format!("page reads of {handle}"))
            .at_least(strength)
            .only_if(feasible, infeasible)
            .only_if(passes(fetches.most, reads.least), "it depends on reads at a phase's very end")
            .unless(fell)
            .measured(
                [offload, sharing.counted(missed as u64, overlapping), off_by],
                observed,
                rule,
            )
    }

    /// The profile or the first part of the links, whichever was fetched more often: one page needs
    /// both. An attempt after a failed one is a retry and no fetch of its own.
    fn fetches(&self, handle: &str) -> (Count, Vec<&JudgedExchange>) {
        let of_route = |route: Route| {
            let (mut count, mut shown) = (Count::default(), Vec::new());
            let mut failed: Option<Moment> = None;
            let mine = |fetch: &&JudgedExchange| {
                fetch.route == route
                    && !fetch.is_head()
                    && fetch.handle.as_deref() == Some(handle)
                    && !fetch.target.contains("cursor=")
            };
            for fetch in self.case.linktree.exchanges.iter().filter(mine) {
                if failed.is_none_or(|at| at > fetch.t_req) {
                    count.add(self.case, &self.judged, fetch.t_req);
                    if shown.len() < SHOWN && self.judged.touch(fetch.t_req, fetch.t_req) {
                        shown.push(fetch);
                    }
                }
                failed = (!fetch.is_success()).then(|| fetch.t_known());
            }
            (count, shown)
        };
        let (profile, links) = (of_route(Route::Profile), of_route(Route::ProfileLinks));
        if links.0.most > profile.0.most { links } else { profile }
    }

    /// Fetches that are not the cache's doing: a process that ends takes its pages with it, and the
    /// fetch that was under way; one that wakes up may take an answer for a timeout.
    fn forced(&self) -> u64 {
        let judged = |at: &Moment| {
            self.judged.touch(at.minus(self.case.harness.delta), at.plus(self.case.harness.delta))
        };
        let deaths = self.case.target.deaths().filter(judged).count() as u64;
        let woken =
            self.case.target.pauses().iter().filter(|pause| judged(&pause.1)).count() as u64;
        deaths * 2 + woken
    }

    /// Fetches that even a perfect cache needs.
    fn compulsory(&self) -> u64 {
        let age = self.case.max_age().as_nanos().max(1);
        let fetches = |span: &(Moment, Moment)| (span.1.since(span.0).as_nanos() / age) as u64 + 1;
        self.judged.all().iter().map(fetches).sum()
    }
}

impl Count {
    fn add(&mut self, case: &Case, judged: &Spans, at: Moment) {
        if judged.touch(at.minus(case.harness.delta), at.plus(case.harness.delta)) {
            self.most += 1;
            self.least += u64::from(judged.well_inside(at, case.harness.delta));
        }
    }
}

#[cfg(test)]
mod tests;
