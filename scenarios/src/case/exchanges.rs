//! The upstream exchanges of a case. Tests count how often judges look at one, so that no judge looks at
//! all of them for each.

use super::judged_exchange::JudgedExchange;
use std::ops::{Deref, DerefMut};
use std::slice::Iter;

/// In order of arrival of their last request byte.
#[derive(Clone, Debug, Default)]
pub struct Exchanges(Vec<JudgedExchange>);

impl Exchanges {
    /// Every one of them.
    pub fn iter(&self) -> Iter<'_, JudgedExchange> {
        #[cfg(test)]
        looks::add(self.0.len());
        self.0.iter()
    }
}

impl<'x> IntoIterator for &'x Exchanges {
    type Item = &'x JudgedExchange;
    type IntoIter = Iter<'x, JudgedExchange>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Deref for Exchanges {
    type Target = Vec<JudgedExchange>;

    fn deref(&self) -> &Vec<JudgedExchange> {
        &self.0
    }
}

impl DerefMut for Exchanges {
    fn deref_mut(&mut self) -> &mut Vec<JudgedExchange> {
        &mut self.0
    }
}

/// How often exchanges were looked at, in this thread.
#[cfg(test)]
pub mod looks {
    use std::cell::Cell;

    thread_local! {
        static LOOKS: Cell<usize> = const { Cell::new(0) };
    }

    /// So many more.
    pub fn add(more: usize) {
        LOOKS.set(LOOKS.get() + more);
    }

    /// So often while this was done.
    pub fn during(work: impl FnOnce()) -> usize {
        let before = LOOKS.get();
        work();
        LOOKS.get() - before
    }
}
