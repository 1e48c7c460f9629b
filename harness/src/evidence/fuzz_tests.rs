//! Whatever stands in the place of a history or a plan: it is read, or refused in words, and judged without
//! a crash.

use super::fuzz::{history, lines, plan, sealed};
use super::plans;
use crate::mutations::{corpus, inputs};
use mock_server::profile::ContractProfile;
use proptest::prelude::*;
use scenarios::catalogue::{Settings, run_plan};

/// A line of each kind.
const LINES: &str = include_str!("../../../scenarios/src/history/lines.ndjson");
const SCENARIOS: [&str; 3] = ["steady-state", "calibration", "brownout"];
const WORDS: &[&str] = &[
    "null",
    "-1",
    "0",
    "18446744073709551615",
    "18446744073709551616",
    "1e400",
    "\"\"",
    "[]",
    "{}",
    "{\"event\":\"exchange\",",
    "{\"event\":\"operation\",",
    "\\u0000",
    "\\ud800",
    "\u{202e}",
    "\n",
    ",",
    "[[[[[[[[[[[[[[[[",
];

/// Of this version: each line alone, and all together but for those that vouch for others.
fn texts() -> Vec<Vec<u8>> {
    let alone = LINES.lines().map(|line| line.as_bytes().to_vec());
    let others: Vec<&str> = LINES.lines().filter(|line| !line.contains("\"digest\"")).collect();
    alone.chain([others.join("\n").into_bytes()]).chain(corpus("lines")).collect()
}

fn histories() -> Vec<Vec<u8>> {
    texts().iter().map(|text| sealed(text)).chain(corpus("history")).collect()
}

fn plan_files() -> Vec<Vec<u8>> {
    let of = |id| run_plan(&Settings::default(), ContractProfile::linktree_v1(), &[id]);
    SCENARIOS.iter().map(|id| plans::to_bytes(&of(id)).0).chain(corpus("plan")).collect()
}

proptest! {
    #[test]
    fn a_history_of_any_lines_is_judged_or_refused_in_words(text in inputs(texts(), WORDS)) {
        lines(&text);
    }

    #[test]
    fn a_history_of_any_bytes_is_judged_or_refused_in_words(
        bytes in inputs(histories(), &["\u{fffd}/"]),
    ) {
        history(&bytes);
    }

    #[test]
    fn a_plan_of_any_text_is_lawful_or_refused_in_words(bytes in inputs(plan_files(), WORDS)) {
        plan(&bytes);
    }
}

#[test]
fn each_of_the_corpus_is_read() {
    corpus("lines").iter().for_each(|text| lines(text));
    corpus("history").iter().for_each(|bytes| history(bytes));
    corpus("plan").iter().for_each(|bytes| plan(bytes));
}
