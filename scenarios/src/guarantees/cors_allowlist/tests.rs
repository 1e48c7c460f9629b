//! Exact lists hold, everything that allows one origin more is violated, and no answers show nothing.

use super::*;
use crate::front_door::ALLOWED_ORIGIN;
use crate::testing::{History, page};
use crate::verdict::VerdictKind::{self, Held, Inconclusive, Violated};

/// An answer: what it allows, and `Vary`.
type Answer = (Option<String>, Option<&'static str>);

fn exact(from: Origin, _: Asked) -> Answer {
    ((from == Origin::Allowed).then(|| ALLOWED_ORIGIN.to_owned()), Some("Accept, Origin"))
}

fn asked(nth: u64, from: Origin, asked: Asked, (acao, vary): Answer) -> Operation<'static> {
    let status = match asked {
        Asked::Preflight => 204,
        Asked::Request => 202,
        Asked::Refused => 400,
        Asked::Get => 405,
    };
    let cross = Cross {
        route: FrontRoute::Clicks,
        asked,
        from,
        origin: from.of(ALLOWED_ORIGIN).into(),
        acao: acao.map(Into::into),
        credentials: false,
        vary: vary.map(Into::into),
        methods: None,
        event_id: None,
    };
    let at = nth * 10;
    Operation { status: Some(status), did: Did::Cross(cross), ..page("ann", at, at + 5, "-") }
}

fn every(answer: impl Fn(Origin, Asked) -> Answer) -> Vec<Operation<'static>> {
    let all = [Asked::Preflight, Asked::Request, Asked::Refused, Asked::Get];
    let all = all.into_iter().flat_map(|ask| Origin::ALL.map(|from| (from, ask)));
    (0..).zip(all).map(|(n, (from, ask))| asked(n, from, ask, answer(from, ask))).collect()
}

#[track_caller]
fn judged(operations: Vec<Operation<'static>>, expected: VerdictKind) -> Verdict {
    let verdict = History::over(&[]).operations(operations).judged_by(&CorsAllowlist);
    assert_eq!(verdict.kind, expected, "{verdict:?}");
    verdict
}

#[test]
fn whoever_lets_in_the_allowed_origin_alone_holds() {
    let verdict = judged(every(exact), Held);
    let foreign = Origin::ALL.into_iter().filter(|from| from.is_foreign()).count() as u64;
    assert_eq!(verdict.seen, foreign * 4 + 4);
    // Capitals are the same host; reads that no route has may pass the middleware by.
    judged(
        every(|from, ask| match from {
            _ if ask == Asked::Get => (None, None),
            Origin::Capitals => (Some(from.of(ALLOWED_ORIGIN)), None),
            _ => (exact(from, ask).0, None),
        }),
        Held,
    );
    // One origin for everybody keeps the others out as well, and depends on nothing.
    judged(every(|_, _| (Some(ALLOWED_ORIGIN.to_owned()), None)), Held);
    judged(every(|from, ask| (exact(from, ask).0, Some("*"))), Held);
}

#[test]
fn one_origin_more_on_one_kind_of_answer_violates() {
    for more in Origin::ALL.into_iter().filter(|from| from.is_foreign()) {
        for only in [Asked::Preflight, Asked::Request, Asked::Refused, Asked::Get] {
            let more = every(|from, ask| {
                let (acao, vary) = exact(from, ask);
                let reflected = (from == more && ask == only).then(|| from.of(ALLOWED_ORIGIN));
                (reflected.or(acao), vary)
            });
            assert_eq!(judged(more, Violated).violations, 1);
        }
    }
    judged(every(|_, _| (Some("*".into()), None)), Violated);
    let everybody = |from, ask| match from {
        Origin::Allowed => (Some("*".into()), Some("Origin")),
        _ => exact(from, ask),
    };
    judged(every(everybody), Violated);
}

#[test]
fn answers_that_depend_on_the_origin_must_say_so_if_caches_keep_them() {
    let unsaid = |on: Asked| {
        move |from: Origin, ask: Asked| {
            let (acao, vary) = exact(from, ask);
            (acao, if ask == on && from != Origin::Allowed { None } else { vary })
        }
    };
    let verdict = judged(every(unsaid(Asked::Get)), Violated);
    assert!(verdict.witnesses[0].what.contains("Vary"), "{verdict:?}");
    judged(every(unsaid(Asked::Request)), Held);
    // Another name than the origin's is none.
    let other = |from, ask| match exact(from, ask) {
        (None, _) if ask == Asked::Get => (None, Some("Accept, Origins")),
        answer => answer,
    };
    judged(every(other), Violated);
    // What failed is kept by no cache.
    let failed = every(unsaid(Asked::Get)).into_iter().map(|one| {
        let Did::Cross(cross) = &one.did else { panic!("it is one") };
        let failed = cross.asked == Asked::Get && cross.vary.is_none();
        Operation { status: if failed { Some(500) } else { one.status }, ..one }
    });
    judged(failed.collect(), Held);
}

#[test]
fn every_method_and_credentials_for_everybody_violate() {
    let with = |change: fn(&mut Cross<'_>)| {
        let mut all = every(exact);
        if let Did::Cross(cross) = &mut all[0].did {
            change(cross);
        }
        all
    };
    let methods = judged(with(|cross| cross.methods = Some("GET, *".into())), Violated);
    assert!(methods.witnesses[0].what.starts_with("a preflight of"), "{methods:?}");
    judged(with(|cross| cross.methods = Some("GET, HEAD, POST".into())), Held);
    judged(with(|cross| cross.credentials = true), Held);
    judged(
        with(|cross| {
            cross.credentials = true;
            cross.acao = Some("*".into());
        }),
        Violated,
    );
}

#[test]
fn too_few_answers_and_an_origin_that_is_let_in_nowhere_show_nothing() {
    let reason = |operations| judged(operations, Inconclusive).reason.unwrap();
    assert!(reason(vec![]).starts_with("no answers"));
    judged(every(exact).split_off(26), Inconclusive);
    // What is measured is measured over the answers to both.
    let few = |allowed: usize, foreign: usize| {
        let (inside, outside): (Vec<_>, Vec<_>) = every(exact).into_iter().partition(
            |one| matches!(&one.did, Did::Cross(cross) if cross.from == Origin::Allowed),
        );
        let is_foreign =
            |one: &Operation<'_>| matches!(&one.did, Did::Cross(cross) if cross.from.is_foreign());
        let outside = outside.into_iter().filter(is_foreign).take(foreign);
        judged(inside.into_iter().take(allowed).chain(outside).collect(), Inconclusive)
    };
    for (allowed, foreign) in [(2, 2), (2, 0), (0, 2)] {
        let verdict = few(allowed, foreign);
        assert_eq!((verdict.seen, verdict.measures.len()), (allowed as u64 + foreign as u64, 1));
    }
    let well = |asked| matches!(asked, Asked::Preflight | Asked::Request);
    let well = |one: &Operation<'_>| matches!(&one.did, Did::Cross(cross) if well(cross.asked));
    let twice =
        || every(exact).into_iter().filter(well).chain(every(exact).into_iter().filter(well));
    assert!(reason(twice().collect()).contains("error answers to other origins: 0 seen"));
    let closed = judged(every(|_, _| (None, None)), Inconclusive);
    assert!(closed.reason.unwrap().contains("let in nowhere"));
    let without = |left_out| {
        let mut all = every(exact);
        all.retain(|one| matches!(&one.did, Did::Cross(cross) if cross.from != left_out));
        all
    };
    assert!(reason(without(Origin::Null)).contains("sorts of other origins"));
    judged(without(Origin::Capitals), Held);
    let silent = every(exact).into_iter().map(|one| Operation { status: None, ..one });
    judged(silent.collect(), Inconclusive);
}
