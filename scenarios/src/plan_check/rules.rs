//! Checks what goes wrong and what changes: windows, picks, settings, and whom they hit.

use super::streams::check_span;
use super::{Report, somebody};
use crate::plan::Plan;
use mock_server::faults::{Fault, Latency, Pick, Rule, StallAt};

pub(super) fn check(report: &mut Report<'_>, plan: &Plan) {
    report.at("faults").unique("rule", plan.faults.iter().map(|rule| rule.id.as_str()));
    for (index, rule) in plan.faults.iter().enumerate() {
        let mut at = report.at(format_args!("faults[{index}]"));
        let window = rule.window;
        check_span(&mut at.at("window"), window.from_ms, window.until_ms, plan.duration_ms());
        if let Some(pattern) = &rule.matcher.handle {
            nobody(&mut at.at("matcher.handle"), plan, pattern);
        }
        check_pick(&mut at.at("pick"), rule);
        check_fault(&mut at.at("fault"), &rule.fault);
    }
    for (index, edit) in plan.edits.iter().enumerate() {
        let mut at = report.at(format_args!("edits[{index}]"));
        nobody(&mut at.at("handles"), plan, &edit.handles);
        at.at("at_ms").unless(
            edit.at_ms < plan.duration_ms(),
            format!("{} ms is after the last phase", edit.at_ms),
            "let it happen earlier",
        );
    }
}

fn nobody(report: &mut Report<'_>, plan: &Plan, pattern: &str) {
    report.unless(
        somebody(plan, pattern),
        format!("nobody is called {pattern:?}"),
        "name a handle such as page-0001, or a prefix such as page-*",
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
        Pick::Share { ratio } => report.at("ratio").unless(
            ratio.of > 0 && ratio.hits <= ratio.of,
            format!("{} of {} is no share", ratio.hits, ratio.of),
            "let of be greater than 0, and hits at most of",
        ),
    }
}

fn check_fault(report: &mut Report<'_>, fault: &Fault) {
    match fault {
        Fault::Status(status) => {
            let mut at = report.at("codes");
            at.unless(!status.codes.is_empty(), "there are no status codes", "name at least one");
            for code in &status.codes {
                at.unless(
                    (200..600).contains(code),
                    format!("{code} is not a final HTTP status"),
                    "choose 200 to 599",
                );
            }
        }
        Fault::Latency(Latency::Uniform { min_ms, max_ms }) => {
            report.unless(min_ms <= max_ms, "min_ms is more than max_ms", "swap them")
        }
        Fault::Latency(Latency::Lognormal { median_ms, max_ms, .. }) => report.unless(
            *median_ms > 0 && median_ms <= max_ms,
            format!("a median of {median_ms} ms, cut at {max_ms} ms"),
            "let median_ms be greater than 0 and at most max_ms",
        ),
        Fault::Truncate(cut) => report.at("percent").unless(
            cut.percent < 100,
            format!("{} per cent of a body is a whole body", cut.percent),
            "choose at most 99",
        ),
        Fault::Stall(stall) => report.at("at").unless(
            !matches!(stall.at, StallAt::Trickle { every_ms: 0 }),
            "a trickle without pauses is no stall",
            "let every_ms be greater than 0",
        ),
        Fault::Latency(Latency::Constant { .. }) | Fault::Reset(_) | Fault::LoseAnswer(_) => {}
    }
}
