//! Pages that show attacks as text hold, one that lets one through is violated, and too few show nothing.

use super::*;
use crate::history::{Became, Did, Hostile, PageView};
use crate::testing::{History, page};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::world::population::Group;

const CREATORS: u32 = 60;

/// The naughty strings of a creator, seen in every field.
fn strings(number: u32) -> Vec<(Field, u16)> {
    let of = |field| naughty::numbers(hostile::number(number)).map(move |string| (field, string));
    Field::ALL.into_iter().flat_map(of).collect()
}

fn over(creators: u32) -> History {
    let mut history = History::over(&[]);
    history.case.plan.population.groups = vec![Group {
        prefix: "evil".into(),
        count: creators,
        min_links: 2,
        max_links: 2,
        variety: Variety::Hostile,
    }];
    history
}

/// A page that shows all of its creator's naughty strings, and this.
fn view(number: u32, hostile: Option<Hostile>) -> Operation<'static> {
    let hostile = hostile.map(|shown| Hostile { naughty: strings(number), ..shown });
    showing(number, hostile)
}

fn showing(number: u32, hostile: Option<Hostile>) -> Operation<'static> {
    let hostile = hostile.map(Box::new);
    let at = u64::from(number) * 10;
    Operation {
        handle: format!("evil-{number:04}").into(),
        did: Did::Page(PageView { hostile, ..PageView::default() }),
        ..page("-", at, at + 5, "-")
    }
}

fn text() -> Hostile {
    Hostile { shown: Field::ALL.to_vec(), ..Hostile::default() }
}

fn finding(number: u16) -> Finding {
    let place = "onerror of img".to_owned();
    Finding { field: Field::Bio, number, became: Became::Handler, place, mutated: false }
}

/// What is said of sixty creators, of whom so many show this.
fn judged(shown: u32, hostile: &Hostile) -> Verdict {
    let views = (1..=shown).map(|number| view(number, Some(hostile.clone())));
    over(CREATORS).operations(views).judged_by(&HtmlSanitised)
}

#[track_caller]
fn check(history: History, expected: VerdictKind) {
    let verdict = history.judged_by(&HtmlSanitised);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
}

#[test]
fn pages_on_which_attacks_are_text_hold() {
    let verdict = judged(60, &text());
    assert_eq!(verdict.kind, Held);
    assert!(verdict.observed.contains("60 pages with 240 attacks"), "{}", verdict.observed);
    assert_eq!(judged(54, &text()).kind, Held);
    // Whoever drops some words has still shown forty.
    let some = (1..=60).map(|number| {
        let shown = if number <= 40 { Field::ALL.to_vec() } else { vec![] };
        view(number, Some(Hostile { shown, ..Hostile::default() }))
    });
    check(over(CREATORS).operations(some), Held);
}

#[test]
fn one_attack_that_came_through_violates_once_however_often_it_is_shown() {
    let through = Hostile { findings: vec![finding(3)], ..text() };
    let all = || (1..=60).map(|number| view(number, Some(text())));
    let twice = [view(3, Some(through.clone())), view(3, Some(through.clone()))];
    let verdict = over(CREATORS).operations(all()).operations(twice).judged_by(&HtmlSanitised);
    assert_eq!((verdict.kind, verdict.violations), (Violated, 1));
    let witness = &verdict.witnesses[0];
    assert!(witness.what.contains("attack 3 in a biography became an attribute"), "{witness:?}");
    assert!(witness.story[1].contains("zqb003"), "{witness:?}");
    // It needs nothing else to be seen.
    check(over(CREATORS).operations([view(3, Some(through.clone()))]), Violated);
    // Somebody else's mark on a page is chance, and nobody's page but a hostile creator's counts.
    check(over(CREATORS).operations(all()).operations([view(4, Some(through.clone()))]), Held);
    let elsewhere = Operation { handle: "page-0003".into(), ..view(3, Some(through)) };
    check(over(CREATORS).operations(all()).operations([elsewhere]), Held);
}

#[test]
fn a_naughty_string_that_came_through_violates_on_the_page_that_has_it() {
    let string = naughty::numbers(3).start;
    let through = || Hostile {
        findings: vec![Finding { field: Field::LinkTitle, ..finding(string) }],
        ..text()
    };
    let all = || (1..=60).map(|number| view(number, Some(text())));
    let verdict = over(CREATORS).operations(all()).operations([view(3, Some(through()))]);
    let verdict = verdict.judged_by(&HtmlSanitised);
    assert_eq!((verdict.kind, verdict.violations), (Violated, 1));
    let witness = &verdict.witnesses[0];
    assert!(witness.what.starts_with(&format!("naughty string {string} in a link's title")));
    assert!(witness.story[1].contains(&format!("zqt{string}")), "{witness:?}");
    check(over(CREATORS).operations(all()).operations([view(4, Some(through()))]), Held);
}

#[test]
fn of_many_offences_in_one_field_none_hides_those_in_another_and_each_field_is_told() {
    let names = (1..=40).map(|number| {
        let findings = vec![Finding { field: Field::DisplayName, ..finding(number) }];
        view(u32::from(number), Some(Hostile { findings, ..text() }))
    });
    let others = [Field::Bio, Field::LinkTitle, Field::LinkUrl].map(|field| {
        let findings = vec![Finding { field, ..finding(50) }];
        view(50, Some(Hostile { findings, ..text() }))
    });
    let verdict = over(CREATORS).operations(names).operations(others).judged_by(&HtmlSanitised);
    assert_eq!((verdict.kind, verdict.violations), (Violated, 43));
    for field in Field::ALL {
        let words = format!("in a {field} became");
        assert!(verdict.witnesses[..4].iter().any(|one| one.what.contains(&words)), "{words}");
    }
    let told =
        "of what came through, 40 in a display name, 1 in a biography, 1 in a link's title, 1 in";
    assert!(verdict.observed.contains(told), "{}", verdict.observed);
    assert!(!judged(60, &text()).observed.contains("came through"));
}

#[test]
fn naughty_strings_must_be_met_nearly_all_as_titles_half_as_addresses_and_some_in_texts() {
    let left_out = |of: Field, from: u32| {
        let views = (1..=CREATORS).map(|number| {
            let left_out = |one: &(Field, u16)| one.0 == of && number >= from;
            let naughty = strings(number).into_iter().filter(|one| !left_out(one)).collect();
            showing(number, Some(Hostile { naughty, ..text() }))
        });
        over(CREATORS).operations(views).judged_by(&HtmlSanitised)
    };
    assert_eq!(left_out(Field::LinkTitle, 55).kind, Held);
    let verdict = left_out(Field::LinkTitle, 54);
    assert_eq!(verdict.kind, Inconclusive);
    assert!(
        verdict
            .reason
            .unwrap()
            .starts_with("naughty strings of which a link's title shows something: 424 seen")
    );
    assert_eq!(left_out(Field::LinkUrl, 31).kind, Held);
    assert_eq!(left_out(Field::LinkUrl, 30).kind, Inconclusive);
    for field in [Field::DisplayName, Field::Bio] {
        assert_eq!(left_out(field, 7).kind, Held, "{field}");
        let verdict = left_out(field, 6);
        assert_eq!(verdict.kind, Inconclusive, "{field}");
        assert!(verdict.reason.unwrap().contains(&format!("naughty strings of which a {field}")));
    }
    // Of somebody else's strings none counts.
    let swapped = (1..=CREATORS).map(|number| {
        let naughty = strings(number % CREATORS + 1);
        showing(number, Some(Hostile { naughty, ..text() }))
    });
    check(over(CREATORS).operations(swapped), Inconclusive);
}

#[test]
fn too_little_seen_is_inconclusive_and_says_of_what() {
    check(over(CREATORS), Inconclusive);
    assert_eq!(judged(53, &text()).kind, Inconclusive);
    for (left_out, words) in [(0, "display name"), (1, "biography"), (2, "title"), (3, "address")] {
        let mut shown = Field::ALL.to_vec();
        shown.remove(left_out);
        let verdict = judged(60, &Hostile { shown, ..Hostile::default() });
        assert_eq!(verdict.kind, Inconclusive);
        assert!(verdict.reason.as_ref().unwrap().contains(words), "{verdict:?}");
    }
    let failed = |operation: Operation<'static>| Operation { status: Some(503), ..operation };
    let unserved = (1..=60).map(|number| failed(view(number, Some(text()))));
    check(over(CREATORS).operations(unserved), Inconclusive);
}

#[test]
fn pages_that_a_script_renders_are_named_as_such() {
    let state = Hostile { in_script: Field::ALL.to_vec(), ..Hostile::default() };
    let verdict = judged(60, &state);
    assert_eq!(verdict.kind, Inconclusive);
    assert!(verdict.reason.unwrap().contains("rendered by script"));
    // Whoever shows as much as is asked for renders no page by script, whatever else is missing.
    let in_script = Field::ALL.to_vec();
    let some = (1..=53).map(|number| {
        let shown = if number <= 40 { Field::ALL.to_vec() } else { vec![] };
        view(number, Some(Hostile { shown, in_script: in_script.clone(), ..Hostile::default() }))
    });
    let verdict = over(CREATORS).operations(some).judged_by(&HtmlSanitised);
    assert!(verdict.reason.unwrap().starts_with("hostile creators whose page was served: 53 seen"));
}
