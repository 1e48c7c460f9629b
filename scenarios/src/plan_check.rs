//! Checks a plan that a person may have edited, and says everything that is wrong with it at once.

mod claims;
mod derive;
mod outage;
mod rules;
mod streams;
#[cfg(test)]
mod tests;

pub use derive::derive_phases;

use crate::guarantees::client_rate_cap;
use crate::plan::{Declared, PLAN_FORMAT, Plan, RunPlan, WindowKind};
use crate::{bounds, guarantees};
use claims::Given;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// The highest rate that a stream may ask for, arrivals a second.
pub const MAX_RATE: u64 = 20_000;
/// The most arrivals and calls of one scenario.
pub const MAX_ARRIVALS: u64 = 5_000_000;
/// The most users of one generator.
pub const MAX_USERS: u32 = 20_000;
/// The longest scenario: a day.
pub const MAX_DURATION_MS: u64 = 86_400_000;
/// The most creators of one group.
pub const MAX_CREATORS: u32 = 100_000;

/// What a service may need until it is ready again; real milliseconds.
const START_MS: u64 = 1_500;

/// One thing that is wrong with a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanProblem {
    /// Where, as in `scenarios[0].traffic[1].shape`.
    pub path: String,
    /// What.
    pub problem: String,
    /// What to do about it.
    pub advice: String,
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.path, self.problem, self.advice)
    }
}

/// Collects problems under a path.
struct Report<'a> {
    path: String,
    problems: &'a mut Vec<PlanProblem>,
}

impl Report<'_> {
    fn at(&mut self, part: impl fmt::Display) -> Report<'_> {
        let path =
            if self.path.is_empty() { part.to_string() } else { format!("{}.{part}", self.path) };
        Report { path, problems: self.problems }
    }

    fn unless(&mut self, right: bool, problem: impl Into<String>, advice: impl Into<String>) {
        if !right {
            let (path, problem, advice) = (self.path.clone(), problem.into(), advice.into());
            self.problems.push(PlanProblem { path, problem, advice });
        }
    }

    /// Reports every value that occurred before.
    fn unique<'i>(&mut self, what: &str, values: impl Iterator<Item = &'i str>) {
        let mut seen = HashSet::new();
        for value in values {
            let problem = format!("the {what} {value:?} occurs twice");
            self.unless(seen.insert(value), problem, "give each its own");
        }
    }
}

impl RunPlan {
    /// Checks what the file's format cannot: order, bounds and references.
    ///
    /// # Errors
    ///
    /// Every problem that was found.
    pub fn check(&self) -> Result<(), Vec<PlanProblem>> {
        let mut problems = Vec::new();
        let mut root = Report { path: String::new(), problems: &mut problems };
        root.at("format").unless(
            self.format == PLAN_FORMAT,
            format!("this is format {}", self.format),
            format!("write the plan anew: this version reads format {PLAN_FORMAT}"),
        );
        check_time_scale(&mut root, self.time_scale);
        root.at("contract.promises").unless(
            self.contract.promises.is_empty(),
            "a plan writes out what is promised elsewhere",
            "move them into bounds",
        );
        for wrong in bounds::wrong(&self.bounds).into_iter().chain(bounds::missing(&self.bounds)) {
            let mut at = root.at(format_args!("bounds.{}", wrong.path));
            at.unless(false, wrong.what, wrong.advice);
        }
        check_limiter(&mut root.at("declared"), self);
        check_breaker(&mut root.at("declared"), self);
        let mut all = root.at("scenarios");
        all.unless(!self.scenarios.is_empty(), "there are no scenarios", "name at least one");
        all.unique("scenario", self.scenarios.iter().map(|plan| plan.id.as_str()));
        for (index, plan) in self.scenarios.iter().enumerate() {
            check_plan(&mut root.at(format_args!("scenarios[{index}]")), self, plan);
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

fn check_time_scale(report: &mut Report<'_>, time_scale: u32) {
    report.at("time_scale").unless(
        (1..=1_000).contains(&time_scale),
        format!("{time_scale} is no time scale"),
        "choose 1 to 1000; 1 is the truth",
    );
}

/// A limiter's own cap lies within the contract's, and leaves room for pages beside clicks.
fn check_limiter(report: &mut Report<'_>, run: &RunPlan) {
    let Some(cap) = run.declared.rate_cap else { return };
    let bound = client_rate_cap::REQUESTS;
    let most = run.bounds.get(bound.of).and_then(|named| named.get(bound.name));
    let most = *most.unwrap_or(&bound.default);
    report.at("rate_cap").unless(
        (1..=most).contains(&u64::from(cap)),
        format!("{cap} requests in a window, where client-rate-cap promises at most {most}"),
        format!("choose 1 to {most}, or leave it out if your limiter's cap is {most}"),
    );
    let slots = run.declared.click_slots;
    report.at("click_slots").unless(
        slots < cap,
        format!("{slots} of {cap} requests are kept for clicks, so that no page could be fetched"),
        "declare how many your limiter keeps for clicks; 0 if it keeps none",
    );
}

/// An open time that grows has room to grow, and a window that begins anew has a length.
fn check_breaker(report: &mut Report<'_>, run: &RunPlan) {
    let Declared { breaker_open_ms, breaker_open_factor_milli, breaker_open_cap_ms, .. } =
        run.declared;
    report.at("breaker_open_cap_ms").unless(
        breaker_open_factor_milli <= 1_000 || breaker_open_ms <= breaker_open_cap_ms,
        format!("the open time grows up to {breaker_open_cap_ms} ms, and is {breaker_open_ms} ms at first"),
        format!("choose {breaker_open_ms} or more"),
    );
    let is_tumbling = run.declared.breaker_window_kind == WindowKind::Tumbling;
    report.at("breaker_window_kind").unless(
        !is_tumbling || run.declared.breaker_window_ms.is_some(),
        "there is no sampling window that could begin anew",
        "say breaker_window_ms as well, or leave both out",
    );
}

fn check_plan(report: &mut Report<'_>, run: &RunPlan, plan: &Plan) {
    check_time_scale(report, plan.time_scale);
    check_phases(&mut report.at("phases"), plan);
    claims::check(&mut report.at("phases"), &Given::of(run, plan));
    check_population(&mut report.at("population.groups"), plan);
    streams::check(report, plan);
    rules::check(report, plan);
    let generator = &plan.generator;
    report.at("generator.users").unless(
        (1..=MAX_USERS).contains(&generator.users),
        format!("{} users cannot be started", generator.users),
        format!("choose 1 to {MAX_USERS}: peak rate times tail latency"),
    );
    report.at("generator.timeout_ms").unless(
        (1..=600_000).contains(&generator.timeout_ms),
        format!("{} ms is no visitor's patience", generator.timeout_ms),
        "choose 1 ms to 10 minutes",
    );
    report.at("generator.p99_lateness_ms").unless(
        (1..=60_000).contains(&generator.p99_lateness_ms),
        format!("{} ms of lateness", generator.p99_lateness_ms),
        "choose 1 ms to a minute; 20 is usual",
    );
    for (list, ids) in [("guarantees", &plan.guarantees), ("watches", &plan.watches)] {
        let mut named = report.at(list);
        named.unique("guarantee", ids.iter().map(String::as_str));
        for id in ids {
            let (known, advice) = (guarantees::find(id).is_some(), guarantees::did_you_mean(id));
            named.unless(known, format!("there is no guarantee {id:?}"), advice);
            named.unless(
                list == "guarantees" || !plan.decides(id),
                format!("{id:?} is decided by this scenario already"),
                "take it out of watches",
            );
        }
    }
}

fn check_phases(report: &mut Report<'_>, plan: &Plan) {
    report.unless(!plan.phases.is_empty(), "there are no phases", "name at least one");
    report.unless(
        plan.duration_ms() <= MAX_DURATION_MS,
        "the scenario lasts more than a day",
        "let the last phase end earlier",
    );
    let mut end = 0;
    for (index, phase) in plan.phases.iter().enumerate() {
        let mut at = report.at(format_args!("phase {index} ({})", phase.name));
        at.unless(
            phase.from_ms < phase.until_ms,
            "it ends before it begins",
            "let until_ms be greater than from_ms",
        );
        at.unless(
            phase.from_ms == end,
            format!("it begins at {} ms, the one before ends at {end} ms", phase.from_ms),
            "let each phase begin where the last one ends, the first at 0",
        );
        end = phase.until_ms;
    }
}

fn check_population(report: &mut Report<'_>, plan: &Plan) {
    let groups = &plan.population.groups;
    report.unique("prefix", groups.iter().map(|group| group.prefix.as_str()));
    for (index, group) in groups.iter().enumerate() {
        let mut at = report.at(format_args!("group {index} ({})", group.prefix));
        at.unless(
            (1..=MAX_CREATORS).contains(&group.count),
            format!("{} creators", group.count),
            format!("choose 1 to {MAX_CREATORS}"),
        );
        at.unless(
            group.min_links <= group.max_links,
            "min_links is more than max_links",
            "swap them",
        );
        let lawful = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        at.unless(
            (1..=23).contains(&group.prefix.len()) && group.prefix.chars().all(lawful),
            format!("the prefix {:?} makes unlawful handles", group.prefix),
            "use 1 to 23 of a-z, 0-9, dot, underscore and hyphen",
        );
    }
}
