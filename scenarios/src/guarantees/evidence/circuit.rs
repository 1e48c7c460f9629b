//! When a breaker must be open, as far as that is certain from outside.
//!
//! A trip is certain after N definite failures in a row since the breaker was known to be closed: after
//! a start or a success, which resets a count of consecutive failures. Results that libraries count
//! differently (429, 4xx, results from before, results within δ of a success) break the row, but may
//! have tripped the breaker sooner: so they move the earliest legal probe, and not the trip. Whoever
//! hangs up early, perhaps since its call began long before its request arrived, has not succeeded: that
//! may count as well, and breaks no row. A late success may close the breaker again, and ends all
//! certainty.
//! Connections that a fault broke off may count or not; while connections were refused altogether,
//! and until the next success, nothing is known of the breaker.

pub mod budget;
pub mod calls;
mod known;
pub mod repeats;
mod row;

use crate::case::{Case, JudgedExchange};
use crate::guarantees::evidence::rate::permits_expire;
use crate::guarantees::profile_timeout;
use crate::history::Change;
use crate::plan::{BreakerCounting, BreakerScope, WindowKind};
use crate::spans::Lasting;
use known::Known;
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::Caution;
use mock_server::history::exchange::End;
use row::{Needs, Row};
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// What a breaker makes of an attempt's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Every breaker takes it for a success.
    Success,
    /// Every breaker counts it: 5xx, a broken answer, or a timeout of the client.
    Failure,
    /// May count or be ignored, but is nobody's success: the client hung up on an answer that had not
    /// begun, before it should have lost patience, as far as is seen from outside.
    Dropped,
    /// May count, be ignored or reset.
    Unclear,
}

impl Class {
    /// Whether some breaker may take it for a success.
    pub const fn may_have_succeeded(self) -> bool {
        match self {
            Self::Success | Self::Unclear => true,
            Self::Failure | Self::Dropped => false,
        }
    }

    /// Whether every breaker takes it for the same.
    pub const fn is_certain(self) -> bool {
        match self {
            Self::Success | Self::Failure => true,
            Self::Unclear | Self::Dropped => false,
        }
    }
}

/// What every breaker makes of this exchange. An abort is a timeout only after the timeout, and
/// whoever stood still meanwhile may take an answer for a timeout.
#[must_use]
pub fn class(case: &Case, exchange: &JudgedExchange) -> Class {
    let tolerance = case.harness.delta + case.harness.epsilon;
    let waited =
        exchange.t_end.since(exchange.t_req) + tolerance >= case.time(&profile_timeout::WITHIN);
    let dying =
        case.target.disturbed_within(exchange.t_end.minus(case.harness.delta), exchange.t_end);
    let (from, until) =
        (exchange.t_req.minus(case.harness.delta), exchange.t_known().plus(case.harness.delta));
    // A call whose last attempt was dropped may be no failure, whatever its others were.
    let counts = case.declared.breaker_counting == BreakerCounting::Attempt;
    match exchange.end {
        _ if exchange.is_connection_only() => Class::Unclear,
        _ if case.target.paused_within(from, until) => Class::Unclear,
        End::Complete if exchange.calls_for(Caution::SomeItemsFail) => Class::Unclear,
        End::ClientAbort if dying => Class::Unclear,
        End::ClientAbort if !waited && counts && exchange.t_first.is_none() => Class::Dropped,
        End::ClientAbort if !waited => Class::Unclear,
        _ if exchange.is_success() => Class::Success,
        _ if exchange.is_definite_failure() => Class::Failure,
        _ => Class::Unclear,
    }
}

/// Whether a breaker stands before this call; whoever only looks whether Linktree is there needs none.
#[must_use]
pub fn is_guarded(exchange: &JudgedExchange) -> bool {
    !matches!(exchange.route, Route::Health | Route::Unknown) && !exchange.is_head()
}

/// The attempts before which a breaker stands, in order of arrival and by breaker, without those that
/// an HTTP library may have repeated by itself: the integration hears of one attempt only.
#[must_use]
pub fn attempts(case: &Case) -> Vec<Vec<&JudgedExchange>> {
    let unheard = repeats::unheard(case);
    let heard = |one: &&JudgedExchange| !unheard.contains(&one.id);
    let of = |guards| guarded(case).filter(heard).filter(|one| is_behind(one, guards)).collect();
    breakers(case, case.declared.breaker_scope).into_iter().map(of).collect()
}

/// Whether the breaker that a page read meets first stands before this call too.
#[must_use]
pub fn is_guarded_like_pages(case: &Case, exchange: &JudgedExchange) -> bool {
    is_guarded(exchange)
        && match case.declared.breaker_scope {
            BreakerScope::Host => true,
            BreakerScope::Route => exchange.route == Route::Profile,
        }
}

/// What each breaker guards: everything, or one route.
fn breakers(case: &Case, scope: BreakerScope) -> Vec<Option<Route>> {
    match scope {
        BreakerScope::Host => vec![None],
        BreakerScope::Route => {
            let routes: BTreeSet<Route> = guarded(case).map(|one| one.route).collect();
            routes.into_iter().map(Some).collect()
        }
    }
}

fn is_behind(exchange: &JudgedExchange, guards: Option<Route>) -> bool {
    exchange.is_connection_only() || guards.is_none_or(|route| route == exchange.route)
}

/// When connections were refused, and δ more.
fn refusals(case: &Case) -> Vec<(Moment, Moment)> {
    let later = |(from, until): (Moment, Moment)| (from, until.plus(case.harness.delta));
    case.linktree.refusals().map(later).collect()
}

fn guarded(case: &Case) -> impl Iterator<Item = &JudgedExchange> {
    case.linktree.exchanges.iter().filter(|one| is_guarded(one))
}

/// Sampling windows are kept in so many parts, of which the oldest may be forgotten at any time.
const PARTS: u32 = 10;

/// What of a sampling window adds up for certain.
#[must_use]
pub fn sure_part(window: Duration) -> Duration {
    window * (PARTS - 1) / PARTS
}

/// The sampling window of which so much adds up for certain.
#[must_use]
pub fn window_for(sure: Duration) -> Duration {
    sure * PARTS / (PARTS - 1)
}

/// A span in which no further attempt may reach Linktree.
#[derive(Debug)]
pub struct Opening<'c> {
    /// When the row of failures that began it all was complete.
    pub tripped: Moment,
    /// Attempts up to here are excused: they were on their way.
    pub from: Moment,
    /// From here on the next probe is legal.
    pub until: Moment,
    /// The failures, or the probes, after which it must be open.
    pub evidence: Vec<&'c JudgedExchange>,
    /// Whether it follows half-open probes.
    pub half_open: bool,
    /// Attempts within the span.
    pub offenders: Vec<&'c JudgedExchange>,
}

/// Everything that is certain of the breaker, in order of time. Nobody can tell a library's repetition
/// from an integration's own quick retry, which its breaker counts: so the reading that is kinder to it
/// stands for the whole run. Of several instances, and of windows that begin anew, only a budget is
/// certain.
#[must_use]
pub fn openings(case: &Case) -> Vec<Opening<'_>> {
    let declared = &case.declared;
    if declared.instances > 1 || declared.breaker_window_kind == WindowKind::Tumbling {
        return budget::openings(case);
    }
    let unheard = repeats::unheard(case);
    let breakers = breakers(case, case.declared.breaker_scope);
    let read = |unheard: &HashSet<u64>| {
        let of = |guards: &Option<Route>| reading(case, unheard, *guards);
        let mut openings: Vec<Opening<'_>> = breakers.iter().flat_map(of).collect();
        openings.sort_by_key(|one| (one.tripped, one.from));
        openings
    };
    let as_sent = read(&HashSet::new());
    if unheard.is_empty() {
        return as_sent;
    }
    let as_heard = read(&unheard);
    if offenders(&as_heard) < offenders(&as_sent) { as_heard } else { as_sent }
}

/// Attempts that came through breakers that must have been open.
#[must_use]
pub fn offenders(openings: &[Opening<'_>]) -> usize {
    openings.iter().map(|one| one.offenders.len()).sum()
}

/// What is certain of one breaker where no attempt among `unheard` need count; each may.
fn reading<'c>(case: &'c Case, unheard: &HashSet<u64>, guards: Option<Route>) -> Vec<Opening<'c>> {
    let behind = || guarded(case).filter(|one| is_behind(one, guards));
    let sent: Vec<&JudgedExchange> = behind().filter(|one| !unheard.contains(&one.id)).collect();
    let mut known = sent.clone();
    known.extend(behind().filter(|one| unheard.contains(&one.id)));
    known.extend(&case.linktree.connections);
    let needs = Needs::of(case, &sent);
    let (known, refusals) = (Known::of(known), refusals(case));
    let refusing = Lasting::of(refusals.iter().copied());
    let circuit = Circuit { case, sent, known, refusals, refusing };
    let mut openings = Vec::new();
    let mut row = Row::default();
    let (mut started, mut resume) = (Moment::ZERO, Moment::ZERO);
    let is_start = |change: &Change| matches!(change, Change::Started { .. });
    let starts = case.target.processes.iter().filter(|p| is_start(&p.change)).map(|p| (p.at, true));
    let refused = circuit.refusals.iter().map(|(_, until)| (*until, false));
    let mut resets: Vec<(Moment, bool)> = starts.chain(refused).collect();
    resets.sort_unstable();
    let mut resets = resets.into_iter().peekable();
    let mut pauses = case.target.pauses().iter().copied().peekable();
    for &attempt in circuit.known.all() {
        // What was heard before a pause, and in which order on waking up, is anybody's guess.
        while let Some((_, until)) = pauses.next_if(|pause| pause.0 <= attempt.t_known()) {
            resume = resume.max(until.plus(case.harness.delta * 2));
            row = Row::default();
        }
        while let Some((at, is_start)) = resets.next_if(|(at, _)| *at <= attempt.t_known()) {
            started = if is_start { at } else { started };
            row = Row::since(is_start.then_some(at));
        }
        if circuit.refuses_at(attempt.t_known()) {
            row = Row::default();
            continue;
        }
        if attempt.t_req < started || attempt.t_known() <= resume {
            continue;
        }
        if unheard.contains(&attempt.id) {
            row.possible.push(earliest_known(case, attempt));
            continue;
        }
        row.take(case, attempt);
        if row.is_enough(case, &needs) {
            (resume, row) = circuit.follow(row, attempt.t_known(), &mut openings);
        }
    }
    openings
}

struct Circuit<'c> {
    case: &'c Case,
    /// In order of arrival.
    sent: Vec<&'c JudgedExchange>,
    known: Known<'c>,
    /// When connections were refused, and δ more.
    refusals: Vec<(Moment, Moment)>,
    refusing: Lasting,
}

impl<'c> Circuit<'c> {
    fn refuses_at(&self, at: Moment) -> bool {
        self.refusing.begun_by(at).is_some_and(|until| at <= until)
    }

    /// Follows a breaker that must be open at `trip` through its probes, until it closed or nothing is
    /// certain any more: from when on to read results again, and what is known of them.
    fn follow(
        &self,
        mut row: Row<'c>,
        tripped: Moment,
        openings: &mut Vec<Opening<'c>>,
    ) -> (Moment, Row<'c>) {
        let case = self.case;
        let each = case.declared.attempts_counted_once() as usize;
        let probes_allowed = (case.declared.half_open_probes.max(1) as usize).saturating_mul(each);
        let mut earliest = row.earliest_trip(case);
        let mut evidence = row.failures;
        let mut latest = tripped;
        let mut from = permits_expire(case, tripped.plus(case.harness.delta * 2));
        let (mut since, mut half_open) = (tripped, false);
        loop {
            let legal = earliest.plus(case.times.breaker_open).minus(case.harness.epsilon);
            let doubt = self.doubt(since, from, latest);
            let until = doubt.map_or(legal, |doubt| legal.min(doubt.minus(case.harness.delta)));
            openings.push(self.opening(tripped, (from, until), evidence, half_open));
            // An open time is longer than what is excused: none comes at the end of both.
            let after = self.sent.partition_point(|one| one.t_req <= from || one.t_req < legal);
            let probes: Vec<&JudgedExchange> =
                self.sent[after..].iter().take(probes_allowed).copied().collect();
            let classes: Vec<Class> = probes.iter().map(|one| class(case, one)).collect();
            let ends = || probes.iter().map(|one| one.t_known());
            let (first, last) = (ends().min(), ends().max().unwrap_or(Moment(u64::MAX)));
            if let Some(doubt) = doubt.filter(|doubt| *doubt <= last) {
                return (doubt, Row::default());
            }
            let Some(first) = first.filter(|_| classes.iter().all(|class| class.is_certain()))
            else {
                return (first.unwrap_or(last), Row::default());
            };
            if classes.contains(&Class::Success) {
                // While its probes are in the air, a half-open breaker lets nothing else through.
                let span = (probes[0].t_req, first.minus(case.harness.delta));
                let closed = classes.iter().all(|one| *one == Class::Success).then_some(first);
                openings.push(self.opening(tripped, span, probes, true));
                return (first, Row::after_probes(case, first, closed));
            }
            // All failed: open again, and nothing but these probes may have been let through.
            (since, from, latest) = (probes[0].t_req, probes[0].t_req, last);
            earliest = self.first_straggler(since).unwrap_or(first).max(since);
            half_open = true;
            evidence = probes;
        }
    }

    fn opening(
        &self,
        tripped: Moment,
        (from, until): (Moment, Moment),
        evidence: Vec<&'c JudgedExchange>,
        half_open: bool,
    ) -> Opening<'c> {
        let probe = |one: &JudgedExchange| evidence.iter().any(|probe| probe.id == one.id);
        let after = &self.sent[self.sent.partition_point(|one| one.t_req <= from)..];
        let within = after.iter().copied().take_while(|one| one.t_req < until);
        let offenders = within.filter(|one| !probe(one)).collect();
        Opening { tripped, from, until, evidence, half_open, offenders }
    }

    /// When a late result, of an attempt sent by `sent_by`, or a restart may have closed the breaker,
    /// or a pause made its doings uncertain.
    fn doubt(&self, since: Moment, sent_by: Moment, trip: Moment) -> Option<Moment> {
        let case = self.case;
        let mut closing = self.known.late(since, sent_by).filter(|one| match class(case, one) {
            Class::Success => true,
            Class::Unclear => one.t_known() <= trip.plus(case.harness.delta),
            Class::Failure | Class::Dropped => false,
        });
        // What happened in the very moment of the trip has ended the row before it.
        let restarts = case.target.processes.iter().filter(|one| one.change != Change::Ready);
        let restarts = restarts.map(|process| process.at).filter(|at| *at > since);
        // Those that end in the moment of a probe were a doubt before.
        let refusals = self.refusals.iter().filter(|(_, until)| *until > since);
        let refusals = refusals.map(|(from, _)| *from);
        let first = closing.next().map(|one| one.t_known());
        first.into_iter().chain(restarts).chain(refusals).min()
    }

    /// When the first of those that end after a moment, and that are nobody's success, may have been
    /// known.
    fn first_straggler(&self, since: Moment) -> Option<Moment> {
        let mut first: Option<Moment> = None;
        for one in self.known.after(since) {
            // None is known more than δ before its end.
            if first.is_some_and(|first| first <= one.t_known().minus(self.case.harness.delta)) {
                break;
            }
            if class(self.case, one) != Class::Success {
                let known = earliest_known(self.case, one);
                first = Some(first.map_or(known, |first| first.min(known)));
            }
        }
        first
    }
}

/// A client knows of its own abort before the socket shows it.
#[must_use]
pub fn earliest_known(case: &Case, exchange: &JudgedExchange) -> Moment {
    let ahead = if exchange.end == End::ClientAbort { case.harness.delta } else { Duration::ZERO };
    exchange.t_known().minus(ahead)
}

#[cfg(test)]
mod tests;
