//! No attempt is sent before the time that a `Retry-After` names.
//!
//! Blind to: malformed values and numbers too large to be a time. Broken by: `retry-after-date-ignored`,
//! `retry-after-ignored-on-503`, `retry-after-capped`.

mod open;

use super::evidence::busy::{Busy, Hearing};
use super::evidence::demand::Demand;
use super::evidence::rate::permits_expire;
use super::{Guarantee, Judge, Priority, Promise, Sight, Stands};
use crate::case::{Case, JudgedExchange, Receipt};
use crate::history::Operation;
use crate::measure::{Gauge, humane};
use crate::plan::RetryAfterScope;
use crate::strength::Minimum;
use crate::verdict::{Verdict, Witness, weight_of};
use mock_server::clock::Moment;
use mock_server::faults::{Fault, RetryAfterSpec};
use mock_server::history::exchange::{End, RetryAfterForm};
use open::OpenWaits;
use std::collections::{BTreeMap, BTreeSet, HashSet};
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
        Box::new(Waiting { case, demand: Demand::over(case), busy: Busy::over(case) })
    }
}

struct Waiting<'c> {
    case: &'c Case,
    demand: Demand<'c>,
    busy: Busy<'c>,
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
    answer: &'c JudgedExchange,
    written: Moment,
    /// When whatever had a permit before this was read must have left.
    obeyed: Moment,
    until: Moment,
    form: RetryAfterForm,
}

impl<'c> Wait<'c> {
    fn from(case: &Case, hearing: &Hearing, answer: &'c JudgedExchange) -> Option<Self> {
        let after = answer.retry_after.as_ref().filter(|_| answer.end == End::Complete)?;
        let (until, form) = (after.until.filter(|until| *until < NEVER)?, after.form);
        let (written, grace) = (answer.t_known(), grace(case));
        let left = permits_expire(case, hearing.heard_by(written, grace));
        // Whoever computes when its turn at the limiter has come leaves after that.
        let obeyed = hearing.heard_by(left.minus(grace), grace);
        Some(Self { answer, written, obeyed, until, form })
    }

    fn covers(&self, attempt: &JudgedExchange, scope: RetryAfterScope) -> bool {
        let same_token = self.throttles() && scope == RetryAfterScope::Token;
        (same_token && self.is_of_key(attempt)) || self.is_of(attempt)
    }

    const fn throttles(&self) -> bool {
        matches!(self.answer.status, Some(429 | 503))
    }

    /// A rotation changes labels, not keys: the new key may come at once, the old one still waits.
    fn is_of_key(&self, attempt: &JudgedExchange) -> bool {
        match (&self.answer.head.key_id, &attempt.head.key_id) {
            (Some(answered), Some(tried)) => answered == tried,
            _ => self.answer.head.token == attempt.head.token,
        }
    }

    /// Whether an attempt is for what was refused. Clicks are known by their ids: a batch without any
    /// of the refused ones asks for something else, whatever its address.
    fn is_of(&self, attempt: &JudgedExchange) -> bool {
        let refused = &self.answer.clicks;
        let again = |click: &Receipt| refused.iter().any(|one| one.event_id == click.event_id);
        if refused.is_empty() || attempt.clicks.is_empty() {
            return self.answer.logical_key() == attempt.logical_key();
        }
        self.answer.target == attempt.target && attempt.clicks.iter().any(again)
    }
}

/// What a client that reads at all needs to hear.
fn grace(case: &Case) -> Duration {
    case.harness.delta * 2
}

impl Judge for Waiting<'_> {
    fn operation(&mut self, operation: &Operation<'_>) {
        self.demand.note(operation);
        self.busy.note(operation);
    }

    fn verdict(self: Box<Self>) -> Verdict {
        let case = self.case;
        let hearing = self.busy.spans();
        let grace = grace(case);
        let scope = case.declared.retry_after_scope;
        // An answer can be disobeyed only when some time remains after it must be obeyed.
        let waits: Vec<Wait<'_>> = case
            .linktree
            .exchanges
            .iter()
            .filter_map(|answer| Wait::from(case, &hearing, answer))
            .filter(|wait| wait.obeyed < wait.until.minus(case.harness.epsilon))
            .collect();
        let (mut early, mut excused, mut late, mut forgotten) = (Vec::new(), 0, 0, 0);
        let mut followed: HashSet<u64> = HashSet::new();
        let mut open = OpenWaits::of(&waits);
        for attempt in case.linktree.exchanges.iter() {
            let sent = attempt.t_req;
            let mut latest: Option<&Wait<'_>> = None;
            let before = open.before(attempt, scope, &followed);
            for wait in before.into_iter().filter(|wait| wait.written < sent) {
                if sent >= wait.until.minus(case.harness.epsilon) {
                    // Attempts come in order: later ones can only follow it again.
                    followed.insert(wait.answer.id);
                } else if sent <= wait.obeyed {
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
            early.extend(latest.map(|wait| (wait, attempt)));
        }
        // A single attempt that may have left before the answer was read is no proof.
        let doubt = match early.as_slice() {
            [(wait, attempt)] if attempt.t_req <= wait.obeyed.plus(grace) => {
                Some(doubt(case, wait, attempt))
            }
            _ => None,
        };
        if doubt.is_some() {
            early.clear();
        }
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let mut long = 0;
        let wanted = |wait: &&Wait<'_>| {
            followed.contains(&wait.answer.id) || self.demand.of_anything(wait.written, wait.until)
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
             {forgotten} after a restart, {late} while the harness was late; in doubt: {}",
            if counted.is_empty() { "none".to_owned() } else { counted.join(", ") },
            usize::from(doubt.is_some()),
        );
        let rule = format!(
            "no attempt {} from {} (2 δ) after the answer until {} (ε) before the named time; \
             a single one within {} is a doubt",
            match scope {
                RetryAfterScope::Token => "with the same key",
                RetryAfterScope::Request => "of the same request",
            },
            humane(grace),
            humane(case.harness.epsilon),
            humane(grace * 2),
        );
        let gauge = Gauge::none_of("attempts before the named time");
        let gauge = gauge.counted(early.len() as u64, seen);
        let early = early.into_iter().map(|(wait, attempt)| {
            let time = wait.until.since(attempt.t_req);
            (attempt.t_req, weight_of(time), (wait, attempt))
        });
        let of_what = "answers with Retry-After and demand to wait";
        let tell = |(wait, attempt)| witness(case, wait, attempt);
        Verdict::from_offenders(seen, of_what, early.collect(), tell)
            .at_least(strength)
            .unless(doubt)
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
                RetryAfterSpec::Date { s }
                | RetryAfterSpec::Rfc850 { s }
                | RetryAfterSpec::Asctime { s } => (true, *s),
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

fn doubt(case: &Case, wait: &Wait<'_>, attempt: &JudgedExchange) -> String {
    format!(
        "a single attempt came {} after it was told to wait, at {}, and the answer may not have been read \
         by then: one such attempt is a doubt, two are a violation",
        humane(attempt.t_req.since(wait.written)),
        case.at(attempt.t_req),
    )
}

fn witness(case: &Case, wait: &Wait<'_>, attempt: &JudgedExchange) -> Witness {
    let early = wait.until.since(attempt.t_req);
    let what = format!(
        "{} said Retry-After in the form {}, until {}; the attempt came {} too early",
        wait.answer.status.unwrap_or_default(),
        form(wait),
        case.at(wait.until),
        humane(early),
    );
    let which =
        if wait.is_of(attempt) { "a retry of it" } else { "another request with the same key" };
    Witness::new(attempt.t_req, what)
        .lasting(early)
        .line(format!("{} (told to wait)", case.tell(wait.answer)))
        .line(format!("{} ({which})", case.tell(attempt)))
}

#[cfg(test)]
mod tests;
