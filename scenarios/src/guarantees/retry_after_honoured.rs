//! No attempt is sent before the time that a `Retry-After` names.
//!
//! Blind to: malformed values and numbers too large to be a time. Broken by: `retry-after-date-ignored`,
//! `retry-after-ignored-on-503`, `retry-after-capped`.

use super::evidence::demand::Demand;
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::Case;
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::plan::RetryAfterScope;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness};
use mock_server::clock::Moment;
use mock_server::faults::{Fault, RetryAfterSpec};
use mock_server::history::exchange::{End, Exchange, RetryAfterForm};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// For the same request, and for 429 and 503 in the scope that the integration declares.
pub struct RetryAfterHonoured;

const PROMISE: Promise = Promise {
    id: "retry-after-honoured",
    statement: "No attempt before the time that `Retry-After` names, in seconds or as a date.",
    priority: Priority::Critical,
    source: "RFC 9110 section 10.2.3; scope as declared, since RFC 6585 section 4 leaves it open",
    why: "a client that returns too early prolongs the overload and may be blocked",
    usual_fix: "parse both forms, and hold every call with this key until then, not only the retry",
    blind_to: "malformed values, and seconds beyond 64 bits, which many parsers refuse; whether a call \
               that gave up instead would have been better retried",
    bounds: &[],
    minimums: &[FORMS, LONG],
    // An attempt that is too early is so whatever else was not seen.
    when_late: Stands::Always,
    when_overloaded: Stands::IfViolated,
    needs: &[],
    sees: &[Sight::Upstream, Sight::FrontDoor],
};

impl Guarantee for RetryAfterHonoured {
    fn promise(&self) -> &'static Promise {
        &PROMISE
    }

    fn begin<'c>(&self, case: &'c Case) -> Box<dyn Judge + 'c> {
        Box::new(Waiting { case, demand: Demand::over(case) })
    }
}

struct Waiting<'c> {
    case: &'c Case,
    demand: Demand<'c>,
}

/// 429 or 503, in seconds or as a date, with demand to wait; as many as the plan holds.
const FORMS: Minimum = Minimum { name: "forms of Retry-After with demand to wait", least: 4 };
/// Longer than what clients commonly cap a wait at, where the plan holds such.
const LONG: Minimum = Minimum { name: "waits of 7 s or more with demand", least: 1 };
const LONG_TIME: Duration = Duration::from_secs(7);

/// The moment that too large a number of seconds names.
const NEVER: Moment = Moment(u64::MAX);

/// An answer that asks to wait.
struct Wait<'c> {
    answer: &'c Exchange,
    written: Moment,
    until: Moment,
    form: RetryAfterForm,
}

impl<'c> Wait<'c> {
    fn from(answer: &'c Exchange) -> Option<Self> {
        let after = answer.retry_after.as_ref().filter(|_| answer.end == End::Complete)?;
        let (until, form) = (after.until.filter(|until| *until < NEVER)?, after.form);
        Some(Self { answer, written: answer.t_known(), until, form })
    }

    fn covers(&self, attempt: &Exchange, scope: RetryAfterScope) -> bool {
        let throttles = matches!(self.answer.status, Some(429 | 503));
        let same_token = throttles && scope == RetryAfterScope::Token;
        // A rotation changes labels, not keys: the new key may come at once, the old one still waits.
        let same_key = match (&self.answer.key_id, &attempt.key_id) {
            (Some(answered), Some(tried)) => answered == tried,
            _ => self.answer.token == attempt.token,
        };
        (same_token && same_key) || self.answer.logical_key() == attempt.logical_key()
    }
}

impl Judge for Waiting<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.demand.note(operation);
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let case = self.case;
        let grace = case.harness.delta * 2;
        let scope = case.declared.retry_after_scope;
        // An answer can be disobeyed only when some time remains after it must be known.
        let waits: Vec<Wait<'_>> = case
            .linktree
            .exchanges
            .iter()
            .filter_map(Wait::from)
            .filter(|wait| wait.written.plus(grace) < wait.until.minus(case.harness.epsilon))
            .collect();
        let (mut early, mut excused, mut late, mut forgotten) = (Vec::new(), 0, 0, 0);
        let mut followed: HashMap<u64, bool> = HashMap::new();
        for attempt in &case.linktree.exchanges {
            let sent = attempt.t_req;
            let relevant = |wait: &&Wait<'_>| {
                wait.written < sent && wait.answer.id != attempt.id && wait.covers(attempt, scope)
            };
            let mut latest: Option<&Wait<'_>> = None;
            for wait in waits.iter().filter(relevant) {
                if sent >= wait.until.minus(case.harness.epsilon) {
                    followed.insert(wait.answer.id, true);
                } else if sent <= case.target.heard_by(wait.written, grace) {
                    excused += 1;
                } else if case.target.restarted_within(wait.written, sent) {
                    forgotten += 1;
                } else if case.harness.too_slow_within(wait.written, wait.written.plus(grace))
                    || case.harness.too_slow_within(sent, sent)
                {
                    late += 1;
                } else if latest.is_none_or(|best| best.until < wait.until) {
                    latest = Some(wait);
                }
            }
            early.extend(latest.map(|wait| witness(case, wait, attempt)));
        }
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let mut long = 0;
        let wanted = |wait: &&Wait<'_>| {
            followed.contains_key(&wait.answer.id)
                || self.demand.of_anything(wait.written, wait.until)
        };
        for wait in waits.iter().filter(wanted) {
            *kinds.entry(kind(wait)).or_default() += 1;
            long += usize::from(wait.until.since(wait.written) >= LONG_TIME);
        }
        let seen = kinds.values().sum();
        let (planned, planned_long) = planned(case);
        let strength =
            [FORMS.of(kinds.len(), planned), LONG.of(long, planned_long.min(LONG.least))];
        let counted: Vec<String> = kinds.iter().map(|(kind, n)| format!("{n} × {kind}")).collect();
        let observed = format!(
            "answers with a wait and demand for it: {}; excused: {excused} already on their way, \
             {forgotten} after a restart, {late} while the harness was late",
            if counted.is_empty() { "none".to_owned() } else { counted.join(", ") },
        );
        let rule = format!(
            "no attempt {} from {} (2 δ) after the answer until {} (ε) before the named time",
            match scope {
                RetryAfterScope::Token => "with the same key",
                RetryAfterScope::Request => "of the same request",
            },
            humane(grace),
            humane(case.harness.epsilon),
        );
        let gauge = Gauge::none_of("attempts before the named time");
        let gauge = gauge.counted(early.len() as u64, seen);
        Verdict::from_witnesses(seen, "answers with Retry-After and demand to wait", early)
            .at_least(strength)
            .measured([gauge], observed, rule)
    }
}

/// How many forms of waits the plan holds, at least one, and how many of its specifications are long.
fn planned(case: &Case) -> (u64, u64) {
    let (mut forms, mut long) = (BTreeSet::new(), 0);
    for rule in &case.plan.faults {
        let Fault::Status(status) = &rule.fault else { continue };
        let throttling = status.codes.iter().filter(|code| matches!(code, 429 | 503));
        for (code, after) in
            throttling.flat_map(|code| status.retry_after.iter().map(move |after| (*code, after)))
        {
            let (is_date, s) = match after {
                RetryAfterSpec::Seconds { s } => (false, *s),
                RetryAfterSpec::Date { s } => (true, *s),
                RetryAfterSpec::Past { .. }
                | RetryAfterSpec::Huge
                | RetryAfterSpec::Malformed { .. }
                | RetryAfterSpec::Absent => continue,
            };
            if s > 0 {
                forms.insert((code, is_date));
            }
            long += u64::from(u64::from(s) > LONG_TIME.as_secs());
        }
    }
    ((forms.len() as u64).max(1), long)
}

fn kind(wait: &Wait<'_>) -> String {
    format!("{} {}", wait.answer.status.unwrap_or_default(), form(wait))
}

const fn form(wait: &Wait<'_>) -> &'static str {
    match wait.form {
        RetryAfterForm::Seconds => "seconds",
        RetryAfterForm::Date => "date",
        RetryAfterForm::Malformed => "malformed",
    }
}

fn witness(case: &Case, wait: &Wait<'_>, attempt: &Exchange) -> Witness {
    let early = wait.until.since(attempt.t_req);
    let what = format!(
        "{} said Retry-After in the form {}, until {}; the attempt came {} too early",
        wait.answer.status.unwrap_or_default(),
        form(wait),
        case.at(wait.until),
        humane(early),
    );
    let same = attempt.logical_key() == wait.answer.logical_key();
    let which = if same { "a retry of it" } else { "another request with the same key" };
    Witness::new(attempt.t_req, what)
        .lasting(early)
        .line(format!("{} (told to wait)", case.tell(wait.answer)))
        .line(format!("{} ({which})", case.tell(attempt)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, asked_to_wait, page, read};
    use crate::verdict::VerdictKind::*;
    use mock_server::history::exchange::RetryAfter;

    fn dated(mut exchange: Exchange, until_ms: u64) -> Exchange {
        exchange.retry_after = Some(RetryAfter {
            value: "Thu, 01 Jan 2026 00:00:07 GMT".into(),
            form: RetryAfterForm::Date,
            until: Some(Moment::from_ms(until_ms)),
        });
        exchange
    }

    fn check(history: History, expected: crate::verdict::VerdictKind) -> Verdict {
        let verdict = history.judged_by(&RetryAfterHonoured);
        assert_eq!(verdict.kind, expected, "{}", verdict.observed);
        verdict
    }

    #[test]
    fn waiting_as_told_in_both_forms_holds() {
        let history = History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .exchange(read("ann", 3_010))
            .exchange(dated(asked_to_wait("ann", 4_000, 503, 0), 7_000))
            .exchange(read("ann", 7_000));
        let verdict = check(history, Held);
        assert_eq!(verdict.seen, 2);
        assert!(verdict.observed.contains("1 × 429 seconds, 1 × 503 date"), "{}", verdict.observed);
    }

    #[test]
    fn each_form_and_a_long_wait_that_the_plan_holds_must_be_met_with_demand() {
        let history = |waits: &[(u16, u64)]| {
            let mut history = History::over(&[]);
            for (n, (status, seconds)) in waits.iter().enumerate() {
                let at = 1_000 + n as u64 * 20_000;
                history = history
                    .exchange(asked_to_wait("ann", at, *status, *seconds))
                    .exchange(read("ann", at + seconds * 1_000 + 10));
            }
            let codes = vec![429, 503];
            let retry_after = vec![RetryAfterSpec::Seconds { s: 8 }];
            history.case.plan.faults = vec![mock_server::faults::Rule {
                id: "waits".into(),
                window: mock_server::faults::Window { from_ms: 0, until_ms: 1 },
                matcher: mock_server::faults::Matcher::default(),
                pick: mock_server::faults::Pick::All,
                fault: Fault::Status(mock_server::faults::Status { codes, retry_after }),
            }];
            history
        };
        check(history(&[(429, 8), (503, 2)]), Held);
        let one = check(history(&[(429, 8)]), Inconclusive);
        assert!(one.reason.unwrap().starts_with("1 forms of Retry-After with demand"));
        let short = check(history(&[(429, 2), (503, 2)]), Inconclusive);
        assert!(short.reason.unwrap().starts_with("0 waits of 7 s or more"));
    }

    #[test]
    fn giving_up_while_visitors_ask_holds() {
        let history = History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .operation(page("bob", 2_000, 2_005, "-"));
        check(history, Held);
    }

    #[test]
    fn the_same_request_too_early_violates() {
        let history = History::over(&[])
            .exchange(dated(asked_to_wait("ann", 1_000, 503, 0), 4_000))
            .exchange(read("ann", 2_500));
        let verdict = check(history, Violated);
        assert!(verdict.witnesses[0].what.contains("1.5 s too early"));
    }

    #[test]
    fn another_request_with_the_same_key_violates_only_in_token_scope() {
        let history = |scope| {
            let mut history = History::over(&[])
                .exchange(asked_to_wait("ann", 1_000, 429, 2))
                .exchange(read("bob", 2_000))
                .exchange(read("ann", 3_500));
            history.case.declared.retry_after_scope = scope;
            history
        };
        check(history(RetryAfterScope::Token), Violated);
        check(history(RetryAfterScope::Request), Held);
        let mut other = history(RetryAfterScope::Token);
        other.case.linktree.exchanges[1].token = "test".into();
        check(other, Held);
    }

    #[test]
    fn a_rotation_frees_the_new_key_and_not_the_old_one() {
        let history = |second: &str, label: &str| {
            let mut history = History::over(&[])
                .exchange(asked_to_wait("ann", 1_000, 429, 2))
                .exchange(read("bob", 2_000))
                .exchange(read("ann", 3_500));
            history.case.declared.retry_after_scope = RetryAfterScope::Token;
            let exchanges = &mut history.case.linktree.exchanges;
            (exchanges[0].key_id, exchanges[1].key_id) = (Some("k1".into()), Some(second.into()));
            exchanges[1].token = label.into();
            history
        };
        check(history("k2", "live"), Held);
        check(history("k1", "previous"), Violated);
    }

    #[test]
    fn attempts_on_their_way_and_a_restart_excuse() {
        let on_the_way = History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .exchange(read("bob", 1_200))
            .exchange(read("ann", 3_500));
        assert!(check(on_the_way, Held).observed.contains("1 already on their way"));
        let forgotten = History::over(&[])
            .exchange(asked_to_wait("ann", 1_000, 429, 2))
            .exchange(read("ann", 2_000))
            .exchange(read("ann", 3_500));
        check(forgotten.killed(1_500), Held);
    }

    #[test]
    fn forms_that_name_no_time_to_come_are_not_judged() {
        let wait = |value: &str, form, until| {
            let after = RetryAfter { value: value.into(), form, until };
            Exchange { retry_after: Some(after), ..asked_to_wait("ann", 1_000, 429, 2) }
        };
        let malformed = wait("soon", RetryAfterForm::Malformed, None);
        let huge = wait("99999999999999999999", RetryAfterForm::Seconds, Some(NEVER));
        let past = wait("long ago", RetryAfterForm::Date, Some(Moment::from_ms(10)));
        for wait in [malformed, huge, past] {
            let history = History::over(&[]).exchange(wait).exchange(read("ann", 1_500));
            check(history, Inconclusive);
        }
    }

    #[test]
    fn an_answer_that_came_in_a_pause_is_read_after_it() {
        let history = |sent| {
            History::over(&[])
                .exchange(asked_to_wait("ann", 1_000, 429, 2))
                .exchange(read("bob", sent))
                .exchange(read("ann", 3_500))
        };
        check(history(1_690).paused(1_050, 1_500), Held); // let go before the pause
        check(history(1_710).paused(1_050, 1_500), Violated);
        check(history(1_690).paused(1_300, 1_500), Violated); // read before the pause
    }

    #[test]
    fn without_an_answer_to_wait_for_or_without_demand_it_is_inconclusive() {
        check(History::over(&[]).exchange(read("ann", 1_000)), Inconclusive);
        check(History::over(&[]).exchange(asked_to_wait("ann", 1_000, 429, 2)), Inconclusive);
        let cut = Exchange { end: End::Truncated, ..asked_to_wait("ann", 1_000, 429, 2) };
        check(History::over(&[]).exchange(cut).exchange(read("ann", 1_500)), Inconclusive);
    }
}
