//! The plan at work: which rules hit a request, and what comes of them together.

use super::{
    Accept, Caution, Effect, FaultMark, Onset, Pick, RequestView, Rewrite, Roll, Rule, Shut, Stage,
};
use crate::contract::{Listener, Route};
use crate::faults::ordinals::Ordinals;
use crate::ranges::{self, OutOfRange};
use crate::world::handle_matches;
use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Notify;

/// The key of every decision about a connection to Linktree, of which nothing is known yet.
pub(crate) const CONNECTION_KEY: &str = "connection";

/// The key of every decision about a connection to this server.
const fn connection_key(listener: Listener) -> &'static str {
    match listener {
        Listener::Linktree => CONNECTION_KEY,
        Listener::Vault => "vault connection",
        Listener::Alerts => "alerts connection",
    }
}

/// Whether a connection with this key is one to that server, or to any if none is named.
pub(super) fn is_connection_to(listener: Option<Listener>, key: &str) -> bool {
    listener.is_none_or(|listener| connection_key(listener) == key)
}

/// The seed, and the plan in force, which may be replaced while requests arrive.
#[derive(Debug)]
pub struct Engine {
    seed: u64,
    plan: RwLock<Arc<Plan>>,
    changed: Notify,
}

/// The rules of one plan, and how often each has seen each request key.
#[derive(Debug)]
struct Plan {
    rules: Vec<Rule>,
    /// For each rule; a later plan goes on counting for the rules that it keeps.
    seen: Vec<Arc<Ordinals>>,
}

/// Whether a port keeps everybody out, by which rules, and until which millisecond that is so: until
/// the plan changes where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct PortOrder {
    /// How everybody is kept out; none when connections are accepted.
    pub shut: Option<Shut>,
    /// The rules that say so, as marks of a connection.
    pub marks: Vec<FaultMark>,
    /// When to ask again.
    pub until: Option<u64>,
}

/// What shall happen to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// All latency together, microseconds.
    pub delay_us: u64,
    /// Every change of the answer in plan order, with the rule that decided it.
    pub rewrites: Vec<(Rewrite, FaultMark)>,
    /// The first effect in plan order that is neither latency nor a change.
    pub effect: Effect,
    /// The other rules that decided: those of latency first, the effect's rule last.
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
    /// A number, text or list is larger or smaller than it may be.
    #[error("failed to use the rule {id:?}: {wrong}")]
    Range {
        /// The rule.
        id: String,
        /// What.
        wrong: OutOfRange,
    },
}

impl Engine {
    /// An engine for a plan.
    ///
    /// # Errors
    ///
    /// [`PlanError`] names the first rule that cannot be executed.
    pub fn new(seed: u64, rules: Vec<Rule>) -> Result<Self, PlanError> {
        let plan = RwLock::new(Arc::new(Plan::new(rules)?));
        Ok(Self { seed, plan, changed: Notify::new() })
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
        self.wake();
        Ok(())
    }

    /// Says to whoever waits in [`Self::changed`] that windows may have begun or ended.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until the plan was replaced, or the traffic began.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What is to become of the port at `now` milliseconds.
    #[must_use]
    pub fn port(&self, now: u64) -> PortOrder {
        let plan = self.plan();
        let mut order = PortOrder { shut: None, marks: Vec::new(), until: None };
        for (rule, how) in plan.rules.iter().filter_map(|rule| Some((rule, self.shuts(rule)?))) {
            let window = rule.window.from_ms..rule.window.until_ms;
            let bounds = [window.start, window.end].into_iter().filter(|_| !window.is_empty());
            order.until = bounds.chain(order.until).filter(|bound| *bound > now).min();
            // As everywhere, the first rule in plan order wins.
            if window.contains(&now) && *order.shut.get_or_insert(how) == how {
                order.marks.push(FaultMark {
                    rule: rule.id.clone(),
                    kind: rule.fault.kind(),
                    key: CONNECTION_KEY.to_owned(),
                    nth: 0,
                });
            }
        }
        order
    }

    /// How a rule keeps everybody out, if it does.
    fn shuts(&self, rule: &Rule) -> Option<Shut> {
        if rule.fault.stage() != Stage::Connection {
            return None;
        }
        let mut roll = Roll::new(self.seed, &rule.id, CONNECTION_KEY, 0);
        match rule.fault.decide(&RequestView::connection(), &mut roll).shape().onset {
            Onset::Accept(Accept::Shut(how)) => Some(how),
            _ => None,
        }
    }

    /// Whether TLS handshakes with this server go wrong at `now` milliseconds.
    #[must_use]
    pub fn hits_handshakes(&self, listener: Listener, now: u64) -> bool {
        let view = RequestView { key: connection_key(listener), ..RequestView::connection() };
        self.plan().rules.iter().any(|rule| {
            let mut roll = Roll::new(self.seed, &rule.id, view.key, 0);
            rule.fault.info().calls_for(Caution::HitsHandshakes)
                && (rule.window.from_ms..rule.window.until_ms).contains(&now)
                && rule.fault.decide(&view, &mut roll) != Effect::Pass
        })
    }

    /// Decides about a connection that was accepted just now, and marks it.
    pub fn connection(
        &self,
        listener: Listener,
        ms_since_armed: Option<u64>,
    ) -> Option<(Effect, FaultMark)> {
        let view = RequestView { key: connection_key(listener), ..RequestView::connection() };
        let mut decision = self.decide(&view, ms_since_armed);
        let mark = decision.take_edge_mark()?;
        Some((decision.effect, mark))
    }

    /// Like [`Self::replace`], but a rule that stays just as it is goes on counting.
    ///
    /// # Errors
    ///
    /// [`PlanError`] names the first rule that cannot be executed; the old plan stays in force.
    pub fn amend(&self, rules: Vec<Rule>) -> Result<(), PlanError> {
        let mut plan = Plan::new(rules)?;
        let mut current = self.plan.write().unwrap_or_else(PoisonError::into_inner);
        plan.go_on_from(&current);
        *current = Arc::new(plan);
        drop(current);
        self.wake();
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
        let mut decision =
            Decision { delay_us: 0, rewrites: Vec::new(), effect: Effect::Pass, marks: Vec::new() };
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
                Pick::InTurn { ratio } => nth % u64::from(ratio.of.max(1)) < ratio.hits.into(),
            };
            if !hit {
                continue;
            }
            let mark = || FaultMark {
                rule: rule.id.clone(),
                kind: rule.fault.kind(),
                key: view.key.to_owned(),
                nth,
            };
            match rule.fault.decide(view, &mut roll) {
                Effect::Pass => {}
                Effect::Delay { us } => {
                    decision.delay_us = decision.delay_us.saturating_add(us);
                    decision.marks.push(mark());
                }
                Effect::Rewrite { how } => decision.rewrites.push((how, mark())),
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
            let mut mistakes = rule.fault.mistakes();
            mistakes.extend(rule.mistakes());
            if let Some(super::Mistake { key, what, fix }) = mistakes.pop() {
                return Err(PlanError::Setting { id: id.clone(), key, what, fix });
            }
        }
        if let Some((index, wrong)) = ranges::outside_each(&rules).into_iter().next() {
            return Err(PlanError::Range { id: rules[index].id.clone(), wrong });
        }
        let seen = rules.iter().map(|_| Arc::default()).collect();
        Ok(Self { rules, seen })
    }

    fn go_on_from(&mut self, earlier: &Self) {
        for (rule, seen) in self.rules.iter().zip(&mut self.seen) {
            if let Some(index) = earlier.rules.iter().position(|known| known == rule) {
                *seen = Arc::clone(&earlier.seen[index]);
            }
        }
    }
}

impl Decision {
    /// Drops an injected answer, because the server refuses the request by itself.
    pub fn cancel_answer(&mut self) {
        if self.effect.shape().onset == Onset::Routes {
            self.effect = Effect::Pass;
            self.marks.pop();
        }
    }

    /// The mark of an effect that the edge has still to bring about.
    pub fn take_edge_mark(&mut self) -> Option<FaultMark> {
        match self.effect.shape().onset {
            Onset::Elsewhere | Onset::Routes => None,
            Onset::Accept(_) | Onset::BeforeHead | Onset::Head | Onset::Body | Onset::End => {
                self.marks.pop()
            }
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
mod tests;
