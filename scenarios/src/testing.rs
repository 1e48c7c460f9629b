//! Tiny hand-written histories for the tests of guarantees.

use crate::case::Case;
use crate::guarantees::{Guarantee, Judging};
use crate::history::{Change, Click, Did, Operation, PageView, Process};
use crate::observed::{Canary, Figures, Leak, Place, Scanned, Scrape};
use crate::plan::{Declared, Generator, PLAN_FORMAT, Phase, PhaseKind, Plan, RunPlan};
use crate::promise::Bound;
use crate::verdict::Verdict;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{Fault, FaultMark, Matcher, Pick, Rule, Status, Window};
use mock_server::history::exchange::{
    ClickReceipt, End, Exchange, KeyPlace, RetryAfter, RetryAfterForm,
};
use mock_server::profile::ContractProfile;
use mock_server::world::population::Population;
use std::borrow::Cow;
use std::time::Duration;

/// A run at time scale 1 with one scenario of the given phases (kind, from s, until s).
pub fn run_plan(phases: &[(PhaseKind, u64, u64)]) -> RunPlan {
    let phase = |&(kind, from, until): &(PhaseKind, u64, u64)| Phase {
        name: format!("{kind:?}").to_lowercase(),
        kind,
        from_ms: from * 1_000,
        until_ms: until * 1_000,
    };
    let plan = Plan {
        id: "tiny".into(),
        summary: "a history written by hand".into(),
        seed: 1,
        population: Population { groups: Vec::new() },
        phases: phases.iter().map(phase).collect(),
        traffic: Vec::new(),
        faults: phases.iter().filter_map(outage).collect(),
        world: Vec::new(),
        generator: Generator { users: 1, timeout_ms: 30_000 },
        guarantees: Vec::new(),
        exclusive: false,
    };
    RunPlan {
        format: PLAN_FORMAT,
        seed: 1,
        profile: "test".into(),
        time_scale: 1,
        contract: ContractProfile::linktree_v1(),
        declared: Declared::default(),
        bounds: crate::bounds::defaults(),
        scenarios: vec![plan],
    }
}

/// The rule that makes a phase the outage that it claims to be.
fn outage(&(kind, from, until): &(PhaseKind, u64, u64)) -> Option<Rule> {
    let status = Status { codes: vec![503], retry_after: Vec::new() };
    kind.is_total_outage().then(|| Rule {
        id: format!("out-at-{from}"),
        window: Window { from_ms: from * 1_000, until_ms: until * 1_000 },
        matcher: Matcher::default(),
        pick: Pick::All,
        fault: Fault::Status(status),
    })
}

/// What shows that a bound is read: under `value` instead of its default, the verdict on a history is
/// another.
pub struct Decides {
    /// The bound.
    pub bound: &'static Bound,
    /// Another value.
    pub value: u64,
    /// The history.
    pub history: fn() -> History,
}

/// A history in the making: exchanges and operations in any order, times in milliseconds.
pub struct History {
    /// The case so far.
    pub case: Case,
    /// The front-door operations so far.
    pub operations: Vec<Operation<'static>>,
}

impl History {
    /// An empty history over phases (kind, from s, until s).
    pub fn over(phases: &[(PhaseKind, u64, u64)]) -> Self {
        let run = run_plan(phases);
        let mut case = Case::new(&run, &run.scenarios[0]);
        case.harness.closed = Moment::from_ms(run.scenarios[0].duration_ms());
        case.harness.outcome = Some(crate::history::Outcome::Completed);
        case.ready();
        Self { case, operations: Vec::new() }
    }

    /// Promises another number.
    pub fn promising(mut self, bound: &Bound, value: u64) -> Self {
        let of = self.case.bounds.entry(bound.of.into()).or_default();
        of.insert(bound.name.into(), value);
        self
    }

    /// Adds an exchange.
    pub fn exchange(mut self, exchange: Exchange) -> Self {
        let id = (self.case.linktree.exchanges.len() + self.case.linktree.connections.len()) as u64;
        self.case.linktree.exchange(Exchange { id, ..exchange });
        self
    }

    /// Adds several exchanges.
    pub fn exchanges(self, exchanges: impl IntoIterator<Item = Exchange>) -> Self {
        exchanges.into_iter().fold(self, Self::exchange)
    }

    /// Adds a front-door operation.
    pub fn operation(mut self, operation: Operation<'static>) -> Self {
        self.operations.push(operation);
        self
    }

    /// Adds several operations.
    pub fn operations(self, operations: impl IntoIterator<Item = Operation<'static>>) -> Self {
        operations.into_iter().fold(self, Self::operation)
    }

    /// A timer of the harness that came late.
    pub fn lag(mut self, at_ms: u64, late_ms: u64) -> Self {
        self.case.harness.lags.push((Moment::from_ms(at_ms), Duration::from_millis(late_ms)));
        self.case.ready();
        self
    }

    /// Something happened to the target's process.
    pub fn process(mut self, at_ms: u64, change: Change) -> Self {
        self.case.target.processes.push(Process { at: Moment::from_ms(at_ms), change });
        self.case.ready();
        self
    }

    /// A scrape of the metrics.
    pub fn scrape(mut self, scrape: Scrape) -> Self {
        self.case.target.scrapes.push(scrape);
        self
    }

    /// Something planted came to light.
    pub fn leak(mut self, at_ms: u64, place: Place, canary: Canary) -> Self {
        self.case.target.leaks.push(Leak {
            at: Moment::from_ms(at_ms),
            place,
            source: "stdout".into(),
            spot: "line 1".into(),
            canary,
            whose: None,
            excerpt: canary.mark().into(),
        });
        self
    }

    /// So many lines of a log were searched, of which `marked` name a creator or a click, and as
    /// many answers.
    pub fn scanned(mut self, lines: u64, marked: u64) -> Self {
        self.case.target.scanned = Some(Scanned {
            captures_log: true,
            log_lines: lines,
            marked_lines: marked,
            answers: lines,
            ..Scanned::default()
        });
        self
    }

    /// Something of a place could not be searched; to be called after [`History::scanned`].
    pub fn unseen(mut self, place: Place) -> Self {
        let unseen = (place, "it could not be read".to_owned());
        self.case.target.scanned.get_or_insert_default().unseen.push(unseen);
        self
    }

    /// The target's process was killed, and started again at once.
    pub fn killed(self, at_ms: u64) -> Self {
        self.killed_until(at_ms, at_ms)
    }

    /// The target's process was killed, and ready again at `ready_ms`.
    pub fn killed_until(self, at_ms: u64, ready_ms: u64) -> Self {
        self.process(at_ms, Change::Killed { rule: "kill".into() })
            .process(ready_ms, Change::Started { pid: 2 })
            .process(ready_ms, Change::Ready)
    }

    /// The target's process was asked to end, did so, and was ready again.
    pub fn terminated(self, at_ms: u64, ended_ms: u64, ready_ms: u64) -> Self {
        self.process(at_ms, Change::Terminated { rule: "terminate".into() })
            .process(ended_ms, Change::Ended { how: "exit status: 0".into() })
            .process(ready_ms, Change::Started { pid: 2 })
            .process(ready_ms, Change::Ready)
    }

    /// The target's process stood still from one moment to the other.
    pub fn paused(self, from_ms: u64, until_ms: u64) -> Self {
        self.process(from_ms, Change::Paused { rule: "pause".into() })
            .process(until_ms, Change::Resumed)
    }

    /// What the guarantee says.
    pub fn judged_by(mut self, guarantee: &'static dyn Guarantee) -> Verdict {
        self.case.ready();
        let mut judging = Judging::begin(&self.case, &[guarantee]);
        self.operations.iter().for_each(|operation| judging.operation(operation));
        let verdict = judging.verdicts().remove(0).1;
        // Kind, numbers and words agree over every history that any guarantee is tested with.
        assert_eq!(verdict.contradiction(), None, "{verdict:?}");
        verdict
    }
}

/// A good profile read of `handle`, whole request at `at_ms`, answered 5 ms later with 200.
pub fn read(handle: &str, at_ms: u64) -> Exchange {
    Exchange {
        id: 0,
        conn: 1,
        conn_seq: 0,
        method: "GET".into(),
        target: format!("/v1/profiles/{handle}"),
        route: Route::Profile,
        handle: Some(handle.into()),
        host: Some("127.0.0.1:1".into()),
        token: "live".into(),
        key_id: None,
        key_places: vec![KeyPlace::BearerHeader],
        secret_places: vec![],
        accept: Some("application/json".into()),
        content_type: None,
        idempotency_key: None,
        body_bytes: 0,
        clicks: Vec::new(),
        links: Vec::new(),
        t_conn: Moment::from_ms(at_ms),
        t_head: Moment::from_ms(at_ms),
        t_req: Moment::from_ms(at_ms),
        t_first: Some(Moment::from_ms(at_ms + 5)),
        t_w: Some(Moment::from_ms(at_ms + 5)),
        t_end: Moment::from_ms(at_ms + 5),
        end: End::Complete,
        status: Some(200),
        retry_after: None,
        version: Some(format!("v0-{handle}")),
        nonce: Some(format!("n-{handle}-{at_ms}")),
        faults: Vec::new(),
        doubtful: false,
        over_limit: false,
    }
}

/// The same read, refused with `status`.
pub fn refused(handle: &str, at_ms: u64, status: u16) -> Exchange {
    Exchange { status: Some(status), version: None, nonce: None, ..read(handle, at_ms) }
}

/// The same read, refused with `status` and `Retry-After` as seconds.
pub fn asked_to_wait(handle: &str, at_ms: u64, status: u16, seconds: u64) -> Exchange {
    let refused = refused(handle, at_ms, status);
    let until = refused.t_known().plus(Duration::from_secs(seconds));
    let retry_after = RetryAfter {
        value: seconds.to_string(),
        form: RetryAfterForm::Seconds,
        until: Some(until),
    };
    Exchange { retry_after: Some(retry_after), ..refused }
}

/// A read that the client gave up at `until_ms`.
pub fn given_up(handle: &str, at_ms: u64, until_ms: u64) -> Exchange {
    Exchange {
        status: None,
        version: None,
        nonce: None,
        t_first: None,
        t_w: None,
        t_end: Moment::from_ms(until_ms),
        end: End::ClientAbort,
        ..read(handle, at_ms)
    }
}

/// A connection that a fault of this kind broke off, or refusals from `from_ms` to `until_ms`.
pub fn broken_off(kind: &str, from_ms: u64, until_ms: u64) -> Exchange {
    let nothing = Exchange {
        method: String::new(),
        target: String::new(),
        route: Route::Unknown,
        handle: None,
        host: None,
        token: "absent".into(),
        key_places: Vec::new(),
        accept: None,
        end: End::ServerReset,
        ..given_up("-", from_ms, until_ms)
    };
    hit_by(kind, nothing)
}

/// The same exchange, hit by a fault of this kind, by a rule `rule-KIND`.
pub fn hit_by(kind: &str, mut exchange: Exchange) -> Exchange {
    exchange.faults.push(FaultMark {
        rule: format!("rule-{kind}"),
        kind: kind.parse().expect("a fault of this kind"),
        key: exchange.logical_key(),
        nth: 0,
    });
    exchange
}

/// A good read of the first links page of `handle`.
pub fn links(handle: &str, at_ms: u64) -> Exchange {
    Exchange {
        target: format!("/v1/profiles/{handle}/links?limit=100"),
        route: Route::ProfileLinks,
        ..read(handle, at_ms)
    }
}

/// A click sent singly at `at_ms`; a 202 has the effect. The event id is also the key.
pub fn sent_click(event_id: &str, at_ms: u64, status: u16) -> Exchange {
    let receipt = ClickReceipt {
        event_id: event_id.into(),
        payload: "p".into(),
        status,
        effect: status == 202,
    };
    Exchange {
        method: "POST".into(),
        target: "/v1/clicks".into(),
        route: Route::Clicks,
        handle: None,
        content_type: Some("application/json".into()),
        idempotency_key: Some(event_id.into()),
        body_bytes: 90,
        clicks: vec![receipt],
        status: Some(status),
        version: None,
        nonce: None,
        ..read("-", at_ms)
    }
}

/// Clicks sent in one batch; with 202 the batch is answered 200 and each click has its effect.
pub fn sent_batch(event_ids: &[&str], at_ms: u64, status: u16) -> Exchange {
    let receipt = |id: &&str| sent_click(id, at_ms, status).clicks.remove(0);
    Exchange {
        target: "/v1/clicks/batch".into(),
        route: Route::ClicksBatch,
        idempotency_key: None,
        clicks: event_ids.iter().map(receipt).collect(),
        status: Some(if status == 202 { 200 } else { status }),
        ..sent_click("-", at_ms, status)
    }
}

/// A visitor opened a page from `from_ms` to `until_ms` and saw `version`.
pub fn page(
    handle: &'static str,
    from_ms: u64,
    until_ms: u64,
    version: &'static str,
) -> Operation<'static> {
    Operation {
        arrival: from_ms,
        handle: Cow::Borrowed(handle),
        intended: Moment::from_ms(from_ms),
        sent: Moment::from_ms(from_ms),
        first: Some(Moment::from_ms(until_ms)),
        last: Moment::from_ms(until_ms),
        status: Some(200),
        failure: None,
        did: Did::Page(PageView { version: Some(version.into()), ..PageView::default() }),
    }
}

/// A visitor opened a page that showed no version.
pub fn blank(handle: &'static str, from_ms: u64, until_ms: u64) -> Operation<'static> {
    Operation { did: Did::Page(PageView::default()), ..page(handle, from_ms, until_ms, "-") }
}

/// A visitor clicked, and the front door acknowledged with 202.
pub fn click(event_id: &'static str, from_ms: u64, until_ms: u64) -> Operation<'static> {
    Operation {
        status: Some(202),
        did: Did::Click(Click { event_id: event_id.into(), payload: "p".into() }),
        ..page("ann", from_ms, until_ms, "-")
    }
}

/// A good scrape at `at_ms` that takes 5 ms.
pub fn scrape(at_ms: u64, figures: Figures) -> Scrape {
    let (sent, last) = (Moment::from_ms(at_ms), Moment::from_ms(at_ms + 5));
    Scrape { sent, last, status: Some(200), failure: None, figures }
}
