//! Arranges violations for whoever decides: a card for each guarantee that was broken, the gravest
//! first, and on it what broke by the same cause.
//!
//! Arranging is not judging: which breach explains which is said by whoever judged.

use std::cmp::Reverse;

use crate::matrix::{Matrix, Row};
use crate::report::{Cell, News, Priority, Severity, Standing};
use crate::text::listed;

/// One guarantee that was broken.
pub(crate) struct Card<'a> {
    pub row: &'a Row<'a>,
    /// Where the most of what was seen broke it.
    pub lead: &'a Cell,
    /// Where else it was broken.
    pub elsewhere: Vec<&'a Cell>,
    /// What is likely broken by the same cause, a cell of each guarantee.
    pub with_it: Vec<&'a Cell>,
    severity: Severity,
    priority: Priority,
}

/// All cards: what must hold before what need not, then by priority, then by the share of what was seen
/// that broke it. A breach stands on the card of what it follows from, and that card is as grave as the
/// gravest on it.
pub(crate) fn cards<'a>(matrix: &'a Matrix<'a>) -> Vec<Card<'a>> {
    let broken: Vec<(&Row, &Cell)> = matrix
        .rows
        .iter()
        .flat_map(|row| row.cells.iter().flatten().map(move |cell| (row, *cell)))
        .filter(|(_, cell)| cell.verdict == Standing::Violated)
        .collect();
    let caused: Vec<_> = broken.iter().map(|one| (*one, cause(*one, &broken))).collect();
    let mut cards: Vec<Card> = matrix
        .rows
        .iter()
        .filter_map(|row| {
            let of_row = caused.iter().filter(|(_, cause)| cause.id == row.id);
            Card::of(row, of_row.map(|(one, _)| *one).collect())
        })
        .collect();
    cards.sort_by_key(|card| (card.severity, card.priority, Reverse(card.lead.share_per_mille())));
    cards
}

/// What a breach follows from in its own scenario; itself where it follows from nothing there, or in a
/// circle.
fn cause<'a>(
    (row, cell): (&'a Row<'a>, &'a Cell),
    broken: &[(&'a Row<'a>, &'a Cell)],
) -> &'a Row<'a> {
    let mut path = vec![row];
    loop {
        let at = path[path.len() - 1];
        let follows = at.guarantee.map_or(&[][..], |about| &about.follows[..]);
        let earlier = follows.iter().find_map(|id| {
            let here = |(row, one): &&(&Row, &Cell)| row.id == id && one.scenario == cell.scenario;
            broken.iter().find(here)
        });
        match earlier {
            None => return at,
            Some((next, _)) if path.iter().any(|row| row.id == next.id) => return row,
            Some((next, _)) => path.push(next),
        }
    }
}

impl<'a> Card<'a> {
    fn of(row: &'a Row<'a>, breaches: Vec<(&'a Row<'a>, &'a Cell)>) -> Option<Self> {
        let severity = breaches.iter().map(|(row, _)| row.severity()).min()?;
        let priority = breaches.iter().map(|(row, _)| row.priority()).min()?;
        let (own, others): (Vec<_>, Vec<_>) =
            breaches.into_iter().map(|(_, cell)| cell).partition(|cell| cell.guarantee == row.id);
        // Of equals the one that ran first.
        let lead = own.iter().copied().min_by_key(|cell| Reverse(cell.share_per_mille()))?;
        let mut with_it: Vec<&Cell> = Vec::new();
        for cell in others {
            if with_it.iter().all(|known| known.guarantee != cell.guarantee) {
                with_it.push(cell);
            }
        }
        let elsewhere = own.into_iter().filter(|cell| cell.scenario != lead.scenario).collect();
        Some(Self { row, lead, elsewhere, with_it, severity, priority })
    }

    /// How much hangs on what broke here.
    pub fn weight(&self) -> String {
        crate::matrix::weight(self.priority, self.severity)
    }

    /// How many violations there were beside how much was seen, in the words of the judge.
    pub fn extent(&self) -> String {
        let Cell { total_violations, seen, of_what, .. } = self.lead;
        format!("violations: {total_violations}; {of_what}: {seen}")
    }

    /// Whether it is `new` since the baseline or `known` there, or where it is which; nothing where nobody
    /// knows.
    pub fn news(&self, news: Option<&News>) -> Option<String> {
        let news = news?;
        let own = || [self.lead].into_iter().chain(self.elsewhere.iter().copied());
        let marked = |mark: &str| {
            let of_mark = own().filter(|cell| news.mark(cell) == Some(mark));
            of_mark.map(|cell| &*cell.scenario).collect::<Vec<_>>()
        };
        match (&*marked("new"), &*marked("known")) {
            ([], []) => None,
            (_, []) => Some("new".to_owned()),
            ([], _) => Some("known".to_owned()),
            (new, _) => Some(format!("new in {}", listed(new, 2))),
        }
    }

    /// When the violation was that is shown, and which faults were active then.
    pub fn moment(&self) -> Option<String> {
        let shown = self.lead.counter_examples.first()?;
        let at = crate::text::moment(shown.at_ms);
        Some(format!("{at} in {}; {}", self.lead.scenario, shown.faults()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{GuaranteeReport, Report};

    fn broken(guarantee: &str, scenario: &str, violations: u64) -> Cell {
        Cell {
            guarantee: guarantee.into(),
            scenario: scenario.into(),
            verdict: Standing::Violated,
            seen: 100,
            total_violations: violations,
            ..Cell::default()
        }
    }

    fn promise(id: &str, priority: Priority, follows: &[&str]) -> GuaranteeReport {
        let follows = follows.iter().map(|id| (*id).into()).collect();
        GuaranteeReport { id: id.into(), priority, follows, ..GuaranteeReport::default() }
    }

    /// The cards as `guarantee in scenario, also in …, with …`.
    fn check(guarantees: Vec<GuaranteeReport>, cells: Vec<Cell>, expected: &[&str]) {
        let report = Report { guarantees, cells, ..Report::default() };
        let matrix = Matrix::of(&report);
        let told: Vec<_> = cards(&matrix)
            .iter()
            .map(|card| {
                let mut told = format!("{} in {}", card.row.id, card.lead.scenario);
                told.extend(card.elsewhere.iter().map(|cell| format!(", also {}", cell.scenario)));
                told.extend(card.with_it.iter().map(|cell| format!(", with {}", cell.guarantee)));
                told
            })
            .collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn the_gravest_comes_first_and_then_what_was_broken_most() {
        use Priority::{Critical, Standard};
        check(
            vec![
                promise("a", Standard, &[]),
                promise("b", Critical, &[]),
                promise("c", Critical, &[]),
                GuaranteeReport { severity: Severity::Info, ..promise("d", Critical, &[]) },
            ],
            vec![
                broken("a", "x", 100),
                broken("b", "x", 1),
                broken("c", "x", 2),
                broken("c", "y", 3),
                broken("d", "x", 100),
            ],
            &["c in y, also x", "b in x", "a in x", "d in x"],
        );
    }

    #[test]
    fn what_is_new_in_one_scenario_and_known_in_another_says_where() {
        use crate::report::{Change, ChangeKind};
        let report = Report {
            guarantees: vec![promise("a", Priority::Standard, &[])],
            cells: vec![broken("a", "x", 1), broken("a", "y", 2)],
            ..Report::default()
        };
        let matrix = Matrix::of(&report);
        let check = |kinds: [ChangeKind; 2], expected: Option<&str>| {
            let change = |(scenario, kind): (&str, ChangeKind)| Change {
                kind,
                scenario: scenario.into(),
                guarantee: Some("a".into()),
                ..Change::default()
            };
            let changes = ["x", "y"].into_iter().zip(kinds).map(change).collect();
            let news = News { changes, ..News::default() };
            assert_eq!(cards(&matrix)[0].news(Some(&news)).as_deref(), expected);
        };
        use ChangeKind::{Broken, Mended, StillBroken};
        check([Broken; 2], Some("new"));
        check([StillBroken; 2], Some("known"));
        check([Broken, StillBroken], Some("new in x"));
        check([Mended; 2], None);
        assert_eq!(cards(&matrix)[0].news(None), None);
    }

    #[test]
    fn what_follows_in_the_same_scenario_stands_with_its_cause_and_elsewhere_alone() {
        use Priority::{Critical, Standard};
        check(
            vec![
                promise("cap", Standard, &[]),
                promise("limit", Critical, &["cap"]),
                promise("pages", Standard, &["limit"]),
            ],
            vec![
                broken("cap", "x", 1),
                broken("limit", "x", 1),
                broken("pages", "x", 1),
                broken("limit", "y", 1),
            ],
            &["cap in x, with limit, with pages", "limit in y"],
        );
    }

    #[test]
    fn two_that_follow_from_each_other_are_not_lost() {
        check(
            vec![
                promise("a", Priority::Standard, &["b"]),
                promise("b", Priority::Standard, &["a"]),
                promise("c", Priority::Standard, &["b"]),
            ],
            ["a", "b", "c"].map(|id| broken(id, "x", 1)).into(),
            &["a in x", "b in x", "c in x"],
        );
    }
}
