//! A creator sees own figures only: not through ids, caches, disguises or somebody else's token.
//!
//! Blind to: figures that name no link and repeat no nonce; sessions that end. Broken by:
//! `analytics-for-anybody`, `analytics-checked-on-a-miss`, `analytics-handle-from-query`,
//! `session-code-cut-off`.

use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange};
use crate::front_door::FrontRoute;
use crate::history::{Look, Operation, Session};
use crate::measure::{Gauge, so_many};
use crate::plan::contract_time;
use crate::strength::Minimum;
use crate::verdict::{Offences, Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::contract::Route;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// No stranger is let in, and no answer shows figures of somebody else.
pub struct AnalyticsScope;

/// So soon after its creator's own look a look of another meets what is kept of it; contract time.
const SOON_MS: u64 = 1_000;

const OWN: Minimum = Minimum { name: "looks at own figures that showed them", least: 6 };
const FOREIGN: Minimum = Minimum { name: "looks at figures of another", least: 12 };
const SOON: Minimum = Minimum { name: "of these within 1 s after the creator's own", least: 4 };
const KINDS: Minimum =
    Minimum { name: "kinds of forged sessions", least: Session::FORGED.len() as u64 };

const PROMISE: Promise = Promise {
    id: "analytics-scope",
    statement: "A creator sees own analytics only: not through ids, caches or someone else's token.",
    priority: Priority::Standard,
    source: "assumed contract: another creator's figures are 403; 401 and 404 are as good",
    why: "figures are what creators earn by: whoever reads a rival's knows which campaign works",
    usual_fix: "verify the session's code in constant time, compare its handle with the one that is \
                shown, before any cache, and take that one from the same place",
    blind_to: "figures that name no link and repeat no nonce of Linktree's; sessions that end",
    bounds: &[],
    minimums: &[OWN, FOREIGN, SOON, KINDS],
    // What was shown was shown.
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    // Figures without clicks name no links.
    needs: &[FrontRoute::Analytics, FrontRoute::Clicks],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for AnalyticsScope {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        let soon = contract_time(SOON_MS, case.time_scale);
        let (own, last_shown) = (Own::default(), HashMap::new());
        let offences = Offences::default();
        let (foreign, soon_after, kinds) = (0, 0, BTreeSet::new());
        Box::new(Looks { case, soon, own, last_shown, foreign, soon_after, kinds, offences })
    }
}

/// Looks at own figures.
#[derive(Default)]
struct Own {
    /// That showed them.
    shown: usize,
    /// Answered well, whatever they showed.
    good: usize,
    refused: Offences,
}

struct Looks<'c> {
    case: &'c Case,
    soon: Duration,
    own: Own,
    /// When each creator was shown own figures last.
    last_shown: HashMap<String, Moment>,
    foreign: usize,
    soon_after: usize,
    kinds: BTreeSet<Session>,
    offences: Offences,
}

impl Judge for Looks<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        let Some(look) = operation.look() else { return };
        let (case, session) = (self.case, look.session);
        let good = operation.status.is_some_and(|status| (200..300).contains(&status));
        if let Some(owner) = stranger(case, look) {
            self.offences.add_weighing(operation.sent, 1, || {
                let what =
                    format!("a look {} was answered with figures of {owner}", session.words());
                Witness::new(operation.sent, what).line(case.tell_operation(operation))
            });
        }
        if session == Session::Own {
            self.own(operation, look, good);
            return;
        }
        if operation.status.is_none() {
            return;
        }
        self.foreign += 1;
        if session != Session::Another {
            self.kinds.insert(session);
        }
        let shown = self.last_shown.get(operation.handle.as_ref());
        let soon = shown.is_some_and(|shown| {
            *shown <= operation.sent && operation.sent <= shown.plus(self.soon)
        });
        self.soon_after += usize::from(soon);
        // On their own path strangers are at home.
        if good && session != Session::HandleInQuery {
            self.offences.add(operation.sent, || {
                let what = format!(
                    "a look at the figures of {} {} was let in",
                    operation.handle,
                    session.words()
                );
                Witness::new(operation.sent, what).line(case.tell_operation(operation))
            });
        }
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let Self { case, own, foreign, soon_after, kinds, mut offences, .. } = *self;
        let let_in = offences.count();
        // Whoever lets no creator in at all may not have been told what signs sessions.
        let refused = if own.shown > 0 { own.refused } else { Offences::default() };
        let (refusals, looks) = (refused.count(), own.good);
        offences.join(refused);
        let queries = || case.linktree.exchanges.iter().filter(|one| one.route == Route::Analytics);
        let wrong = queries().filter(|query| bears_anothers_key(query));
        let mut wrong_keys = 0;
        for query in wrong {
            wrong_keys += 1;
            offences.add(query.t_req, || {
                let what = format!("figures were asked for with the key of {}", query.head.token);
                Witness::new(query.t_req, what).line(case.tell(query))
            });
        }
        let gauges = [
            Gauge::none_of("looks of strangers that were let in or shown figures")
                .counted(let_in, foreign),
            Gauge::none_of("looks at own figures that were refused").counted(refusals, looks),
            Gauge::none_of("queries with another creator's key")
                .counted(wrong_keys, queries().count()),
        ];
        let observed = format!(
            "{} at own figures showed them, of {looks} that were answered well; {} of strangers, \
             {soon_after} of them within 1 s after the creator's own, with {} of forged sessions",
            so_many(own.shown, "look", "looks"),
            so_many(foreign, "look", "looks"),
            so_many(kinds.len(), "kind", "kinds"),
        );
        let strength = [
            OWN.seen(own.shown),
            FOREIGN.seen(foreign),
            SOON.seen(soon_after),
            KINDS.seen(kinds.len()),
        ];
        offences.verdict(own.shown + foreign, "looks at figures").at_least(strength).measured(
            gauges,
            observed,
            "own figures for everybody, and nobody else's",
        )
    }
}

impl Looks<'_> {
    /// A look at own figures.
    fn own(&mut self, operation: &Operation<'_>, look: &Look<'_>, good: bool) {
        let case = self.case;
        if good {
            self.own.good += 1;
            let own = |nonce: &String| case.linktree.figures_of(nonce) == Some(&*operation.handle);
            if !look.owners.is_empty() || look.nonces.iter().any(own) {
                self.own.shown += 1;
            }
            self.last_shown.insert(operation.handle.to_string(), operation.last);
            return;
        }
        let refused = matches!(operation.status, Some(401 | 403 | 404));
        if !refused || case.target.disturbed_within(operation.sent, operation.last) {
            return;
        }
        // What Linktree refuses its client cannot show.
        let during = |query: &&JudgedExchange| {
            query.route == Route::Analytics
                && query.handle.as_deref() == Some(&*operation.handle)
                && query.t_req <= operation.last
                && operation.sent <= query.t_known().plus(case.harness.delta)
        };
        let told = case.linktree.exchanges.iter().filter(during);
        if told.into_iter().any(|query| matches!(query.status, Some(400..=499))) {
            return;
        }
        self.own.refused.add(operation.sent, || {
            let what = format!("{} was refused own figures", operation.handle);
            Witness::new(operation.sent, what).line(case.tell_operation(operation))
        });
    }
}

/// A creator whose figures the answer shows to somebody else.
fn stranger<'l>(case: &'l Case, look: &'l Look<'_>) -> Option<&'l str> {
    let principal = look.principal.as_deref();
    let owners = look.owners.iter().map(String::as_str);
    let repeated = look.nonces.iter().filter_map(|nonce| case.linktree.figures_of(nonce));
    owners.chain(repeated).find(|owner| Some(*owner) != principal)
}

fn bears_anothers_key(query: &JudgedExchange) -> bool {
    let owner = query.head.token.strip_prefix("creator:");
    owner.is_some_and(|owner| query.handle.as_deref() != Some(owner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Did;
    use crate::testing::{History, figures, look};
    use crate::verdict::VerdictKind::{self, *};
    use mock_server::history::exchange::Exchange;
    use std::borrow::Cow;

    /// A look at `handle` with such a session, answered with `status` and figures of `owners`.
    fn seen(
        handle: &'static str,
        at_ms: u64,
        session: Session,
        status: u16,
        owners: &[&str],
    ) -> Operation<'static> {
        let principal = match session {
            Session::Own => Some(Cow::Borrowed(handle)),
            good if good.is_good() => Some("rival".into()),
            _ => None,
        };
        let owners = owners.iter().map(|&owner| owner.to_owned()).collect();
        let look_of = Look { session, principal, owners, nonces: vec![] };
        let did = match session {
            Session::Own => Did::Analytics(look_of),
            Session::Another => Did::ForeignAnalytics(look_of),
            _ => Did::ForgedSession(look_of),
        };
        Operation { did, ..look(handle, at_ms, at_ms + 5, status) }
    }

    fn good() -> History {
        let mut history = History::over(&[]);
        for n in 0..6 {
            let at = n * 10_000;
            history = history
                .exchange(figures("ann", at))
                .operation(seen("ann", at, Session::Own, 200, &["ann"]))
                .operation(seen("ann", at + 10, Session::Another, 403, &[]));
        }
        for (n, session) in (0..).zip(Session::FORGED) {
            history = history.operation(seen("ann", 100_000 + n, session, 401, &[]));
        }
        history
    }

    #[track_caller]
    fn check(history: History, expected: VerdictKind) -> Verdict {
        let verdict = history.judged_by(&AnalyticsScope);
        assert_eq!(verdict.kind, expected, "{} {:?}", verdict.observed, verdict.reason);
        verdict
    }

    #[test]
    fn own_figures_are_shown_and_strangers_refused() {
        let verdict = check(good(), Held);
        assert!(verdict.observed.contains("6 looks at own figures showed them, of 6"));
        assert!(verdict.observed.contains("14 looks of strangers, 6 of them within 1 s"));
        assert_eq!(verdict.seen, 20);
        // On a path of their own strangers see their own.
        check(good().operation(seen("ann", 1, Session::HandleInQuery, 200, &["rival"])), Held);
        check(good().operation(seen("ann", 1, Session::Own, 504, &[])), Held);
        check(good().operation(seen("ann", 1, Session::Another, 404, &[])), Held);
    }

    #[test]
    fn a_stranger_who_is_let_in_or_shown_figures_violates() {
        check(good().operation(seen("ann", 1, Session::Another, 200, &[])), Violated);
        check(good().operation(seen("ann", 1, Session::Another, 403, &["ann"])), Violated);
        check(good().operation(seen("ann", 1, Session::CutMac, 200, &["ann"])), Violated);
        check(good().operation(seen("ann", 1, Session::Absent, 500, &["ann"])), Violated);
        check(good().operation(seen("ann", 1, Session::OtherCase, 200, &[])), Violated);
        check(good().operation(seen("ann", 1, Session::HandleInQuery, 200, &["ann"])), Violated);
        check(good().operation(seen("ann", 1, Session::Own, 200, &["ann", "bob"])), Violated);
    }

    #[test]
    fn an_answer_of_linktrees_is_known_by_its_nonce() {
        let repeats = |nonce: &str| {
            let mut stranger = seen("bob", 1, Session::Own, 200, &[]);
            if let Did::Analytics(look) = &mut stranger.did {
                look.nonces = vec![nonce.to_owned()];
            }
            good().exchange(figures("bob", 1)).operation(stranger)
        };
        check(repeats("n-ann-10000"), Violated);
        let own = check(repeats("n-bob-1"), Held);
        assert!(own.observed.contains("7 looks at own figures showed them"), "{own:?}");
    }

    #[test]
    fn a_creator_who_is_refused_own_figures_violates_where_others_are_shown_theirs() {
        let refused = || seen("bob", 1_000, Session::Own, 403, &[]);
        check(good().operation(refused()), Violated);
        let refusal = Exchange { status: Some(404), nonce: None, ..figures("bob", 1_001) };
        check(good().exchange(refusal.clone()).operation(refused()), Held);
        // What Linktree refused another creator, or before, or of a page, explains nothing.
        let of_ann = Exchange { status: Some(404), nonce: None, ..figures("ann", 1_001) };
        let of_a_page = crate::testing::refused("bob", 1_001, 404);
        let before = Exchange { status: Some(404), nonce: None, ..figures("bob", 1) };
        let after = Exchange { status: Some(404), nonce: None, ..figures("bob", 1_100) };
        for other in [of_ann, of_a_page, before, after] {
            check(good().exchange(other).operation(refused()), Violated);
        }
        check(good().operation(refused()).killed(1_002), Held);
        check(History::over(&[]).operation(refused()), Inconclusive);
    }

    #[test]
    fn a_query_with_another_creators_key_violates() {
        let with = |token: &str| Exchange { token: token.into(), ..figures("ann", 5) };
        check(good().exchange(with("creator:ann")), Held);
        check(good().exchange(with("creator:bob")), Violated);
    }

    #[test]
    fn what_was_not_met_often_is_inconclusive() {
        let without = |nth: usize| {
            let mut history = good();
            history.operations.remove(nth);
            check(history, Inconclusive).reason.unwrap()
        };
        assert!(without(0).contains("looks at own figures that showed them: 5 seen"));
        assert!(without(12).contains("kinds of forged sessions: 7 seen"));
        let mut late = good();
        for operation in late.operations.iter_mut().filter(|one| one.status == Some(403)) {
            operation.sent = operation.sent.plus(Duration::from_millis(996));
        }
        assert!(check(late, Inconclusive).reason.unwrap().contains("creator's own: 0 seen"));
    }
}
