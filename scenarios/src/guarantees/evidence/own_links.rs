//! Whether a page shows the links that its creator has, each once and in order.
//!
//! Which these are follows from the plan, for creators whose links nobody inserts, removes or writes
//! in it. Where no page of the run shows any link by the declared attribute, nothing is said.

use crate::case::Case;
use crate::history::{Operation, Shown};
use crate::measure::{Gauge, so_many};
use crate::verdict::{Offences, Witness};
use mock_server::world::{PageChange, WorldEvent, handle_matches};
use std::collections::HashMap;

/// The pages that were compared, and those that do not show what they should.
pub struct OwnLinks<'c> {
    case: &'c Case,
    /// What each creator's page shows; none where that may change.
    pages: HashMap<String, Option<Shown>>,
    /// Whether the integration writes links itself.
    are_written: bool,
    compared: usize,
    shows_any: bool,
    offences: Offences,
}

impl<'c> OwnLinks<'c> {
    /// No page has been seen yet.
    #[must_use]
    pub fn of(case: &'c Case) -> Self {
        let (pages, offences) = (HashMap::new(), Offences::default());
        let are_written = case.linktree.exchanges.iter().any(|one| one.writes_links);
        Self { case, pages, are_written, compared: 0, shows_any: false, offences }
    }

    /// Compares a page that shows a version of its own creator.
    pub fn note(&mut self, view: &Operation<'_>) {
        let Some(shown) = view.page().and_then(|page| page.shown) else { return };
        let case = self.case;
        let wanted = match self.pages.get(view.handle.as_ref()) {
            Some(wanted) => *wanted,
            None => {
                let wanted = links_of(case, &view.handle).filter(|_| !self.are_written);
                *self.pages.entry(view.handle.to_string()).or_insert(wanted)
            }
        };
        let Some(wanted) = wanted else { return };
        self.compared += 1;
        self.shows_any |= shown.links > 0;
        if shown != wanted {
            self.offences.add(view.sent, || {
                let what = if shown.links == wanted.links {
                    format!("the page of {} shows other links, or in another order", view.handle)
                } else {
                    let (shows, has) = (shown.links, wanted.links);
                    format!(
                        "the page of {} shows {shows} of {}",
                        view.handle,
                        so_many(has, "link", "links")
                    )
                };
                Witness::new(view.sent, what).line(case.tell_operation(view))
            });
        }
    }

    /// Pages that do not show their links, and what is measured of all that were compared.
    pub fn judged(self) -> (Offences, Gauge) {
        let (offences, compared) = self.close();
        let whole = Gauge::none_of("pages without all their links");
        let whole = whole.counted(offences.count(), compared);
        (offences, whole)
    }

    /// Pages that do not show their links, and how many were compared.
    fn close(self) -> (Offences, usize) {
        if self.shows_any { (self.offences, self.compared) } else { (Offences::default(), 0) }
    }
}

/// What the creator's page shows all through the plan.
fn links_of(case: &Case, handle: &str) -> Option<Shown> {
    let changes = case.plan.world.iter().any(|timed| match &timed.event {
        WorldEvent::Edit { handles, change } => match change {
            PageChange::Text => false,
            PageChange::Insert { .. } | PageChange::Remove { .. } => {
                handle_matches(handles, handle)
            }
        },
        _ => false,
    });
    if changes {
        return None;
    }
    let creator = case.plan.population.creator(case.plan.seed, handle)?;
    let mut links: Vec<_> = creator.links.iter().filter(|link| link.is_active).collect();
    links.sort_by_key(|link| (link.position, link.rank));
    Some(Shown::of(links.iter().map(|link| link.id.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Did, PageView};
    use crate::testing::{History, page};
    use mock_server::world::TimedEvent;
    use mock_server::world::population::Group;

    fn lived_in() -> History {
        let mut history = History::over(&[]);
        let ann = Group {
            prefix: "ann".into(),
            count: 1,
            min_links: 9,
            max_links: 9,
            ..Group::default()
        };
        let none = Group { prefix: "none".into(), count: 1, ..Group::default() };
        history.case.plan.population.groups = vec![ann, none];
        history
    }

    /// The ids of the links that Ann's page shows.
    fn links(history: &History) -> Vec<String> {
        let plan = &history.case.plan;
        let ann = plan.population.creator(plan.seed, "ann-0001").unwrap();
        ann.links.into_iter().filter(|link| link.is_active).map(|link| link.id).collect()
    }

    fn view(handle: &'static str, ids: &[String]) -> Operation<'static> {
        let shown = Some(Shown::of(ids.iter().map(String::as_str)));
        let did = Did::Page(PageView { shown, ..PageView::default() });
        Operation { did, ..page(handle, 10, 20, "v") }
    }

    /// Offences and comparisons.
    #[track_caller]
    fn check(history: &History, views: &[Operation<'static>], expected: (u64, usize)) {
        let mut links = OwnLinks::of(&history.case);
        views.iter().for_each(|view| links.note(view));
        let (offences, compared) = links.close();
        assert_eq!((offences.count(), compared), expected);
    }

    #[test]
    fn every_link_in_order_is_right_and_less_is_not() {
        let history = lived_in();
        let all = links(&history);
        let mut reversed = all.clone();
        reversed.reverse();
        check(&history, &[view("ann-0001", &all), view("none-0001", &[])], (0, 2));
        check(&history, &[view("ann-0001", &all[1..])], (1, 1));
        check(&history, &[view("ann-0001", &reversed)], (1, 1));
        check(&history, &[view("none-0001", &all)], (1, 1));
        check(&history, &[view("ann-0001", &all), view("ann-0001", &[])], (1, 2));
    }

    #[test]
    fn nothing_is_said_of_pages_that_never_show_a_link_or_whose_links_change() {
        let mut history = lived_in();
        check(&history, &[view("ann-0001", &[])], (0, 0));
        check(&history, &[view("stranger", &links(&history))], (0, 0));
        let change = PageChange::Insert { count: 1 };
        let event = WorldEvent::Edit { handles: "ann-*".into(), change };
        history.case.plan.world = vec![TimedEvent { at_ms: 0, event }];
        check(&history, &[view("ann-0001", &links(&history)[1..])], (0, 0));
    }
}
