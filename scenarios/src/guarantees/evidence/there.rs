//! Which pages must be there: shown before in this life of the process, or wholly filled.

use super::fills::Fills;
use crate::case::Case;
use crate::history::Operation;
use mock_server::clock::Moment;
use std::collections::HashMap;
use std::time::Duration;

/// Pages that were there.
pub struct There<'c> {
    case: &'c Case,
    /// What Linktree sent of each page.
    pub fills: &'c Fills,
    /// When each page was first shown in this life of the process.
    shown: HashMap<String, Moment>,
}

impl<'c> There<'c> {
    /// None was shown yet.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        Self { case, fills: case.fills(), shown: HashMap::new() }
    }

    /// Takes in a page view, and says whether the page was there before it: shown or wholly filled in
    /// this life of the process, and still allowed to be shown.
    pub fn note(&mut self, view: &Operation<'_>) -> bool {
        let was_there = self.was_there(view);
        if view.is_ok() && !was_there {
            self.shown.insert(view.handle.to_string(), view.last);
        }
        was_there
    }

    fn was_there(&self, view: &Operation<'_>) -> bool {
        let lived = |since: Moment| self.case.target.lived_through(since, view.last);
        let shown = self.shown.get(view.handle.as_ref()).copied();
        let shown = shown.is_some_and(|shown| shown < view.sent && lived(shown));
        let Some(creator) = self.fills.place(&view.handle).map(|place| self.fills.creator(place))
        else {
            return shown;
        };
        let filled = creator.filled_before(view.sent).is_some_and(|fill| lived(fill.at));
        let usable = creator.validated_before(view.sent).is_none_or(|validated| {
            let stale = Duration::from_secs(self.case.contract.cache.stale_if_error_s.into());
            validated.plus(self.case.max_age() + stale) > view.sent
        });
        (shown || filled) && usable
    }
}
