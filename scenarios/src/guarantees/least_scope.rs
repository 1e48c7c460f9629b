//! The key is good for what the integration does and for no more, and reads go on with a key that can only read.
//!
//! Blind to: what the integration does outside of the storm. Broken by: `figures-of-its-own`,
//! `campaigns-of-its-own`, `scope-for-campaigns-forgotten`, `views-sent-as-clicks`,
//! `denied-clicks-open-the-breaker`.

mod needed;
mod writes;

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::front_door::FrontRoute;
use crate::guarantees::evidence::newcomers::{Newcomers, USUAL};
use crate::guarantees::evidence::scopes;
use crate::guarantees::evidence::there::There;
use crate::guarantees::evidence::well;
use crate::history::Operation;
use crate::measure::{Gauge, humane, so_many};
use crate::spans::Spans;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::history::exchange::Denied;
use needed::Needed;
use writes::Writes;

const USED: Minimum = Minimum { name: "declared scopes that a call used", least: 1 };
const BEFORE: Minimum =
    Minimum { name: "first visits before the key could only read", least: USUAL as u64 };
const NEWCOMERS: Minimum =
    Minimum { name: "first visits while the key could only read", least: 10 };
const REFUSED: Minimum = Minimum { name: "deliveries of clicks refused beside them", least: 1 };

const PROMISE: Promise = Promise {
    id: "least-scope",
    statement: "No scope is granted that the integration does not use; reads work with a read-only key.",
    priority: Priority::Standard,
    source: "checklist; `scopes` of [declared]; assumed contract: which route asks for which scope, and 403 \
             where the key lacks it",
    why: "Whoever steals a key can do all that it is good for; and a service that cannot read without the \
          right to write goes dark on the day on which that right is taken from it.",
    usual_fix: "Ask for a scope when a feature needs it, and give it back with the feature; take a 403 for the \
                trouble of the call that met it, not of all of Linktree; write when somebody writes, not when \
                somebody reads.",
    blind_to: "Scopes for work that no visitor asks for, such as a nightly job: they are told, and leave the \
               verdict open. How often a click is tried while its scope is missing: backoff and the rate cap \
               have promises of their own. Registrations of webhooks that follow a page view.",
    bounds: &[],
    minimums: &[USED, BEFORE, NEWCOMERS, REFUSED],
    // What was asked for with which key stands in the record, whoever came late; but who did not come used
    // nothing.
    when_late: Stands::IfViolated,
    when_overloaded: Stands::Never,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor, Sight::Scopes],
};

/// See the module.
pub struct LeastScope;

struct Scoped<'c> {
    case: &'c Case,
    /// When Linktree was well.
    well: Spans,
    /// When the key was good for reads only.
    reads_only: Vec<(Moment, Moment)>,
    there: There<'c>,
    newcomers: Newcomers<'c>,
    needed: Needed<'c>,
    writes: Writes<'c>,
}

impl Guarantee for LeastScope {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let reads_only = scopes::reads_only(case);
        let told = |&(from, until): &(Moment, Moment)| {
            let story =
                format!("{} the key is good for reads of pages and nothing else", case.at(from));
            (from, until, story)
        };
        let spans = reads_only.iter().map(told).collect();
        let first = reads_only.first().map(|span| span.0);
        Box::new(Scoped {
            case,
            well: well::spans(case),
            newcomers: Newcomers::over(case, spans, first),
            reads_only,
            there: There::of(case),
            needed: Needed::of(case),
            writes: Writes::of(case),
        })
    }
}

impl Judge for Scoped<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.needed.note(operation);
        self.writes.note(operation);
        if operation.page().is_none() || !self.case.plan.population.contains(&operation.handle) {
            return;
        }
        let was_there = self.there.note(operation);
        // What was a first visit while Linktree was ill is none when it is well.
        let is_well = [operation.sent, operation.last]
            .iter()
            .all(|at| self.well.well_inside(*at, self.case.harness.delta));
        self.newcomers.note(operation, was_there || !is_well);
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, reads_only, newcomers, needed, writes, .. } = *self;
        let declared = case.declared.scopes.as_deref();
        let (needed, writes) = (needed.judged(), writes.judged());
        let unserved = newcomers.unserved();
        let refused = refused_clicks(case, &reads_only);
        let gauges = [
            Gauge::none_of("calls that what is declared is not enough for")
                .counted(needed.beyond.count(), needed.calls),
            Gauge::none_of("declared scopes that nothing used")
                .counted(needed.idle.count(), needed.decided),
            Gauge::none_of("first visits that were not served while the key could only read")
                .counted(unserved.count(), newcomers.judged()),
            Gauge::none_of("writes that nobody asked for").counted(writes.count(), needed.calls),
        ];
        let offers_clicks = offers(case, FrontRoute::Clicks);
        let strength = [
            USED.seen(needed.used),
            BEFORE.seen(newcomers.served_before()),
            NEWCOMERS.seen(newcomers.judged()),
            REFUSED.of(refused, if offers_clicks { REFUSED.least } else { 0 }),
        ];
        let observed = format!(
            "{} for a scope; of {} calls used {} ({}); {} and {} of clicks while the key could only read; {}",
            so_many(needed.calls, "call that asks", "calls that ask"),
            so_many(declared.map_or(0, <[String]>::len), "declared scope", "declared scopes"),
            needed.used,
            needed.words,
            so_many(newcomers.judged(), "first visit", "first visits"),
            so_many(refused, "refused delivery", "refused deliveries"),
            so_many(
                needed.beyond.count() + writes.count(),
                "call or write that was wrong",
                "calls and writes that were wrong"
            ),
        );
        let rule = format!(
            "the key is good for exactly what is declared: no call is answered 403 for want of another scope, \
             but for one attempt of each start to list or make registrations; each declared scope is used; \
             while the key can only read, first visits are served as before; and nothing is written within \
             {} of a page's first visit, nor is a click sent that nobody made, beyond what chance explains",
            humane(writes::within(case)),
        );
        let (calls, open) = (needed.calls, needed.open);
        let mut offences = needed.beyond;
        for other in [needed.idle, unserved, writes] {
            offences.join(other);
        }
        let undeclared =
            declared.is_none().then(|| "nobody declares which scopes it uses".to_owned());
        offences
            .verdict(calls, "calls that ask for a scope")
            .unless(undeclared)
            .unless(open)
            .at_least(strength)
            .measured(gauges, observed, rule)
    }
}

/// Deliveries of clicks that were refused while the key could only read.
fn refused_clicks(case: &Case, reads_only: &[(Moment, Moment)]) -> usize {
    let within = |at: Moment| reads_only.iter().any(|span| span.0 <= at && at < span.1);
    let is_refused = |one: &&JudgedExchange| {
        one.route.is_click() && one.denied == Some(Denied::Scope) && within(one.t_req)
    };
    case.linktree.exchanges.iter().filter(is_refused).count()
}

/// Whether the integration has a route, as far as is known.
fn offers(case: &Case, route: FrontRoute) -> bool {
    case.target.front.as_ref().is_some_and(|front| !front.without.contains(&route))
}

/// A witness about one call.
fn about(case: &Case, one: &JudgedExchange, what: String) -> Witness {
    Witness::new(one.t_req, what).line(case.tell(one))
}

#[cfg(test)]
mod tests;
