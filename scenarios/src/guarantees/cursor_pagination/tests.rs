//! Tiny histories of lists and pages for `cursor-pagination`.

use super::*;
use crate::history::{Did, Event, PageView};
use crate::testing::{History, links, page};
use crate::verdict::VerdictKind::{self, *};
use mock_server::history::exchange::{Exchange, Listed};
use mock_server::world::population::Group;
use mock_server::world::{PageChange, TimedEvent, WorldEvent};

/// One page of a list.
#[derive(Clone, Copy)]
struct Part<'p> {
    at_ms: u64,
    cursor: &'p str,
    ids: &'p [&'p str],
    next: &'p str,
}

fn part(handle: &str, of: Part<'_>) -> Exchange {
    let query = if of.cursor.is_empty() { String::new() } else { format!("&cursor={}", of.cursor) };
    let listed = Listed {
        ids: of.ids.iter().map(|&id| id.to_owned()).collect(),
        inactive: vec![],
        has_more: !of.next.is_empty(),
        cursor_in: if of.cursor.is_empty() { CursorIn::None } else { CursorIn::Fresh },
        next: (!of.next.is_empty()).then(|| of.next.to_owned()),
    };
    Exchange {
        target: format!("/v1/profiles/{handle}/links?limit=2{query}"),
        listed: Some(Box::new(listed)),
        ..links(handle, of.at_ms)
    }
}

fn gone(handle: &str, at_ms: u64, cursor: &str) -> Exchange {
    Exchange {
        status: Some(410),
        listed: Some(Box::new(Listed::met(CursorIn::Expired))),
        ..part(handle, Part { at_ms, cursor, ids: &[], next: "" })
    }
}

/// A page that shows these links, `repeated` of them again.
fn view(
    handle: &'static str,
    at_ms: u64,
    ids: &[&str],
    repeated: &[&str],
) -> (Operation<'static>, Body) {
    let hash = BodyHash::of(format!("{handle}{at_ms}").as_bytes());
    let own = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    let body = Body {
        hash,
        bytes: 100,
        cut: false,
        links: own(ids),
        repeated: own(repeated),
        text: String::new(),
    };
    let did = Did::Page(PageView { body: Some(hash), ..PageView::default() });
    (Operation { did, ..page(handle, at_ms, at_ms + 5, "v") }, body)
}

fn sees(mut history: History, (view, body): (Operation<'static>, Body)) -> History {
    history.case.take(Event::Body(Box::new(body)));
    history.operation(view)
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

/// Five creators with three links in two pages each, the first of which is short, with an edit of each
/// kind meanwhile; of one the first cursor expired before.
fn good() -> History {
    let mut history = History::over(&[]);
    let edit = |change| TimedEvent {
        at_ms: 5_050,
        event: WorldEvent::Edit { handles: "*".into(), change },
    };
    history.case.plan.world =
        vec![edit(PageChange::Insert { count: 1 }), edit(PageChange::Remove { count: 1 })];
    history = history
        .exchange(part("e", Part { at_ms: 4_000, cursor: "", ids: &["e1"], next: "e-old" }))
        .exchange(gone("e", 4_100, "e-old"));
    for name in NAMES {
        let (first, rest) = (format!("{name}1"), [format!("{name}2"), format!("{name}3")]);
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        history = history
            .exchange(part(name, Part { at_ms: 5_000, cursor: "", ids: &[&first], next: name }))
            .exchange(part(name, Part { at_ms: 5_100, cursor: name, ids: &rest, next: "" }));
        let all = [&[first.as_str()][..], &rest].concat();
        history = sees(history, view(name, 5_200, &all, &[]));
    }
    history
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&CursorPagination);
    assert_eq!(verdict.kind, expected, "{} {:?}", verdict.observed, verdict.reason);
    verdict
}

#[test]
fn pages_that_show_a_whole_list_hold() {
    let verdict = check(good(), Held);
    let lists = "5 different pages compared, 5 lists of two pages or more shown, 5 with a link inserted \
                 and 5 with one removed meanwhile, 5 with a short page; 1 lists begun anew";
    assert!(verdict.observed.contains(lists), "{}", verdict.observed);
    let numbered = "pages of lists by number or by a stranger's cursor";
    assert_eq!(crate::testing::measured(&verdict, numbered), Some(0));
    // A list of one page shows nothing of cursors.
    let one = part("f", Part { at_ms: 6_000, cursor: "", ids: &["f1"], next: "" });
    let verdict = check(sees(good().exchange(one), view("f", 6_100, &["f1"], &[])), Held);
    let long = "6 different pages compared, 5 lists of two pages or more";
    assert!(verdict.observed.contains(long), "{}", verdict.observed);
}

#[test]
fn a_page_that_lacks_links_violates_and_an_older_list_is_as_good() {
    check(sees(good(), view("a", 6_000, &["a1"], &[])), Violated);
    check(sees(good(), view("a", 6_000, &["a1", "a3"], &[])), Violated);
    check(sees(good(), view("a", 6_000, &["a1", "a2", "a3", "x"], &[])), Violated);
    let newer = || {
        good()
            .exchange(part("a", Part { at_ms: 7_000, cursor: "", ids: &["a1"], next: "n" }))
            .exchange(part("a", Part { at_ms: 7_100, cursor: "n", ids: &["a2"], next: "" }))
    };
    check(sees(newer(), view("a", 7_200, &["a1", "a2"], &[])), Held);
    check(sees(newer(), view("a", 7_200, &["a1", "a2", "a3"], &[])), Held);
    check(sees(newer(), view("a", 7_200, &["a2"], &[])), Violated);
}

#[test]
fn a_list_that_nobody_read_to_its_end_is_shown_to_nobody() {
    let first = || part("f", Part { at_ms: 6_000, cursor: "", ids: &["f1", "f2"], next: "f" });
    let verdict =
        check(sees(good().exchange(first()), view("f", 6_100, &["f1", "f2"], &[])), Violated);
    assert!(
        verdict.witnesses[0].what.contains("no list of them was read to its end"),
        "{verdict:?}"
    );
    // Its end came later; or the links are from somewhere else; or there are none.
    let rest = part("f", Part { at_ms: 7_000, cursor: "f", ids: &["f3"], next: "" });
    let late = good().exchange(first()).exchange(rest);
    check(sees(late, view("f", 6_100, &["f1", "f2"], &[])), Violated);
    check(sees(good().exchange(first()), view("f", 6_100, &["g1"], &[])), Held);
    check(sees(good().exchange(first()), view("f", 6_100, &[], &[])), Held);
    // One client may have taken what was sent for a page.
    let bent = Exchange { doubtful: true, ..first() };
    check(sees(good().exchange(bent), view("f", 6_100, &["f1", "f2"], &[])), Held);
}

#[test]
fn who_begins_anew_shows_no_link_twice() {
    check(sees(good(), view("e", 6_000, &["e1", "e2", "e3"], &["e1"])), Violated);
    check(sees(good(), view("a", 6_000, &["a1", "a2", "a3"], &["a1"])), Held);
    // Where pages show links in several places, nobody knows.
    let anyhow = sees(good(), view("a", 6_000, &["a1", "a2", "a3"], &["a1"]));
    let verdict = check(sees(anyhow, view("e", 6_000, &["e1", "e2", "e3"], &["e1"])), Held);
    assert!(verdict.observed.contains("in several places"));
    // That cursor expired for an older list.
    let whole = part("e", Part { at_ms: 7_000, cursor: "", ids: &["e1", "e2"], next: "" });
    let later = sees(good().exchange(whole), view("e", 7_100, &["e1", "e2"], &["e1"]));
    check(later, Held);
}

#[test]
fn what_came_before_a_cursor_expired_may_stay() {
    let again = || {
        good()
            .exchange(part("e", Part { at_ms: 6_000, cursor: "", ids: &["e1", "e9"], next: "x" }))
            .exchange(gone("e", 6_100, "x"))
            .exchange(part("e", Part { at_ms: 6_200, cursor: "", ids: &["e1"], next: "y" }))
            .exchange(part("e", Part { at_ms: 6_300, cursor: "y", ids: &["e2"], next: "" }))
    };
    check(sees(again(), view("e", 6_400, &["e1", "e9", "e2"], &[])), Held);
    check(sees(again(), view("e", 6_400, &["e1", "e2"], &[])), Held);
    check(sees(again(), view("e", 6_400, &["e1", "e2", "e4"], &[])), Violated);
}

#[test]
fn numbers_foreign_cursors_and_expired_ones_violate() {
    for query in ["?offset=20", "?limit=20&page=2", "?p=1"] {
        let target = format!("/v1/profiles/a/links{query}");
        check(
            good().exchange(Exchange { target, status: Some(400), ..links("a", 6_000) }),
            Violated,
        );
    }
    let foreign = Exchange {
        status: Some(400),
        listed: Some(Box::new(Listed::met(CursorIn::Foreign))),
        ..part("a", Part { at_ms: 6_000, cursor: "zz", ids: &[], next: "" })
    };
    check(good().exchange(foreign), Violated);
    check(good().exchange(gone("e", 4_150, "e-old")), Held); // it may not have heard
    check(good().exchange(gone("e", 4_205, "e-old")), Held);
    check(good().exchange(gone("e", 4_206, "e-old")), Violated);
}

#[test]
fn original_links_are_shown_in_order() {
    let mut history = good();
    let group =
        Group { prefix: "g".into(), count: 1, min_links: 3, max_links: 3, ..Group::default() };
    history.case.plan.population.groups = vec![group];
    let plan = &history.case.plan;
    let creator = plan.population.creator(plan.seed, "g-0001").unwrap();
    let ids: Vec<&str> = creator.links.iter().map(|link| link.id.as_str()).collect();
    let whole = part("g-0001", Part { at_ms: 6_000, cursor: "", ids: &ids, next: "" });
    let shown = |ids: &[&str]| view("g-0001", 6_100, ids, &[]);
    let (plain, reversed) = (shown(&ids), shown(&[ids[1], ids[0], ids[2]]));
    history = history.exchange(whole);
    check(sees(history, plain), Held);
    let mut history = good();
    history.case.plan.population.groups = vec![Group {
        prefix: "g".into(),
        count: 1,
        min_links: 3,
        max_links: 3,
        ..Group::default()
    }];
    let whole = part("g-0001", Part { at_ms: 6_000, cursor: "", ids: &ids, next: "" });
    check(sees(history.exchange(whole), reversed), Violated);
}

#[test]
fn a_declared_most_is_enough() {
    let capped = || good().declaring(|declared| declared.links_shown_max = Some(2));
    let shows = |ids: &[&str]| check_kind(sees(capped(), view("a", 6_000, ids, &[])));
    assert_eq!(shows(&["a1", "a2"]), Held);
    assert_eq!(shows(&["a1"]), Violated);
}

fn check_kind(history: History) -> VerdictKind {
    history.judged_by(&CursorPagination).kind
}

#[test]
fn what_was_not_met_often_is_inconclusive() {
    let mut few = good();
    few.operations.pop();
    assert!(
        check(few, Inconclusive)
            .reason
            .unwrap()
            .starts_with("lists of two pages or more that a page showed: 4 seen")
    );
    let mut calm = good();
    calm.case.plan.world.clear();
    let reason = check(calm, Inconclusive).reason.unwrap();
    assert!(reason.contains("inserted") && reason.contains("removed"), "{reason}");
    check(History::over(&[]), Inconclusive);
}

#[test]
fn pages_that_are_long_and_lists_that_nobody_can_tell_apart_are_not_compared() {
    let of_bytes = |bytes| {
        let (operation, body) = view("a", 6_000, &["a1"], &[]);
        sees(good(), (operation, Body { bytes, ..body }))
    };
    check(of_bytes(256 * 1024), Violated);
    check(of_bytes(256 * 1024 + 1), Held);
    let lacking = || view("a", 6_000, &["a1"], &[]);
    let bent = Exchange { doubtful: true, ..links("a", 5_900) };
    let bent = Exchange { listed: Some(Box::new(Listed::met(CursorIn::None))), ..bent };
    check(sees(good().exchange(bent), lacking()), Inconclusive);
    let own = Exchange { route: Route::Links, handle: None, ..links("a", 5_900) };
    check(sees(good().exchange(own), lacking()), Inconclusive);
}

#[test]
fn several_processes_may_read_lists_at_the_same_time() {
    let at_once = |instances| {
        let whole = |at_ms, ids| part("f", Part { at_ms, cursor: "", ids, next: "" });
        let history = good()
            .exchange(whole(6_000, &["f1", "f9"]))
            .exchange(whole(7_000, &["f1", "f2"]))
            .declaring(|declared| declared.instances = instances);
        check_kind(sees(history, view("f", 7_200, &["f1", "f2", "f9"], &[])))
    };
    assert_eq!(at_once(1), Violated);
    assert_eq!(at_once(2), Held);
    // The second is asked for at the moment at which the first one ends.
    let whole = |at_ms, ids| part("f", Part { at_ms, cursor: "", ids, next: "" });
    let history =
        good().exchange(whole(6_000, &["f1", "f9"])).exchange(whole(6_005, &["f1", "f2"]));
    check(sees(history, view("f", 7_200, &["f1", "f2", "f9"], &[])), Held);
}

#[test]
fn a_witness_tells_what_is_missing_and_the_call_that_shows_it() {
    let lacks = check(sees(good(), view("a", 6_000, &["a1", "a3"], &[])), Violated);
    assert!(lacks.witnesses[0].what.contains("lacks 1 of the 3"), "{lacks:?}");
    let foreign = Exchange {
        status: Some(400),
        listed: Some(Box::new(Listed::met(CursorIn::Foreign))),
        ..part("a", Part { at_ms: 5_150, cursor: "zz", ids: &[], next: "" })
    };
    let told = check(good().exchange(foreign), Violated);
    let story = &told.witnesses[0].story[0];
    assert!(story.contains("upstream #") && story.contains("cursor=zz"), "{story}");
}

#[test]
fn a_list_is_whole_when_it_holds_as_many_as_are_shown_at_the_most() {
    let shows = |ids: &[&str]| {
        let parts = [("", "f1", "k1"), ("k1", "f2", "k2"), ("k2", "f3", "k3")];
        let parts = (0..).zip(parts).map(|(n, (cursor, id, next))| {
            part("f", Part { at_ms: 6_000 + n * 100, cursor, ids: &[id], next })
        });
        let history = good().exchanges(parts).declaring(|of| of.links_shown_max = Some(2));
        check_kind(sees(history, view("f", 6_400, ids, &[])))
    };
    assert_eq!(shows(&["f1", "f2"]), Held);
    assert_eq!(shows(&["f2", "f3"]), Violated);
}

#[test]
fn a_page_is_short_when_it_holds_less_than_was_asked_for_with_what_is_not_shown() {
    let mut full = part("f", Part { at_ms: 6_000, cursor: "", ids: &["f1"], next: "f" });
    full.listed.as_mut().unwrap().inactive = vec!["f0".to_owned()];
    let rest = part("f", Part { at_ms: 6_100, cursor: "f", ids: &["f2"], next: "" });
    let history = good().exchange(full).exchange(rest);
    let verdict = check(sees(history, view("f", 6_200, &["f1", "f2"], &[])), Held);
    let lists = "6 lists of two pages or more shown, 5 with a link inserted";
    assert!(verdict.observed.contains(lists), "{}", verdict.observed);
    assert!(verdict.observed.contains("5 with a short page"), "{}", verdict.observed);
}

#[test]
fn a_list_is_begun_anew_when_its_first_page_is_asked_for_after_its_cursor_expired() {
    let goes_on = part("b", Part { at_ms: 7_000, cursor: "b", ids: &["b2", "b3"], next: "" });
    let verdict = check(good().exchange(gone("b", 6_000, "b-old")).exchange(goes_on), Held);
    assert!(verdict.observed.contains("1 lists begun anew"), "{}", verdict.observed);
}

#[test]
fn only_an_edit_of_this_list_while_it_is_read_is_one() {
    let edited = |handles: &str, at_ms| {
        let mut history = good();
        for timed in &mut history.case.plan.world {
            timed.at_ms = at_ms;
            let WorldEvent::Edit { handles: whose, .. } = &mut timed.event else { continue };
            *whose = handles.to_owned();
        }
        check_kind(history)
    };
    assert_eq!(edited("*", 5_050), Held);
    for (handles, at_ms) in [("*", 1_000), ("*", 5_000), ("*", 5_100), ("f", 5_050)] {
        assert_eq!(edited(handles, at_ms), Inconclusive, "{handles} {at_ms}");
    }
}
