//! Holds the page to its promises: safe against hostile text, without network, small.

use base64::prelude::{BASE64_STANDARD, Engine};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::example::hostile;
use crate::renderers::{check_snapshot, rendered};

#[test]
fn the_example_is_as_approved() {
    check_snapshot("html", &rendered(&Html, &Report::example()));
}

/// Proves that the style sheet which is in the page is the one that the page allows.
#[test]
fn the_policy_names_the_style_sheet() {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
    assert_eq!(STYLE_HASH, format!("sha256-{hash}"));
    let page = rendered(&Html, &Report::example());
    assert!(page.contains(&format!("<style>{STYLE}</style>")));
}

/// Proves that the page loads and runs nothing, so that the policy costs nothing either.
#[test]
fn the_page_needs_no_network_and_no_script() {
    let page = rendered(&Html, &Report::example());
    for forbidden in
        ["http://", "https://", "src=", "<script", "<link", "style=", "url(", "onclick"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
}

/// Proves that every link inside the page has a place to go to.
#[test]
fn links_have_targets() {
    let page = rendered(&Html, &Report::example());
    for link in page.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(page.contains(&format!("id=\"{link}\"")), "{link}");
    }
}

#[test]
fn what_was_never_judged_is_listed() {
    let page = rendered(&Html, &Report::example());
    for text in ["no selected scenario rotates a key", "no read was stalled", "has no campaigns"] {
        assert!(page.contains(text), "{text}");
    }
}

/// Proves the bound on size for a run larger than the catalogue with everything broken.
#[test]
fn a_huge_report_stays_under_the_limit() {
    let example = Report::example();
    let mut report = example.clone();
    for index in 0..16 {
        let mut scenario = example.scenarios[1].clone();
        scenario.id = format!("scenario-{index}");
        for series in &mut scenario.series {
            series.points = (0..5_000).map(|at_ms| (at_ms, (at_ms % 97) as f64)).collect();
        }
        scenario.markers = (0..5_000)
            .map(|at_ms| crate::report::Marker { at_ms: at_ms * 12, ..scenario.markers[0].clone() })
            .collect();
        report.scenarios.push(scenario);
        for guarantee in 0..44 {
            let mut cell = example.cells[4].clone();
            cell.guarantee = format!("guarantee-{guarantee}");
            cell.scenario = format!("scenario-{index}");
            cell.counter_examples.truncate(6);
            for example in &mut cell.counter_examples {
                example.story = vec!["<&>".repeat(40); 10];
            }
            report.cells.push(cell);
        }
    }
    let page = rendered(&Html, &report);
    assert!(page.len() < MAX_BYTES, "{} bytes", page.len());
    assert!(page.contains("everything is in result.json"));
}

/// Proves that a long list of changes leaves room for what follows, and loses none.
#[test]
fn of_many_changes_the_worst_are_shown_and_the_rest_is_folded() {
    let told = |changes: usize| {
        let mut report = Report::example();
        let news = report.news.as_mut().expect("the example was compared");
        let one = news.changes[0].clone();
        news.changes = (0..changes)
            .map(|n| crate::report::Change { scenario: format!("scenario-{n}-"), ..one.clone() })
            .collect();
        let page = rendered(&Html, &report);
        let list =
            page.split("<h2 id=\"news\">").nth(1).and_then(|rest| rest.split("</section>").next());
        let list = list.expect("there is such a section").to_owned();
        assert!((0..changes).all(|n| list.contains(&format!("scenario-{n}-"))), "{list}");
        let (shown, folded) = list.split_once("<details>").unwrap_or((&list, ""));
        (shown.matches("<li>").count(), folded.matches("<li>").count(), folded.contains("8 more"))
    };
    assert_eq!(told(13), (13, 0, false));
    assert_eq!(told(20), (12, 8, true));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Proves that no stranger's text makes an element or leaves an attribute: with it the page
    /// has exactly as many of the characters that could as without it.
    #[test]
    fn hostile_text_stays_text(hostile in hostile()) {
        let harmless = rendered(&Html, &Report::example());
        let page = rendered(&Html, &Report::example().with_every_text_after(&hostile));
        for mark in ['<', '>', '"'] {
            prop_assert_eq!(page.matches(mark).count(), harmless.matches(mark).count());
        }
        prop_assert!(!page.contains("<script"));
    }
}
