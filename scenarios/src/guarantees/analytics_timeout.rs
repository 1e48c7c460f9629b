//! Figures get the time that they need, and no query more of it, wherever it stalls.
//!
//! Blind to: connects that hang; limits while no creator waits; which figures are shown. Broken by:
//! `analytics-limit-of-ten-seconds`, `analytics-trickle-resets-limit`, `front-door-gives-up-first`.

use super::evidence::busy::Busy;
use super::evidence::stalls::{place, words};
use super::evidence::too_short::too_short;
use super::{Bound, Guarantee, Judge, Priority, Promise, Sight, Stands, Unit};
use crate::case::{Case, JudgedExchange};
use crate::front_door::FrontRoute;
use crate::history::{OpFailure, Operation, Session};
use crate::measure::{Gauge, humane};
use crate::strength::Minimum;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use mock_server::faults::{Caution, StallAt};
use mock_server::history::exchange::End;
use std::collections::HashMap;
use std::time::Duration;

/// Each query is given up by the client's own hand, in time and not before.
pub struct AnalyticsTimeout;

const WITHIN: Bound = Bound {
    of: "analytics-timeout",
    name: "within_ms",
    what: "a query for figures is given up after this, and not before",
    unit: Unit::ContractTime,
    default: 30_000,
};

const BEFORE_HEAD: Minimum = Minimum { name: "queries that stalled before the head", least: 3 };
const IN_BODY: Minimum = Minimum { name: "queries that stalled inside the body", least: 3 };
const TRICKLED: Minimum = Minimum { name: "queries that trickled", least: 1 };
const SLOW: Minimum =
    Minimum { name: "answers that took three quarters of the limit and were shown", least: 3 };

const PROMISE: Promise = Promise {
    id: "analytics-timeout",
    statement: "Analytics queries get 30 s, no less and no more.",
    priority: Priority::Standard,
    source: "assumed contract: `within_ms`, for each attempt, or for all of them from when the creator \
             asks; a timer of its own may be a twentieth off",
    why: "figures are slow by design: with the limit of page reads creators never see them, and without \
          any their queries pile up until pages are slow as well",
    usual_fix: "a limit of its own for this route, around connect, head and whole body; proxies and \
                servers in front that wait longer than that",
    blind_to: "connects that hang; limits while no creator waits; which figures are shown",
    bounds: &[WITHIN],
    minimums: &[BEFORE_HEAD, IN_BODY, TRICKLED, SLOW],
    // The stall itself is the mock's.
    when_late: Stands::Always,
    when_overloaded: Stands::Never,
    needs: &[FrontRoute::Analytics],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for AnalyticsTimeout {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn undecidable(&self, case: &Case) -> Option<String> {
        let needed = (case.harness.delta + case.harness.epsilon) * 3;
        let key = "`within_ms` of analytics-timeout";
        too_short(case, "the limit of figures", case.time(&WITHIN), needed, key)
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let mut queries: HashMap<&str, Creator<'_>> = HashMap::new();
        let all = case.linktree.exchanges.iter();
        for query in all.filter(|one| one.route == Route::Analytics && !one.is_head()) {
            let handle = query.handle.as_deref().unwrap_or_default();
            queries.entry(handle).or_default().queries.push(query);
        }
        Box::new(Queries { case, creators: queries, busy: Busy::over(case) })
    }

    #[cfg(test)]
    fn decided(&self) -> Vec<crate::testing::Decides> {
        tests::decided()
    }
}

/// One creator: what Linktree was asked, and who looked.
#[derive(Default)]
struct Creator<'c> {
    queries: Vec<&'c JudgedExchange>,
    looks: Vec<Seen>,
}

/// A look at figures, by whomever.
#[derive(Clone, Copy)]
struct Seen {
    sent: Moment,
    last: Moment,
    is_own: bool,
    is_ok: bool,
    /// Whether the visitor went away unanswered: what a service gives up then, it may.
    left: bool,
    status: Option<u16>,
}

impl Seen {
    /// Whether the visitor was still there at this moment.
    fn waits_at(&self, at: Moment, delta: Duration) -> bool {
        if self.left { at.plus(delta) < self.last } else { at <= self.last.plus(delta) }
    }
}

struct Queries<'c> {
    case: &'c Case,
    creators: HashMap<&'c str, Creator<'c>>,
    busy: Busy<'c>,
}

/// What was judged.
#[derive(Default)]
struct Counts {
    before_head: usize,
    in_body: usize,
    trickled: usize,
    slow: usize,
    late: usize,
    early: usize,
    unshown: usize,
    unjudged: usize,
    longest: Option<Duration>,
    shortest: Option<Duration>,
    offences: Offences,
}

impl Judge for Queries<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.busy.note(operation);
        let Some(look) = operation.look() else { return };
        // Who never asks Linktree for a creator has nothing to be judged by.
        let Some(creator) = self.creators.get_mut(operation.handle.as_ref()) else { return };
        creator.looks.push(Seen {
            sent: operation.sent,
            last: operation.last,
            is_own: look.session == Session::Own,
            is_ok: operation.is_ok(),
            left: operation.failure == Some(OpFailure::Timeout),
            status: operation.status,
        });
    }

    fn verdict(self: Box<Self>) -> crate::verdict::Verdict {
        let Self { case, creators, busy } = *self;
        let (bound, mut counts) = (case.time(&WITHIN), Counts::default());
        // A client's own timer of this length may be so far off.
        let tolerance = (case.harness.delta + case.harness.epsilon).max(bound / 20);
        let limit = Limit { case, bound, tolerance };
        // Who computes and answers nobody hears no timer either.
        let hearing = busy.spans();
        for creator in creators.values() {
            for query in &creator.queries {
                let deadline = hearing.heard_by(query.t_req.plus(bound), tolerance);
                limit.ended(query, deadline, creator, &mut counts);
                limit.shown(query, creator, &mut counts);
            }
        }
        let Counts { before_head, in_body, trickled, slow, late, early, unshown, .. } = counts;
        let observed = format!(
            "{before_head} queries stalled before the head, {in_body} inside the body, of which \
             {trickled} trickled, {slow} answers took three quarters of the limit and were shown; {late} \
             queries kept too long, {early} given up early, {unshown} answers came in time and were not \
             shown; {} not judged (ended otherwise, the harness was late, a restart or a pause)",
            counts.unjudged,
        );
        let gauges = [
            Gauge::within("longest query", bound, tolerance)
                .at_scale(case.time_scale)
                .took(counts.longest),
            Gauge::lasting("shortest query that was given up", bound, tolerance)
                .at_scale(case.time_scale)
                .took(counts.shortest),
            Gauge::none_of("answers in time that were not shown")
                .counted(unshown as u64, slow + unshown),
        ];
        let strength = [
            BEFORE_HEAD.seen(before_head),
            IN_BODY.seen(in_body),
            TRICKLED.seen(trickled),
            SLOW.seen(slow),
        ];
        counts
            .offences
            .verdict(before_head + in_body + slow, "queries for figures")
            .at_least(strength)
            .measured(gauges, observed, "given up then, wherever they stall, and shown until then")
    }
}

/// The limit in this case.
struct Limit<'c> {
    case: &'c Case,
    bound: Duration,
    tolerance: Duration,
}

impl Limit<'_> {
    /// How a query ended: in time, by the client's own hand, and not while its creator might have had an
    /// answer.
    fn ended(
        &self,
        query: &JudgedExchange,
        deadline: Moment,
        creator: &Creator<'_>,
        counts: &mut Counts,
    ) {
        let Self { case, bound, tolerance } = *self;
        let delta = case.harness.delta;
        let kept = query.t_end > deadline;
        let by_client = query.end == End::ClientAbort
            && !case.target.disturbed_within(query.t_end.minus(delta), query.t_end);
        if !kept && !by_client {
            return;
        }
        let inexact = case.harness.too_slow_within(query.t_req.plus(bound).minus(delta), deadline);
        // Late, but for a cause of its own that says nothing of the timer.
        let excused = !kept && query.t_end > query.t_req.plus(bound + tolerance);
        if excused || (kept && (inexact || case.target.disturbed_within(query.t_req, deadline))) {
            counts.unjudged += 1;
            return;
        }
        if query.calls_for(Caution::Stalls) {
            match place(case, query) {
                StallAt::BeforeHead => counts.before_head += 1,
                StallAt::BeforeBody | StallAt::MidBody { .. } => counts.in_body += 1,
                StallAt::Trickle { .. } => {
                    counts.in_body += 1;
                    counts.trickled += 1;
                }
            }
        }
        let (waited, how) = (query.t_end.since(query.t_req), words(place(case, query)));
        counts.longest = counts.longest.max(Some(waited));
        if kept {
            counts.late += 1;
            counts.offences.add_lasting(deadline, waited, || {
                let (waited, bound) = (humane(waited), humane(bound));
                let what =
                    format!("a query that stalls ({how}) was kept for {waited} instead of {bound}");
                Witness::new(deadline, what).line(case.tell(query))
            });
            return;
        }
        // A limit around all attempts may have begun with the first creator who waits for them. Whoever
        // was shown figures had no need of this query any more.
        let mut waiting = creator.looks.iter().filter(|look| {
            let came = look.sent <= query.t_req.plus(delta);
            look.is_own && came && look.waits_at(query.t_end, delta)
        });
        if waiting.clone().any(|look| look.is_ok) {
            return;
        }
        let Some(first) = waiting.next().map(|look| {
            waiting.fold(look.sent, |first, look| first.min(look.sent)).min(query.t_req)
        }) else {
            return;
        };
        let given = query.t_end.since(first);
        counts.shortest = Some(counts.shortest.map_or(given, |least| least.min(given)));
        if given + tolerance < bound {
            counts.early += 1;
            let short = bound.saturating_sub(given);
            counts.offences.add_lasting(query.t_end, short, || {
                let (given, bound) = (humane(given), humane(bound));
                let what = format!(
                    "a query was given up after {given} instead of {bound}, while its creator waited"
                );
                Witness::new(query.t_end, what)
                    .line(format!("{} the creator came", case.at(first)))
                    .line(case.tell(query))
            });
        }
    }

    /// Whether an answer that came in time was shown to the one creator who waited for it.
    fn shown(&self, query: &JudgedExchange, creator: &Creator<'_>, counts: &mut Counts) {
        let Self { case, bound, tolerance } = *self;
        let delta = case.harness.delta;
        if !query.is_success() {
            return;
        }
        let open = |look: &&Seen| look.sent <= query.t_known() && query.t_req <= look.last;
        let mut looks = creator.looks.iter().filter(open);
        let (Some(look), None) = (looks.next(), looks.next()) else { return };
        let began = look.sent <= query.t_req.plus(delta) && query.t_req.plus(delta) <= look.last;
        let in_time = query.t_known() <= look.sent.plus(bound).minus(tolerance);
        let gone = look.left && !look.waits_at(query.t_known(), delta);
        if !look.is_own || !began || !in_time || gone {
            return;
        }
        let took = query.t_known().since(query.t_req);
        let until = look.last.max(query.t_known().plus(delta));
        if look.is_ok {
            counts.slow += usize::from(took >= bound * 3 / 4);
            counts.longest = counts.longest.max(Some(took));
        } else if case.target.disturbed_within(look.sent, until)
            || case.harness.too_slow_within(look.sent, until)
        {
            counts.unjudged += 1;
        } else {
            counts.unshown += 1;
            counts.offences.add_lasting(look.last, bound, || {
                let status = look.status.map_or("no answer".into(), |status| status.to_string());
                let what = format!(
                    "an answer that took {} was not shown to the creator who waited for it, who got {status}",
                    humane(took),
                );
                Witness::new(look.last, what)
                    .line(format!("{} the creator came", case.at(look.sent)))
                    .line(case.tell(query))
                    .line(format!("{} the creator was answered {status}", case.at(look.last)))
            });
        }
    }
}

#[cfg(test)]
mod tests;
