//! Waits to which an attempt may still make a difference, found by what they may cover: a history may
//! hold thousands of them, and a million attempts.

use super::Wait;
use crate::case::{JudgedExchange, LogicalKey};
use crate::plan::RetryAfterScope;
use std::collections::{HashMap, HashSet};

/// In the order of their answers.
pub struct OpenWaits<'w, 'c> {
    waits: &'w [Wait<'c>],
    /// How many of them have been opened.
    opened: usize,
    /// Places of those that hold for a key, by what is known of it: its id and its label.
    by_key: HashMap<(Option<&'c str>, &'c str), Vec<usize>>,
    by_request: HashMap<LogicalKey<'c>, Vec<usize>>,
    /// By route and click.
    by_click: HashMap<(&'c str, &'c str), Vec<usize>>,
}

impl<'w, 'c> OpenWaits<'w, 'c> {
    /// None yet of these.
    pub fn of(waits: &'w [Wait<'c>]) -> Self {
        let (by_key, by_request, by_click) = Default::default();
        Self { waits, opened: 0, by_key, by_request, by_click }
    }

    /// Those whose answers were asked for by the time of this attempt, that it has to do with, and that
    /// no attempt has followed.
    pub fn before(
        &mut self,
        attempt: &'c JudgedExchange,
        scope: RetryAfterScope,
        followed: &HashSet<u64>,
    ) -> Vec<&'w Wait<'c>> {
        while let Some(wait) = self.waits.get(self.opened)
            && wait.answer.t_req <= attempt.t_req
        {
            self.open(wait);
        }
        let waits = self.waits;
        let mut found: Vec<usize> = Vec::new();
        let mut take = |places: &mut Vec<usize>| {
            places.retain(|place| !followed.contains(&waits[*place].answer.id));
            found.extend(&*places);
        };
        if scope == RetryAfterScope::Token {
            for places in self.by_key.values_mut() {
                let is_same = |place: &usize| waits[*place].is_of_key(attempt);
                if places.first().is_some_and(is_same) {
                    take(places);
                }
            }
        }
        self.by_request.get_mut(&attempt.logical_key()).into_iter().for_each(&mut take);
        for click in &attempt.clicks {
            let click = (&*attempt.target, &*click.event_id);
            self.by_click.get_mut(&click).into_iter().for_each(&mut take);
        }
        found.sort_unstable();
        found.dedup();
        let found = found.into_iter().map(|place| &waits[place]);
        found.filter(|wait| wait.covers(attempt, scope)).collect()
    }

    fn open(&mut self, wait: &Wait<'c>) {
        let (place, answer) = (self.opened, wait.answer);
        self.opened += 1;
        if wait.throttles() {
            let key = (answer.head.key_id.as_deref(), &*answer.head.token);
            self.by_key.entry(key).or_default().push(place);
        }
        self.by_request.entry(answer.logical_key()).or_default().push(place);
        for click in &answer.clicks {
            let click = (&*answer.target, &*click.event_id);
            self.by_click.entry(click).or_default().push(place);
        }
    }
}
