//! Proves which way the modules use each other: in no circle, and none but the start and the
//! mutants knows the seams.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// What each module of the crate's root uses of the others.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Read from the sources. The root itself is not in it: nobody may use what it re-exports, so it
/// stands above all.
fn graph() -> Graph {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![src.clone()];
    let mut graph = Graph::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let inside = path.strip_prefix(&src).unwrap().with_extension("");
        let names: Vec<&str> = inside.iter().map(|name| name.to_str().unwrap()).collect();
        if names == ["lib"] || names == ["module_graph"] {
            continue;
        }
        let code = code(&fs::read_to_string(&path).unwrap());
        let to_the_root = if matches!(names[..], [_] | [_, "mod"]) { 1 } else { 2 };
        assert!(!climbs(&code, to_the_root), "{names:?}: write the path from `crate`");
        graph.entry(names[0].to_owned()).or_default().extend(used(&code));
    }
    for (module, used) in &mut graph {
        used.remove(module);
    }
    for (module, used) in &graph {
        let unknown: Vec<_> = used.iter().filter(|name| !graph.contains_key(*name)).collect();
        assert!(unknown.is_empty(), "{module} uses {unknown:?} of the root: name their module");
    }
    graph
}

/// Without comments, whose links are not uses.
fn code(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Whether a path goes up by so many modules; the glob of a test for its own module does not.
fn climbs(code: &str, modules: usize) -> bool {
    code.replace("use super::*;", "").contains(&"super::".repeat(modules))
}

/// The first names after `crate::`, alone or in braces.
fn used(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, path) in code.match_indices("crate::") {
        let rest = &code[at + path.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.insert(first_name(rest));
            continue;
        };
        let (mut depth, mut begins) = (1, true);
        for (at, character) in group.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => begins = true,
                _ if begins && !character.is_whitespace() => {
                    names.insert(first_name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    names
}

fn first_name(text: &str) -> String {
    text.chars().take_while(|character| character.is_alphanumeric() || *character == '_').collect()
}

/// What remains when again and again those are taken away that use nothing: circles, and whoever
/// uses them.
fn circles(mut graph: Graph) -> Graph {
    loop {
        let free =
            |(module, used): (&String, &BTreeSet<String>)| used.is_empty().then(|| module.clone());
        let free: BTreeSet<String> = graph.iter().filter_map(free).collect();
        if free.is_empty() {
            return graph;
        }
        graph.retain(|module, _| !free.contains(module));
        graph.values_mut().for_each(|used| used.retain(|module| !free.contains(module)));
    }
}

#[test]
fn the_modules_use_each_other_in_no_circle() {
    assert_eq!(circles(graph()), Graph::new());
}

#[test]
fn only_the_start_and_the_mutants_know_the_seams() {
    let graph = graph();
    assert!(graph.contains_key("seams"));
    let knowing: Vec<_> = graph.iter().filter(|(_, used)| used.contains("seams")).collect();
    assert_eq!(knowing.iter().map(|(module, _)| module.as_str()).collect::<Vec<_>>(), ["mutants"]);
}

#[test]
fn every_way_to_use_a_module_is_seen() {
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(used(&code(text)).iter().collect::<Vec<_>>(), expected, "{text}");
    }
    check("use crate::a::B;", &["a"]);
    check(
        "use crate::{\n    a::{B, c::D},\n    e::{self},\n    f,\n};\nuse g::h;",
        &["a", "e", "f"],
    );
    check("fn x() -> crate::a::B { crate::Root::default() }", &["Root", "a"]);
    check("//! See [`crate::a`].\npub(crate) fn x() {}", &[]);
    assert!(climbs("use super::super::a;", 2) && climbs("use super::a;", 1));
    assert!(!climbs("use super::a;", 2) && !climbs("mod tests { use super::*; }", 1));
}

#[test]
fn a_circle_is_found() {
    let uses = |list: &[(&str, &[&str])]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        list.iter().map(|(module, used)| ((*module).to_owned(), owned(used))).collect::<Graph>()
    };
    let sound: &[(&str, &[&str])] = &[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])];
    assert!(circles(uses(sound)).is_empty());
    let wrong: &[(&str, &[&str])] = &[("a", &["b"]), ("b", &["a", "c"]), ("c", &[])];
    assert_eq!(circles(uses(wrong)).len(), 2);
}
