//! A minute in which everything is used, one in which the key can only read, and one after it.

use super::*;
use crate::history::{Change, Click, Did};
use crate::plan::PhaseKind::{Control, Heal, Settle, Storm};
use crate::testing::{
    History, click, denied, figures, granted, launched, links, look, page, read, registers,
    sent_click, wrote,
};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};
use mock_server::contract::Route;
use mock_server::history::exchange::Exchange;
use mock_server::world::population::{Group, Population};

const ALL: [&str; 5] =
    ["profile:read", "links:read", "clicks:write", "analytics:read", "webhooks:write"];
/// Newcomers come every five seconds.
const NEW: [&str; 36] = [
    "ann-0001", "ann-0002", "ann-0003", "ann-0004", "ann-0005", "ann-0006", "ann-0007", "ann-0008",
    "ann-0009", "ann-0010", "ann-0011", "ann-0012", "ann-0013", "ann-0014", "ann-0015", "ann-0016",
    "ann-0017", "ann-0018", "ann-0019", "ann-0020", "ann-0021", "ann-0022", "ann-0023", "ann-0024",
    "ann-0025", "ann-0026", "ann-0027", "ann-0028", "ann-0029", "ann-0030", "ann-0031", "ann-0032",
    "ann-0033", "ann-0034", "ann-0035", "ann-0036",
];

fn clicked(id: &str, at_ms: u64) -> Operation<'static> {
    let did = Did::Click(Click { event_id: id.to_owned().into(), payload: "p".into() });
    Operation { did, ..click("-", at_ms, at_ms + 5) }
}

/// All scopes but one.
fn but(left_out: &str) -> Vec<String> {
    ALL.iter().filter(|one| **one != left_out).map(|&one| one.to_owned()).collect()
}

/// All of them, and writes of links.
fn and_writes() -> Option<Vec<String>> {
    Some(["links:write"].into_iter().chain(ALL).map(str::to_owned).collect())
}

/// The creators, of whom each has a link at least.
fn population() -> Population {
    let group =
        Group { prefix: "ann".into(), count: 36, min_links: 1, max_links: 2, ..Group::default() };
    Population { groups: vec![group] }
}

/// The id of a creator's first link; of nobody's where there is no such creator.
fn first_link(handle: &str) -> String {
    let creator = population().creator(1, handle);
    creator.map_or("lnk_000000000000".to_owned(), |creator| creator.links[0].id.clone())
}

/// A patch of the first link of a creator's page.
fn patch(handle: &str, at_ms: u64) -> Exchange {
    Exchange {
        method: "PATCH".into(),
        target: format!("/v1/links/{}", first_link(handle)),
        route: Route::Link,
        handle: None,
        ..read(handle, at_ms)
    }
}

/// Everything but the calls and visits that are left out.
fn without(calls: impl Fn(&Exchange) -> bool, visits: impl Fn(&Operation<'_>) -> bool) -> History {
    let mut history =
        History::over(&[(Control, 0, 60), (Storm, 60, 120), (Heal, 120, 150), (Settle, 150, 250)])
            .happened(granted(60_000, &["profile:read", "links:read"]))
            .happened(granted(120_000, &ALL))
            .declaring(|of| of.scopes = Some(ALL.map(str::to_owned).into()))
            .standing(0);
    history.case.plan.population = population();
    let mut exchanges = vec![registers("http://127.0.0.1:8080/webhooks/linktree", 100, 201)];
    let mut operations = Vec::new();
    for (n, handle) in (0..).zip(NEW) {
        let at = 1_000 + n * 4_000;
        exchanges.extend([read(handle, at + 2), links(handle, at + 10)]);
        operations.push(page(handle, at, at + 20, "v0"));
        let id = format!("c{n}");
        operations.push(clicked(&id, at + 100));
        let sent = sent_click(&id, at + 200, 202);
        if (60_000..120_000).contains(&at) {
            exchanges.extend([denied(sent), sent_click(&id, 125_000 + n, 202)]);
        } else {
            exchanges.push(sent);
        }
    }
    operations.push(look("ann-0001", 20_000, 22_000, 200));
    exchanges.push(figures("ann-0001", 20_010));
    exchanges.retain(calls);
    operations.retain(|one| visits(one));
    history.exchanges(exchanges).operations(operations)
}

fn sound() -> History {
    without(|_| true, |_| true)
}

#[track_caller]
fn check(history: History, expected: VerdictKind) -> Verdict {
    let verdict = history.judged_by(&LeastScope);
    let why = (verdict.witnesses.first(), &verdict.reason, &verdict.observed);
    assert_eq!(verdict.kind, expected, "{why:?}");
    verdict
}

#[test]
fn a_key_that_is_good_for_what_is_done_holds() {
    let verdict = check(sound(), Held);
    assert!(verdict.observed.contains("of 5 declared scopes calls used 5"), "{}", verdict.observed);
}

#[test]
fn a_call_beyond_what_is_declared_violates_and_one_that_the_scenario_forbade_does_not() {
    let beyond = || denied(patch("ann-0001", 30_000));
    check(sound().exchange(beyond()), Violated);
    let refused = || sound().exchange(denied(figures("ann-0002", 40_000)));
    check(refused(), Held);
    check(refused().declaring(|of| of.scopes = Some(but("analytics:read"))), Violated);
}

#[test]
fn whoever_registers_by_hand_may_try_it_once_at_each_start() {
    let by_hand = |calls: &[u64]| {
        let history = without(|one| one.route != Route::Webhooks, |_| true);
        let refused = calls.iter().map(|at| denied(registers("http://127.0.0.1:8080/x", *at, 403)));
        history.exchanges(refused).declaring(|of| of.scopes = Some(but("webhooks:write")))
    };
    check(by_hand(&[]), Held);
    check(by_hand(&[500]), Held);
    check(by_hand(&[500, 900]), Violated);
    check(by_hand(&[500, 900]).process(800, Change::Ready), Held);
    // Of two processes nobody knows how much room the limiter of each had for first visits.
    check(by_hand(&[500, 900]).declaring(|of| of.instances = 2), Inconclusive);
}

#[test]
fn a_scope_that_nothing_used_violates_where_it_was_asked_for_what_would() {
    let unused = |route: Route| without(move |one| one.route != route, |_| true);
    let verdict = check(unused(Route::Analytics), Violated);
    assert!(verdict.witnesses[0].what.starts_with("analytics:read is declared"), "{verdict:?}");
    check(unused(Route::Webhooks), Violated);
    check(unused(Route::ProfileLinks), Violated);
    let nobody = without(|one| one.route != Route::Analytics, |one| one.look().is_none());
    let verdict = check(nobody, Inconclusive);
    assert!(verdict.reason.unwrap().starts_with("nothing used analytics:read"));
    let mut elsewhere = unused(Route::Webhooks);
    if let Some(front) = &mut elsewhere.case.target.front {
        front.without = vec![FrontRoute::Webhooks];
    }
    check(elsewhere, Inconclusive);
    let tried = unused(Route::Analytics);
    check(
        tried.exchange(Exchange { status: Some(503), ..figures("ann-0001", 20_010) }),
        Inconclusive,
    );
    check(sound().declaring(|of| of.scopes = and_writes()), Inconclusive);
}

#[test]
fn the_scope_for_links_is_needed_by_whoever_takes_campaigns_and_carries_them_out() {
    const WORDS: [(&str, &str); 2] = [("l1", "p1"), ("l2", "p2")];
    let launched = |at_ms| {
        let campaign = launched(&WORDS, at_ms, at_ms + 5);
        sound().operation(campaign).declaring(|of| of.scopes = and_writes())
    };
    let batch = |at_ms| wrote(&WORDS, at_ms, 200);
    let verdict = check(launched(20_000).exchange(batch(20_100)), Held);
    assert!(verdict.observed.contains("of 6 declared scopes calls used 6"), "{}", verdict.observed);
    let verdict = check(launched(20_000), Violated);
    assert!(verdict.witnesses[0].what.starts_with("links:write is declared"), "{verdict:?}");
    assert_eq!(verdict.witnesses[0].story, ["1 campaign was answered well"]);
    // What was taken last need not be carried out yet, what failed was tried, and whoever says no takes
    // nothing.
    check(launched(230_000), Inconclusive);
    let failed = Exchange { status: Some(503), ..batch(20_100) };
    check(launched(20_000).exchange(failed), Inconclusive);
    check(launched(62_000).exchange(denied(batch(62_100))), Inconclusive);
    let mut refused = launched(20_000);
    refused.operations.last_mut().unwrap().status = Some(404);
    check(refused, Inconclusive);
    // Who does not declare it has no use for it either way.
    let undeclared = |call| sound().exchange(call).declaring(|of| of.scopes = Some(but("-")));
    check(undeclared(denied(batch(20_100))), Violated);
}

#[test]
fn pages_are_shown_as_before_while_the_key_can_only_read() {
    let dark = |count: usize, from: u64| {
        let mut history = sound();
        let views = history.operations.iter_mut().filter(|one| one.page().is_some());
        let after = views.filter(|one| one.sent >= Moment::from_ms(from));
        after.take(count).for_each(|one| one.status = Some(503));
        history
    };
    check(dark(2, 60_000), Held);
    let verdict = check(dark(3, 60_000), Violated);
    assert!(verdict.witnesses[0].what.contains("at the first visit"), "{verdict:?}");
    // They never were.
    check(dark(1, 0), Inconclusive);
}

#[test]
fn a_write_just_after_a_first_visit_violates_and_a_job_that_writes_does_not() {
    let patched = |later: &dyn Fn(u64) -> u64, count: u64| {
        let patches =
            (0..count).zip(NEW).map(|(n, handle)| patch(handle, later(1_000 + n * 4_000)));
        sound().declaring(|of| of.scopes = and_writes()).exchanges(patches.collect::<Vec<_>>())
    };
    check(patched(&|at| at + 30, 4), Held);
    check(patched(&|at| at + 30, 5), Violated);
    check(patched(&|at| at + 5_100, 30), Violated);
    check(patched(&|at| at + 5_101, 30), Held);
    // All at once: most pages have not been opened, or long ago.
    check(patched(&|_| 70_000, 36), Held);
    let mut other = patched(&|at| at + 30, 9);
    other = other.exchange(patch(NEW[20], 50_000));
    check(other, Held);
}

#[test]
fn clicks_that_nobody_made_violate() {
    let made_up = |count: u64| {
        let sent = (0..count).map(|n| sent_click(&format!("view-{n}"), 30_000 + n, 202));
        sound().exchanges(sent.collect::<Vec<_>>())
    };
    check(made_up(4), Held);
    check(made_up(5), Violated);
}

#[test]
fn too_little_of_anything_is_inconclusive() {
    check(History::over(&[]), Inconclusive);
    check(sound().declaring(|of| of.scopes = None), Inconclusive);
    let mut wide = sound();
    wide.case.linktree.happened.clear();
    check(wide, Inconclusive);
    let calm = without(|one| one.denied.is_none(), |_| true);
    check(calm, Inconclusive);
    let mut clickless = without(|one| !one.route.is_click(), |one| one.click().is_none());
    if let Some(front) = &mut clickless.case.target.front {
        front.without = vec![FrontRoute::Clicks];
    }
    check(clickless.declaring(|of| of.scopes = Some(but("clicks:write"))), Held);
}

#[test]
fn only_a_creators_page_has_first_visits_and_only_while_linktree_is_well() {
    let observed = check(sound(), Held).observed;
    let dark = |handle: String, at_ms| Operation {
        status: Some(503),
        handle: handle.into(),
        ..page("-", at_ms, at_ms + 20, "v0")
    };
    // Who is no creator has no page, and who clicks does not open one.
    let strangers = (0..5).map(|n| dark(format!("zed-{n}"), 70_000 + n));
    assert_eq!(check(sound().operations(strangers), Held).observed, observed);
    let clicks = (0..5).map(|n| Operation {
        status: Some(503),
        handle: NEW[15 + n as usize].into(),
        ..clicked(&format!("x{n}"), 60_000 + n)
    });
    assert_eq!(check(sound().operations(clicks), Held).observed, observed);
    // Linktree asked to wait, and a breaker may be open for a while.
    let mut ill = sound().exchange(crate::testing::asked_to_wait("bob", 61_500, 429, 1));
    let views = ill.operations.iter_mut().filter(|one| one.page().is_some());
    let after = views.filter(|one| one.sent >= Moment::from_ms(62_000));
    after.take(5).for_each(|one| one.status = Some(503));
    assert_ne!(ill.judged_by(&LeastScope).kind, Violated);
}

#[test]
fn clicks_that_were_refused_for_the_keys_sake_while_it_could_only_read_are_counted() {
    let refused = |exchanges: Vec<Exchange>| {
        let verdict = sound().exchanges(exchanges).judged_by(&LeastScope);
        crate::testing::seen(&verdict, &REFUSED).unwrap()
    };
    let usual = refused(vec![]);
    let click = |at_ms| denied(sent_click("c3", at_ms, 202));
    assert_eq!(refused(vec![click(60_000), click(119_999)]), usual + 2);
    assert_eq!(refused(vec![click(59_999), click(120_000)]), usual);
    assert_eq!(refused(vec![denied(figures("ann-0001", 70_000))]), usual);
    assert_eq!(refused(vec![sent_click("c3", 70_000, 403)]), usual);
}

/// What is known of the scopes: how many were used, and of how many it is known whether anything uses them.
fn known(history: History) -> (usize, usize) {
    let mut history = history;
    history.case.ready();
    let mut needed = Needed::of(&history.case);
    history.operations.iter().for_each(|operation| needed.note(operation));
    let judged = needed.judged();
    (judged.used, judged.decided)
}

#[test]
fn of_each_scope_it_is_known_whether_it_is_used_or_would_have_been() {
    assert_eq!(known(sound()), (5, 5));
    assert_eq!(known(without(|one| one.route != Route::Analytics, |_| true)), (4, 5));
    let nobody = without(|one| one.route != Route::Analytics, |one| one.look().is_none());
    assert_eq!(known(nobody), (4, 4));
}

#[test]
fn clicks_that_are_never_sent_violate_once_it_is_over() {
    let clickless = || without(|one| !one.route.is_click(), |_| true);
    let verdict = check(clickless(), Violated);
    assert!(verdict.witnesses[0].what.starts_with("clicks:write is declared"), "{verdict:?}");
    let told = &verdict.witnesses[0].story[0];
    assert!(told.ends_with(" clicks were answered well"), "{told}");
    // They may go later, and what is looked at is asked for at once.
    let broken_off = |mut history: History| {
        history.case.harness.outcome = None;
        history
    };
    check(broken_off(clickless()), Inconclusive);
    check(broken_off(without(|one| one.route != Route::Analytics, |_| true)), Violated);
}

#[test]
fn who_was_ready_too_late_for_it_need_not_have_registered() {
    let unregistered = || without(|one| one.route != Route::Webhooks, |_| true);
    check(unregistered().process(240_000, Change::Ready), Inconclusive);
    check(unregistered().process(240_000, Change::Started { pid: 2 }), Violated);
}

#[test]
fn only_a_call_that_changes_a_link_writes_it() {
    let gets = NEW
        .iter()
        .zip(0..)
        .take(9)
        .map(|(handle, n)| Exchange { method: "GET".into(), ..patch(handle, 1_030 + n * 4_000) });
    check(sound().declaring(|of| of.scopes = and_writes()).exchanges(gets), Held);
    let others = NEW
        .iter()
        .zip(0..)
        .take(9)
        .map(|(handle, n)| Exchange { route: Route::Profile, ..patch(handle, 1_030 + n * 4_000) });
    check(sound().exchanges(others), Held);
}
