//! What is text stays unblamed however it is written, and what became markup is found wherever it stands.

use super::*;
use mock_server::world::hostile::{addresses, attacks as corpus, naughty, text};

/// What is found of attack 7 on a page, each as `became@place`.
fn found(html: &str) -> Vec<String> {
    let findings = read(html.as_bytes()).findings.into_iter();
    let word = |became| serde_json::to_value(became).unwrap().as_str().unwrap().to_owned();
    findings
        .map(|one| {
            let again = if one.mutated { " (mutated)" } else { "" };
            format!("{}@{}{again}", word(one.became), one.place)
        })
        .collect()
}

#[track_caller]
fn check(html: &str, expected: &[&str]) {
    assert_eq!(found(html), expected, "{html}");
}

fn escaped(text: &str) -> String {
    let pairs = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;"), ('"', "&quot;"), ('\'', "&#39;")];
    pairs.iter().fold(text.to_owned(), |text, (one, entity)| text.replace(*one, entity))
}

#[test]
fn words_that_stay_words_are_safe_wherever_they_stand() {
    for number in 1..=u16::try_from(corpus()).unwrap() {
        let words = text(Field::LinkTitle, number);
        let (safe, [address, _]) = (escaped(&words), addresses(number));
        let json = serde_json::to_string(&words).unwrap().replace('<', "\\u003c");
        let page = format!(
            "<!doctype html><title>{safe}</title><meta name=description content=\"{safe}\">\
             <meta property='og:title' content='{safe}'><h1 title=\"{safe}\">{safe}</h1>\
             <img alt='{safe}' src=/a.png><a href=\"{}\" data-t='{safe}'>{safe}</a>\
             <textarea>{safe}</textarea><svg aria-label=\"{safe}\"><title>{safe}</title></svg>\
             <button onclick='share({})' style='--name:\"{safe}\"'>{safe}</button>\
             <form action=/follow><input value='{safe}'></form><!-- comment -->\
             <script type=application/json>{json}</script><script>let own = {json};</script>\
             <script type='application/ld+json'>{{\"name\":{json}}}</script>",
            escaped(&address),
            escaped(&json),
        );
        let hostile = read(page.as_bytes());
        assert_eq!(hostile.findings, [], "{page}");
        assert_eq!(hostile.shown, [Field::LinkTitle, Field::LinkUrl]);
        assert_eq!(hostile.in_script, [Field::LinkTitle]);
    }
}

#[test]
fn naughty_strings_that_stay_words_are_safe_and_each_is_seen() {
    for number in (naughty::FIRST..).take(naughty::strings().len()) {
        let words = escaped(&naughty::text(Field::LinkTitle, number));
        let address = escaped(&naughty::address(number));
        let page = format!(
            "<!doctype html><title>{words}</title><img alt='{words}' src=/a.png>\
             <a href=\"{address}\" title=\"{words}\">{words}</a><textarea>{words}</textarea>"
        );
        let hostile = read(page.as_bytes());
        assert_eq!(hostile.findings, [], "{page}");
        assert_eq!(hostile.naughty, [(Field::LinkTitle, number), (Field::LinkUrl, number)]);
        assert_eq!(hostile.shown, []);
    }
}

#[test]
fn naughty_strings_that_become_markup_are_found_as_attacks_are() {
    let raw = (naughty::FIRST..).take(naughty::strings().len()).map(|number| {
        let page = format!("<p>{}</p>", naughty::text(Field::LinkTitle, number));
        read(page.as_bytes()).findings
    });
    // Many are attacks on browsers that nobody has any more, and most others are none.
    let through = raw.filter(|findings| !findings.is_empty()).count();
    assert!(through >= 60, "{through}");
}

#[test]
fn what_an_attack_made_of_itself_is_found_by_name() {
    let raw = |attack: &str| format!("<h1>zqn007{attack}qzn007</h1>");
    for (attack, expected) in [
        ("<img src=x onerror=ran(/zin007/)>", "handler@onerror of img"),
        ("<IMG/SRC='x'/onError=ran(/ZIN007/)>", "handler@onerror of img"),
        ("<script>ran(/zin007/)</script>", "script@script"),
        ("<svg><script>ran(/zin007/)</script></svg>", "script@script"),
        ("<SCRIPT/XSS SRC='//elsewhere.example/zin007'></SCRIPT>", "script@src of script"),
        ("<b style='x:zin007'>", "style@style of b"),
        ("<style>@keyframes zin007{}</style>", "style@style"),
        ("<iframe srcdoc='<b>zin007'></iframe>", "document@srcdoc of iframe"),
        ("<iframe name=zin007></iframe>", "element@name of iframe"),
        ("<a href=' java\tscript:ran(/zin007/)'>", "address@href of a"),
        ("<a href='&#1;javascript:ran(/zin007/)'>", "address@href of a"),
        ("<svg><a xlink:href='javascript:zin007'>", "address@xlink:href of a"),
        ("<a href='data:text/html,zin007'>", "address@href of a"),
        ("<meta http-equiv=refresh content='9;url=/zin007'>", "element@content of meta"),
        ("<link rel=stylesheet href='//x/zin007'>", "element@href of link"),
        ("<base href=/zin007/>", "element@href of base"),
    ] {
        check(&raw(attack), &[expected]);
    }
    let both = ["address@action of form", "element@action of form"];
    check(&raw("<form action='javascript:ran(/zin007/)'>"), &both);
    check("<p title=\"zqb007\" onclick=\"ran(/zib007/)\" x=\"qzb007\">", &["handler@onclick of p"]);
}

#[test]
fn what_creators_may_do_is_not_blamed() {
    for fine in [
        "zqb007<b>bold</b> <i>and</i> <a href='https://example.org/zib007'>link</a>",
        "zqb007<a href='mailto:a@example.org?zib007'>m</a><a href=tel:1?zib007>t</a>",
        "zqb007<a href=/own/zib007>r</a><a href='whatsapp://send?text=zib007'>w</a>",
        "<iframe src='https://video.example/zib007'></iframe>",
        "<img src='data:image/svg+xml,<svg onload=zib007>'>",
        "<span data-x='javascript:zib007'>javascript:ran(/zib007/)</span>",
        "<p>data:text/html,zib007</p>",
        "<script async src='/embed.js?title=zqb007zib007qzb007'></script>",
    ] {
        check(fine, &[]);
    }
    check("<img src='javascript:zib007'>", &["address@src of img"]);
}

#[test]
fn the_pages_own_json_must_stay_json() {
    let json = |inner: &str| format!("<script type='application/json'>{inner}</script>");
    check(&json(r#"{"a":"zqt007\u003c/script>zit007"}"#), &[]);
    let broken = "broken-json@script of type application/json";
    check(&json(r#"{"a":"zqt007</script>zit007"}"#), &[broken]);
    check(&json(r#"{"a":"zqt007<!--<script>zit007"}"#), &[broken]);
    let out = "<script>var a = 'zqt007</script><script>ran(/zit007/)</script>";
    check(out, &["script@script"]);
}

#[test]
fn what_only_a_second_parser_runs_is_found_too() {
    let moved = "zqb007<svg></p><style><a id=\"</style><img src=x onerror=ran(/zib007/)>\">";
    let all = found(moved);
    assert!(!all.is_empty(), "{all:?}");
    // Text that is read as markup once its element is serialised by its letters.
    let swapped = "<xmp>zqb007</xmp><p>";
    check(swapped, &[]);
}

#[test]
fn pages_without_marks_are_not_looked_at() {
    assert!(read(b"<p onclick=alert(1)>zq").is_empty());
    let hidden = read(b"<template>zqt007</template><title>zqn007</title>");
    assert_eq!((hidden.shown.len(), hidden.findings.len()), (0, 0));
}
