//! Rates: how many requests left within a sliding window, and where there were too many.

use crate::case::Case;
use crate::guarantees::client_rate_cap;
use crate::measure::{Gauge, humane};
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use std::collections::BTreeMap;
use std::time::Duration;

/// Every upstream request of a history, measured against `limit` in the contract's window.
///
/// A client that keeps `limit` in any window W lets request i + limit go no sooner than W after
/// request i. Either may be up to δ on its way, so only less than W − δ is a violation.
pub struct Rate<'c> {
    case: &'c Case,
    limit: usize,
    /// The most requests in any half-open window, as they arrived.
    pub peak: usize,
    /// The most within less than the window less δ, of those that are judged: more than `limit` where
    /// there is a burst, and only there.
    pub judged_peak: usize,
    /// For each burst, its tightest `limit + 1` requests.
    pub bursts: Vec<&'c [Exchange]>,
    /// Too tight windows where the harness was late itself.
    pub unjudged: usize,
    /// Too tight windows with a restart or a pause inside: a limiter in memory has forgotten, or
    /// what it let go left later.
    pub across_restart: usize,
}

impl<'c> Rate<'c> {
    /// Measures the whole history.
    #[must_use]
    pub fn of(case: &'c Case, limit: usize) -> Self {
        let window = case.times.window;
        let surest = window.saturating_sub(case.harness.delta);
        let mut rate = Self {
            case,
            limit,
            peak: peak(&case.linktree.exchanges, window),
            judged_peak: judged_peak(case, surest),
            bursts: Vec::new(),
            unjudged: 0,
            across_restart: 0,
        };
        let mut last = None;
        for (at, requests) in case.linktree.exchanges.windows(limit + 1).enumerate() {
            let (first, end) = (requests[0].t_req, requests[limit].t_req);
            if span(requests) >= surest {
                continue;
            }
            // A request may have been let go before a pause, and have left after it.
            if case.target.disturbed_within(first.minus(case.harness.delta), end) {
                rate.across_restart += 1;
            } else if case.harness.too_slow_within(first, end) {
                rate.unjudged += 1;
            } else if last.replace(at).is_some_and(|last| last + 1 == at) {
                let burst = rate.bursts.last_mut().expect("a burst was begun");
                if span(requests) < span(burst) {
                    *burst = requests;
                }
            } else {
                rate.bursts.push(requests);
            }
        }
        rate
    }

    /// A witness for each burst.
    #[must_use]
    pub fn witnesses(&self) -> Vec<Witness> {
        self.bursts.iter().map(|burst| self.witness(burst)).collect()
    }

    fn witness(&self, burst: &[Exchange]) -> Witness {
        let (first, last) = (&burst[0], &burst[self.limit]);
        let mut routes: BTreeMap<_, usize> = BTreeMap::new();
        burst.iter().for_each(|request| *routes.entry(request.route).or_default() += 1);
        let organic = burst.iter().filter(|request| request.over_limit).count();
        let what = format!("{} requests within {}", burst.len(), humane(span(burst)));
        Witness::new(last.t_req, what)
            .line(format!("first: {}", self.case.tell(first)))
            .line(format!("last: {}", self.case.tell(last)))
            .line(format!("by route: {routes:?}; refused by the limiter itself: {organic}"))
    }

    /// The verdict: at least `enough` requests in some window make it worth something.
    #[must_use]
    pub fn verdict(&self, enough: usize) -> Verdict {
        let Self { case, limit, peak, .. } = self;
        let window = case.times.window;
        // None, if the harness was late or the target disturbed all the time.
        let most = Gauge::at_most("requests in one window", *limit);
        let most = most.counted(self.judged_peak as u64, 0);
        let (length, delivery) = (humane(window), humane(case.harness.delta));
        let observed = format!(
            "{peak} arrived in one window, and {} in all; too tight but not judged: {} windows while \
             the harness was late, {} across a restart or a pause",
            case.linktree.exchanges.len(),
            self.unjudged,
            self.across_restart,
        );
        let rule = format!("any {length} is a window, less {delivery} (δ) of delivery");
        Verdict::from_witnesses(
            case.linktree.exchanges.len(),
            "upstream requests",
            self.witnesses(),
        )
        .only_if(
            window >= case.harness.delta * 10,
            "the scaled window is too close to the tolerance",
        )
        .only_if(
            *peak >= enough,
            format!("never near the limit: at most {peak} requests in any {length}"),
        )
        .measured([most], observed, rule)
    }
}

/// Whether the integration's own limiter may have held back pages: it keeps some of the cap for clicks.
#[must_use]
pub fn is_limited(case: &Case, moment: Moment) -> bool {
    let sent_before = |at| case.linktree.exchanges.partition_point(|one| one.t_req < at);
    let used = sent_before(moment) - sent_before(moment.minus(case.times.window));
    used * 10
        >= case.count(&client_rate_cap::REQUESTS).saturating_sub(case.declared.click_slots as usize)
            * 9
}

fn span(requests: &[Exchange]) -> Duration {
    requests.last().map_or(Duration::ZERO, |last| last.t_req.since(requests[0].t_req))
}

/// For each last request the earliest first one with which the span is judged; the longer a span, the
/// sooner it is not.
fn judged_peak(case: &Case, surest: Duration) -> usize {
    let requests = &case.linktree.exchanges;
    let (mut first, mut most) = (0, 0);
    for (last, request) in requests.iter().enumerate() {
        let end = request.t_req;
        while first < last && end.since(requests[first].t_req) >= surest {
            first += 1;
        }
        let excused = |from: Moment| {
            case.target.disturbed_within(from.minus(case.harness.delta), end)
                || case.harness.too_slow_within(from, end)
        };
        while last + 1 - first > most && excused(requests[first].t_req) {
            first += 1;
        }
        most = most.max(last + 1 - first);
    }
    most
}

fn peak(requests: &[Exchange], window: Duration) -> usize {
    let mut first = 0;
    let count = |(last, request): (usize, &Exchange)| {
        while request.t_req.since(requests[first].t_req) >= window {
            first += 1;
        }
        last - first + 1
    };
    requests.iter().enumerate().map(count).max().unwrap_or(0)
}
