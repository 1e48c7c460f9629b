//! The evidence of one scenario, indexed for judging: everything but the front-door operations,
//! which are far more numerous and are streamed past the judges one by one.
//!
//! It has three sides: what Linktree saw, what was seen of the target, and what the harness says of
//! itself. An event that no guarantee reads is kept on none of them.

mod exchanges;
mod harness;
mod indexes;
mod judged_exchange;
mod link_write;
mod linktree;
mod listing;
mod payload;
mod pool;
mod promised;
mod starved;
mod story;
mod target;

pub use exchanges::Exchanges;
#[cfg(test)]
pub use exchanges::looks;
pub use harness::HarnessSide;
pub use judged_exchange::{AskedToWait, Head, JudgedExchange, LogicalKey, Mark, Receipt, Shared};
pub use link_write::LinkWrite;
pub use linktree::{LinktreeSide, RegistrationCall};
pub use listing::Listing;
pub use payload::Payload;
pub use pool::Text;
pub use starved::Starved;
pub use target::{Front, TargetSide};

use crate::guarantees::evidence::fills::Fills;
use crate::history::Event;
use crate::plan::{AlertNames, Bounds, Declared, Phase, PhaseKind, Plan, RunPlan, Times};
use mock_server::clock::Moment;
use mock_server::profile::ContractProfile;
use mock_server::world::WorldEvent;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// What a judge may look at. Memory grows with upstream exchanges, which the integration's rate cap
/// bounds, and with different bodies, which the recording bounds, but not with front-door operations.
#[derive(Clone, Debug)]
pub struct Case {
    /// The scenario's plan.
    pub plan: Plan,
    /// The assumed contract.
    pub contract: ContractProfile,
    /// What the integration declares.
    pub declared: Declared,
    /// Which alert stands for what.
    pub alert_names: AlertNames,
    /// What the guarantees promise; read it with [`Case::time`], [`Case::percent`], [`Case::count`].
    pub bounds: Bounds,
    /// Shared durations in real time.
    pub times: Times,
    /// What contract durations were divided by.
    pub time_scale: u32,
    /// What Linktree saw of the integration.
    pub linktree: LinktreeSide,
    /// What was seen of the target beside its answers one by one.
    pub target: TargetSide,
    /// What the harness says of itself.
    pub harness: HarnessSide,
    /// Start and end of the phases of each kind that the plan has.
    phases: Vec<(PhaseKind, Vec<(Moment, Moment)>)>,
    /// What Linktree sent of each page, once a judge asks.
    fills: Arc<OnceLock<Fills>>,
}

impl Case {
    /// An empty case for `plan`, to be filled with [`Case::take`] and then [`Case::ready`].
    #[must_use]
    pub fn new(run: &RunPlan, plan: &Plan) -> Self {
        Self {
            plan: plan.clone(),
            contract: run.contract.clone(),
            declared: run.declared.clone(),
            alert_names: run.alerts.clone(),
            bounds: run.bounds.clone(),
            times: run.times_in(plan),
            time_scale: plan.time_scale,
            linktree: LinktreeSide::default(),
            target: TargetSide::default(),
            harness: HarnessSide::default(),
            phases: Vec::new(),
            fills: Arc::default(),
        }
    }

    /// Takes in one event; operations are not kept.
    pub fn take(&mut self, event: Event<'_>) {
        let Self { plan, linktree, target, harness, .. } = self;
        match event {
            Event::Opened(opened) => harness.opened = Some(opened),
            Event::Mock { url } => harness.mock_url = Some(url),
            Event::Tolerances(measured) => {
                harness.delta = Duration::from_micros(measured.delta_us);
                harness.epsilon = Duration::from_micros(measured.epsilon_us);
                harness.tolerances = Some(measured);
            }
            Event::Armed { at } => harness.arm(at),
            Event::Operation(operation) => harness.closed = harness.closed.max(operation.last),
            Event::Exchange(mut exchange) => {
                // One guarantee alone reads them, and there may be a million.
                exchange.listed = exchange.listed.filter(|_| plan.judges("cursor-pagination"));
                harness.closed = harness.closed.max(exchange.t_end);
                linktree.exchange(*exchange);
                if !plan.judges("bulk-batched") {
                    linktree.link_writes.clear();
                }
            }
            // Evidence that no guarantee reads.
            Event::Checkpoint { .. } | Event::Headroom(_) | Event::Reach(_) => {}
            Event::World(happened) => {
                if matches!(happened.what, WorldEvent::ForgetWebhooks {}) {
                    linktree.forgotten.push(happened.at);
                }
                linktree.happened.push(happened);
            }
            Event::Delivery(delivery) => linktree.deliveries.push(*delivery),
            Event::Reachability(look) => linktree.looks.push(look),
            Event::Front { url, webhooks, without } => {
                target.front = Some(Front { url, webhooks, without });
            }
            Event::Kept(kept) => target.kept.push(kept),
            Event::Alert(alert) => target.alerts.push(alert),
            Event::Body(body) => target.showed(*body),
            Event::Bodies(count) => target.body_count = Some(count),
            Event::Process(process) => target.processes.push(process),
            Event::Inspection(look) => target.inspections.push(look),
            Event::Handshake(handshake) => linktree.handshakes.push(*handshake),
            Event::SecretRead(read) => linktree.secret_reads.push(read),
            Event::Scrape(scrape) => target.scrapes.push(*scrape),
            Event::Leak(leak) => target.leaks.push(leak),
            Event::Scanned(scanned) => target.scanned = Some(scanned),
            Event::Lag { at, late_us } => harness.lags.push((at, Duration::from_micros(late_us))),
            Event::Timers(timers) => harness.timers = Some(timers),
            Event::Starved { from, until, waited_us } => {
                harness.looks.push(Starved {
                    from,
                    until,
                    waited: Duration::from_micros(waited_us),
                });
            }
            Event::Waits(waits) => harness.waits = Some(waits),
            Event::Held(held) => target.held.push(held),
            Event::Overload(overload) => harness.overloads.push(overload),
            Event::Generator(report) => harness.generator = Some(report),
            Event::Closed { at, outcome, .. } => {
                harness.closed = harness.closed.max(at);
                harness.outcome = Some(outcome);
            }
        }
    }

    /// Puts everything in order of time, and computes the spans that judges ask about; call it after
    /// the last [`Case::take`]: before it there are none.
    pub fn ready(&mut self) {
        self.linktree.ready();
        self.target.ready();
        self.harness.ready();
        self.fills = Arc::default();
        self.phases.clear();
        for phase in &self.plan.phases {
            let span = (self.moment(phase.from_ms), self.moment(phase.until_ms));
            match self.phases.iter_mut().find(|(kind, _)| *kind == phase.kind) {
                Some((_, spans)) => spans.push(span),
                None => self.phases.push((phase.kind, vec![span])),
            }
        }
    }

    /// What Linktree sent of each page, and when a page was certainly filled; several judges ask.
    #[must_use]
    pub fn fills(&self) -> &Fills {
        self.fills.get_or_init(|| Fills::of(self))
    }

    /// The moment of a plan millisecond.
    #[must_use]
    pub fn moment(&self, plan_ms: u64) -> Moment {
        self.harness.armed.plus(Duration::from_millis(plan_ms))
    }

    /// Milliseconds since the traffic began, negative before.
    #[must_use]
    pub fn ms_of_traffic(&self, moment: Moment) -> i64 {
        let before = self.harness.armed.since(moment).as_millis();
        let ms = |of: u128| i64::try_from(of).unwrap_or(i64::MAX);
        if before > 0 { -ms(before) } else { ms(moment.since(self.harness.armed).as_millis()) }
    }

    /// Milliseconds of the plan at `moment`, 0 before the traffic.
    #[must_use]
    pub fn plan_ms(&self, moment: Moment) -> u64 {
        u64::try_from(self.ms_of_traffic(moment)).unwrap_or(0)
    }

    /// Start and end of each phase of a kind.
    #[must_use]
    pub fn phases(&self, kind: PhaseKind) -> &[(Moment, Moment)] {
        let of_kind = self.phases.iter().find(|(known, _)| *known == kind);
        of_kind.map_or(&[], |(_, spans)| spans)
    }

    /// Start and end of each phase of whose kind this is true, in order of time.
    #[must_use]
    pub fn phases_that(&self, is_one: impl Fn(PhaseKind) -> bool) -> Vec<(Moment, Moment)> {
        let chosen = self.phases.iter().filter(|(kind, _)| is_one(*kind));
        let mut spans: Vec<_> = chosen.flat_map(|(_, spans)| spans).copied().collect();
        spans.sort_unstable();
        spans
    }

    /// The phase at a moment.
    #[must_use]
    pub fn phase_at(&self, moment: Moment) -> Option<&Phase> {
        self.plan.phase_at(self.plan_ms(moment))
    }

    /// `max-age` of profiles, as it is sent.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        Duration::from_secs(self.contract.cache.max_age_on_the_wire(self.time_scale).into())
    }

    /// A moment in plan time, for people: `12.345 s`, or `0.250 s before the traffic`.
    #[must_use]
    pub fn at(&self, moment: Moment) -> String {
        let armed = self.harness.armed.0;
        match moment.0.checked_sub(armed) {
            Some(since) => Moment(since).to_string(),
            None => format!("{} before the traffic", Moment(armed - moment.0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::History;
    use mock_server::clock::Moment;

    #[test]
    fn what_came_before_the_traffic_did_not_come_at_its_beginning() {
        let mut case = History::over(&[]).case;
        case.harness.armed = Moment::from_ms(2_000);
        assert_eq!(case.at(Moment::from_ms(14_345)), "12.345 s");
        assert_eq!(case.at(Moment::from_ms(2_000)), "0.000 s");
        assert_eq!(case.at(Moment::from_ms(1_750)), "0.250 s before the traffic");
        let ms = [14_345, 2_000, 1_750].map(|at| case.ms_of_traffic(Moment::from_ms(at)));
        assert_eq!(ms, [12_345, 0, -250]);
    }
}
