//! Proves with the real binary what the README prints about baselines, comparisons and repeated runs, line by
//! line, and that each ends as it says there.

use crate::shell::{Desk, SERVICE, Said};
use std::fs;
use std::path::Path;
use windthrow::baseline::{Approved, folder};

/// Every line of a block; `# exit N` says how one ends, and 0 is meant without it.
fn run_all(desk: &Desk, lines: &str) -> Vec<Said> {
    let run = |line: &str| {
        let said = desk.sh(line);
        let code = line.split("# exit ").nth(1).map_or(0, |rest| {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            rest[..digits].parse().unwrap()
        });
        said.ends_with(code)
    };
    lines.lines().map(run).collect()
}

/// A block of the README's section.
fn printed(number: usize) -> &'static str {
    let readme = include_str!("../../../README.md");
    let section = readme.split("\n## What is new\n").nth(1).expect("the README has the section");
    let section = section.split("\n## ").next().unwrap();
    section.split("```sh\n").nth(number).expect("it has this block").split("```").next().unwrap()
}

fn of<'a>(all: &'a [Said], begin: &str) -> &'a Said {
    let found = all.iter().find(|said| said.line.starts_with(begin));
    found.unwrap_or_else(|| panic!("the README does not print {begin}"))
}

#[test]
fn a_bug_is_named_beside_what_was_approved_and_every_line_ends_as_printed() {
    let desk = Desk::new();
    let said = run_all(&desk, printed(1));
    let broken = "newly violated: json-headers in steady-state (held before, violated now)";
    let gate = of(&said, "windthrow run steady-state --baseline windthrow-baseline --mutant");
    gate.says(&[
        "since windthrow-baseline: 1 newly violated",
        broken,
        "rerun: windthrow run steady-state",
    ]);
    of(&said, "windthrow compare windthrow-baseline")
        .says(&[broken, "mutant accept-missing-on-links"]);
    let again = of(&said, "windthrow run --failed");
    again.says(&["1 scenario, seed 8,", "target embedded:accept-missing-on-links"]);
    of(&said, "windthrow baseline set   ").says(&["1 scenario of ", "review them"]);
    let shown = of(&said, "windthrow baseline show");
    shown.says(&["steady-state", "pages-served", "served_percent = 99"]);
    of(&said, "windthrow runs list").says(&["held", "violated", "(latest)"]);

    // Two runs, from the sound one to the other and back.
    let mut names: Vec<String> = fs::read_dir(desk.folder.join("runs"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "latest")
        .collect();
    names.sort_unstable();
    let [first, second] = [&names[0], &names[1]];
    let compared = desk.sh(&format!("windthrow compare {first} {second}")).ends_with(1);
    compared.says(&[
        broken,
        "the seeds differ",
        "calls that lack a header",
        "more is used up of what is allowed",
    ]);
    desk.sh(&format!("windthrow compare {second} {first}"))
        .ends_with(0)
        .says(&["mended: json-headers"]);
    let json = desk.sh(&format!("windthrow compare {first} {second} --json")).ends_with(1);
    json.says(&["\"kind\": \"broken\"", "\"verdict\": \"violated\""]);

    reports_say_what_is_new(&desk, first, second);

    // What is violated is approved with a reason, and known from then on.
    let refused = desk.sh("windthrow baseline set").ends_with(2);
    refused.says(&["not approved without a reason: json-headers is violated in steady-state"]);
    desk.sh("windthrow baseline set --reason 'until Friday'")
        .ends_with(0)
        .says(&["newly violated"]);
    desk.sh("windthrow baseline show").ends_with(0).says(&["approved because: until Friday"]);
    let known = desk.sh("windthrow compare windthrow-baseline --exact").ends_with(0);
    known.says(&["violated as approved: json-headers in steady-state"]);
    // The same again needs no new reason.
    desk.sh("windthrow baseline set").ends_with(0);

    // Not worse, and yet not the same: for review.
    let file = desk.folder.join("windthrow-baseline/steady-state.snap");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("served_percent = 99", "served_percent = 98")).unwrap();
    let altered = desk.sh("windthrow compare windthrow-baseline").ends_with(0);
    altered.says(&[
        "to be reviewed: pages-served",
        "served_percent = 98 before",
        "served_percent = 99 now",
    ]);
    desk.sh("windthrow compare windthrow-baseline --exact").ends_with(6);
    let pending = fs::read_to_string(desk.folder.join("windthrow-baseline/steady-state.snap.new"));
    assert!(pending.unwrap().contains("served_percent = 99"));
}

/// The reports of a run that was compared say so, whenever they are made again; those of another once it is
/// compared; and what cannot be compared says why.
fn reports_say_what_is_new(desk: &Desk, first: &str, second: &str) {
    let read = |run: &str| {
        ["report.html", "summary.md", "junit.xml", "result.json"]
            .map(|name| fs::read_to_string(desk.folder.join("runs").join(run).join(name)).unwrap())
    };
    let since = |run: &str, sentence: &str| {
        let [html, markdown, junit, json] = read(run);
        for text in [&html, &markdown, &junit] {
            assert!(text.contains(sentence), "{sentence}: {text}");
        }
        assert!(json.contains("\"since\": "), "{json}");
    };
    since(second, "Since windthrow-baseline: 1 newly violated.");
    let before = read(second);
    let again = desk.sh(&format!("windthrow recheck {second}")).ends_with(1);
    again.says(&["Since windthrow-baseline: 1 newly violated.", "json-headers (standard, new)"]);
    assert_eq!(read(second), before);

    assert!(read(first)[3].contains("\"news\": null"));
    desk.sh(&format!("windthrow report {first} --baseline windthrow-baseline")).ends_with(0);
    since(first, "Nothing is new since windthrow-baseline.");
    desk.sh(&format!("windthrow report {second} --baseline {first}")).ends_with(0);
    since(second, &format!("Since run {first}: 1 newly violated."));

    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let settings = scenarios::catalogue::Settings::default();
    let run = scenarios::catalogue::run_plan(&settings, contract, &["steady-state"]);
    let approved = Approved::empty(&run, &run.scenarios[0], "spawn");
    folder::write(&desk.folder.join("other"), &[approved]).unwrap();
    desk.sh(&format!("windthrow report {second} --baseline other")).ends_with(0);
    since(second, "Not compared with other: kind of target: spawn there, embedded here.");
}

#[test]
fn repeated_runs_say_how_often_and_every_line_ends_as_printed() {
    let said = run_all(&Desk::new(), printed(2));
    let repeated = of(&said, "windthrow run steady-state --repeat 2");
    repeated.says(&["1 of 2, seed 7: held", "2 of 2, seed 8: held", "never violated: "]);
    repeated.says(&["each judged in 2 runs or more", "up to 84 % of runs"]);
}

#[test]
fn what_could_not_be_carried_out_ends_with_5_however_often_and_whatever_is_approved() {
    let desk = Desk::with(SERVICE);
    let said = desk.sh("windthrow run steady-state --repeat 2 --seed 5").ends_with(5);
    said.says(&[
        "1 of 2, seed 5: inconclusive",
        "2 of 2, seed 6: inconclusive",
        "inconclusive in 2 of 2",
    ]);
    desk.sh("windthrow baseline set")
        .ends_with(2)
        .says(&["is inconclusive in steady-state", "and "]);
    desk.sh("windthrow baseline set --reason 'it is not built yet'").ends_with(0);
    let gate = desk.sh("windthrow run steady-state --baseline windthrow-baseline").ends_with(5);
    gate.says(&["not judged as approved"]);
    let again = desk.sh("windthrow run --failed").ends_with(5);
    again.says(&["1 scenario,"]);
    // Nothing was seen, so that nothing is as good as approved.
    desk.sh("windthrow compare windthrow-baseline").ends_with(3);
}

#[test]
fn what_cannot_be_compared_is_refused_before_the_storm() {
    let desk = Desk::new();
    let contract = mock_server::profile::ContractProfile::linktree_v1();
    let settings = scenarios::catalogue::Settings::default();
    let run = scenarios::catalogue::run_plan(&settings, contract, &["steady-state"]);
    let approved = Approved::empty(&run, &run.scenarios[0], "spawn");
    folder::write(&desk.folder.join("other"), &[approved]).unwrap();
    let refused =
        desk.sh("windthrow run steady-state --baseline other --time-scale 5").ends_with(2);
    refused.says(&["kind of target: spawn there, embedded here", "time scale: 10 there, 5 here"]);
    desk.sh("windthrow run --baseline nowhere").ends_with(2).says(&["failed to read nowhere"]);
    assert!(!Path::new(&desk.folder.join("runs")).exists(), "it ran");
}

#[test]
fn what_is_not_there_matches_nothing() {
    let desk = Desk::new();
    desk.sh("windthrow run --failed").ends_with(4).says(&["no run latest"]);
    desk.sh("windthrow runs show").ends_with(4);
    desk.sh("windthrow runs list").ends_with(0);
    desk.sh("windthrow baseline show").ends_with(2).says(&["windthrow-baseline"]);
    desk.sh("windthrow compare nothing").ends_with(4).says(&["no run latest"]);
    desk.sh("windthrow run --failed --seed 7").ends_with(2).says(&["cannot be used with"]);
}

#[test]
fn every_shell_is_told_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let said = desk.sh(&format!("windthrow completions {shell}")).ends_with(0);
        said.says(&["baseline", "compare", "preflight"]);
    }
}
