//! Rates: how many requests left within a sliding window, and where there were too many.

use crate::case::Case;
use crate::guarantees::client_rate_cap;
use crate::measure::{Gauge, humane};
use crate::strength::Strength;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::history::exchange::Exchange;
use std::collections::BTreeMap;
use std::time::Duration;

/// What becomes of a window that a restart lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restarts {
    /// It is not judged: a limiter in memory has forgotten, and no client owes more.
    Excuse,
    /// It is judged like any other: a server counts on, whoever asks.
    Count,
}

/// Upstream requests of a history, measured against `limit` in the contract's window.
///
/// A client that keeps `limit` in any window W lets request i + limit go no sooner than W after
/// request i. Either may be up to δ on its way, so only less than W − δ is a violation.
pub struct Rate<'c> {
    case: &'c Case,
    limit: usize,
    restarts: Restarts,
    /// Less than a window, by what may be delivery.
    surest: Duration,
    /// The most requests in any half-open window, as they arrived.
    pub peak: usize,
    /// The most within less than the window less δ, of those that are judged: more than `limit` where
    /// there is a burst, and only there.
    pub judged_peak: usize,
    /// For each burst, its tightest `limit + 1` requests.
    pub bursts: Vec<Vec<&'c Exchange>>,
    /// Too tight windows where the harness was late itself.
    pub unjudged: usize,
    /// Too tight windows with a pause inside, after which leaves what was let go before it; and with a
    /// restart, where that excuses.
    pub excused: usize,
}

impl<'c> Rate<'c> {
    /// Measures all requests together.
    #[must_use]
    pub fn of_all(case: &'c Case, limit: usize, restarts: Restarts) -> Self {
        let mut rate = Self::none(case, limit, restarts);
        rate.take(&case.linktree.exchanges.iter().collect::<Vec<_>>());
        rate
    }

    /// Measures the requests of each key for themselves, as a server counts them; the worst key's
    /// numbers stand for all.
    #[must_use]
    pub fn of_each_key(case: &'c Case, limit: usize, restarts: Restarts) -> Self {
        let mut keys: BTreeMap<&str, Vec<&Exchange>> = BTreeMap::new();
        for exchange in &case.linktree.exchanges {
            // A label moves on in a rotation, the key's id does not.
            let key = exchange.key_id.as_deref().unwrap_or(&exchange.token);
            keys.entry(key).or_default().push(exchange);
        }
        let mut rate = Self::none(case, limit, restarts);
        keys.values().for_each(|requests| rate.take(requests));
        rate
    }

    fn none(case: &'c Case, limit: usize, restarts: Restarts) -> Self {
        let surest = case.times.window.saturating_sub(case.harness.delta);
        let (peak, judged_peak, unjudged, excused) = (0, 0, 0, 0);
        let bursts = Vec::new();
        Self { case, limit, restarts, surest, peak, judged_peak, bursts, unjudged, excused }
    }

    fn take(&mut self, requests: &[&'c Exchange]) {
        self.peak = self.peak.max(peak(requests, self.case.times.window));
        self.judged_peak = self.judged_peak.max(self.judged_peak_of(requests));
        let mut last = None;
        for (at, requests) in requests.windows(self.limit + 1).enumerate() {
            let (first, end) = (requests[0].t_req, requests[self.limit].t_req);
            if span(requests) >= self.surest {
                continue;
            }
            if self.is_excused(first, end) {
                self.excused += 1;
            } else if self.case.harness.too_slow_within(first, end) {
                self.unjudged += 1;
            } else if last.replace(at).is_some_and(|last| last + 1 == at) {
                let burst = self.bursts.last_mut().expect("a burst was begun");
                if span(requests) < span(burst) {
                    *burst = requests.to_vec();
                }
            } else {
                self.bursts.push(requests.to_vec());
            }
        }
    }

    /// A request may have been let go before a pause, and have left after it.
    fn is_excused(&self, first: Moment, end: Moment) -> bool {
        let (target, from) = (&self.case.target, first.minus(self.case.harness.delta));
        match self.restarts {
            Restarts::Excuse => target.disturbed_within(from, end),
            Restarts::Count => target.paused_within(from, end),
        }
    }

    /// For each last request the earliest first one with which the span is judged; the longer a span,
    /// the sooner it is not.
    fn judged_peak_of(&self, requests: &[&Exchange]) -> usize {
        let (mut first, mut most) = (0, 0);
        for (last, request) in requests.iter().enumerate() {
            let end = request.t_req;
            while first < last && end.since(requests[first].t_req) >= self.surest {
                first += 1;
            }
            let excused = |from: Moment| {
                self.is_excused(from, end) || self.case.harness.too_slow_within(from, end)
            };
            while last + 1 - first > most && excused(requests[first].t_req) {
                first += 1;
            }
            most = most.max(last + 1 - first);
        }
        most
    }

    /// A witness for each burst, the tightest the heaviest.
    #[must_use]
    pub fn witnesses(&self) -> Vec<Witness> {
        self.bursts.iter().map(|burst| self.witness(burst)).collect()
    }

    fn witness(&self, burst: &[&Exchange]) -> Witness {
        let (first, last) = (burst[0], burst[self.limit]);
        let mut routes: BTreeMap<_, usize> = BTreeMap::new();
        burst.iter().for_each(|request| *routes.entry(request.route).or_default() += 1);
        let organic = burst.iter().filter(|request| request.over_limit).count();
        let what = format!("{} requests within {}", burst.len(), humane(span(burst)));
        let witness = Witness::new(last.t_req, what)
            .lasting(self.surest.saturating_sub(span(burst)))
            .line(format!("first: {}", self.case.tell(first)));
        let restarts = self.case.target.down_spans().iter();
        let within = |down: &&(Moment, Moment)| first.t_req <= down.1 && down.0 <= last.t_req;
        let restarts = restarts.filter(within).map(|(from, until)| {
            format!(
                "{} the process ended, {} a new one was ready",
                self.case.at(*from),
                self.case.at(*until)
            )
        });
        restarts
            .fold(witness, Witness::line)
            .line(format!("last: {}", self.case.tell(last)))
            .line(format!("by route: {routes:?}; refused by the limiter itself: {organic}"))
    }

    /// The verdict, where so much must have been seen.
    #[must_use]
    pub fn verdict(&self, strength: Strength) -> Verdict {
        let Self { case, limit, peak, .. } = self;
        let window = case.times.window;
        // None, if the harness was late or the target disturbed all the time.
        let most = Gauge::at_most("requests in one window", *limit);
        let most = most.counted(self.judged_peak as u64, 0);
        let (length, delivery) = (humane(window), humane(case.harness.delta));
        let excuse = match self.restarts {
            Restarts::Excuse => "a restart or a pause",
            Restarts::Count => "a pause",
        };
        let observed = format!(
            "{peak} arrived in one window, and {} in all; too tight but not judged: {} windows while \
             the harness was late, {} across {excuse}",
            case.linktree.exchanges.len(),
            self.unjudged,
            self.excused,
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
        .at_least([strength])
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

fn span(requests: &[&Exchange]) -> Duration {
    requests.last().map_or(Duration::ZERO, |last| last.t_req.since(requests[0].t_req))
}

fn peak(requests: &[&Exchange], window: Duration) -> usize {
    let mut first = 0;
    let count = |(last, request): (usize, &&Exchange)| {
        while request.t_req.since(requests[first].t_req) >= window {
            first += 1;
        }
        last - first + 1
    };
    requests.iter().enumerate().map(count).max().unwrap_or(0)
}
