//! The rules in force: short ways to write one, and changes to them while the mock runs.

use super::MockLinktree;
use crate::contract::Route;
use crate::faults::engine::PlanError;
use crate::faults::plan::{NotAlone, check_alone};
use crate::faults::{Fault, Matcher, Pick, Ratio, Rule, Window};
use std::sync::{Mutex, PoisonError};

impl Rule {
    /// Always, everybody, on every route but `health`; the methods below narrow it.
    #[must_use]
    pub fn new(id: impl Into<String>, fault: Fault) -> Self {
        let (window, matcher, pick) = (Window::default(), Matcher::default(), Pick::default());
        Self { id: id.into(), window, matcher, pick, fault }
    }

    /// Also on this route; without any route, on all but `health`.
    #[must_use]
    pub fn on(mut self, route: Route) -> Self {
        self.matcher.routes.push(route);
        self
    }

    /// Only for this handle, or a prefix of handles ending in `*`.
    #[must_use]
    pub fn for_handle(mut self, pattern: impl Into<String>) -> Self {
        self.matcher.handle = Some(pattern.into());
        self
    }

    /// Only the first `count` requests of each request key.
    #[must_use]
    pub fn first(mut self, count: u64) -> Self {
        self.pick = Pick::Nth { from: 0, until: count };
        self
    }

    /// Only a share of the requests, chosen by hash.
    #[must_use]
    pub fn share(mut self, hits: u32, of: u32) -> Self {
        self.pick = Pick::Share { ratio: Ratio { hits, of } };
        self
    }

    /// Only in this window, in milliseconds since the mock was armed.
    #[must_use]
    pub fn between(mut self, from_ms: u64, until_ms: u64) -> Self {
        self.window = Window { from_ms, until_ms };
        self
    }
}

/// The rules of the start, and how often they were changed since.
pub(crate) struct Rulebook {
    initial: Vec<Rule>,
    revision: Mutex<u64>,
}

impl Rulebook {
    pub fn new(initial: Vec<Rule>) -> Self {
        Self { initial, revision: Mutex::new(1) }
    }
}

/// Why the rules were not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// Somebody else was quicker.
    #[error("failed to change revision {seen} of the rules: they are at revision {now} by now")]
    Outdated {
        /// What the caller had seen.
        seen: u64,
        /// What is in force.
        now: u64,
    },
    /// No rule has this id.
    #[error("failed to find the rule {id:?}")]
    Absent {
        /// The id.
        id: String,
    },
    /// The mock alone can never carry a rule out.
    #[error(transparent)]
    Process(#[from] NotAlone),
    /// The rules cannot be executed.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// How a change treats the ordinals of rules that stay.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Numbering {
    GoOn,
    StartAnew,
}

/// Rules and the number of their revision, which every change raises.
#[derive(Clone, Debug, PartialEq)]
pub struct Revised {
    /// The rules in force, in plan order.
    pub rules: Vec<Rule>,
    /// From 1.
    pub revision: u64,
}

impl MockLinktree {
    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        self.shared.engine.rules()
    }

    /// The rules in force and their revision.
    #[must_use]
    pub fn revised_rules(&self) -> Revised {
        let revision = self.rulebook.revision.lock().unwrap_or_else(PoisonError::into_inner);
        Revised { rules: self.rules(), revision: *revision }
    }

    /// Puts other rules in force, all at once: every request meets either the old or the new
    /// ones. Ordinals start anew.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] when they cannot be executed; the old rules stay in force.
    pub fn set_rules(&self, rules: Vec<Rule>) -> Result<(), ChangeError> {
        self.set_rules_of(None, rules).map(drop)
    }

    /// Like [`Self::set_rules`], but only if the rules are still at this revision.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] also when they are not.
    pub fn set_rules_of(&self, seen: Option<u64>, rules: Vec<Rule>) -> Result<u64, ChangeError> {
        self.change(seen, Numbering::StartAnew, |known| {
            *known = rules;
            Ok(())
        })
    }

    /// Adds a rule after the others, which go on counting.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] when its id is taken or it cannot be executed.
    pub fn add_rule(&self, rule: Rule) -> Result<(), ChangeError> {
        self.add_rule_to(None, rule).map(drop)
    }

    /// Like [`Self::add_rule`], but only if the rules are still at this revision.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] also when they are not.
    pub fn add_rule_to(&self, seen: Option<u64>, rule: Rule) -> Result<u64, ChangeError> {
        self.change(seen, Numbering::GoOn, |known| {
            known.push(rule);
            Ok(())
        })
    }

    /// Takes a rule out; the others go on counting.
    ///
    /// # Errors
    ///
    /// [`ChangeError::Absent`] when there is none with this id.
    pub fn remove_rule(&self, id: &str) -> Result<(), ChangeError> {
        self.remove_rule_from(None, id).map(drop)
    }

    /// Like [`Self::remove_rule`], but only if the rules are still at this revision.
    ///
    /// # Errors
    ///
    /// [`ChangeError`] also when they are not.
    pub fn remove_rule_from(&self, seen: Option<u64>, id: &str) -> Result<u64, ChangeError> {
        self.change(seen, Numbering::GoOn, |known| {
            let absent = || ChangeError::Absent { id: id.to_owned() };
            let index = known.iter().position(|rule| rule.id == id).ok_or_else(absent)?;
            known.remove(index);
            Ok(())
        })
    }

    /// The rules of the start, with fresh ordinals.
    pub(crate) fn reset_rules(&self) {
        let initial = self.rulebook.initial.clone();
        let mut revision = self.rulebook.revision.lock().unwrap_or_else(PoisonError::into_inner);
        // They were in force before, so they can be again.
        if self.shared.engine.replace(initial).is_ok() {
            *revision += 1;
        }
    }

    fn change(
        &self,
        seen: Option<u64>,
        numbering: Numbering,
        change: impl FnOnce(&mut Vec<Rule>) -> Result<(), ChangeError>,
    ) -> Result<u64, ChangeError> {
        // Held throughout, so that nobody changes the rules between reading and writing.
        let mut revision = self.rulebook.revision.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seen) = seen.filter(|seen| *seen != *revision) {
            return Err(ChangeError::Outdated { seen, now: *revision });
        }
        let mut rules = self.rules();
        change(&mut rules)?;
        check_alone(&rules)?;
        match numbering {
            Numbering::GoOn => self.shared.engine.amend(rules)?,
            Numbering::StartAnew => self.shared.engine.replace(rules)?,
        }
        *revision += 1;
        Ok(*revision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::Status;

    fn rule(id: &str) -> Rule {
        Rule::new(id, Fault::Status(Status { codes: vec![503], retry_after: vec![] }))
    }

    fn ids(mock: &MockLinktree) -> Vec<String> {
        mock.rules().into_iter().map(|rule| rule.id).collect()
    }

    #[test]
    fn two_people_cannot_overwrite_each_other() {
        let mock = MockLinktree::builder().rule(rule("a")).start().unwrap();
        let seen = mock.revised_rules().revision;
        let mine = mock.add_rule_to(Some(seen), rule("b")).unwrap();
        let theirs = mock.set_rules_of(Some(seen), vec![]);
        assert_eq!(theirs, Err(ChangeError::Outdated { seen, now: mine }));
        assert_eq!(ids(&mock), ["a", "b"]);
        mock.remove_rule_from(Some(mine), "a").unwrap();
        assert_eq!(ids(&mock), ["b"]);
        mock.reset();
        assert_eq!(ids(&mock), ["a"]);
        assert!(mock.revised_rules().revision > mine);
    }

    #[test]
    fn what_cannot_be_done_leaves_the_rules_as_they_are() {
        let mock = MockLinktree::builder().rule(rule("a")).start().unwrap();
        assert!(matches!(
            mock.add_rule(rule("a")),
            Err(ChangeError::Plan(PlanError::Twice { .. }))
        ));
        assert!(matches!(mock.remove_rule("b"), Err(ChangeError::Absent { .. })));
        assert_eq!(mock.revised_rules(), Revised { rules: vec![rule("a")], revision: 1 });
    }
}
