//! A long ordinary day, as it is recorded: what judges have to do with many exchanges and visits.

use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{FaultKind, FaultMark};
use mock_server::history::exchange::{
    ClickReceipt, End, Exchange, KeyPlace, RetryAfter, RetryAfterForm, click_payload,
};
use mock_server::profile::ContractProfile;
use scenarios::catalogue::{Settings, run_plan};
use scenarios::guarantees::GUARANTEES;
use scenarios::history::{
    Click, Did, Event, GeneratorReport, HISTORY_FORMAT, Opened, Operation, Outcome, PageView,
    Tolerances,
};
use scenarios::observed::{Figures, Histogram, Scrape};
use scenarios::plan::{MAX_DURATION_MS, RunPlan};
use std::borrow::Cow;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::time::Duration;
use windthrow::config::target::TargetSpec;
use windthrow::evidence::folder::{RunFolder, RunIdentity};
use windthrow::evidence::plans;
use windthrow::evidence::writer::HistoryWriter;

/// One operation for so many exchanges.
const OPERATION_EVERY: u64 = 4;
const CREATORS: u64 = 400;
const SCENARIO: &str = "steady-state";

/// After so many calls Linktree refuses a row of them, as an outage does: enough to open a breaker.
const OUTAGE_EVERY: u64 = 2_000;
const REFUSED_IN_A_ROW: u64 = 6;
/// One call for so many stalls until it is given up.
const STALLS_EVERY: u64 = 1_000;
const SCRAPED_EVERY: u64 = 1_000;
/// Seconds.
const BUCKETS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];

/// What a service sends that keeps to its rate, all day long.
struct Day {
    every: Duration,
    /// How long nothing is sent after an outage.
    open: Duration,
    timeout: Duration,
}

/// How many of the calls before this one come first after each so many, from `place` on.
const fn so_far(n: u64, every: u64, place: u64) -> u64 {
    (n + every - 1 - place) / every
}

impl Day {
    fn at(&self, n: u64) -> Moment {
        let outages = so_far(n, OUTAGE_EVERY, REFUSED_IN_A_ROW - 1);
        let times = |of: Duration, n: u64| of * u32::try_from(n).unwrap();
        Moment::from_ms(2_000).plus(times(self.every, n) + times(self.open, outages))
    }

    const fn stalls(n: u64) -> bool {
        n % STALLS_EVERY == 123
    }

    /// What the metrics tell after so many calls.
    #[allow(clippy::cast_precision_loss)] // far below 2^52
    fn scrape(&self, n: u64) -> Scrape {
        let at = self.at(n);
        let stalled = so_far(n, STALLS_EVERY, 123) as f64;
        let (count, views) = (n as f64, so_far(n, OPERATION_EVERY, 0) as f64);
        let up_to = |bound: f64| match bound {
            ..0.001 => 0.0,
            0.001..1.0 => count - stalled,
            _ => count,
        };
        let figures = Figures {
            timeouts: Some(stalled),
            auth_errors: Some(0.0),
            cache_hits: Some(views / 2.0),
            cache_misses: Some(views / 2.0),
            cache_stale: None,
            latency: Some(Histogram {
                buckets: BUCKETS.map(|bound| (bound, up_to(bound))).into(),
                count,
            }),
            key_age: None,
            click_lag: Some(0.0),
            click_lags: None,
            rate_used: Some(60.0),
            unread: std::collections::BTreeMap::new(),
        };
        let last = at.plus(Duration::from_millis(2));
        Scrape { sent: at, last, status: Some(200), failure: None, figures, pushed: None }
    }

    fn handle(n: u64) -> String {
        format!("page-{:04}", 1 + n * n % CREATORS)
    }

    fn event_id(n: u64) -> String {
        format!("ev-{:08x}-{n}", n.wrapping_mul(2_654_435_761) as u32)
    }

    /// Of ten calls six read a profile, three its links, and one delivers a click; one in fifty is
    /// refused, every fourth of these with a time to wait.
    fn exchange(&self, n: u64) -> Exchange {
        let at = self.at(n);
        let [head, first, done] =
            [50, 900, 1_000].map(|us| at.plus(Duration::from_micros(us + n % 89)));
        let handle = Self::handle(n);
        let route = match n % 10 {
            0..6 => Route::Profile,
            6..9 => Route::ProfileLinks,
            _ => Route::Clicks,
        };
        let (target, clicks) = match route {
            Route::Profile => (format!("/v1/profiles/{handle}"), vec![]),
            Route::ProfileLinks => (format!("/v1/profiles/{handle}/links?limit=100"), vec![]),
            _ => {
                let (event_id, payload) = (Self::event_id(n), Self::payload(n));
                let receipt = ClickReceipt { event_id, payload, status: 202, effect: true };
                ("/v1/clicks".to_owned(), vec![receipt])
            }
        };
        let (is_click, is_stalled) = (!clicks.is_empty(), Self::stalls(n));
        let is_refused = n % 50 == 7 || n % OUTAGE_EVERY < REFUSED_IN_A_ROW;
        let end = if is_stalled { head.plus(self.timeout) } else { done };
        let is_good = !is_refused && !is_stalled;
        let mark = FaultMark {
            rule: if is_stalled { "stalled" } else { "refused-now-and-then" }.into(),
            kind: if is_stalled { FaultKind::Stall } else { FaultKind::Status },
            key: format!("GET {target}"),
            nth: n,
        };
        let retry_after = RetryAfter {
            value: "1".into(),
            form: RetryAfterForm::Seconds,
            until: Some(done.plus(Duration::from_secs(1))),
        };
        Exchange {
            id: n,
            conn: n / 100,
            conn_seq: u32::try_from(n % 100).unwrap(),
            method: if is_click { "POST" } else { "GET" }.into(),
            target,
            route,
            host: Some("127.0.0.1:43210".into()),
            token: "live".into(),
            key_id: Some("key_live_1".into()),
            key_places: vec![KeyPlace::BearerHeader],
            secret_places: vec![],
            accept: Some("application/json".into()),
            content_type: is_click.then(|| "application/json".into()),
            idempotency_key: is_click.then(|| Self::event_id(n)),
            body_bytes: u64::from(is_click) * 211,
            clicks,
            listed: None,
            links: vec![],
            registration: None,
            t_conn: at,
            t_head: at,
            t_req: head,
            t_first: (!is_stalled).then_some(first),
            t_w: (!is_stalled).then_some(done),
            t_end: end,
            end: if is_stalled { End::ClientAbort } else { End::Complete },
            status: match (is_stalled, is_refused) {
                (true, _) => None,
                (_, true) => Some(503),
                _ => Some(200 + u16::from(is_click) * 2),
            },
            retry_after: (n % 200 == 7).then_some(retry_after),
            version: (!is_click && is_good).then(|| format!("v{}-{handle}", n / 100_000)),
            nonce: (!is_click && is_good).then(|| format!("nonce-{n:016x}")),
            handle: (!is_click).then_some(handle),
            faults: if is_good { vec![] } else { vec![mark] },
            doubtful: false,
            over_limit: false,
            denied: None,
        }
    }

    fn payload(n: u64) -> String {
        click_payload(&Self::handle(n), &format!("link-{n}"), "2026-01-01T00:00:00Z")
    }

    /// A click for each that is delivered, and page views, some of which take their time.
    fn operation(&self, n: u64) -> Operation<'static> {
        if n % 10 != 9 {
            return self.view(n);
        }
        let (event_id, payload) = (Self::event_id(n).into(), Self::payload(n).into());
        self.did(n, 202, Did::Click(Click { event_id, payload }))
    }

    fn view(&self, n: u64) -> Operation<'static> {
        let version = format!("v{}-{}", n / 100_000, Self::handle(n));
        let page = PageView { version: Some(version.into()), ..PageView::default() };
        self.did(n, 200, Did::Page(page))
    }

    fn did(&self, n: u64, status: u16, did: Did<'static>) -> Operation<'static> {
        let took = Duration::from_micros(if n.is_multiple_of(20) { 30_000 } else { 700 });
        let (sent, last) = (self.at(n), self.at(n).plus(took));
        Operation {
            arrival: n,
            handle: Cow::Owned(Self::handle(n)),
            intended: sent,
            sent,
            first: Some(last),
            last,
            status: Some(status),
            failure: None,
            did,
        }
    }
}

/// An ordinary day, long enough for so many calls, of which every guarantee is judged.
fn plan(exchanges: u64) -> (RunPlan, Day) {
    let contract = ContractProfile::linktree_v1();
    let mut run = run_plan(&Settings::default(), contract, &[SCENARIO]);
    let times = run.times_in(&run.scenarios[0]);
    let plan = &mut run.scenarios[0];
    let timeout = Duration::from_secs(10) / plan.time_scale;
    let day = Day { every: times.window / 80, open: times.breaker_open * 2, timeout };
    let needed = day.at(exchanges).0 / 1_000_000;
    let longer = needed.min(MAX_DURATION_MS - plan.duration_ms());
    for phase in &mut plan.phases[1..] {
        phase.until_ms += longer;
    }
    for phase in &mut plan.phases[2..] {
        phase.from_ms += longer;
    }
    let all = GUARANTEES.iter().map(|guarantee| guarantee.promise().id);
    plan.population.groups[0].count = u32::try_from(CREATORS).unwrap();
    plan.watches =
        all.filter(|id| !plan.guarantees.iter().any(|named| named == id)).map(Into::into).collect();
    (run, day)
}

/// Writes the folder of a run with so many exchanges and, between one and the next, so many more page views.
///
/// # Errors
///
/// When the files cannot be written.
pub fn record(out: &Path, exchanges: u64, views: u64) -> Result<RunFolder, Box<dyn Error>> {
    let folder = RunFolder { path: out.to_owned() };
    let (run, day) = plan(exchanges);
    let (plan, plan_hash) = plans::to_bytes(&run);
    let identity = RunIdentity::new("day", &plan_hash, TargetSpec::Embedded { mutant: None });
    let run_hash = folder.write_identity(&identity)?;
    folder.write("plan.json", &plan)?;
    folder.make_scenario(SCENARIO)?;
    let file = File::create(folder.history(SCENARIO))?;
    let mut out_file = HistoryWriter::new(BufWriter::new(file))?;
    let mut write =
        |event: &Event<'_>| -> io::Result<()> { out_file.line(&serde_json::to_vec(event)?) };
    write(&Event::Opened(Opened {
        format: HISTORY_FORMAT,
        run: identity.run_id,
        run_hash,
        scenario: SCENARIO.into(),
        plan_hash,
        target: "embedded".into(),
        started: None,
    }))?;
    write(&Event::Mock { url: "http://127.0.0.1:43210".into() })?;
    write(&Event::Tolerances(Tolerances::default()))?;
    write(&Event::Armed { at: Moment::from_ms(1_000) })?;
    for n in 0..exchanges {
        write(&Event::Exchange(Box::new(day.exchange(n))))?;
        if n % 10 == 9 || n % OPERATION_EVERY == 0 {
            write(&Event::Operation(day.operation(n)))?;
        }
        for _ in 0..views {
            write(&Event::Operation(day.view(n)))?;
        }
        if n % SCRAPED_EVERY == 0 {
            write(&Event::Scrape(Box::new(day.scrape(n))))?;
        }
    }
    write(&Event::Generator(GeneratorReport::default()))?;
    let (at, outcome, digest) = (day.at(exchanges), Outcome::Completed, out_file.digest());
    let closed = Event::Closed { at, outcome, digest };
    out_file.line(&serde_json::to_vec(&closed)?)?;
    out_file.finish()?;
    Ok(folder)
}
