//! From when a click could have been delivered: its acknowledgement, or the end of what hindered it.

use crate::case::Case;
use crate::guarantees::evidence::{rotations, scopes};
use crate::guarantees::{click_lag, profile_timeout};
use crate::spans::Spans;
use mock_server::clock::Moment;
use mock_server::faults::{Caution, Harm, Pick, Rule};
use std::time::Duration;

/// What hinders while the old key has ended, and the new one need not be known yet.
const NO_KEY: &str = "a key that was rotated";
/// What hinders while no key is good for clicks.
const NO_SCOPE: &str = "a key without clicks:write";

/// What hindered deliveries, and for how long.
///
/// Windows of failures, of which a total outage is made, hinder until their end plus the breaker's open time, as a
/// probe may have failed just before it; a `Retry-After` hinders until its moment; a dead process
/// until it is ready again; a pause until its end plus the open time, as calls that were under way
/// may have timed out together; a key that ended before the new one must be known hinders until then, and
/// the open time, and so does one that was made good for less than clicks. Hindrances that follow each other within the click lag are one, since
/// the second began before the first one's clicks were due.
#[derive(Clone, Debug)]
pub struct Deliverable {
    hindrances: Spans,
    /// The same without what may follow: while one lasts, deliveries fail or must wait.
    themselves: Spans,
    /// What they were, in words; of several told waits one.
    causes: Vec<((Moment, Moment), String)>,
    patience: Duration,
}

impl Deliverable {
    /// Reads the hindrances from plan and history.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let residual = case.times.breaker_open_longest;
        let patience = case.time(&click_lag::WITHIN) + case.harness.delta;
        let mut causes: Vec<((Moment, Moment), String)> = Vec::new();
        let mut themselves = Vec::new();
        causes.extend(case.target.down_spans().iter().map(|span| (*span, "a restart".to_owned())));
        let paused =
            |pause: &(Moment, Moment)| ((pause.0, pause.1.plus(residual)), "a pause".into());
        causes.extend(case.target.pauses().iter().map(paused));
        for rule in case.plan.faults.iter().filter(|rule| hinders(rule, case)) {
            let (from, until) =
                (case.moment(rule.window.from_ms), case.moment(rule.window.until_ms));
            causes.push(((from, until.plus(residual)), rule.id.clone()));
            themselves.push((from, until));
        }
        // A breaker may have taken refused keys for failures.
        let gaps = rotations::gaps(case).into_iter();
        causes.extend(gaps.map(|(from, until)| ((from, until.plus(residual)), NO_KEY.into())));
        for (from, until) in scopes::lacking(case, "clicks:write") {
            causes.push(((from, until.plus(residual)), NO_SCOPE.into()));
            themselves.push((from, until));
        }
        let mut told = Vec::new();
        for exchange in case.linktree.exchanges.iter() {
            let asked = exchange.retry_after.as_ref().and_then(|after| after.until);
            if let Some(until) = asked.filter(|until| *until > exchange.t_known()) {
                told.push((exchange.t_known(), until));
            }
        }
        let mut spans: Vec<_> = causes.iter().map(|(span, _)| *span).collect();
        spans.extend(&told);
        let waits = Spans::joined(told.clone(), Duration::ZERO);
        causes.extend(waits.all().iter().map(|span| (*span, "a told wait".to_owned())));
        themselves.extend(told);
        let hindrances = Spans::joined(spans, patience);
        let themselves = Spans::joined(themselves, Duration::ZERO);
        Self { hindrances, themselves, causes, patience }
    }

    /// Whether a click that was acknowledged at `acked`, and was off the integration's hands at
    /// `settled` if ever, was taken while deliveries were hindered, and waited until that was over.
    #[must_use]
    pub fn waited(&self, acked: Moment, settled: Option<Moment>) -> bool {
        let hindered = self.themselves.ending_at_or_after(acked).map(|(_, span)| span);
        let hindered = hindered.filter(|span| span.0 <= acked && acked < span.1);
        hindered.is_some_and(|span| settled.is_none_or(|settled| settled >= span.1))
    }

    /// From when a click acknowledged at `acked` could have been delivered, and the index of the
    /// hindrance that it waited for.
    #[must_use]
    pub fn since(&self, acked: Moment) -> (Moment, Option<usize>) {
        match self.hindrances.ending_at_or_after(acked) {
            Some((index, (from, until))) if from <= acked.plus(self.patience) => {
                (until, Some(index))
            }
            _ => (acked, None),
        }
    }

    /// What the hindrance over this span consisted of, each kind once: `silent, broken, a restart`.
    #[must_use]
    pub fn causes(&self, span: (Moment, Moment)) -> String {
        let mut named: Vec<&str> = Vec::new();
        for (cause, name) in &self.causes {
            if span.0 <= cause.0 && cause.1 <= span.1 && !named.contains(&name.as_str()) {
                named.push(name);
            }
        }
        named.join(", ")
    }

    /// Start and end of each hindrance.
    #[must_use]
    pub fn hindrances(&self) -> &[(Moment, Moment)] {
        self.hindrances.all()
    }
}

/// Whether a rule's failures can hold clicks back for long. Failures of other routes count, since a
/// breaker may cover all of Linktree. Fewer than one failure in ten is what retries are for.
fn hinders(rule: &Rule, case: &Case) -> bool {
    let holds_back = rule.fault.info().calls_for(Caution::HindersClicks)
        && match rule.fault.harm() {
            Harm::Slows { most } => most >= case.time(&profile_timeout::WITHIN),
            Harm::HitsNone | Harm::None | Harm::MayFail | Harm::Fails => true,
        };
    let often = match rule.pick {
        Pick::Share { ratio } | Pick::InTurn { ratio } => {
            u64::from(ratio.hits) * 10 >= u64::from(ratio.of)
        }
        Pick::All | Pick::Nth { .. } => true,
    };
    holds_back && often
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::PhaseKind;
    use crate::testing::{History, asked_to_wait, granted, rotated};
    use mock_server::faults::{Fault, Kill, Latency, LoseAnswer, Matcher, Ratio, Strike, Window};

    const S: fn(u64) -> Moment = |seconds| Moment::from_ms(seconds * 1_000);

    fn failing(pick: Pick) -> Rule {
        Rule {
            id: "lost".into(),
            window: Window { from_ms: 200_000, until_ms: 210_000 },
            matcher: Matcher::default(),
            pick,
            fault: Fault::LoseAnswer(LoseAnswer {}),
        }
    }

    #[test]
    fn an_outage_hinders_until_the_breaker_may_probe_again() {
        let history = History::over(&[(PhaseKind::Control, 0, 100), (PhaseKind::Outage, 100, 110)]);
        let deliverable = Deliverable::of(&history.case);
        assert_eq!(deliverable.since(S(10)), (S(10), None));
        let due = |ms| deliverable.since(Moment::from_ms(ms)).1;
        // The click lag and δ before it began.
        assert_eq!((due(39_899), due(39_900)), (None, Some(0)), "not yet due when it began");
        assert_eq!(deliverable.since(S(105)), (S(140), Some(0)));
        assert_eq!(deliverable.since(S(141)), (S(141), None));
        assert_eq!(deliverable.causes((S(100), S(140))), "out-at-100");
    }

    #[test]
    fn a_key_that_ended_hinders_until_the_new_one_must_be_known() {
        let turned = |overlap| History::over(&[]).happened(rotated(1, 200_000, overlap));
        let since = |overlap| Deliverable::of(&turned(overlap).case).since(S(205)).0;
        assert_eq!((since(0), since(60_000)), (S(290), S(205)));
        let deliverable = Deliverable::of(&turned(0).case);
        assert_eq!(deliverable.causes(deliverable.hindrances()[0]), NO_KEY);
    }

    #[test]
    fn a_key_that_is_not_good_for_clicks_hinders_until_it_is() {
        let granted = |history: History| history.happened(granted(200_000, &["links:read"]));
        let until = |history: History| Deliverable::of(&history.case).since(S(205)).0;
        let again = crate::testing::granted(250_000, &["links:read", "clicks:write"]);
        assert_eq!(until(granted(History::over(&[])).happened(again)), S(280));
        assert_eq!(until(granted(History::over(&[]))), Moment(u64::MAX));
        let mut narrow = History::over(&[]);
        narrow.case.plan.key.scopes = Some(vec!["links:read".to_owned()]);
        assert_eq!(until(narrow), Moment(u64::MAX));
    }

    #[test]
    fn a_retry_after_hinders_until_its_moment() {
        let history = History::over(&[]).exchange(asked_to_wait("ann", 5_000, 503, 7));
        let deliverable = Deliverable::of(&history.case);
        assert_eq!(deliverable.since(S(6)).0, Moment::from_ms(12_005));
    }

    #[test]
    fn a_retry_after_that_is_past_hinders_nothing_and_one_without_end_for_ever() {
        let since = |until| {
            let mut asked = asked_to_wait("ann", 5_000, 503, 7);
            asked.retry_after.as_mut().unwrap().until = Some(until);
            let history = History::over(&[]).exchange(asked);
            Deliverable::of(&history.case).since(S(4)).0
        };
        assert_eq!(since(S(1)), S(4));
        assert_eq!(since(Moment::from_ms(5_005)), S(4), "no time at all");
        assert_eq!(since(Moment(u64::MAX)), Moment(u64::MAX));
    }

    #[test]
    fn a_click_has_waited_that_was_taken_in_a_hindrance_and_outlasted_it() {
        let history = History::over(&[(PhaseKind::Control, 0, 100), (PhaseKind::Outage, 100, 110)]);
        let deliverable = Deliverable::of(&history.case);
        assert!(deliverable.waited(S(105), Some(S(111))) && deliverable.waited(S(105), None));
        assert!(!deliverable.waited(S(105), Some(S(106))), "delivered in spite of it");
        assert!(!deliverable.waited(S(99), Some(S(111))) && !deliverable.waited(S(110), None));
    }

    #[test]
    fn a_hindrance_is_told_by_its_own_causes_each_kind_once() {
        let history =
            History::over(&[(PhaseKind::Outage, 100, 110), (PhaseKind::Outage, 400, 410)])
                .paused(101_000, 102_000)
                .paused(103_000, 104_000);
        let deliverable = Deliverable::of(&history.case);
        let told: Vec<String> =
            deliverable.hindrances().iter().map(|span| deliverable.causes(*span)).collect();
        assert_eq!(told, ["a pause, out-at-100", "out-at-400"]);
    }

    #[test]
    fn answers_that_take_as_long_as_a_timeout_hinder() {
        let since = |ms| {
            let fault = Fault::Latency(Latency::Constant { ms });
            let mut history = History::over(&[]);
            history.case.plan.faults = vec![Rule { fault, ..failing(Pick::All) }];
            Deliverable::of(&history.case).since(S(205)).0
        };
        assert_eq!((since(9_999), since(10_000)), (S(205), S(240)));
    }

    #[test]
    fn rare_failures_hinder_nothing() {
        let since = |pick| {
            let mut history = History::over(&[]);
            history.case.plan.faults = vec![failing(pick)];
            Deliverable::of(&history.case).since(S(205)).0
        };
        assert_eq!(since(Pick::All), S(240));
        assert_eq!(since(Pick::Share { ratio: Ratio { hits: 1, of: 10 } }), S(240));
        assert_eq!(since(Pick::Share { ratio: Ratio { hits: 1, of: 11 } }), S(205));
    }

    #[test]
    fn a_kill_hinders_while_the_process_is_down_whatever_the_plan_says() {
        let kill = Fault::Kill(Kill { on: Strike::WindowStart, down_ms: 9_000 });
        let mut history = History::over(&[]).killed_until(202_000, 204_000);
        history.case.plan.faults = vec![Rule { fault: kill, ..failing(Pick::All) }];
        let deliverable = Deliverable::of(&history.case);
        assert_eq!(deliverable.since(S(201)), (S(204), Some(0)));
        assert_eq!(deliverable.causes(deliverable.hindrances()[0]), "a restart");
        assert_eq!(deliverable.since(S(205)), (S(205), None));
    }
}
