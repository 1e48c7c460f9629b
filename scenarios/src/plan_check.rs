//! Checks a plan that a person may have edited, and says everything that is wrong with it at once.

#[cfg(test)]
mod absurd_tests;
mod claims;
mod derive;
mod outage;
mod rules;
mod streams;
#[cfg(test)]
mod tests;

pub use derive::derive_phases;

use crate::guarantees::client_rate_cap;
use crate::plan::{
    Declared, MAX_DURATION_MS, MAX_TIME_SCALE, PLAN_FORMAT, Plan, RunPlan, WindowKind,
};
use crate::{bounds, guarantees};
use claims::Given;
use mock_server::contract::SCOPES;
use mock_server::ranges::{self, OutOfRange};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::fmt;

/// The longest id.
const LONGEST_ID: usize = 64;
/// The most creators of all groups together: each has an entry in the storm's table of handles.
const MAX_CREATORS_IN_ALL: u64 = 200_000;
/// The most scenarios of one run.
const MAX_SCENARIOS: usize = 200;

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

    fn out_of_range(&mut self, found: impl IntoIterator<Item = OutOfRange>) {
        for OutOfRange { path, what, fix } in found {
            self.at(path).unless(false, what, fix);
        }
    }

    /// A name that becomes a folder, a label or a part of an address.
    fn named(&mut self, id: &str) {
        let lawful = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        self.unless(
            (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(lawful),
            format!("{id:?} is no id"),
            format!("use 1 to {LONGEST_ID} of a-z, 0-9 and hyphen"),
        );
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
        root.at("soak_ms").unless(
            self.soak_ms.is_none_or(|ms| (1..=MAX_DURATION_MS).contains(&ms)),
            "no scenario lasts so long",
            format!("choose 1 to {MAX_DURATION_MS}, or leave it out"),
        );
        root.at("contract").out_of_range(self.contract.wrong());
        root.at("declared").out_of_range(ranges::outside(&self.declared));
        root.at("contract.promises").unless(
            self.contract.promises.is_empty(),
            "a plan writes out what is promised elsewhere",
            "move them into bounds",
        );
        for wrong in bounds::wrong(&self.bounds).into_iter().chain(bounds::missing(&self.bounds)) {
            let mut at = root.at(format_args!("bounds.{}", wrong.path));
            at.unless(false, wrong.what, wrong.advice);
        }
        if let Some(scopes) = &self.declared.scopes {
            check_scopes(&mut root.at("declared.scopes"), scopes);
        }
        check_limiter(&mut root.at("declared"), self);
        check_breaker(&mut root.at("declared"), self);
        let mut all = root.at("scenarios");
        all.unless(!self.scenarios.is_empty(), "there are no scenarios", "name at least one");
        let few = self.scenarios.len() <= MAX_SCENARIOS;
        let many = format!("there are {} scenarios", self.scenarios.len());
        all.unless(few, many, format!("choose at most {MAX_SCENARIOS}"));
        all.unique("scenario", self.scenarios.iter().map(|plan| plan.id.as_str()));
        for (index, plan) in self.scenarios.iter().enumerate() {
            let mut at = root.at(format_args!("scenarios[{index}]"));
            at.at("id").named(&plan.id);
            let absurd = ranges::outside(plan);
            // What the plan means is asked only of numbers that can be reckoned with.
            if absurd.is_empty() {
                check_plan(&mut at, self, plan);
            } else {
                at.out_of_range(absurd);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

fn check_time_scale(report: &mut Report<'_>, time_scale: u32) {
    report.at("time_scale").unless(
        (1..=MAX_TIME_SCALE).contains(&time_scale),
        format!("{time_scale} is no time scale"),
        format!("choose 1 to {MAX_TIME_SCALE}; 1 is the truth"),
    );
}

/// A limiter's own cap lies within the contract's, and leaves room for pages beside clicks.
fn check_limiter(report: &mut Report<'_>, run: &RunPlan) {
    let Some(cap) = run.declared.rate_cap else { return };
    let bound = client_rate_cap::REQUESTS;
    let most = run.bounds.get(bound.of).and_then(|named| named.get(bound.name));
    let most = *most.unwrap_or(&bound.default);
    report.at("rate_cap").unless(
        u64::from(cap) <= most,
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

/// A key can be good for what some route asks for, and for nothing else.
fn check_scopes(report: &mut Report<'_>, scopes: &[String]) {
    report.unique("scope", scopes.iter().map(String::as_str));
    for scope in scopes {
        report.unless(
            SCOPES.contains(&scope.as_str()),
            format!("the contract has no scope {scope:?}"),
            format!("choose from {}", SCOPES.join(", ")),
        );
    }
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
    check_phases(&mut report.at("phases"), plan);
    claims::check(&mut report.at("phases"), &Given::of(run, plan));
    if let Some(scopes) = &plan.key.scopes {
        check_scopes(&mut report.at("key.scopes"), scopes);
    }
    check_population(&mut report.at("population.groups"), plan);
    streams::check(report, plan);
    rules::check(report, plan);
    for (list, ids) in [("guarantees", &plan.guarantees), ("watches", &plan.watches)] {
        let mut named = report.at(list);
        named.unique("guarantee", ids.iter().map(String::as_str));
        for id in ids {
            if guarantees::find(id).is_none() {
                let advice = guarantees::did_you_mean(id);
                named.unless(false, format!("there is no guarantee {id:?}"), advice);
            }
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
    let all: u64 = groups.iter().map(|group| u64::from(group.count)).sum();
    report.unless(
        all <= MAX_CREATORS_IN_ALL,
        format!("{all} creators in all"),
        format!("choose at most {MAX_CREATORS_IN_ALL}"),
    );
    for (index, group) in groups.iter().enumerate() {
        let mut at = report.at(format_args!("group {index} ({})", group.prefix));
        at.unless(group.count > 0, "nobody is in it", "choose at least 1 for its count");
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
