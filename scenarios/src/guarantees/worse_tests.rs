//! A worse service never gets a milder verdict: chains of simulated services, each worse than the one
//! before, over the same visitors and the same outage.

use super::GUARANTEES;
use crate::history::Operation;
use crate::judging::Judging;
use crate::plan::PhaseKind::{Control, Heal, Outage, Settle, Warmup};
use crate::testing::{History, click, links, page, read, sent_batch, sent_click};
use crate::verdict::VerdictKind::{self, Held, Violated};
use mock_server::history::exchange::Exchange;
use mock_server::world::population::{Group, Population};
use std::collections::{HashMap, VecDeque};

/// The outage, in milliseconds.
const OUT: std::ops::Range<u64> = 130_000..250_000;
/// When visitors stop to come.
const LAST: u64 = 450_000;
const HANDLES: [&str; 4] = ["ann-0001", "ann-0002", "ann-0003", "ann-0004"];
const AGE_MS: u64 = 12_000;

/// How a service serves pages.
#[derive(Clone, Copy, Debug)]
struct Pages {
    /// Answers at all.
    answers: bool,
    /// Shows a page again while it is fresh.
    caches: bool,
    /// Shows an expired page when it cannot fetch.
    shows_expired: bool,
    /// Keeps the cap.
    limits: bool,
    /// Stops to call a Linktree that is down.
    breaks: bool,
    /// Fetches an expired page again.
    fetches_again: bool,
}

const SOUND: Pages = Pages {
    answers: true,
    caches: true,
    shows_expired: true,
    limits: true,
    breaks: true,
    fetches_again: true,
};

/// How a service takes clicks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Clicks {
    Queue,
    QueueInMemory,
    NoQueue,
    RefuseAll,
}

/// What a simulated service remembers, and what is seen of it.
struct Service {
    pages: Pages,
    sent: VecDeque<u64>,
    filled: HashMap<&'static str, u64>,
    failures: u32,
    open_until: u64,
    history: History,
}

impl Service {
    fn new(pages: Pages) -> Self {
        let phases = [
            (Warmup, 0, 30),
            (Control, 30, 130),
            (Outage, 130, 250),
            (Heal, 250, 450),
            (Settle, 450, 530),
        ];
        let mut history = History::over(&phases);
        let group = Group {
            prefix: "ann".into(),
            count: 4,
            min_links: 1,
            max_links: 9,
            ..Group::default()
        };
        history.case.plan.population = Population { groups: vec![group] };
        history.case.contract.cache.max_age_s = u32::try_from(AGE_MS / 1_000).unwrap();
        let (sent, filled) = (VecDeque::new(), HashMap::new());
        Self { pages, sent, filled, failures: 0, open_until: 0, history }
    }

    /// Sends one call, if breaker and limiter let it; whether it succeeded.
    fn call(&mut self, at: u64, good: Exchange, cap: usize) -> bool {
        let (limits, breaks) = (self.pages.limits, self.pages.breaks);
        while self.sent.front().is_some_and(|sent| sent + 60_000 <= at) {
            self.sent.pop_front();
        }
        if (breaks && at < self.open_until) || (limits && self.sent.len() >= cap) {
            return false;
        }
        let bad = |status| Exchange {
            status: Some(status),
            version: None,
            clicks: Vec::new(),
            ..good.clone()
        };
        let exchange = match self.sent.len() {
            100.. => Exchange { over_limit: true, ..bad(429) },
            _ if OUT.contains(&at) => bad(503),
            _ => good.clone(),
        };
        if !exchange.over_limit {
            self.sent.push_back(at);
        }
        let is_success = exchange.is_success();
        self.failures =
            if is_success { 0 } else { self.failures + u32::from(!exchange.over_limit) };
        if self.failures >= 5 {
            self.open_until = at + 30_000;
        }
        self.history = std::mem::replace(&mut self.history, History::over(&[])).exchange(exchange);
        is_success
    }

    fn view(&mut self, at: u64, handle: &'static str) {
        let filled = self.filled.get(handle).copied();
        let fresh = filled.is_some_and(|filled| self.pages.caches && at < filled + AGE_MS);
        let fixed = filled.is_some() && !self.pages.fetches_again;
        let shown = self.pages.answers
            && (fresh
                || fixed
                || self.fill(at, handle)
                || (filled.is_some() && self.pages.shows_expired));
        let version: &'static str = match handle {
            "ann-0001" => "v0-ann-0001",
            "ann-0002" => "v0-ann-0002",
            "ann-0003" => "v0-ann-0003",
            _ => "v0-ann-0004",
        };
        let view = page(handle, at, at + 60, version);
        let status = Some(if shown { 200 } else { 503 });
        // Two at once, of whom one waits for the other's fetch.
        let view = Operation { status, ..view };
        self.history.operations.extend([view.clone(), view]);
    }

    fn fill(&mut self, at: u64, handle: &'static str) -> bool {
        let whole = self.call(at + 5, read(handle, at + 5), 66)
            && self.call(at + 20, links(handle, at + 20), 66);
        if whole {
            self.filled.insert(handle, at + 30);
        }
        whole
    }

    fn judged(mut self, promises: &[&str]) -> VerdictKind {
        self.history.case.ready();
        self.history.operations.sort_by_key(|operation| operation.last);
        let judges: Vec<_> =
            GUARANTEES.iter().copied().filter(|one| promises.contains(&one.promise().id)).collect();
        assert_eq!(judges.len(), promises.len());
        let mut judging = Judging::begin(&self.history.case, &judges);
        self.history.operations.iter().for_each(|operation| judging.operation(operation));
        // The worst wins, as in a run.
        judging.verdicts().1.into_iter().map(|(_, verdict)| verdict.kind).max().unwrap()
    }
}

/// What a run says of the promises about pages.
fn of_pages(pages: Pages) -> VerdictKind {
    let mut service = Service::new(pages);
    for (n, at) in (1_000..LAST).step_by(250).enumerate() {
        service.view(at, HANDLES[n % HANDLES.len()]);
    }
    service.judged(&["pages-served", "breaker-opens", "stale-on-outage", "cache-hit-ratio"])
}

/// What a run says of the promises about clicks; the process is killed in the outage.
fn of_clicks(clicks: Clicks) -> VerdictKind {
    const KILLED: u64 = 200_000;
    let mut service = Service::new(SOUND);
    let ids: Vec<&'static str> = (0..600).map(|n| &*format!("c{n}").leak()).collect();
    let mut queue: Vec<&'static str> = Vec::new();
    for (n, at) in (31_000..LAST + 60_000).step_by(700).enumerate() {
        if (KILLED..KILLED + 700).contains(&at) && clicks == Clicks::QueueInMemory {
            queue.clear();
        }
        if at < LAST {
            let id = ids[n];
            let taken = match clicks {
                Clicks::Queue | Clicks::QueueInMemory => {
                    queue.push(id);
                    true
                }
                Clicks::NoQueue => service.call(at + 1, sent_click(id, at + 1, 202), 90),
                Clicks::RefuseAll => false,
            };
            let status = Some(if taken { 202 } else { 503 });
            service.history.operations.push(Operation { status, ..click(id, at, at + 60) });
        }
        if n % 2 == 0 && at < LAST {
            service.view(at + 300, HANDLES[n / 2 % HANDLES.len()]);
        }
        if n % 7 == 0 && !queue.is_empty() {
            let batch: Vec<&str> = queue.iter().copied().take(100).collect();
            if service.call(at + 100, sent_batch(&batch, at + 100, 202), 90) {
                queue.drain(..batch.len());
            }
        }
    }
    service.history = service.history.killed_until(KILLED, KILLED + 300);
    service.judged(&["clicks-delivered", "clicks-survive-crash", "click-lag"])
}

/// Each one is judged at least as severely as the one before, and the first ones as expected.
#[track_caller]
fn check<S: std::fmt::Debug + Copy>(
    chain: &[S],
    judged: impl Fn(S) -> VerdictKind,
    expected: &[VerdictKind],
) {
    let verdicts: Vec<VerdictKind> = chain.iter().map(|service| judged(*service)).collect();
    for (worse, two) in verdicts.windows(2).enumerate() {
        assert!(
            two[0] <= two[1],
            "{:?} is judged {:?}, after {:?}",
            chain[worse + 1],
            two[1],
            two[0]
        );
    }
    assert_eq!(verdicts[..expected.len()], *expected);
}

#[test]
fn pages_that_are_served_worse_and_worse_are_never_judged_more_mildly() {
    let no_stale = Pages { shows_expired: false, ..SOUND };
    let no_breaker = Pages { breaks: false, ..no_stale };
    let no_cache = Pages { caches: false, ..no_breaker };
    let no_limiter = Pages { limits: false, ..no_cache };
    let fails_all = Pages { answers: false, ..no_limiter };
    let chain = [SOUND, no_stale, no_breaker, no_cache, no_limiter, fails_all];
    check(&chain, of_pages, &[Held, Violated]);
    // Each fault for itself, and then together with the worst of all.
    let fixed = Pages { fetches_again: false, ..SOUND };
    for only in [Pages { breaks: false, ..SOUND }, Pages { caches: false, ..SOUND }, fixed] {
        check(&[SOUND, only, Pages { answers: false, ..only }], of_pages, &[Held]);
    }
}

#[test]
fn clicks_that_are_taken_worse_and_worse_are_never_judged_more_mildly() {
    use Clicks::{NoQueue, Queue, QueueInMemory, RefuseAll};
    check(&[Queue, QueueInMemory, NoQueue, RefuseAll], of_clicks, &[]);
    assert!(of_clicks(Queue) < Violated && of_clicks(QueueInMemory) == Violated);
}
