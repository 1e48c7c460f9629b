//! Checks what goes wrong and what changes: windows, picks, settings, and whom they hit.

use super::streams::check_span;
use super::{Report, START_MS};
use crate::plan::Plan;
use mock_server::faults::{Caution, Pick, Rule, Strike};

pub(super) fn check(report: &mut Report<'_>, plan: &Plan) {
    report.at("faults").unique("rule", plan.faults.iter().map(|rule| rule.id.as_str()));
    for (index, rule) in plan.faults.iter().enumerate() {
        let mut at = report.at(format_args!("faults[{index}]"));
        at.at("id").named(&rule.id);
        let window = rule.window;
        check_span(&mut at.at("window"), window.from_ms, window.until_ms, plan.duration_ms());
        if let Some(pattern) = &rule.matcher.handle {
            nobody(&mut at.at("matcher.handle"), plan, pattern);
        }
        check_pick(&mut at.at("pick"), rule);
        check_return(&mut at, rule, plan.duration_ms());
        at.at("fault").unless(
            plan.tls || !rule.fault.info().calls_for(Caution::HitsHandshakes),
            "there are no TLS handshakes",
            "set the scenario's tls to true",
        );
        for mistake in rule.fault.mistakes() {
            at.at(format_args!("fault.{}", mistake.key)).unless(false, mistake.what, mistake.fix);
        }
        for mistake in rule.mistakes() {
            at.at(mistake.key).unless(false, mistake.what, mistake.fix);
        }
    }
    for (index, timed) in plan.world.iter().enumerate() {
        let mut at = report.at(format_args!("world[{index}]"));
        at.at("at_ms").unless(
            timed.at_ms < plan.duration_ms(),
            format!("{} ms is after the last phase", timed.at_ms),
            "let it happen earlier",
        );
        for mistake in timed.event.mistakes(&plan.population) {
            at.at(format_args!("event.{}", mistake.key)).unless(false, mistake.what, mistake.fix);
        }
    }
}

fn nobody(report: &mut Report<'_>, plan: &Plan, pattern: &str) {
    report.unless(
        plan.population.has_anybody(pattern),
        format!("nobody is called {pattern:?}"),
        "name a handle such as page-0001, or a prefix such as page-*",
    );
}

/// The scenario must see what comes after a fault of the process.
fn check_return(report: &mut Report<'_>, rule: &Rule, duration_ms: u64) {
    let Some(fault) = rule.fault.as_process() else { return };
    let last = match fault.on() {
        Strike::WindowStart => rule.window.from_ms,
        Strike::NthAck { .. } | Strike::NthDelivery { .. } => rule.window.until_ms,
    };
    let back = last.saturating_add(fault.back_after_ms(START_MS));
    report.at("window").unless(
        back < duration_ms,
        format!("it may strike at {last} ms, and the service be back at {back} ms only"),
        "let it strike earlier, or let the last phase end later",
    );
}

fn check_pick(report: &mut Report<'_>, rule: &Rule) {
    match rule.pick {
        Pick::All => {}
        Pick::Nth { from, until } => report.unless(
            from < until,
            format!("no request is both from the {from}th and before the {until}th"),
            "let until be greater than from",
        ),
        Pick::Share { ratio } | Pick::InTurn { ratio } => report.at("ratio").unless(
            ratio.of > 0 && ratio.hits <= ratio.of,
            format!("{} of {} is no share", ratio.hits, ratio.of),
            "let of be greater than 0, and hits at most of",
        ),
    }
}
