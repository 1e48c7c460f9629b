//! The plan at work: which rules hit a request, and what comes of them together.

use super::{Effect, FaultMark, Pick, RequestView, Roll, Rule};
use crate::exchange::Route;
use crate::ordinals::Ordinals;
use crate::world::handle_matches;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// The seed, and the plan in force, which may be replaced while requests arrive.
#[derive(Debug)]
pub struct Engine {
    seed: u64,
    plan: RwLock<Arc<Plan>>,
}

/// The rules of one plan, and how often each has seen each request key.
#[derive(Debug)]
struct Plan {
    rules: Vec<Rule>,
    /// For each rule.
    seen: Vec<Arc<Ordinals>>,
}

/// What shall happen to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// All latency together, microseconds.
    pub delay_us: u64,
    /// The first effect in plan order that is not latency.
    pub effect: Effect,
    /// The rules that decided: those of latency first, the effect's rule last.
    pub marks: Vec<FaultMark>,
}

/// Why a plan cannot be executed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Marks in the history would be ambiguous.
    #[error("failed to use the rule id {id:?} twice")]
    Twice {
        /// The id.
        id: String,
    },
    /// A setting makes no sense.
    #[error("failed to use the rule {id:?}: {key}: {what} ({fix})")]
    Setting {
        /// The rule.
        id: String,
        /// The setting.
        key: &'static str,
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        fix: &'static str,
    },
}

impl Engine {
    /// An engine for a plan.
    ///
    /// # Errors
    ///
    /// [`PlanError`] names the first rule that cannot be executed.
    pub fn new(seed: u64, rules: Vec<Rule>) -> Result<Self, PlanError> {
        Ok(Self { seed, plan: RwLock::new(Arc::new(Plan::new(rules)?)) })
    }

    /// Puts another plan in force: every decision follows either the old or the new one, whole.
    /// Ordinals start anew.
    ///
    /// # Errors
    ///
    /// [`PlanError`] names the first rule that cannot be executed; the old plan stays in force.
    pub fn replace(&self, rules: Vec<Rule>) -> Result<(), PlanError> {
        let plan = Arc::new(Plan::new(rules)?);
        *self.plan.write().unwrap_or_else(PoisonError::into_inner) = plan;
        Ok(())
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        self.plan().rules.clone()
    }

    fn plan(&self) -> Arc<Plan> {
        Arc::clone(&self.plan.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Decides about one request. Without arming there are no faults.
    ///
    /// A request counts for a rule while the rule's window is open and its matcher matches,
    /// whether or not it is hit, so that rules do not disturb each other's ordinals.
    pub fn decide(&self, view: &RequestView<'_>, ms_since_armed: Option<u64>) -> Decision {
        let mut decision = Decision { delay_us: 0, effect: Effect::Pass, marks: Vec::new() };
        let Some(now) = ms_since_armed else { return decision };
        let mut winner = None;
        let plan = self.plan();
        for (rule, ordinals) in plan.rules.iter().zip(&plan.seen) {
            ordinals.end(rule.window.until_ms, now);
            if now < rule.window.from_ms || now >= rule.window.until_ms || !matches(rule, view) {
                continue;
            }
            let nth = ordinals.next(view.key);
            let mut roll = Roll::new(self.seed, &rule.id, view.key, nth);
            let hit = match rule.pick {
                Pick::All => true,
                Pick::Nth { from, until } => (from..until).contains(&nth),
                Pick::Share { ratio } => roll.share(ratio.hits, ratio.of),
            };
            if !hit {
                continue;
            }
            let mark = || FaultMark {
                rule: rule.id.clone(),
                kind: rule.fault.kind().to_owned(),
                key: view.key.to_owned(),
                nth,
            };
            match rule.fault.decide(view, &mut roll) {
                Effect::Pass => {}
                Effect::Delay { us } => {
                    decision.delay_us = decision.delay_us.saturating_add(us);
                    decision.marks.push(mark());
                }
                effect if winner.is_none() => winner = Some((effect, mark())),
                _ => {}
            }
        }
        if let Some((effect, mark)) = winner {
            decision.effect = effect;
            decision.marks.push(mark);
        }
        decision
    }
}

impl Plan {
    fn new(rules: Vec<Rule>) -> Result<Self, PlanError> {
        let mut ids = HashSet::new();
        for rule in &rules {
            let id = &rule.id;
            if !ids.insert(id.as_str()) {
                return Err(PlanError::Twice { id: id.clone() });
            }
            if let Some(super::Mistake { key, what, fix }) = rule.fault.mistakes().pop() {
                return Err(PlanError::Setting { id: id.clone(), key, what, fix });
            }
        }
        let seen = rules.iter().map(|_| Arc::default()).collect();
        Ok(Self { rules, seen })
    }
}

impl Decision {
    /// Drops an injected answer, because the server refuses the request by itself.
    pub fn cancel_answer(&mut self) {
        if matches!(self.effect, Effect::Answer { .. }) {
            self.effect = Effect::Pass;
            self.marks.pop();
        }
    }
}

fn matches(rule: &Rule, view: &RequestView<'_>) -> bool {
    if rule.fault.stage() != view.stage {
        return false;
    }
    let matcher = &rule.matcher;
    let route = if matcher.routes.is_empty() {
        view.route != Route::Health
    } else {
        matcher.routes.contains(&view.route)
    };
    let method = matcher.method.as_ref().is_none_or(|m| m.eq_ignore_ascii_case(view.method));
    let handle = matcher
        .handle
        .as_ref()
        .is_none_or(|pattern| view.handle.is_some_and(|handle| handle_matches(pattern, handle)));
    let event = matcher.events.is_empty()
        || view.event().is_some_and(|event| matcher.events.contains(&event));
    route && method && handle && event
}

#[cfg(test)]
mod tests {
    use super::super::{Fault, Latency, Matcher, Ratio, Reset, ResetAt, Stage, Status, Window};
    use super::*;
    use rand::seq::SliceRandom;

    fn rule(id: &str, pick: Pick, fault: Fault) -> Rule {
        Rule {
            id: id.into(),
            window: Window { from_ms: 100, until_ms: 200 },
            matcher: Matcher::default(),
            pick,
            fault,
        }
    }

    fn status(code: u16) -> Fault {
        Fault::Status(Status { codes: vec![code], retry_after: vec![] })
    }

    fn view(key: &str) -> RequestView<'_> {
        RequestView {
            stage: Stage::Request,
            method: "GET",
            route: Route::Profile,
            handle: Some("a-0001"),
            key,
        }
    }

    fn effect(rules: Vec<Rule>, view: &RequestView<'_>, at: Option<u64>) -> Effect {
        Engine::new(1, rules).unwrap().decide(view, at).effect
    }

    fn half() -> Pick {
        Pick::Share { ratio: Ratio { hits: 1, of: 2 } }
    }

    /// The decisions for 40 requests of each of 5 keys, met in an order shuffled by `order`.
    fn decisions(seed: u64, order: u64) -> Vec<(String, Decision)> {
        let slow = Fault::Latency(Latency::Uniform { min_ms: 1, max_ms: 900 });
        let plan = vec![rule("fail", half(), status(503)), rule("slow", half(), slow)];
        let engine = Engine::new(seed, plan).unwrap();
        let mut keys: Vec<String> = (0..200).map(|n| format!("GET /{}", n % 5)).collect();
        keys.shuffle(&mut crate::seed::stream(order, &["order"]));
        let mut met: Vec<_> = keys
            .into_iter()
            .map(|key| (key.clone(), engine.decide(&view(&key), Some(150))))
            .collect();
        met.sort_by(|a, b| a.0.cmp(&b.0)); // stable: keeps the ordinals of a key in order
        met
    }

    #[test]
    fn interleaving_changes_nobodys_fate_and_another_seed_does() {
        assert_eq!(decisions(1, 10), decisions(1, 11));
        assert_ne!(decisions(1, 10), decisions(2, 10));
    }

    #[test]
    fn windows_are_half_open_and_count_from_arming() {
        let at = |at| effect(vec![rule("r", Pick::All, status(500))], &view("k"), at);
        assert_eq!(at(None), Effect::Pass);
        assert_eq!(at(Some(99)), Effect::Pass);
        assert_ne!(at(Some(100)), Effect::Pass);
        assert_ne!(at(Some(199)), Effect::Pass);
        assert_eq!(at(Some(200)), Effect::Pass);
    }

    #[test]
    fn matchers_look_at_route_method_and_handle() {
        let check = |matcher: Matcher, expected: bool| {
            let rule = Rule { matcher, ..rule("r", Pick::All, status(500)) };
            assert_eq!(effect(vec![rule], &view("k"), Some(150)) != Effect::Pass, expected);
        };
        let all = Matcher::default;
        check(all(), true);
        check(Matcher { routes: vec![Route::Profile], ..all() }, true);
        check(Matcher { routes: vec![Route::Me], ..all() }, false);
        check(Matcher { method: Some("get".into()), ..all() }, true);
        check(Matcher { method: Some("POST".into()), ..all() }, false);
        check(Matcher { handle: Some("a-*".into()), ..all() }, true);
        check(Matcher { handle: Some("a-0002".into()), ..all() }, false);
        let health = RequestView { route: Route::Health, ..view("k") };
        let plan = vec![rule("r", Pick::All, status(500))];
        assert_eq!(effect(plan, &health, Some(150)), Effect::Pass, "health is spared by default");
    }

    #[test]
    fn ordinals_count_for_each_key() {
        let plan = vec![rule("r", Pick::Nth { from: 1, until: 3 }, status(500))];
        let engine = Engine::new(1, plan).unwrap();
        let hit = |key| !engine.decide(&view(key), Some(150)).marks.is_empty();
        assert_eq!(
            [hit("a"), hit("b"), hit("a"), hit("a"), hit("a")],
            [false, false, true, true, false]
        );
        assert!(hit("b"));
    }

    #[test]
    fn latency_adds_up_and_the_first_other_effect_wins() {
        let slow = || Fault::Latency(Latency::Constant { ms: 3 });
        let reset = Fault::Reset(Reset { at: ResetAt::MidBody });
        let plan = vec![
            rule("slow", Pick::All, slow()),
            rule("reset", Pick::All, reset),
            rule("fail", Pick::All, status(500)),
            rule("slower", Pick::All, slow()),
        ];
        let engine = Engine::new(1, plan).unwrap();
        let decision = engine.decide(&view("k"), Some(150));
        assert_eq!(decision.delay_us, 6_000);
        assert_eq!(decision.effect, Effect::Reset { at: ResetAt::MidBody });
        let rules: Vec<_> = decision.marks.iter().map(|mark| mark.rule.as_str()).collect();
        assert_eq!(rules, ["slow", "slower", "reset"]);
    }

    #[test]
    fn plans_that_cannot_be_executed_are_refused() {
        let twice = vec![rule("r", Pick::All, status(500)), rule("r", Pick::All, status(500))];
        assert!(matches!(Engine::new(1, twice), Err(PlanError::Twice { .. })));
        let odd = vec![rule("r", Pick::All, status(100))];
        assert!(matches!(Engine::new(1, odd), Err(PlanError::Setting { key: "codes", .. })));
    }
}
