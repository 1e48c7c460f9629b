//! How many different pages visitors asked for, within one window, that only Linktree could give.

use super::demand::Demand;
use crate::case::Case;
use crate::history::Operation;
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;

/// Gathers them; whoever asks for the same page again within the window asks for nothing more.
pub struct Cold<'c> {
    demand: Demand<'c>,
    window: Duration,
    /// When each page last counted.
    counted: HashMap<String, Moment>,
    asked: Vec<Moment>,
}

impl<'c> Cold<'c> {
    /// None yet, over this case's page reads.
    #[must_use]
    pub fn over(case: &'c Case) -> Self {
        let (demand, window) = (Demand::over(case), case.times.window);
        Self { demand, window, counted: HashMap::new(), asked: Vec::new() }
    }

    /// Takes in a front-door operation.
    pub fn note(&mut self, operation: &Operation<'_>) {
        let (handle, at) = (operation.handle.as_ref(), operation.sent);
        if operation.page().is_none() || !self.demand.is_due(handle, at) {
            return;
        }
        match self.counted.get_mut(handle) {
            // Answers come in another order than questions.
            Some(last) if at < last.plus(self.window) => return,
            Some(last) => *last = at,
            None => drop(self.counted.insert(handle.to_owned(), at)),
        }
        self.asked.push(at);
    }

    /// The most of them in any half-open window.
    #[must_use]
    pub fn peak(mut self) -> usize {
        self.asked.sort_unstable();
        let mut first = 0;
        let count = |(last, at): (usize, &Moment)| {
            while at.since(self.asked[first]) >= self.window {
                first += 1;
            }
            last - first + 1
        };
        self.asked.iter().enumerate().map(count).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{History, click, page, read};

    #[test]
    fn different_pages_that_were_not_kept_are_counted_in_the_fullest_window() {
        let mut history = History::over(&[]).exchanges([read("kept", 0), read("kept", 4_000)]);
        history.case.ready();
        let mut cold = Cold::over(&history.case);
        for (handle, second) in
            [("ann", 1), ("bob", 30), ("ann", 59), ("carl", 60), ("ann", 61), ("dora", 62)]
        {
            cold.note(&page(handle, second * 1_000, second * 1_000 + 10, "-"));
        }
        cold.note(&page("kept", 5_000, 5_010, "-"));
        cold.note(&click("c", 30_000, 30_010));
        assert_eq!(cold.peak(), 4, "bob, carl, ann and dora, from 30 s on");
    }
}
