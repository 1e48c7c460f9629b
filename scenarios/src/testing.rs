//! Tiny hand-written histories for the tests of guarantees.

mod exchanges;
mod visits;
mod webhooks;

pub use exchanges::*;
pub use visits::*;
pub use webhooks::*;

use crate::case::{Case, JudgedExchange, Starved};
use crate::guarantees::Guarantee;
use crate::history::{Change, Operation, Process};
use crate::judging::Judging;
use crate::observed::{Canary, Leak, Place, Scanned, Scrape};
use crate::plan::{
    Declared, Generator, KeyPlan, P99_LATENESS_MS, PLAN_FORMAT, Phase, PhaseKind, Plan, RunPlan,
    Times,
};
use crate::promise::Bound;
use crate::strength::Minimum;
use crate::verdict::{Verdict, VerdictKind};
use mock_server::clock::Moment;
use mock_server::faults::{Fault, Matcher, Pick, Rule, Status, Window};
use mock_server::history::exchange::Exchange;
use mock_server::history::record::{Alert, Happened};
use mock_server::profile::ContractProfile;
use mock_server::world::population::Population;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// Read once, and not by each of thousands of histories.
static PROFILE: LazyLock<ContractProfile> = LazyLock::new(ContractProfile::linktree_v1);

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
        time_scale: 1,
        population: Population { groups: Vec::new() },
        phases: phases.iter().map(phase).collect(),
        traffic: Vec::new(),
        faults: phases.iter().filter_map(outage).collect(),
        world: Vec::new(),
        key: KeyPlan::default(),
        generator: Generator { users: 1, timeout_ms: 30_000, p99_lateness_ms: P99_LATENESS_MS },
        guarantees: Vec::new(),
        watches: Vec::new(),
        tls: false,
        exclusive: false,
    };
    // Histories are written with a page that is fresh for 4 s.
    let mut contract = PROFILE.clone();
    contract.cache.max_age_s = 4;
    RunPlan {
        format: PLAN_FORMAT,
        seed: 1,
        profile: "test".into(),
        soak_ms: None,
        time_scale: 1,
        contract,
        declared: Declared::default(),
        alerts: crate::plan::AlertNames::new(),
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

/// What a verdict measured under this name; none where there was nothing to measure.
pub fn measured(verdict: &Verdict, name: &str) -> Option<u64> {
    verdict.measures.iter().find(|one| one.name == name).map(|one| one.observed)
}

/// How many of these a verdict says that it saw.
pub fn seen(verdict: &Verdict, minimum: &Minimum) -> Option<u64> {
    verdict.strength.iter().find(|one| one.name == minimum.name).map(|one| one.seen)
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

    /// Declares something else.
    pub fn declaring(mut self, change: impl FnOnce(&mut Declared)) -> Self {
        change(&mut self.case.declared);
        self.timed()
    }

    /// Counts at another time scale.
    pub fn scaled(mut self, time_scale: u32) -> Self {
        self.case.time_scale = time_scale;
        self.timed()
    }

    /// Shared durations follow from what is declared and from the time scale.
    fn timed(mut self) -> Self {
        let Case { declared, contract, time_scale, .. } = &self.case;
        self.case.times = Times::of(declared, contract.limit.window_ms, *time_scale);
        self
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

    /// The exchanges so far, as judges see them.
    pub fn judged(&mut self) -> &mut Vec<JudgedExchange> {
        &mut *Arc::make_mut(&mut self.case.linktree.exchanges)
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

    /// The target waited for a processor that others had.
    pub fn starved(mut self, from_ms: u64, until_ms: u64, waited_ms: u64) -> Self {
        let (from, until) = (Moment::from_ms(from_ms), Moment::from_ms(until_ms));
        let waited = Duration::from_millis(waited_ms);
        self.case.harness.looks.push(Starved { from, until, waited });
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

    /// Something happened in Linktree's world.
    pub fn happened(mut self, happened: Happened) -> Self {
        self.case.linktree.happened.push(happened);
        self
    }

    /// The vault was asked for the integration's secret; other statuses than 200 are a fault's.
    pub fn vault_read(mut self, at_ms: u64, status: u16) -> Self {
        self.case.linktree.secret_reads.push(secret_read(at_ms, status));
        self
    }

    /// An alert came in.
    pub fn alert(mut self, alert: Alert) -> Self {
        self.case.target.alerts.push(alert);
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

    /// So many lines of a log were searched, all since visitors came, of which `marked` name a creator
    /// or a click, and as many answers.
    pub fn scanned(mut self, lines: u64, marked: u64) -> Self {
        self.case.target.scanned = Some(Scanned {
            captures_log: true,
            log_lines: lines,
            lines_since_visits: lines,
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
        self.killed_and(at_ms, Change::Gone { strays: vec![] }, ready_ms)
    }

    /// The target's process was killed, this was seen then, and it was ready again at `ready_ms`.
    pub fn killed_and(self, at_ms: u64, seen: Change, ready_ms: u64) -> Self {
        self.process(at_ms, Change::Killed { rule: "kill".into() })
            .process(at_ms, seen)
            .process(ready_ms, Change::Started { pid: 2 })
            .process(ready_ms, Change::Ready)
    }

    /// The target's process was asked to end, did so, and was ready again.
    pub fn terminated(self, at_ms: u64, ended_ms: u64, ready_ms: u64) -> Self {
        self.process(at_ms, Change::Terminated { rule: "terminate".into() })
            .process(ended_ms, Change::Ended { how: "exit status: 0".into() })
            .process(ended_ms, Change::Gone { strays: vec![] })
            .process(ready_ms, Change::Started { pid: 2 })
            .process(ready_ms, Change::Ready)
    }

    /// The target's process stood still from one moment to the other.
    pub fn paused(self, from_ms: u64, until_ms: u64) -> Self {
        self.process(from_ms, Change::Paused { rule: "pause".into() })
            .process(until_ms, Change::Resumed)
    }

    /// Checks what the guarantee says, and that a counter-example or its reason has these words.
    #[track_caller]
    pub fn says(
        self,
        guarantee: &'static dyn Guarantee,
        expected: VerdictKind,
        words: &str,
    ) -> Verdict {
        let verdict = self.judged_by(guarantee);
        assert_eq!(verdict.kind, expected, "{verdict:?}");
        let mut said: Vec<String> = verdict.witnesses.iter().map(|one| one.what.clone()).collect();
        said.extend(verdict.reason.clone());
        assert!(said.join("; ").contains(words), "{said:?}");
        verdict
    }

    /// What the guarantee says.
    pub fn judged_by(mut self, guarantee: &'static dyn Guarantee) -> Verdict {
        self.case.ready();
        let mut judging = Judging::begin(&self.case, &[guarantee]);
        self.operations.iter().for_each(|operation| judging.operation(operation));
        let verdict = judging.verdicts().1.remove(0).1;
        let stated: Vec<&str> = guarantee.promise().minimums.iter().map(|one| one.name).collect();
        let shown: Vec<&str> = verdict.strength.iter().map(|one| &*one.name).collect();
        assert!(shown.iter().all(|name| stated.contains(name)), "{shown:?} of {stated:?}");
        assert!(verdict.kind != VerdictKind::Held || shown == stated, "{shown:?} of {stated:?}");
        // Kind, numbers and words agree over every history that any guarantee is tested with.
        assert_eq!(verdict.contradiction(), None, "{verdict:?}");
        verdict
    }
}
