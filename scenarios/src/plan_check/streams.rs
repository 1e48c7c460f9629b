//! Checks who comes: spans, rates, numbers, whom they visit and what they do.

use super::Report;
use crate::plan::{Creators, MAX_ARRIVALS, MAX_RATE, Pace, Plan, Shape, Step};

pub(super) fn check(report: &mut Report<'_>, plan: &Plan) {
    report.at("traffic").unique("stream", plan.traffic.iter().map(|stream| stream.id.as_str()));
    let mut arrivals: u64 = 0;
    for (index, traffic) in plan.traffic.iter().enumerate() {
        let mut at = report.at(format_args!("traffic[{index}]"));
        at.at("id").named(&traffic.id);
        check_span(&mut at, traffic.from_ms, traffic.until_ms, plan.duration_ms());
        check_creators(&mut at.at("creators"), &traffic.creators, plan);
        check_steps(&mut at.at("does"), &traffic.does);
        let length_ms = traffic.until_ms.saturating_sub(traffic.from_ms);
        let count = check_pace(&mut at.at("pace"), &traffic.pace, length_ms);
        arrivals = arrivals.saturating_add(count);
    }
    report.at("traffic").unless(
        arrivals <= MAX_ARRIVALS,
        format!("about {arrivals} arrivals in all"),
        format!("choose shorter streams or lower rates, for at most {MAX_ARRIVALS}"),
    );
}

/// Checks when visitors come; gives about how many there are.
fn check_pace(report: &mut Report<'_>, pace: &Pace, length_ms: u64) -> u64 {
    match pace {
        Pace::Open { shape } => {
            report.at("shape").unless(
                shape.peak_rate() <= MAX_RATE,
                format!("{} arrivals a second", shape.peak_rate()),
                format!("choose at most {MAX_RATE}"),
            );
            expected(shape, length_ms)
        }
        Pace::Sequential { calls, .. } => u64::from(*calls),
    }
}

fn check_steps(report: &mut Report<'_>, does: &[Step]) {
    report.unless(!does.is_empty(), "visitors do nothing", "name at least one action");
    report.unique("action", does.iter().map(|step| step.action.info().id));
}

/// Checks a span within a scenario; also used for the windows of faults.
pub(super) fn check_span(report: &mut Report<'_>, from_ms: u64, until_ms: u64, duration_ms: u64) {
    report.unless(
        from_ms < until_ms,
        format!("it ends at {until_ms} ms, but begins at {from_ms} ms"),
        "let until_ms be greater than from_ms",
    );
    report.unless(
        until_ms <= duration_ms,
        format!("it ends at {until_ms} ms, after the last phase at {duration_ms} ms"),
        "end it earlier, or let the last phase end later",
    );
}

fn check_creators(report: &mut Report<'_>, creators: &Creators, plan: &Plan) {
    let (Creators::Zipf { group, .. } | Creators::InTurn { group }) = creators;
    let known = plan.population.groups.iter().any(|candidate| candidate.prefix == *group);
    report.unless(known, format!("there is no group {group:?}"), groups(plan));
}

fn groups(plan: &Plan) -> String {
    let names: Vec<_> = plan.population.groups.iter().map(|group| group.prefix.as_str()).collect();
    format!("the groups are: {}", names.join(", "))
}

/// About how many arrivals a stream has: the mean of its rate at a thousand instants.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn expected(shape: &Shape, length_ms: u64) -> u64 {
    const STEPS: u32 = 1_000;
    let step_ms = length_ms as f64 / f64::from(STEPS);
    let rate = |step: u32| shape.rate_at((f64::from(step) + 0.5) * step_ms, length_ms);
    let per_s: f64 = (0..STEPS).map(rate).sum();
    (per_s * step_ms / 1_000.0) as u64
}
