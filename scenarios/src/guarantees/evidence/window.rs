//! What lies in a window of time, and in one that is kept in memory: that begins with its process.

use crate::case::Case;
use crate::history::{Change, Process};
use mock_server::clock::Moment;

/// When the processes began of which each keeps its own counts in memory. What a monitor keeps outlives them.
#[derive(Clone, Debug)]
pub struct Memory(Vec<Moment>);

impl Memory {
    /// That of a case's processes.
    #[must_use]
    pub fn of(case: &Case) -> Self {
        let began = |process: &&Process| matches!(process.change, Change::Started { .. });
        Self(case.target.processes.iter().filter(began).map(|process| process.at).collect())
    }

    /// The number of the process that lives at a moment; 0 before the first.
    #[must_use]
    pub fn life(&self, at: Moment) -> usize {
        self.0.partition_point(|start| *start <= at)
    }

    /// Where a window that begins at `from` begins for the process that lives at `at`.
    #[must_use]
    pub fn since(&self, from: Moment, at: Moment) -> Moment {
        self.0[..self.life(at)].last().map_or(from, |begun| from.max(*begun))
    }
}

/// Of these, which are in order of time, those after `from`, up to `until`.
#[must_use]
pub fn between(of: &[Moment], from: Moment, until: Moment) -> &[Moment] {
    let up_to = |at: Moment| of.partition_point(|one| *one <= at);
    let until = up_to(until);
    &of[up_to(from).min(until)..until]
}

/// How many these are.
#[must_use]
pub fn count(of: &[Moment], from: Moment, until: Moment) -> u64 {
    between(of, from, until).len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::History;

    const S: fn(u64) -> Moment = |seconds| Moment::from_ms(seconds * 1_000);

    #[test]
    fn memory_begins_with_the_process_that_lives() {
        let history = History::over(&[]).killed_until(20_000, 30_000);
        let memory = Memory::of(&history.case);
        let begun = *memory.0.last().unwrap();
        let lives = [S(10), begun.minus(S(1).since(S(0))), begun].map(|at| memory.life(at));
        assert_eq!(lives[1] + 1, lives[2], "{memory:?}");
        assert_eq!(memory.since(S(5), S(60)), begun);
        assert_eq!(memory.since(S(50), S(60)), S(50));
    }

    #[test]
    fn a_window_has_its_end_and_not_its_beginning() {
        let all = [1, 2, 3, 3, 5].map(S);
        assert_eq!(between(&all, S(1), S(3)), [S(2), S(3), S(3)]);
        assert_eq!((count(&all, S(0), S(9)), count(&all, S(3), S(1))), (5, 0));
    }
}
