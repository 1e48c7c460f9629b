//! While Linktree is down, filled pages are still served: fast, the last version, the right creator.
//!
//! Blind to: texts. Broken by: `no-stale-on-timeout`, `wrong-creator-under-collapsing`,
//! `look-alikes-share-a-page`, `cache-key-cut-off`, `small-cache`,
//! `cache-of-a-hundred`, `first-links-only`, `one-link-for-each-address`, `stale-for-ever`,
//! `visitors-wait-out-timeouts`, `pages-forgotten-on-recovery`.

mod fresh;

use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::Case;
use crate::guarantees::evidence::busy::Busy;
use crate::guarantees::evidence::fills::Fills;
use crate::guarantees::evidence::outages::Outages;
use crate::guarantees::evidence::own_links::OwnLinks;
use crate::guarantees::evidence::sent::Creator;
use crate::guarantees::evidence::trace::{self, Untrue};
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::plan::PhaseKind;
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use fresh::Fresh;
use mock_server::clock::Moment;
use mock_server::faults::{Fault, Rule};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

const FAST: Bound = Bound {
    of: "stale-on-outage",
    name: "fast_percent",
    what: "least share that is fast of the reads of filled pages during which Linktree was asked in vain",
    unit: Unit::Percent,
    default: 99,
};

const FRESH: Bound = Bound {
    of: "stale-on-outage",
    name: "fresh_ms",
    what: "an expired page that visitors ask for is fetched again, after the heal and the open time",
    unit: Unit::ContractTime,
    default: 15_000,
};

const EXPIRED: Minimum = Minimum { name: "reads of expired pages in an outage", least: 20 };
const CREATORS: Minimum = Minimum { name: "creators whose expired pages were read", least: 3 };
const WAITING: Minimum =
    Minimum { name: "reads of filled pages while Linktree was asked in vain", least: 10 };
const DUE: Minimum = Minimum { name: "expired pages asked for after the heal", least: 3 };

/// So few slow reads are the machine's.
const SLOW_BY_CHANCE: usize = 2;

const PROMISE: Promise = Promise {
    id: "stale-on-outage",
    statement: "While Linktree is down, pages that were ever filled are still served, fast, from the \
                last good version, of the right creator.",
    priority: Priority::High,
    source: "checklist; a page shows what Linktree sent for it, in an outage the last that was \
             filled, and after it what is new; RFC 5861 section 4 (stale-if-error)",
    why: "A blank link-in-bio page during an outage, and visitors who do not come again.",
    usual_fix: "Keep expired pages by handle, where every worker finds them, and show them when a fill \
                fails or is not tried.",
    blind_to: "Pages that do not tell their version, and texts below a right version.",
    bounds: &[FAST, FRESH],
    minimums: &[EXPIRED, CREATORS, WAITING, DUE],
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
    fills: &'c Fills,
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
    /// Pages of an older version, which another worker may have kept.
    elsewhere: usize,
    judged: usize,
    expired: usize,
    /// Creators of those.
    creators: BTreeSet<usize>,
    /// Reads while something was asked for the page, or that took too long.
    waiting: usize,
    fresh: Fresh<'c>,
    offences: Offences,
    /// Pages that were filled, as far as the target had heard so by then: when it should have, when the
    /// visitor asked, and what that visitor met.
    unheard: Vec<(Moment, Moment, Witness)>,
    busy: Busy<'c>,
    slow: Offences,
    links: OwnLinks<'c>,
}

impl Guarantee for StaleOnOutage {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let fills = case.fills();
        let outages = Outages::of(case, |kind| kind == PhaseKind::Outage);
        Box::new(Watching {
            case,
            met: outages.met(),
            fresh: Fresh::of(case, &outages),
            outages,
            away: away(case),
            shown: vec![None; fills.len()],
            fills,
            traced: 0,
            untrue: 0,
            elsewhere: 0,
            judged: 0,
            expired: 0,
            creators: BTreeSet::new(),
            waiting: 0,
            offences: Offences::default(),
            unheard: Vec::new(),
            busy: Busy::over(case),
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
        self.busy.note(read);
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
            if is_page {
                self.fresh.operation(read, place, self.fills.creator(place));
            }
            if is_page && read.version().is_some() {
                let shown = self.shown[place]
                    .filter(|shown| self.case.target.lived_through(shown.0, read.sent));
                self.shown[place] = shown.or(Some((read.sent, read.last)));
            }
        }
    }

    fn verdict(mut self: Box<Self>) -> Verdict {
        self.hear();
        let (case, slow) = (self.case, self.slow.count());
        let fast = case.percent(&FAST);
        let (due, old) = self.fresh.verdict();
        let observed = format!(
            "{} of filled pages in outages, {} of them of expired ones of {}, and {} while Linktree was asked \
             for the page in vain; {} traced to Linktree, {} of them of an older version, out of another \
             worker's cache; {} due after a heal",
            so_many(self.judged, "read", "reads"),
            self.expired,
            so_many(self.creators.len(), "creator", "creators"),
            self.waiting,
            so_many(self.traced, "page", "pages"),
            self.elsewhere,
            so_many(due, "page", "pages"),
        );
        let rule = format!(
            "200 with the last version filled, {fast} in 100 within {} where the read does not end with a \
             fresh page; every version one that Linktree sent for this creator, give or take {} (δ); after \
             the heal and the open time an expired page is fetched again within {} of a visitor's asking",
            humane(case.times.fast),
            humane(case.harness.delta),
            humane(case.time(&FRESH)),
        );
        let bearable = ((100 - fast as usize) * self.waiting / 100).max(SLOW_BY_CHANCE);
        let unshown = self.offences.count() - self.untrue;
        let (other_links, whole) = self.links.judged();
        let gauges = [
            whole,
            Gauge::none_of("filled pages not shown").counted(unshown, self.judged),
            Gauge::none_of("pages of a wrong version").counted(self.untrue, self.traced),
            Gauge::at_most("slow reads of filled pages", bearable).counted(slow, self.waiting),
            Gauge::none_of("pages not fetched again after the heal").counted(old.len() as u64, due),
        ];
        if slow > bearable as u64 {
            self.offences.join(std::mem::take(&mut self.slow));
        }
        self.offences.join(other_links);
        old.into_iter().for_each(|witness| self.offences.add(witness.at, || witness));
        let none = self.outages.doubt().filter(|_| self.expired == 0).map(str::to_owned);
        let strength = [
            EXPIRED.seen(self.expired),
            CREATORS.seen(self.creators.len()),
            WAITING.of(self.waiting, if answers_at_once(case) { 0 } else { WAITING.least }),
            DUE.seen(due),
        ];
        std::mem::take(&mut self.offences)
            .verdict(self.expired, EXPIRED.name)
            .because(none)
            .only_if(self.traced > 0, "no page showed its version, so none could be traced")
            .at_least(strength)
            .measured(gauges, observed, rule)
    }
}

/// Whether the plan's outages are made of error answers alone, so that no call ever hangs in them.
fn answers_at_once(case: &Case) -> bool {
    let meets_outage = |rule: &&Rule| {
        case.plan.phases.iter().filter(|phase| phase.kind == PhaseKind::Outage).any(|outage| {
            rule.window.from_ms < outage.until_ms && outage.from_ms < rule.window.until_ms
        })
    };
    let mut rules = case.plan.faults.iter().filter(meets_outage).peekable();
    rules.peek().is_some() && rules.all(|rule| matches!(rule.fault, Fault::Status(_)))
}

impl Watching<'_> {
    fn trace(&mut self, read: &Operation<'_>, place: Option<usize>) {
        let Some(version) = read.version() else { return };
        self.traced += 1;
        let case = self.case;
        match trace::untrue(self.fills, place, version, read, case.max_age(), case.harness.delta) {
            Some(Untrue::Behind { filled, .. })
                if !case.target.lived_through(filled, read.last) => {}
            Some(Untrue::Behind { .. }) if self.may_be_kept_elsewhere(read, place, version) => {
                self.elsewhere += 1;
            }
            Some(untrue) => {
                self.untrue += 1;
                self.offences.add(read.last, || witness(case, read, &untrue));
            }
            None => self.links.note(read),
        }
    }

    /// Workers with caches of their own each show the last version that they got, for as long as an
    /// expired page may be shown: in an outage, and while they fetch it anew.
    fn may_be_kept_elsewhere(
        &self,
        read: &Operation<'_>,
        place: Option<usize>,
        version: &str,
    ) -> bool {
        let Some(creator) = place.map(|place| self.fills.creator(place)) else { return false };
        let asked = creator.version(version).map(|shown| creator.versions[shown].last_asked);
        let kept = self.case.max_age() + self.stale_if_error();
        self.fills.several_caches && asked.is_some_and(|asked| asked.plus(kept) > read.sent)
    }

    fn stale_if_error(&self) -> Duration {
        Duration::from_secs(self.case.contract.cache.stale_if_error_s.into())
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
        let usable = validated.plus(case.max_age() + self.stale_if_error())
            > read.sent.plus(case.harness.delta);
        if !usable
            || self
                .away
                .touch(read.sent.minus(case.harness.delta), read.last.plus(case.harness.delta))
        {
            return;
        }
        self.judged += 1;
        if validated.plus(case.max_age() + case.harness.delta) < read.sent {
            self.expired += 1;
            self.creators.insert(place);
        }
        let is_slow = self.is_slow(read, creator);
        let (from, until) =
            (read.sent.minus(case.harness.delta), read.last.plus(case.harness.delta));
        self.waiting += usize::from(is_slow || creator.asked.touch(from, until));
        let (slow, what) = if !is_page {
            (false, "was not served, though filled")
        } else if read.version().is_none() && shown.is_some() {
            (false, "was blank: it lost its version")
        } else if is_slow {
            (true, "came slowly, though filled")
        } else {
            return;
        };
        let line = || format!("{} it had been filled", case.at(since));
        let witness = || witness(case, read, &what).line(line());
        if slow {
            self.slow.add(read.last, witness);
        } else if shown.is_some() {
            self.offences.add(read.last, witness);
        } else {
            self.unheard.push((since, read.sent, witness()));
        }
    }

    /// Who answered nobody may have heard of a fill later than usual.
    fn hear(&mut self) {
        let (hearing, delta) = (self.busy.spans(), self.case.harness.delta);
        for (filled, asked, witness) in std::mem::take(&mut self.unheard) {
            if hearing.heard_by(filled.minus(delta), delta) < asked {
                self.offences.add(witness.at, || witness);
            }
        }
    }

    /// Slow, unless it was waiting that brought a fresh page.
    fn is_slow(&self, read: &Operation<'_>, creator: &Creator) -> bool {
        let delta = self.case.harness.delta;
        read.last.since(read.sent) > self.case.times.fast + delta
            && !creator.is_validated_within(read.sent, read.last.plus(delta))
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
        .lasting(read.last.since(read.sent))
        .line(case.tell_operation(read))
}

#[cfg(test)]
mod tests;
