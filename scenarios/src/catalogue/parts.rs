//! The parts that scenarios are put together from: a timeline without gaps, groups and rules.

use super::{ScenarioInfo, Settings};
use crate::guarantees::evidence::alerts::SCRAPE;
use crate::plan::{Creators, Generator, KeyPlan, P99_LATENESS_MS, Phase, PhaseKind, Plan, Step};
use crate::traffic::actions::Action;
use mock_server::contract::Route;
use mock_server::faults::{Fault, Matcher, Pick, Ratio, RetryAfterSpec, Rule, Status, Window};
use mock_server::world::population::{Group, Population};

/// The reads that fill a page.
pub const PAGE_READS: [Route; 2] = [Route::Profile, Route::ProfileLinks];
/// The deliveries of clicks.
pub const CLICKS: [Route; 2] = [Route::Clicks, Route::ClicksBatch];

/// What no scenario may break, whatever it was made to show: what a service sends with every call, how
/// many calls it makes, what it lets slip, and what becomes of the clicks that it took.
const EVERYWHERE: &[&str] = &[
    "key-from-vault",
    "environment-separation",
    "bearer-header-only",
    "base-url",
    "client-rate-cap",
    "hard-limit",
    "json-headers",
    "clicks-delivered",
    "clicks-counted-once",
    "click-lag",
    "no-pii-in-logs",
    "no-secret-leaked",
];

impl ScenarioInfo {
    /// What all plans of the catalogue have in common. Nobody lives there, nobody comes and nothing
    /// happens: that is what a scenario adds.
    pub(super) fn skeleton(&self, settings: &Settings, timeline: Timeline) -> Plan {
        Plan {
            id: self.id.to_owned(),
            summary: self.summary.to_owned(),
            seed: settings.seed(self.id),
            time_scale: settings.time_scale.max(1),
            population: Population { groups: vec![] },
            phases: timeline.phases,
            traffic: vec![],
            faults: vec![],
            world: vec![],
            key: KeyPlan::default(),
            generator: settings.generator(1),
            guarantees: self.guarantees.iter().map(|&id| id.to_owned()).collect(),
            watches: EVERYWHERE
                .iter()
                .filter(|id| !self.guarantees.contains(id))
                .map(|&id| id.to_owned())
                .collect(),
            tls: false,
            exclusive: false,
        }
    }
}

impl Settings {
    /// How long a scenario settles: every click may be as late as the contract allows, after an
    /// open time where the storm may have left the breaker open.
    pub(super) fn settle_ms(&self, breaker_may_be_open: bool) -> u64 {
        let longest = self.contract(30_000) + self.longer_open_ms();
        let open = if breaker_may_be_open { longest } else { 0 };
        self.contract(60_000) + open + 1_000
    }

    /// By how much the breaker may stay open for longer than the contract's open time.
    pub(super) fn longer_open_ms(&self) -> u64 {
        let longest = self.contract(self.declared.longest_open_ms());
        longest.saturating_sub(self.contract(30_000))
    }

    /// The longest that an alert may take once its condition holds, with two scrapes.
    pub(super) fn alerted_ms(&self) -> u64 {
        let scrapes = 2 * u64::try_from(SCRAPE.as_millis()).unwrap_or(0);
        self.contract(self.declared.alert_for_ms + self.declared.alert_delay_ms) + scrapes
    }

    /// As many users as may wait at once for silent calls to time out, where so many of them come a
    /// second; at least so many.
    pub(super) fn users(&self, at_least: u32, rate: u32) -> u32 {
        let waiting = u64::from(rate) * self.contract(15_000) / 1_000;
        u32::try_from(waiting).unwrap_or(u32::MAX).max(at_least)
    }

    /// So many users, who wait longer than the contract allows the front door to take.
    pub(super) fn generator(&self, users: u32) -> Generator {
        Generator {
            users,
            timeout_ms: self.contract(30_000) + 5_000,
            p99_lateness_ms: P99_LATENESS_MS,
        }
    }
}

/// Phases in the making, one after the other and without gaps.
#[derive(Default)]
pub struct Timeline {
    phases: Vec<Phase>,
}

impl Timeline {
    /// Adds a phase; gives its span.
    pub fn phase(&mut self, kind: PhaseKind, name: &str, ms: u64) -> Window {
        let from_ms = self.phases.last().map_or(0, |phase| phase.until_ms);
        let until_ms = from_ms + ms;
        self.phases.push(Phase { name: name.to_owned(), kind, from_ms, until_ms });
        Window { from_ms, until_ms }
    }
}

/// Creators with a few links each: one page of the links route holds them all.
pub fn group(prefix: &str, count: u32) -> Group {
    Group { prefix: prefix.to_owned(), count, min_links: 3, max_links: 12, ..Group::default() }
}

/// A few creators get most of the visitors.
pub fn zipf(group: &str, exponent_milli: u32) -> Creators {
    Creators::Zipf { group: group.to_owned(), exponent_milli }
}

/// One creator after the other.
pub fn in_turn(group: &str) -> Creators {
    Creators::InTurn { group: group.to_owned() }
}

/// Visitors open a page and go.
pub fn pages() -> Vec<Step> {
    vec![Step::always(Action::Page)]
}

/// Visitors open a page, and so many of a thousand click one of its links.
pub fn pages_and_clicks(share_per_mille: u32) -> Vec<Step> {
    vec![Step::always(Action::Page), Step { action: Action::Click, share_per_mille }]
}

/// `hits` of `of` requests, by hash.
pub const fn share(hits: u32, of: u32) -> Pick {
    Pick::Share { ratio: Ratio { hits, of } }
}

/// A line of the fault plan.
pub fn rule(id: &str, window: Window, matcher: Matcher, pick: Pick, fault: Fault) -> Rule {
    Rule { id: id.to_owned(), window, matcher, pick, fault }
}

/// Every request but `health`.
pub fn everything() -> Matcher {
    Matcher::default()
}

/// These routes of all creators.
pub fn routes(routes: &[Route]) -> Matcher {
    Matcher { routes: routes.to_vec(), ..Matcher::default() }
}

/// The profile reads of one group.
pub fn profiles_of(group: &str) -> Matcher {
    let handle = Some(format!("{group}-*"));
    Matcher { routes: vec![Route::Profile], handle, ..Matcher::default() }
}

/// The first read of each profile of a group goes wrong in this way, and no other.
pub fn first_profile_read(group: &str, window: Window, how: Fault) -> Rule {
    let first = Pick::Nth { from: 0, until: 1 };
    rule(&format!("first-{group}"), window, profiles_of(group), first, how)
}

/// An injected status without `Retry-After`.
pub fn status(codes: &[u16]) -> Fault {
    Fault::Status(Status { codes: codes.to_vec(), retry_after: vec![] })
}

/// An injected status that says when to come back.
pub fn come_back(code: u16, retry_after: &[RetryAfterSpec]) -> Fault {
    Fault::Status(Status { codes: vec![code], retry_after: retry_after.to_vec() })
}

/// The `n`th of `of` equal parts of a window; the last one takes the rest.
pub const fn part(window: Window, n: u64, of: u64) -> Window {
    let length = (window.until_ms - window.from_ms) / of;
    let from_ms = window.from_ms + n * length;
    let until_ms = if n + 1 == of { window.until_ms } else { from_ms + length };
    Window { from_ms, until_ms }
}
