//! The evidence of one scenario, indexed for judging: everything but the front-door operations,
//! which are far more numerous and are streamed past the judges one by one.

mod promised;

use crate::history::{
    Change, Event, GeneratorReport, Opened, Operation, Outcome, Process, Tolerances,
};
use crate::observed::{Inspection, Leak, Scanned, Scrape};
use crate::plan::{Bounds, Declared, Phase, PhaseKind, Plan, RunPlan, Times};
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::faults::Caution;
use mock_server::history::exchange::Exchange;
use mock_server::history::record::{Overload, SecretRead};
use mock_server::profile::ContractProfile;
use std::collections::HashMap;
use std::time::Duration;

/// What a judge may look at. Memory grows with upstream exchanges, which the integration's rate cap
/// bounds, and not with front-door operations.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario's plan.
    pub plan: Plan,
    /// The assumed contract.
    pub contract: ContractProfile,
    /// What the integration declares.
    pub declared: Declared,
    /// What the guarantees promise; read it with [`Case::time`], [`Case::percent`], [`Case::count`].
    pub bounds: Bounds,
    /// Shared durations in real time.
    pub times: Times,
    /// What contract durations were divided by.
    pub time_scale: u32,
    /// δ: delivery plus scheduling.
    pub delta: Duration,
    /// ε: granularity of timers.
    pub epsilon: Duration,
    /// Millisecond 0 of the plan.
    pub armed: Moment,
    /// The head of the history, if it was written.
    pub opened: Option<Opened>,
    /// Upstream exchanges in order of arrival of their last request byte.
    pub exchanges: Vec<Exchange>,
    /// Connections that a fault broke off before a request was read, and spans in which they were
    /// refused. A client may have met a failure, but nobody can say for which request.
    pub connections: Vec<Exchange>,
    /// What happened to the target's processes.
    pub processes: Vec<Process>,
    /// Looks into the target's processes.
    pub inspections: Vec<Inspection>,
    /// Reads of the vault.
    pub secret_reads: Vec<SecretRead>,
    /// Scrapes of the metrics, in order of their ends.
    pub scrapes: Vec<Scrape>,
    /// What came to light of what was planted.
    pub leaks: Vec<Leak>,
    /// How much was searched for it, if the recording came so far.
    pub scanned: Option<Scanned>,
    /// Late timers of the harness: (when, how late).
    pub lags: Vec<(Moment, Duration)>,
    /// When the mock ran out of something.
    pub overloads: Vec<Overload>,
    /// The generator's account.
    pub generator: Option<GeneratorReport>,
    /// How the recording ended; none when it broke off.
    pub outcome: Option<Outcome>,
    /// When the recording ended, or its last moment.
    pub closed: Moment,
}

impl Case {
    /// An empty case for `plan`, to be filled with [`Case::take`] and then [`Case::ready`].
    #[must_use]
    pub fn new(run: &RunPlan, plan: &Plan) -> Self {
        let tolerances = Tolerances::default();
        Self {
            plan: plan.clone(),
            contract: run.contract.clone(),
            declared: run.declared.clone(),
            bounds: run.bounds.clone(),
            times: run.times(),
            time_scale: run.time_scale,
            delta: Duration::from_micros(tolerances.delta_us),
            epsilon: Duration::from_micros(tolerances.epsilon_us),
            armed: Moment::ZERO,
            opened: None,
            exchanges: Vec::new(),
            connections: Vec::new(),
            processes: Vec::new(),
            inspections: Vec::new(),
            secret_reads: Vec::new(),
            scrapes: Vec::new(),
            leaks: Vec::new(),
            scanned: None,
            lags: Vec::new(),
            overloads: Vec::new(),
            generator: None,
            outcome: None,
            closed: Moment::ZERO,
        }
    }

    /// Takes in one event; operations are not kept.
    pub fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Opened(opened) => self.opened = Some(opened),
            Event::Tolerances(measured) => {
                self.delta = Duration::from_micros(measured.delta_us);
                self.epsilon = Duration::from_micros(measured.epsilon_us);
            }
            Event::Armed { at } => self.armed = at,
            Event::Operation(operation) => self.closed = self.closed.max(operation.last),
            Event::Exchange(exchange) => {
                self.closed = self.closed.max(exchange.t_end);
                let no_request = exchange.is_connection_only();
                let list = if no_request { &mut self.connections } else { &mut self.exchanges };
                list.push(*exchange);
            }
            // Evidence that no guarantee reads yet.
            Event::Headroom(_)
            | Event::Reach(_)
            | Event::Delivery(_)
            | Event::Reachability(_)
            | Event::Alert(_)
            | Event::World(_) => {}
            Event::Process(process) => self.processes.push(process),
            Event::Inspection(look) => self.inspections.push(look),
            Event::SecretRead(read) => self.secret_reads.push(read),
            Event::Scrape(scrape) => self.scrapes.push(*scrape),
            Event::Leak(leak) => self.leaks.push(leak),
            Event::Scanned(scanned) => self.scanned = Some(scanned),
            Event::Lag { at, late_us } => self.lags.push((at, Duration::from_micros(late_us))),
            Event::Overload(overload) => self.overloads.push(overload),
            Event::Generator(report) => self.generator = Some(report),
            Event::Closed { at, outcome } => {
                self.closed = self.closed.max(at);
                self.outcome = Some(outcome);
            }
        }
    }

    /// Puts everything in order of time; call once, after the last [`Case::take`].
    pub fn ready(&mut self) {
        self.exchanges.sort_by_key(|exchange| (exchange.t_req, exchange.id));
        self.connections.sort_by_key(|connection| (connection.t_end, connection.id));
        self.processes.sort_by_key(|process| process.at);
        self.secret_reads.sort_by_key(|read| read.at);
        self.scrapes.sort_by_key(|scrape| scrape.last);
        self.leaks.sort_by_key(|leak| leak.at);
        self.lags.sort_by_key(|lag| lag.0);
    }

    /// The moment of a plan millisecond.
    #[must_use]
    pub fn moment(&self, plan_ms: u64) -> Moment {
        self.armed.plus(Duration::from_millis(plan_ms))
    }

    /// Milliseconds of the plan at `moment`, 0 before the traffic.
    #[must_use]
    pub fn plan_ms(&self, moment: Moment) -> u64 {
        u64::try_from(moment.since(self.armed).as_millis()).unwrap_or(u64::MAX)
    }

    /// Start and end of each phase of a kind.
    #[must_use]
    pub fn phases(&self, kind: PhaseKind) -> Vec<(Moment, Moment)> {
        let of_kind = |phase: &&Phase| phase.kind == kind;
        let span = |phase: &Phase| (self.moment(phase.from_ms), self.moment(phase.until_ms));
        self.plan.phases.iter().filter(of_kind).map(span).collect()
    }

    /// The phase at a moment.
    #[must_use]
    pub fn phase_at(&self, moment: Moment) -> Option<&Phase> {
        self.plan.phase_at(self.plan_ms(moment))
    }

    /// The worst lateness of the harness's own timers within `δ` of this span.
    #[must_use]
    pub fn lag_within(&self, from: Moment, until: Moment) -> Duration {
        let (from, until) = (from.minus(self.delta), until.plus(self.delta));
        let inside = |lag: &&(Moment, Duration)| lag.0.plus(lag.1) >= from && lag.0 <= until;
        self.lags.iter().filter(inside).map(|lag| lag.1).max().unwrap_or_default()
    }

    /// Whether the harness was too slow within this span for a timing verdict over it.
    #[must_use]
    pub fn too_slow_within(&self, from: Moment, until: Moment) -> bool {
        self.lag_within(from, until) > self.delta
    }

    /// Whether the target's process ended or began in this span: what it kept in memory is gone.
    #[must_use]
    pub fn restarted_within(&self, from: Moment, until: Moment) -> bool {
        let restart = |process: &&Process| {
            is_death(&process.change) || matches!(process.change, Change::Started { .. })
        };
        self.processes.iter().filter(restart).any(|change| from <= change.at && change.at <= until)
    }

    /// Whether the target was down, ending, starting or paused at any moment of this span: nothing
    /// that it did or left undone then is its own decision.
    #[must_use]
    pub fn disturbed_within(&self, from: Moment, until: Moment) -> bool {
        let touches = |span: &(Moment, Moment)| span.0 <= until && from <= span.1;
        self.down_spans().iter().any(touches) || self.paused_within(from, until)
    }

    /// Whether the target stood still at any moment of this span.
    #[must_use]
    pub fn paused_within(&self, from: Moment, until: Moment) -> bool {
        self.pauses().iter().any(|pause| pause.0 <= until && from <= pause.1)
    }

    /// When the target must have heard of what happened at `at`, if it needs at most `within` while
    /// it runs: a pause in between leaves it as much time again.
    #[must_use]
    pub fn heard_by(&self, at: Moment, within: Duration) -> Moment {
        let later = |by: Moment, pause: &(Moment, Moment)| {
            if pause.0 <= by && at <= pause.1 { pause.1.plus(within) } else { by }
        };
        self.pauses().iter().fold(at.plus(within), later)
    }

    /// Where [`Case::too_slow_within`] is true, for judges that ask about each operation.
    #[must_use]
    pub fn slow_spans(&self) -> Spans {
        let slow = self.lags.iter().filter(|lag| lag.1 > self.delta);
        let around = |lag: &(Moment, Duration)| {
            (lag.0.minus(self.delta), lag.0.plus(lag.1).plus(self.delta))
        };
        Spans::joined(slow.map(around).collect(), Duration::ZERO)
    }

    /// How much later than promised something may have come because the harness stood still: the
    /// sum of its late timers within this span.
    #[must_use]
    pub fn stalled_within(&self, from: Moment, until: Moment) -> Duration {
        let first = self.lags.partition_point(|lag| lag.0 < from).saturating_sub(1);
        let inside = self.lags[first..].iter().take_while(|lag| lag.0 <= until);
        inside.filter(|lag| lag.0.plus(lag.1) >= from).map(|lag| lag.1).sum()
    }

    /// When the target's process ended, however that came.
    pub fn deaths(&self) -> impl Iterator<Item = Moment> {
        let died = |process: &&Process| is_death(&process.change);
        self.processes.iter().filter(died).map(|process| process.at)
    }

    /// Whether no process ended between these moments, so that what was in memory still is.
    #[must_use]
    pub fn lived_through(&self, from: Moment, until: Moment) -> bool {
        !self.deaths().any(|death| from <= death && death <= until)
    }

    /// `max-age` of profiles.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        Duration::from_secs(self.contract.cache.max_age_s.into())
    }

    /// When connections were refused altogether.
    pub fn refusals(&self) -> impl Iterator<Item = (Moment, Moment)> {
        let refused = |one: &&Exchange| one.calls_for(Caution::RefusesConnections);
        self.connections.iter().filter(refused).map(|one| (one.t_conn, one.t_end))
    }

    /// From each death, or from being asked to end, to the next readiness, or for ever.
    #[must_use]
    pub fn down_spans(&self) -> Vec<(Moment, Moment)> {
        let leaves =
            |change: &Change| is_death(change) || matches!(change, Change::Terminated { .. });
        self.spans(leaves, |change| *change == Change::Ready)
    }

    /// From each pause to its end, or to a death, or for ever; in order of time.
    #[must_use]
    pub fn pauses(&self) -> Vec<(Moment, Moment)> {
        let pauses = |change: &Change| matches!(change, Change::Paused { .. });
        self.spans(pauses, |change| *change == Change::Resumed || is_death(change))
    }

    fn spans(
        &self,
        begins: impl Fn(&Change) -> bool,
        ends: impl Fn(&Change) -> bool,
    ) -> Vec<(Moment, Moment)> {
        let end = |from: usize| {
            let end = self.processes[from..].iter().find(|process| ends(&process.change));
            end.map_or(Moment(u64::MAX), |process| process.at)
        };
        let all = self.processes.iter().enumerate();
        all.filter(|(_, process)| begins(&process.change))
            .map(|(index, process)| (process.at, end(index)))
            .collect()
    }

    /// A line of a witness's story about an exchange.
    #[must_use]
    pub fn tell(&self, exchange: &Exchange) -> String {
        let outcome = match exchange.status {
            Some(status) => status.to_string(),
            None => "no answer".to_owned(),
        };
        let faults: Vec<&str> = exchange.faults.iter().map(|mark| mark.rule.as_str()).collect();
        let faults =
            if faults.is_empty() { String::new() } else { format!(" [{}]", faults.join(", ")) };
        let wait = exchange
            .retry_after
            .as_ref()
            .map_or(String::new(), |after| format!(", Retry-After: {}", after.value));
        format!(
            "{} upstream #{} {} {} → {outcome}{wait} ({}) at {}{faults}",
            self.at(exchange.t_req),
            exchange.id,
            exchange.method,
            exchange.target,
            end_words(exchange.end),
            self.at(exchange.t_known()),
        )
    }

    /// A line of a witness's story about a visitor.
    #[must_use]
    pub fn tell_operation(&self, operation: &Operation<'_>) -> String {
        let (what, noted) = (operation.did.action().info().story, operation.did.story());
        let answer = operation.status.map_or("no answer".to_owned(), |status| status.to_string());
        let (sent, last) = (self.at(operation.sent), self.at(operation.last));
        format!("{sent} {what} {} → {answer}{noted} at {last}", operation.handle)
    }

    /// The last position on each connection, to see whether a client used it again.
    #[must_use]
    pub fn last_use_of_connections(&self) -> HashMap<u64, u32> {
        let mut last = HashMap::new();
        for exchange in &self.exchanges {
            let seq = last.entry(exchange.conn).or_insert(exchange.conn_seq);
            *seq = (*seq).max(exchange.conn_seq);
        }
        last
    }

    /// A moment in plan time, for people: `12.345 s`.
    #[must_use]
    pub fn at(&self, moment: Moment) -> String {
        Moment(moment.0.saturating_sub(self.armed.0)).to_string()
    }
}

/// Whether a process is gone after this, with all that was only in its memory.
const fn is_death(change: &Change) -> bool {
    matches!(
        change,
        Change::Killed { .. } | Change::Ended { .. } | Change::Died { .. } | Change::Stopped
    )
}

const fn end_words(end: mock_server::history::exchange::End) -> &'static str {
    use mock_server::history::exchange::End;
    match end {
        End::Complete => "complete",
        End::ClientAbort => "client gave up",
        End::ServerReset => "connection reset",
        End::Truncated => "cut short",
        End::Open => "still open",
    }
}
