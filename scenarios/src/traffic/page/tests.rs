//! What is on a page is read however it is written, and what only looks like it is not.

use super::*;

/// What is read of a page: its version, and its links.
#[track_caller]
fn check(html: &str, version: Option<&str>, links: &[&str]) {
    let page = Page::read(html.as_bytes(), &FrontDoor::default());
    assert_eq!(page.version.as_deref(), version, "{html}");
    assert_eq!(page.links, links, "{html}");
}

#[test]
fn the_version_is_read_however_its_element_is_written() {
    for html in [
        r#"<!doctype html><html><head><meta name="profile-version" content="v3"></head></html>"#,
        r#"<meta content="v3" name="profile-version"/>"#,
        "<meta name='profile-version' content='v3'>",
        "<meta name=profile-version content=v3>",
        "<!DOCTYPE HTML><HTML><HEAD><META NAME=\"Profile-Version\" CONTENT=\"v3\">",
        "<meta property=x\n\tname = \"profile-version\"\n\tdata-a='>' content = 'v3' >",
        r#"<meta name="profile-version" content="v&#51;">"#,
        r#"<meta name="profile&#45;version" content="&#x76;3">"#,
        r#"<p>text first<meta name="profile-version" content="v3">"#,
        r#"<noscript><meta name="profile-version" content="v3"></noscript>"#,
        r#"<meta name="profile-version" content="v3"><meta name="profile-version" content="v4">"#,
        r#"<meta name="profile-version" content="v3" content="v4">"#,
        r#"<meta name="viewport" content="v1"><meta name="profile-version" content="v3">"#,
        r#"<svg><title/><style/></svg><meta name="profile-version" content="v3">"#,
    ] {
        check(html, Some("v3"), &[]);
    }
    check(
        r#"<meta name="profile-version" content="a &amp; b &lt;&quot;">"#,
        Some("a & b <\""),
        &[],
    );
    check(r#"<meta name="profile-version" content="">"#, Some(""), &[]);
}

#[test]
fn what_only_names_the_marker_is_no_version() {
    for html in [
        "<p>no version</p>",
        "",
        "\"profile-version\"",
        r#"<title>How <meta name="profile-version" content="v9"> works</title>"#,
        r#"<textarea><meta name="profile-version" content="v9"></textarea>"#,
        r#"<!-- <meta name="profile-version" content="v9"> -->"#,
        r#"<script>document.write('<meta name="profile-version" content="v9">')</script>"#,
        r#"<style>/* <meta name="profile-version" content="v9"> */</style>"#,
        r#"<template><meta name="profile-version" content="v9"></template>"#,
        r#"<p title='<meta name="profile-version" content="v9">'>"#,
        r#"<meta name="profile-version"><p content="v9">"#,
        r#"<meta name="profile-version-2" content="v9">"#,
        r#"<meta property="profile-version" content="v9">"#,
        "&lt;meta name=\"profile-version\" content=\"v9\"&gt;",
        "<meta name=\"profile-version\" content=\"v9", // the page broke off
    ] {
        check(html, None, &[]);
    }
    let real =
        r#"<title>"profile-version" explained</title><meta name="profile-version" content="v3">"#;
    check(real, Some("v3"), &[]);
}

#[test]
fn links_are_read_however_they_are_written_and_each_once() {
    let two = r#"<a data-link-id="lnk_1" href="x">a</a><a data-link-id="lnk_2">b</a>"#;
    check(two, None, &["lnk_1", "lnk_2"]);
    check(
        "<A HREF=x DATA-LINK-ID=lnk_1>a</A><span data-link-id='lnk_2'>",
        None,
        &["lnk_1", "lnk_2"],
    );
    check(r#"<a data-link-id="a&amp;b">"#, None, &["a&b"]);
    check(r#"<ul><li data-link-id="1"><li data-link-id="2"></ul>"#, None, &["1", "2"]);
    check(r#"<a data-link-id="1"><p>badly</a>nested</p>"#, None, &["1"]);
    check(r#"<table><a data-link-id="1">before the table</a><tr>"#, None, &["1"]);
    check(r#"<svg><a data-link-id="1"></a></svg>"#, None, &["1"]);
    check(r#"<a data-link-id="">"#, None, &[]);
    check("<a>none</a>", None, &[]);
    check(r#"<!--<a data-link-id="1">--><script>'<a data-link-id="2">'</script>"#, None, &[]);
    check(r#"<template><div><a data-link-id="1"></a></div></template>"#, None, &[]);
    check(r#"<p>data-link-id="1"</p>"#, None, &[]);
}

#[test]
fn the_front_door_says_what_the_marks_are_called() {
    let front = FrontDoor {
        version_meta: "build".into(),
        link_id_attribute: "data-ID".into(),
        ..FrontDoor::default()
    };
    let page = Page::read(b"<meta name=build content=7><a data-id=x>\xff", &front);
    assert_eq!((page.version.as_deref(), &page.links[..]), (Some("7"), &["x".to_owned()][..]));
}

#[test]
fn a_body_is_read_once() {
    let (pages, front) = (Pages::default(), FrontDoor::default());
    let answer = |body: &str| Answer {
        hash: BodyHash::of(body.as_bytes()),
        body: body.into(),
        ..Answer::default()
    };
    let first = pages.read(&answer("<a data-link-id=1>"), &front);
    assert!(Arc::ptr_eq(&first, &pages.read(&answer("<a data-link-id=1>"), &front)));
    assert_eq!(pages.read(&answer("<a data-link-id=2>"), &front).links, ["2"]);
    assert!(Arc::ptr_eq(&first, &pages.read(&answer("<a data-link-id=1>"), &front)));
    let hostile = Page::read(b"<p>zqb007<img onerror=zib007>", &front).hostile;
    assert_eq!(hostile.findings.len(), 1);
}

#[test]
fn a_link_that_comes_again_is_told_from_one_of_several_elements() {
    let repeated = |ids: &[&str]| {
        let html: String = ids.iter().map(|id| format!("<a data-link-id={id}>x</a>")).collect();
        Page::read(html.as_bytes(), &FrontDoor::default()).repeated
    };
    assert_eq!(repeated(&["a", "b"]), [""; 0]);
    assert_eq!(repeated(&["a", "a", "b", "b"]), [""; 0]);
    assert_eq!(repeated(&["a", "a", "b"]), ["a"]);
    assert_eq!(repeated(&["a", "b", "c", "b", "a"]), ["a", "b"]);
}

#[tokio::test]
async fn a_page_is_read_apart_once_and_its_answer_keeps_its_body() {
    let (pages, front) = (Pages::default(), Arc::new(FrontDoor::default()));
    let body = br#"<a data-link-id="lnk_9">"#;
    let mut answer = Answer { body: body.into(), hash: BodyHash::of(body), ..Answer::default() };
    pages.read_apart(&mut answer, &front).await;
    assert_eq!(answer.body, body);
    // Whoever comes next reads nothing: it would find no link.
    answer.body.clear();
    pages.read_apart(&mut answer, &front).await;
    assert_eq!(pages.read(&answer, &front).links, ["lnk_9"]);
}
