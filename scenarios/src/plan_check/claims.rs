//! Proves from rules and streams what each phase claims to be, since judges believe it.
//!
//! | phase | attempts | the process | visitors |
//! |---|---|---|---|
//! | warm-up | none may be made to fail, or nothing fills | may be hit | |
//! | control | no fault at all, not even of webhooks: it is the baseline (predicates, 0) | is left alone | |
//! | storm | | may be hit | |
//! | outage | all fail, at every instant | may be hit | |
//! | heal | none may be made to fail; what only slows them or bends webhooks may go on | is left alone | |
//! | settle | none may be made to fail, or the backlog could not drain | may be hit | none |
//! | retry-gaps | a call fails at least once, and less often than the breaker needs | may be hit | one after the other |
//! | breaker-probe | all fail, at every instant | may be hit | one after the other |
//!
//! What happens to the process stands in the history, from which judges excuse it. Whether anybody
//! comes is not asked: a judge who saw nobody says so.

use super::Report;
use super::outage::{self, steps};
use crate::guarantees::profile_timeout;
use crate::plan::{Declared, Pace, PhaseKind, Plan, RunPlan, Traffic, contract_time};
use mock_server::contract::Route;
use mock_server::faults::{Harm, Pick, Rule, Stage, Strike, Window};
use std::time::Duration;

/// What claims are proven from.
pub(super) struct Given<'a> {
    pub plan: &'a Plan,
    declared: &'a Declared,
    /// Real time after which a client gives an attempt up.
    patience: Duration,
}

/// Why a span is not what it is called.
pub(super) struct Doubt {
    problem: String,
    advice: String,
}

impl Doubt {
    pub(super) fn new(problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { problem: problem.into(), advice: advice.into() }
    }
}

impl<'a> Given<'a> {
    pub(super) fn of(run: &'a RunPlan, plan: &'a Plan) -> Self {
        let bound = profile_timeout::WITHIN;
        let within = run.bounds.get(bound.of).and_then(|named| named.get(bound.name));
        let patience = contract_time(*within.unwrap_or(&bound.default), plan.time_scale);
        Self { plan, declared: &run.declared, patience }
    }
}

pub(super) fn check(report: &mut Report<'_>, given: &Given<'_>) {
    for (index, phase) in given.plan.phases.iter().enumerate() {
        let span = Window { from_ms: phase.from_ms, until_ms: phase.until_ms };
        if span.from_ms >= span.until_ms {
            continue;
        }
        let mut at = report.at(format_args!("phase {index} ({}).kind", phase.name));
        for Doubt { problem, advice } in doubts(given, phase.kind, span) {
            at.unless(false, format!("it is called {}, but {problem}", phase.kind.name()), advice);
        }
    }
}

/// What speaks against calling this span so.
pub(super) fn doubts(given: &Given<'_>, kind: PhaseKind, span: Window) -> Vec<Doubt> {
    let found = match kind {
        PhaseKind::Storm => [None, None],
        PhaseKind::Warmup => [failing(given, span), None],
        PhaseKind::Control => [faulty(given.plan, span), None],
        PhaseKind::Outage => [outage::spared(given.plan, span), None],
        PhaseKind::Heal => [failing(given, span), struck(given.plan, span)],
        PhaseKind::Settle => [failing(given, span), visited(given.plan, span)],
        PhaseKind::RetryGaps => [opening(given, span), crowded(given.plan, span)],
        PhaseKind::BreakerProbe => [outage::spared(given.plan, span), crowded(given.plan, span)],
    };
    found.into_iter().flatten().collect()
}

/// A rule that may make attempts fail.
fn failing(given: &Given<'_>, span: Window) -> Option<Doubt> {
    let rule = at_work(given.plan, span).find(|rule| may_fail(rule, given.patience))?;
    let advice = "let its window end before or begin after the phase, or call the phase storm";
    Some(Doubt::new(format!("{} may fail attempts in it", named(rule)), advice))
}

/// A rule that may happen at all.
fn faulty(plan: &Plan, span: Window) -> Option<Doubt> {
    let rule = at_work(plan, span).next()?;
    let advice = "let its window end before or begin after the phase, or call the phase storm";
    Some(Doubt::new(format!("{} is at work in it", named(rule)), advice))
}

/// A rule that may hit the process.
fn struck(plan: &Plan, span: Window) -> Option<Doubt> {
    let rule = at_work(plan, span).find(|rule| rule.fault.as_process().is_some())?;
    let advice = "let it strike before or after the phase, or call the phase storm";
    Some(Doubt::new(format!("{} may strike in it", named(rule)), advice))
}

/// A stream that sends visitors.
fn visited(plan: &Plan, span: Window) -> Option<Doubt> {
    let stream = visitors(plan, span).next()?;
    let advice = "let it end before the phase begins, or call the phase heal";
    Some(Doubt::new(format!("the stream {:?} sends visitors in it", stream.id), advice))
}

/// Visitors who do not wait for each other.
fn crowded(plan: &Plan, span: Window) -> Option<Doubt> {
    let streams: Vec<&Traffic> = visitors(plan, span).collect();
    let open = streams.iter().find(|stream| matches!(stream.pace, Pace::Open { .. }));
    if let Some(open) = open {
        let problem = format!("the visitors of {:?} do not wait for each other", open.id);
        return Some(Doubt::new(problem, "let its pace be sequential, or call the phase storm"));
    }
    let meets = |one: &Traffic, other: &Traffic| {
        let shared = shared(span_of(one), span_of(other));
        shared.is_some_and(|both| overlap(both, span))
    };
    let mut pairs = streams
        .iter()
        .enumerate()
        .flat_map(|(index, one)| streams[index + 1..].iter().map(move |other| (*one, *other)));
    let (one, other) = pairs.find(|(one, other)| meets(one, other))?;
    let problem = format!("the visitors of {:?} and {:?} come at once", one.id, other.id);
    Some(Doubt::new(problem, "let one stream end before the other begins"))
}

/// Failures in a row that open the breaker, or none at all.
fn opening(given: &Given<'_>, span: Window) -> Option<Doubt> {
    let failing = |span| at_work(given.plan, span).filter(|rule| may_fail(rule, given.patience));
    if !failing(span).any(|rule| rule.fault.harm() == Harm::Fails) {
        let advice = "add a rule with a fault that fails attempts for certain, such as a status of \
                      503, and the pick nth; or call the phase control";
        return Some(Doubt::new("no rule fails an attempt in it", advice));
    }
    let Declared { breaker_failures, max_attempts, .. } = *given.declared;
    // A call without an attempt that succeeds hands its row of failures on to the next one.
    let enough = u64::from(given.declared.ending_failures());
    let rows = steps(given.plan, span).into_iter().flat_map(|step| {
        let row = move |rule| {
            let same = failing(step).filter(|other| may_hit_the_same(rule, other));
            (rule, same.fold(0, |sum: u64, one| sum.saturating_add(times(one.pick))))
        };
        failing(step).map(row).collect::<Vec<_>>()
    });
    let (rule, row) = rows.into_iter().find(|(_, row)| *row >= enough)?;
    let often =
        if row == u64::MAX { "without end".to_owned() } else { format!("{row} times in a row") };
    let problem = format!(
        "{}, with what hits the same, fails a call {often}: the breaker is declared to open after \
         {breaker_failures}, and a call to have {max_attempts} attempts",
        named(rule)
    );
    let most = enough.saturating_sub(1);
    let advice = format!("let them hit at most {most} attempts of a call, with the pick nth");
    Some(Doubt::new(problem, advice))
}

/// How often a rule may hit one request key in a row.
const fn times(pick: Pick) -> u64 {
    match pick {
        Pick::All => u64::MAX,
        Pick::Nth { from, until } => until.saturating_sub(from),
        Pick::InTurn { ratio } if ratio.hits < ratio.of => ratio.hits as u64,
        Pick::InTurn { .. } => u64::MAX,
        Pick::Share { ratio } => {
            if ratio.hits > 0 {
                u64::MAX
            } else {
                0
            }
        }
    }
}

/// Whether two rules may hit the same request while both are at work.
fn may_hit_the_same(one: &Rule, other: &Rule) -> bool {
    let (a, b) = (&one.matcher, &other.matcher);
    let routes = a.routes.is_empty()
        || b.routes.is_empty()
        || a.routes.iter().any(|route| b.routes.contains(route));
    let handles = match (&a.handle, &b.handle) {
        (Some(a), Some(b)) => may_name_the_same(a, b),
        _ => true,
    };
    routes && handles
}

/// Whether two handles, or prefixes of handles ending in `*`, name one creator.
fn may_name_the_same(one: &str, other: &str) -> bool {
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (None, None) => one == other,
        (Some(start), None) => other.starts_with(start),
        (None, Some(start)) => one.starts_with(start),
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
    }
}

/// Whether an attempt that this rule hits may fail.
fn may_fail(rule: &Rule, patience: Duration) -> bool {
    hits_attempts(rule)
        && match rule.fault.harm() {
            Harm::Fails | Harm::MayFail => true,
            Harm::Slows { most } => most >= patience,
            Harm::None | Harm::HitsNone => false,
        }
}

/// Whether a rule may hit an attempt, but for health checks, which nobody counts.
pub(super) fn hits_attempts(rule: &Rule) -> bool {
    let matcher = &rule.matcher;
    let all = matcher.routes.is_empty();
    let counted = |route: &Route| *route != Route::Health;
    let meets = match rule.fault.stage() {
        Stage::Connection => true,
        Stage::Request => matcher.events.is_empty() && (all || matcher.routes.iter().any(counted)),
        Stage::Delivery | Stage::Vault | Stage::Process => false,
    };
    meets && times(rule.pick) > 0
}

/// The rules that may happen in this span.
pub(super) fn at_work(plan: &Plan, span: Window) -> impl Iterator<Item = &Rule> {
    plan.faults.iter().filter(move |rule| {
        let window = happens(rule);
        times(rule.pick) > 0 && overlap(window, span)
    })
}

/// When a rule may happen: a strike at the window's start is over with its first millisecond.
fn happens(rule: &Rule) -> Window {
    match rule.fault.as_process().map(|fault| fault.on()) {
        Some(Strike::WindowStart) => {
            Window { until_ms: rule.window.from_ms.saturating_add(1), ..rule.window }
        }
        Some(Strike::NthAck { .. } | Strike::NthDelivery { .. }) | None => rule.window,
    }
}

/// The streams that send visitors in this span.
pub(super) fn visitors(plan: &Plan, span: Window) -> impl Iterator<Item = &Traffic> {
    plan.traffic.iter().filter(move |stream| overlap(span_of(stream), span))
}

pub(super) const fn span_of(stream: &Traffic) -> Window {
    Window { from_ms: stream.from_ms, until_ms: stream.until_ms }
}

fn shared(a: Window, b: Window) -> Option<Window> {
    let from_ms = a.from_ms.max(b.from_ms);
    let until_ms = a.until_ms.min(b.until_ms);
    (from_ms < until_ms).then_some(Window { from_ms, until_ms })
}

fn overlap(a: Window, b: Window) -> bool {
    shared(a, b).is_some()
}

pub(super) fn named(rule: &Rule) -> String {
    format!("the rule {:?} ({})", rule.id, rule.fault.kind())
}

#[cfg(test)]
mod tests;
