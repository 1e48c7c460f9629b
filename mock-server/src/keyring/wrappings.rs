//! Answers of the vault that were wrapped: a token opens each once, before its time is over.
//!
//! Whatever else is asked with such a token uses it up, as with a real server.

use super::leases::PREFIX;
use crate::clock::Moment;
use crate::seed;
use serde_json::Value;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many tokens are known to be secret before anything is wrapped; later ones from then on.
const FORESEEN: u64 = 16;

/// So many wrapped answers are kept; older ones are gone.
const KEPT: usize = 256;

/// What a token opens.
#[derive(Clone)]
pub(crate) struct Wrapped {
    /// The answer.
    pub body: Value,
    /// The version of the secret that it hands out.
    pub version: Option<u64>,
}

/// One token and what it opens.
struct Wrapping {
    token: String,
    until: Moment,
    holds: Wrapped,
}

/// All that is wrapped in a run.
pub(crate) struct Wrappings {
    seed: u64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Oldest first.
    kept: Vec<Wrapping>,
    made: u64,
}

impl Wrappings {
    pub fn new(seed: u64) -> Self {
        Self { seed, state: Mutex::default() }
    }

    /// What must not be recorded, known from the start.
    pub fn foreseen(&self) -> impl Iterator<Item = String> {
        (1..=FORESEEN).map(|number| self.token(number))
    }

    /// Keeps an answer for so long. Its token, its accessor, and whether the token was unforeseen, so
    /// that it must be concealed yet.
    pub fn wrap(&self, holds: Wrapped, ttl: Duration, at: Moment) -> (String, String, bool) {
        let mut state = self.state();
        state.made += 1;
        let token = self.token(state.made);
        let accessor = seed::derive(self.seed, &["vault-accessor", &token]);
        let unforeseen = state.made > FORESEEN;
        state.kept.push(Wrapping { token: token.clone(), until: at.plus(ttl), holds });
        if state.kept.len() > KEPT {
            state.kept.remove(0);
        }
        (token, hex::encode(&accessor[..12]), unforeseen)
    }

    /// Whether this token opens something.
    pub fn opens(&self, token: &str, at: Moment) -> bool {
        self.state().find(token, at).is_some()
    }

    /// What the token opens, once.
    pub fn open(&self, token: &str, at: Moment) -> Option<Wrapped> {
        let mut state = self.state();
        let index = state.find(token, at)?;
        Some(state.kept.remove(index).holds)
    }

    /// No token opens anything longer than this from now.
    pub fn expire(&self, at: Moment, left: Duration) {
        for wrapping in &mut self.state().kept {
            wrapping.until = wrapping.until.min(at.plus(left));
        }
    }

    /// Nothing is wrapped any more.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    fn token(&self, number: u64) -> String {
        let digits = seed::derive(self.seed, &["secret", "vault-wrapping", &number.to_string()]);
        format!("{PREFIX}{}", hex::encode(&digits[..16]))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&self, token: &str, at: Moment) -> Option<usize> {
        let opens = |kept: &Wrapping| kept.token == token && at < kept.until;
        self.kept.iter().position(opens)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrap(wrappings: &Wrappings, version: u64, at: u64) -> String {
        let holds = Wrapped { body: Value::Null, version: Some(version) };
        wrappings.wrap(holds, Duration::from_nanos(50), Moment(at)).0
    }

    #[test]
    fn a_token_opens_its_answer_once_and_in_time() {
        let wrappings = Wrappings::new(7);
        let (one, other) = (wrap(&wrappings, 1, 0), wrap(&wrappings, 2, 0));
        let open = |token: &str, at| {
            let opens = wrappings.opens(token, Moment(at));
            let opened = wrappings.open(token, Moment(at)).and_then(|wrapped| wrapped.version);
            assert_eq!(opens, opened.is_some());
            opened
        };
        assert_eq!((open(&one, 49), open(&one, 49), open(&other, 50)), (Some(1), None, None));
        let third = wrap(&wrappings, 3, 0);
        wrappings.expire(Moment(10), Duration::from_nanos(5));
        assert_eq!((open(&third, 15), open(&third, 14), open("x", 0)), (None, Some(3), None));
    }

    #[test]
    fn the_first_tokens_are_foreseen_and_the_oldest_answers_go() {
        let wrappings = Wrappings::new(7);
        let foreseen: Vec<_> = wrappings.foreseen().collect();
        let first = wrap(&wrappings, 0, 0);
        assert_eq!(foreseen[0], first);
        let later: Vec<_> = (0..KEPT as u64).map(|number| wrap(&wrappings, number, 0)).collect();
        assert!(!wrappings.opens(&first, Moment(1)) && wrappings.opens(&later[0], Moment(1)));
        let holds = Wrapped { body: Value::Null, version: None };
        assert!(wrappings.wrap(holds, Duration::ZERO, Moment(0)).2);
        wrappings.reset();
        assert!(!wrappings.opens(&later[0], Moment(1)));
        assert_eq!(wrap(&wrappings, 0, 0), first);
    }
}
