//! First visits of pages: whoever showed them at once before something happened to the key shows them while
//! it is good for reads.

use super::rate;
use crate::case::Case;
use crate::history::Operation;
use crate::spans::NEXT;
use crate::verdict::{Offences, Witness};
use mock_server::clock::Moment;
use std::collections::HashSet;

/// So many first visits before anything happened show how they are usually answered.
pub const USUAL: usize = 5;
/// Two may be something else's doing.
const BY_CHANCE: u64 = 2;

/// First visits, before anything happened and in the spans that are judged.
pub struct Newcomers<'c> {
    case: &'c Case,
    /// Spans in which a key was at hand that is good for reads, each with what it was, in words.
    spans: Vec<(Moment, Moment, String)>,
    /// When something first happened.
    first: Option<Moment>,
    asked: HashSet<String>,
    served_before: usize,
    unserved_before: usize,
    judged: usize,
    unserved: Offences,
}

impl<'c> Newcomers<'c> {
    /// None yet: those within these spans are judged, if all were served before `first`.
    #[must_use]
    pub fn over(
        case: &'c Case,
        spans: Vec<(Moment, Moment, String)>,
        first: Option<Moment>,
    ) -> Self {
        Self {
            case,
            spans,
            first,
            asked: HashSet::new(),
            served_before: 0,
            unserved_before: 0,
            judged: 0,
            unserved: Offences::default(),
        }
    }

    /// Takes in a view of a page that was there before, or was not.
    pub fn note(&mut self, view: &Operation<'_>, was_there: bool) {
        let is_first = self.asked.insert(view.handle.to_string()) && !was_there;
        if !is_first || is_excused(self.case, view) || !self.had_room(view) {
            return;
        }
        if self.first.is_none_or(|first| view.last < first) {
            let before =
                if view.is_ok() { &mut self.served_before } else { &mut self.unserved_before };
            *before += 1;
            return;
        }
        let within = |span: &&(Moment, Moment, String)| span.0 <= view.sent && view.last <= span.1;
        let Some((_, _, story)) = self.spans.iter().find(within) else { return };
        self.judged += 1;
        if !view.is_ok() {
            self.unserved.add(view.sent, || {
                let what = format!("the page of {} was not shown at the first visit", view.handle);
                Witness::new(view.sent, what)
                    .line(story.clone())
                    .line(self.case.tell_operation(view))
            });
        }
    }

    /// Whether the limiter had room, whatever its windows are: a quarter of what pages may use was free, or
    /// would have been of the part of one process.
    fn had_room(&self, view: &Operation<'_>) -> bool {
        let instances = self.case.declared.instances.max(1) as usize;
        let pages = rate::cap(self.case).saturating_sub(self.case.declared.click_slots as usize);
        let from = view.sent.minus(self.case.times.window);
        let reads = self.case.linktree.arrived(from, view.last.plus(NEXT));
        let reads = reads.iter().filter(|one| one.is_page_read()).count();
        reads * 4 * instances <= pages * 3
    }

    /// How many were served before anything happened, if all were.
    #[must_use]
    pub const fn served_before(&self) -> usize {
        if self.unserved_before == 0 { self.served_before } else { 0 }
    }

    /// How many were judged.
    #[must_use]
    pub const fn judged(&self) -> usize {
        if self.is_usual() { self.judged } else { 0 }
    }

    /// Those that were not served, though all were before, and more of them than chance explains.
    #[must_use]
    pub fn unserved(&self) -> Offences {
        let counts = self.is_usual() && self.unserved.count() > BY_CHANCE;
        if counts { self.unserved.clone() } else { Offences::default() }
    }

    const fn is_usual(&self) -> bool {
        self.served_before >= USUAL && self.unserved_before == 0
    }
}

/// Whether what a visitor met may have been the harness's doing, or that of a process that ended.
#[must_use]
pub fn is_excused(case: &Case, view: &Operation<'_>) -> bool {
    let delta = case.harness.delta;
    case.harness.too_slow_within(view.sent, view.last)
        || case.target.disturbed_within(view.sent.minus(delta), view.last.plus(delta))
}
