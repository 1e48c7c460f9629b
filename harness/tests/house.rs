//! Proves what the map in the README promises of the sources: which way crates and modules use
//! each other, and that a unit can be read in one sitting.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The longest file that still tells one story.
const MOST_LINES: usize = 400;

/// Each crate, and those of ours that it may use.
const CRATES: &[(&str, &[&str])] = &[
    ("mock-server", &[]),
    ("scenarios", &["mock-server"]),
    ("reports", &[]),
    ("harness", &["mock-server", "scenarios", "reports", "reference"]),
    ("harness/reference", &[]),
];

/// Crates in which not even modules use each other in a circle.
const WITHOUT_CIRCLES: &[&str] = &["harness", "harness/reference", "reports"];

/// Arrows that would close a circle: nothing below the first path names the module.
const NEVER: &[(&str, &str)] = &[
    // What happened names the fault that hit it, so no fault may know what an exchange is.
    ("mock-server/src/faults", "history"),
    // The contract is what everybody speaks of.
    ("mock-server/src/contract.rs", "faults"),
    ("mock-server/src/contract.rs", "world"),
    // A guarantee judges what was seen, whoever had planned it.
    ("scenarios/src/guarantees", "catalogue"),
    ("scenarios/src/guarantees", "plan_check"),
    // Every command can fail, so a failure knows none of them.
    ("harness/src/failure", "config"),
    ("harness/src/failure", "storm"),
    ("harness/src/failure", "evidence"),
    // A configuration says what is tested; the storm carries it out.
    ("harness/src/config", "storm"),
    ("harness/src/config", "evidence"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below a file or folder of the repository, without what builds leave there.
fn sources(below: &str) -> Vec<PathBuf> {
    let (mut left, mut found) = (vec![root().join(below)], Vec::new());
    while let Some(path) = left.pop() {
        if path.is_dir() {
            let skipped = ["target", "node_modules", ".git"];
            if !skipped.iter().any(|name| path.ends_with(name)) {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "{below} has no Rust file: this test looks at the wrong place");
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What is built: neither comments nor the tests at a file's end.
fn built(code: &str) -> String {
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The first names after `crate::`, alone or in braces.
fn used(code: &str) -> BTreeSet<String> {
    let code = built(code);
    let paths = code.match_indices("crate::").flat_map(|(at, path)| {
        let rest = &code[at + path.len()..];
        rest.strip_prefix('{').map_or_else(|| vec![rest], alternatives)
    });
    let first = |path: &str| {
        path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    paths.map(first).filter(|name: &String| !name.is_empty()).collect()
}

/// Files that hold nothing but tests are named so.
fn only_tests(path: &Path) -> bool {
    path.file_stem().unwrap().to_str().unwrap().ends_with("tests")
}

/// What each module at the top of a crate uses of the others.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Read from the sources. The root itself is not in it, and nobody may use what it hands on, since
/// that would hide whose it is.
fn graph(krate: &str) -> Graph {
    let src = root().join(krate).join("src");
    let mut graph = Graph::new();
    for path in sources(&format!("{krate}/src")).iter().filter(|path| !only_tests(path)) {
        let inside = path.strip_prefix(&src).unwrap().with_extension("");
        let names: Vec<&str> = inside.iter().map(|name| name.to_str().unwrap()).collect();
        if matches!(names[..], ["lib" | "main"]) {
            continue;
        }
        let code = built(&text(path));
        let to_the_root = if matches!(names[..], [_] | [_, "mod"]) { 1 } else { 2 };
        let climbs = code.contains(&"super::".repeat(to_the_root));
        assert!(!climbs, "{}: write the path from `crate`", path.display());
        graph.entry(names[0].to_owned()).or_default().extend(used(&code));
    }
    for (module, used) in &graph {
        let unknown: Vec<_> = used.iter().filter(|name| !graph.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "{krate}: {module} uses {unknown:?} of the root");
    }
    graph
}

/// The modules that use each other in a circle, and those that lead there: what is left when again
/// and again all go that use none of the others.
fn circles(graph: &Graph) -> Vec<&str> {
    let mut left: Vec<&str> = graph.keys().map(String::as_str).collect();
    loop {
        let before = left.clone();
        let leads_on = |name: &str, other: &str| other != name && graph[name].contains(other);
        left.retain(|name| before.iter().any(|other| leads_on(name, other)));
        if left.len() == before.len() {
            return left;
        }
    }
}

/// What stands between the commas of a group that has just been opened.
fn alternatives(group: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut all) = (1, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 || depth == 1 && letter == ',' {
            all.push(&group[begin..at]);
            begin = at + 1;
        }
        if depth == 0 {
            break;
        }
    }
    all
}

#[test]
fn no_file_is_longer_than_can_be_read_at_once() {
    let lines = |path: PathBuf| (text(&path).lines().count(), path);
    let long: Vec<_> =
        sources("").into_iter().map(lines).filter(|one| one.0 > MOST_LINES).collect();
    assert_eq!(long, [], "split these by unit");
}

#[test]
fn crates_use_each_other_one_way() {
    for (krate, allowed) in CRATES {
        let manifest = text(&root().join(krate).join("Cargo.toml"));
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(names) = manifest.get(table).and_then(toml::Value::as_table) else { continue };
            for (ours, _) in CRATES {
                let ours = ours.rsplit('/').next().unwrap();
                let unlawful = names.contains_key(ours) && !allowed.contains(&ours);
                assert!(!unlawful, "{krate} may not use {ours}");
            }
        }
    }
}

/// What `cargo test` reads of a corpus is what its target was given.
#[test]
fn each_fuzz_target_is_built_and_has_a_corpus_and_words() {
    let fuzz = root().join("harness/fuzz");
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(fuzz.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let manifest: toml::Table = toml::from_str(&text(&fuzz.join("Cargo.toml"))).unwrap();
    let bins = manifest["bin"].as_array().unwrap().iter();
    let bins: BTreeSet<_> = bins.map(|bin| bin["name"].as_str().unwrap().to_owned()).collect();
    assert!(!bins.is_empty());
    for folder in ["fuzz_targets", "corpus", "dictionaries"] {
        assert_eq!(names(folder), bins, "{folder}");
    }
}

#[test]
fn what_a_file_uses_is_read_from_its_paths() {
    let code = "use crate::{a::{B, C}, d,};\n// crate::e\ncrate::f::g()\n\
                #[cfg(test)]\nmod tests {\n    use crate::h;\n}\n";
    assert_eq!(used(code), ["a", "d", "f"].map(String::from).into());
}

#[test]
fn no_module_closes_a_circle() {
    for (below, never) in NEVER {
        for path in sources(below).into_iter().filter(|path| !only_tests(path)) {
            assert!(!used(&text(&path)).contains(*never), "{} may not use {never}", path.display());
        }
    }
}

#[test]
fn modules_use_each_other_in_no_circle() {
    for krate in WITHOUT_CIRCLES {
        assert_eq!(circles(&graph(krate)), [""; 0], "{krate}: modules use each other in a circle");
    }
    let uses = |list: &[(&str, &str)]| -> Graph {
        let words = |words: &str| words.split_whitespace().map(str::to_owned).collect();
        list.iter().map(|(module, used)| ((*module).to_owned(), words(used))).collect()
    };
    assert_eq!(circles(&uses(&[("a", "b c"), ("b", "c"), ("c", "c")])), [""; 0]);
    assert_eq!(circles(&uses(&[("a", "b"), ("b", "a c"), ("c", ""), ("d", "a")])), ["a", "b", "d"]);
}

#[test]
fn only_the_references_mutants_know_its_seams() {
    let graph = graph("harness/reference");
    assert!(graph.contains_key("seams"));
    let knowing =
        graph.iter().filter(|(module, used)| *module != "seams" && used.contains("seams"));
    assert_eq!(knowing.map(|(module, _)| module.as_str()).collect::<Vec<_>>(), ["mutants"]);
}

#[test]
fn a_guarantee_reads_no_clock_and_does_no_input_or_output() {
    let forbidden =
        ["Instant::now", "SystemTime", "Clock::", "std::net", "std::fs", "tokio::", "rand::"];
    for path in sources("scenarios/src/guarantees").into_iter().filter(|path| !only_tests(path)) {
        let code = built(&text(&path));
        for word in forbidden {
            assert!(!code.contains(word), "{} names {word}", path.display());
        }
    }
}
