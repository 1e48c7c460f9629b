//! Chooses the counter-examples of a guarantee that are shown; those that read alike become one.

use std::collections::BTreeMap;

use super::anchor;
use crate::matrix::Row;
use crate::report::{CounterExample, Marker};

/// A counter-example that is shown.
pub(super) struct Example<'a> {
    /// Where a link finds it.
    pub anchor: String,
    pub scenario: &'a str,
    pub example: &'a CounterExample,
    pub story: &'a [String],
    pub left_out: usize,
    /// Others of the same scenario that differ in numbers and names only.
    pub alike: Vec<&'a CounterExample>,
}

/// At most `max` examples of a guarantee with `max_story` lines each; the scenarios share the places
/// evenly.
pub(super) fn examples<'a>(row: &Row<'a>, max: usize, max_story: usize) -> Vec<Example<'a>> {
    let cells = || row.cells.iter().flatten().filter(|cell| !cell.counter_examples.is_empty());
    let share = (max / cells().count().max(1)).max(1);
    let mut shown: Vec<Example<'a>> = Vec::new();
    for cell in cells() {
        let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
        let first = shown.len();
        for example in &cell.counter_examples {
            let kind = shape(&example.observed);
            if let Some(place) = kinds.get(&kind) {
                shown[*place].alike.push(example);
            } else if shown.len() - first < share {
                kinds.insert(kind, shown.len());
                let lines = example.story.len().min(max_story);
                shown.push(Example {
                    anchor: anchor("example", &format!("{}-{}", row.id, shown.len() + 1)),
                    scenario: &cell.scenario,
                    example,
                    story: &example.story[..lines],
                    left_out: example.story.len() - lines,
                    alike: Vec::new(),
                });
            }
        }
    }
    shown.truncate(max);
    shown
}

impl Example<'_> {
    /// When those that read alike were, as far as a person would read on.
    pub fn alike_at(&self) -> String {
        let times = self.alike.iter().take(8).map(|one| crate::text::moment(one.at_ms));
        let more = self.alike.len().saturating_sub(8);
        let more = (more > 0).then(|| format!("{more} more"));
        times.chain(more).collect::<Vec<_>>().join(", ")
    }
}

/// What a sentence says besides its numbers and names.
fn shape(sentence: &str) -> String {
    let word = |word| if str::contains(word, |c: char| c.is_ascii_digit()) { "#" } else { word };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Where the example of a moment is shown.
#[derive(Default)]
pub(super) struct Links<'a>(BTreeMap<(&'a str, &'a str, i64, &'a str), &'a str>);

impl<'a> Links<'a> {
    /// Adds the examples of a guarantee.
    pub fn add(&mut self, guarantee: &'a str, examples: &'a [Example<'a>]) {
        for shown in examples {
            for example in shown.alike.iter().copied().chain([shown.example]) {
                let key = (shown.scenario, guarantee, example.at_ms, &*example.observed);
                self.0.insert(key, &shown.anchor);
            }
        }
    }

    /// Its example, or else its guarantee; nothing for a moment that violates none.
    pub fn of(&self, scenario: &str, marker: &Marker) -> Option<String> {
        let guarantee = marker.guarantee.as_deref()?;
        let example = self.0.get(&(scenario, guarantee, marker.at_ms, &*marker.label));
        Some(example.map_or_else(|| anchor("guarantee", guarantee), |id| (*id).to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::report::{Cell, Report};

    fn example(at_ms: i64, observed: &str) -> CounterExample {
        CounterExample { at_ms, observed: observed.into(), ..CounterExample::default() }
    }

    fn report(scenarios: &[&[CounterExample]]) -> Report {
        let cell = |(index, examples): (usize, &&[CounterExample])| Cell {
            guarantee: "g".into(),
            scenario: format!("s{index}"),
            counter_examples: examples.to_vec(),
            ..Cell::default()
        };
        Report { cells: scenarios.iter().enumerate().map(cell).collect(), ..Report::default() }
    }

    /// The examples as `anchor: sentence + how many more like it`.
    fn check(scenarios: &[&[CounterExample]], max: usize, expected: &[&str]) {
        let report = report(scenarios);
        let matrix = Matrix::of(&report);
        let shown = examples(&matrix.rows[0], max, 10);
        let told = |one: &Example| {
            format!("{}: {} + {}", one.anchor, one.example.observed, one.alike.len())
        };
        assert_eq!(shown.iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_differs_in_numbers_and_names_only_is_folded() {
        let late = [
            example(1, "click ev-1 was 3 s late"),
            example(2, "click ev-2 was 1 s late"),
            example(3, "click ev-3 was lost"),
        ];
        let expected =
            ["example-g-1: click ev-1 was 3 s late + 1", "example-g-2: click ev-3 was lost + 0"];
        check(&[&late], 20, &expected);
    }

    #[test]
    fn scenarios_share_the_places_and_do_not_fold_each_other() {
        let one = [example(1, "lost"), example(2, "late"), example(3, "twice")];
        let other = [example(4, "lost")];
        let expected = ["example-g-1: lost + 0", "example-g-2: late + 0", "example-g-3: lost + 0"];
        check(&[&one, &other], 4, &expected);
    }

    #[test]
    fn a_marker_finds_the_example_that_it_was_folded_into_or_its_guarantee() {
        let late = [example(1, "1 s late"), example(2, "2 s late")];
        let report = report(&[&late]);
        let matrix = Matrix::of(&report);
        let shown = examples(&matrix.rows[0], 20, 10);
        let mut links = Links::default();
        links.add("g", &shown);
        let at = |at_ms, label: &str| {
            let marker = Marker { at_ms, label: label.into(), guarantee: Some("g".into()) };
            links.of("s0", &marker).unwrap()
        };
        assert_eq!(at(2, "2 s late"), "example-g-1");
        assert_eq!(at(9, "9 s late"), "guarantee-g");
        let moment = Marker { label: "healed".into(), ..Marker::default() };
        assert_eq!(links.of("s0", &moment), None);
    }
}
