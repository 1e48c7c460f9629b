//! Rates: how many requests left within a sliding window, and where there were too many.

use crate::case::{Case, JudgedExchange};
use crate::guarantees::client_rate_cap;
use crate::measure::{Gauge, humane};
use crate::strength::Strength;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
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
    pub bursts: Vec<Vec<&'c JudgedExchange>>,
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
        let mut keys: BTreeMap<&str, Vec<&JudgedExchange>> = BTreeMap::new();
        for exchange in case.linktree.exchanges.iter() {
            // A label moves on in a rotation, the key's id does not.
            let key = exchange.head.key_id.as_deref().unwrap_or(&exchange.head.token);
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

    fn take(&mut self, requests: &[&'c JudgedExchange]) {
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
    fn judged_peak_of(&self, requests: &[&JudgedExchange]) -> usize {
        let (mut first, mut most) = (0, 0);
        for (last, request) in requests.iter().enumerate() {
            let end = request.t_req;
            while first < last && end.since(requests[first].t_req) >= self.surest {
                first += 1;
            }
            let excused = |from: Moment| {
                self.is_excused(from, end) || self.case.harness.too_slow_within(from, end)
            };
            // One that is excused is so for every later end too: it may be given up now or then.
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

    fn witness(&self, burst: &[&JudgedExchange]) -> Witness {
        let (first, last) = (burst[0], burst[self.limit]);
        let mut routes: BTreeMap<Route, usize> = BTreeMap::new();
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
            .line(format!("by route: {}; refused by the limiter itself: {organic}", words(&routes)))
    }

    /// The verdict, where so much must have been seen.
    #[must_use]
    pub fn verdict(&self, strength: Strength) -> Verdict {
        let Self { case, limit, peak, .. } = self;
        let window = case.times.window;
        // None, if the harness was late or the target disturbed all the time.
        let most = Gauge::at_most("requests in one window", *limit);
        let most = most.in_any(window, case.time_scale);
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

/// The cap that the integration keeps: what it declares, and the contract's where that is lower.
#[must_use]
pub fn cap(case: &Case) -> usize {
    let contract = case.count(&client_rate_cap::REQUESTS);
    case.declared.rate_cap.map_or(contract, |own| contract.min(own as usize))
}

/// Whether the integration's own limiter may have held back pages: it keeps some of the cap for clicks.
/// Of several instances the one that was asked may have used up its part alone.
#[must_use]
pub fn is_limited(case: &Case, moment: Moment) -> bool {
    let sent_before = |at| case.linktree.exchanges.partition_point(|one| one.t_req < at);
    let used = sent_before(moment) - sent_before(moment.minus(case.times.window));
    let instances = case.declared.instances.max(1) as usize;
    used * 10 * instances >= cap(case).saturating_sub(case.declared.click_slots as usize) * 9
}

/// Until when attempts may leave that had the breaker's permit at `moment`, and that no `Retry-After`
/// held back then: after the declared wait for the limiter. A limiter that lets one pass after the other
/// makes a few calls wait as well, long before the cap is used.
#[must_use]
pub fn permits_expire(case: &Case, moment: Moment) -> Moment {
    moment.plus(case.times.limiter_wait)
}

/// `health 1, profile 90`: routes by the names that plans and histories use.
fn words(routes: &BTreeMap<Route, usize>) -> String {
    let counted = routes.iter().map(|(route, count)| {
        let name = serde_json::to_value(route).unwrap_or_default();
        format!("{} {count}", name.as_str().unwrap_or("unknown"))
    });
    counted.collect::<Vec<_>>().join(", ")
}

fn span(requests: &[&JudgedExchange]) -> Duration {
    requests.last().map_or(Duration::ZERO, |last| last.t_req.since(requests[0].t_req))
}

fn peak(requests: &[&JudgedExchange], window: Duration) -> usize {
    let mut first = 0;
    let count = |(last, request): (usize, &&JudgedExchange)| {
        while request.t_req.since(requests[first].t_req) >= window {
            first += 1;
        }
        last - first + 1
    };
    requests.iter().enumerate().map(count).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::find;
    use crate::plan::PhaseKind::{Control, Outage};
    use crate::testing::{History, asked_to_wait, read, refused};
    use crate::verdict::VerdictKind::{self, Inconclusive, Violated};

    /// So many requests, one each half second.
    fn busy(requests: u64) -> History {
        let phases = [(Control, 0, 40), (Outage, 40, 100)];
        History::over(&phases).exchanges((0..requests).map(|n| read("ann", n * 500)))
    }

    fn waiting(mut history: History, seconds: u64) -> History {
        history.case.times.limiter_wait = Duration::from_secs(seconds);
        history
    }

    #[test]
    fn who_has_used_nine_tenths_of_the_pages_share_may_be_limited() {
        let check = |requests, own: Option<u32>, at_s: u64, expected| {
            let mut history = busy(requests);
            history.case.declared.rate_cap = own;
            let limited = is_limited(&history.case, Moment::from_ms(at_s * 1_000));
            assert_eq!(limited, expected, "{requests} of {own:?} at {at_s} s");
        };
        // Sixty-six are left for pages.
        check(59, None, 40, false);
        check(60, None, 40, true);
        check(60, None, 60, true);
        check(60, None, 61, false);
        check(32, Some(60), 40, false);
        check(33, Some(60), 40, true);
        check(60, Some(200), 40, true);
    }

    #[test]
    fn one_of_several_instances_may_have_used_up_its_part_alone() {
        let check = |requests, expected| {
            let history = busy(requests).declaring(|one| one.instances = 2);
            assert_eq!(is_limited(&history.case, Moment::from_ms(40_000)), expected, "{requests}");
        };
        check(29, false);
        check(30, true);
    }

    #[test]
    fn in_a_window_no_longer_than_delivery_each_request_stands_alone() {
        let mut case = busy(3).case;
        case.times.window = Duration::from_millis(50);
        let rate = Rate::of_all(&case, 90, Restarts::Count);
        assert_eq!((rate.judged_peak, rate.bursts.len()), (1, 0));
    }

    #[track_caller]
    fn judged(id: &str, history: History, expected: VerdictKind) {
        let verdict = history.judged_by(find(id).unwrap());
        assert_eq!(verdict.kind, expected, "{verdict:?}");
    }

    #[test]
    fn what_waited_for_the_limiter_with_a_permit_may_leave_after_a_told_wait() {
        let after = |first_ms: u64| {
            let told = busy(50).exchange(asked_to_wait("ann", 40_000, 503, 7));
            told.exchanges([read("bob", first_ms), read("carl", first_ms + 10)])
        };
        judged("retry-after-honoured", after(41_000), Violated);
        judged("retry-after-honoured", waiting(after(41_000), 5), Inconclusive);
        judged("retry-after-honoured", waiting(after(45_300), 5), Violated);
    }

    #[test]
    fn what_waited_for_the_limiter_with_a_permit_may_leave_through_an_open_breaker() {
        let through = |first_ms: u64| {
            let failed = (0..5).map(|n| refused("ann", 40_000 + n * 500, 503));
            let late = (0..3).map(move |n| refused("bob", first_ms + n * 10, 503));
            let page = crate::testing::page("dora", 50_000, 50_010, "-");
            busy(50).exchanges(failed).exchanges(late).operation(page)
        };
        let kind = |history: History| history.judged_by(find("breaker-opens").unwrap()).kind;
        assert_eq!(kind(through(43_000)), Violated);
        assert_ne!(kind(waiting(through(43_000), 5)), Violated);
        assert_eq!(kind(waiting(through(48_000), 5)), Violated);
        // Nine at once after the trip: more than the threshold and those in the air.
        let crowd = through(43_000).exchanges((0..6).map(|n| refused("eve", 43_100 + n, 503)));
        assert_ne!(kind(waiting(crowd, 5)), Violated);
    }

    #[test]
    fn a_burst_is_shown_where_it_is_tightest_and_of_equals_where_it_begins() {
        let told = |first_ms: u64, more: u64| {
            let rest = (0..more).map(|n| read("ann", 10_000 + n * 100));
            let case = History::over(&[]).exchange(read("ann", first_ms)).exchanges(rest).case;
            let rate = Rate::of_all(&case, 90, Restarts::Count);
            let shown: Vec<_> =
                rate.witnesses().into_iter().map(|one| (one.what, one.at)).collect();
            assert_eq!(shown.len(), 1, "{shown:?}");
            (shown[0].0.clone(), shown[0].1.0 / 1_000_000)
        };
        assert_eq!(told(0, 91), ("91 requests within 9 s".into(), 19_000));
        assert_eq!(told(9_900, 91), ("91 requests within 9 s".into(), 18_900));
        assert_eq!(told(9_990, 90).1, 18_900);
    }

    #[test]
    fn what_may_be_delivery_is_no_burst_and_only_restarts_within_one_are_told() {
        let bursts = |last_ms: u64| {
            let crowd = (0..90).map(|n| read("ann", n * 100));
            let history = History::over(&[]).exchanges(crowd).exchange(read("ann", last_ms));
            let case = history.killed_until(70_000, 71_000).killed_until(30_000, 31_000).case;
            let witnesses = Rate::of_all(&case, 90, Restarts::Count).witnesses();
            witnesses.into_iter().map(|one| one.story).collect::<Vec<_>>()
        };
        assert_eq!(bursts(59_900), [[""; 0]; 0]);
        let story = bursts(59_899).concat().join("; ");
        assert!(
            story.contains("30.000 s the process ended") && !story.contains("70.000 s"),
            "{story}"
        );
    }

    #[test]
    fn a_window_is_full_to_its_last_moment_and_half_open() {
        let case = busy(3).case;
        let all: Vec<&JudgedExchange> = case.linktree.exchanges.iter().collect();
        assert_eq!(peak(&all, Duration::from_secs(1)), 2);
        assert_eq!(peak(&all, Duration::from_millis(1_001)), 3);
        assert_eq!((peak(&[], Duration::from_secs(1)), span(&[])), (0, Duration::ZERO));
        assert_eq!(span(&all), Duration::from_secs(1));
    }
}
