//! Who has an account: the same creators for the same seed, and what is asked of their names and numbers.

use super::*;

fn group(prefix: &str, count: u32) -> Group {
    Group { prefix: prefix.into(), count, min_links: 2, max_links: 9, ..Group::default() }
}

#[test]
fn a_pattern_names_whoever_has_such_a_handle() {
    let population = Population { groups: vec![group("page", 8)] };
    for (pattern, expected) in [
        ("page-0001", true),
        ("page-0008", true),
        ("page-0009", false),
        ("page-1", false),
        ("page-*", true),
        ("page-000*", true),
        ("page-09*", false),
        ("*", true),
        ("other-*", false),
    ] {
        assert_eq!(population.has_anybody(pattern), expected, "{pattern}");
        let handles = population.handles();
        let any = handles.iter().any(|one| crate::world::handle_matches(pattern, one));
        assert_eq!(any, expected, "{pattern}");
    }
}

#[test]
fn every_listed_handle_is_a_creator_and_no_other_is() {
    let population = Population { groups: vec![group("viral", 1), group("tail", 12)] };
    let handles = population.handles();
    assert_eq!(handles.len(), 13);
    assert_eq!(handles[0], "viral-0001");
    for handle in &handles {
        let creator = population.creator(7, handle).unwrap();
        assert!((2..=9).contains(&creator.links.len()));
    }
    for stranger in ["viral-0002", "tail-1", "tail-00001", "tail-0000", "tail", "", "x-0001"] {
        assert!(!population.contains(stranger), "{stranger}");
    }
    let many = Population { groups: vec![group("tail", 12_000)] };
    assert!(many.handles().iter().all(|handle| many.contains(handle)));
    for stranger in ["tail-+001", "tail-010000", "tail-12001", "tail-1e3 ", "tail-٠٠٠١"] {
        assert!(!many.contains(stranger), "{stranger}");
    }
}

#[test]
fn an_edit_changes_version_and_text_but_not_identity() {
    let population = Population { groups: vec![group("a", 1)] };
    let at = |edit| population.creator_after(7, "a-0001", edit).unwrap();
    assert_eq!(at(0), population.creator(7, "a-0001").unwrap());
    assert_ne!(at(0).version, at(1).version);
    assert_ne!(at(0).bio, at(1).bio);
    assert_eq!(at(0).email, at(1).email);
    let ids = |edit| at(edit).links.into_iter().map(|link| link.id).collect::<Vec<_>>();
    assert_eq!(ids(0), ids(1));
    assert_ne!(population.creator(8, "a-0001"), population.creator(7, "a-0001"));
}

#[test]
fn unusable_groups_are_refused_by_name() {
    let check = |groups: Vec<Group>| Population { groups }.check();
    assert!(check(vec![group("a", 1), group("b", 1)]).is_ok());
    assert!(matches!(check(vec![group("A", 1)]), Err(PopulationError::Handle { .. })));
    assert!(matches!(check(vec![group("", 1)]), Err(PopulationError::Handle { .. })));
    assert!(matches!(
        check(vec![group("abcdefghijklmnopqrstuvwxyz", 1)]),
        Err(PopulationError::Handle { .. })
    ));
    assert!(matches!(
        check(vec![group("a", 1), group("a", 2)]),
        Err(PopulationError::Twice { .. })
    ));
    let crowd = check(vec![group("a", MAX_CREATORS + 1)]).unwrap_err().to_string();
    assert!(crowd.contains("groups[0].count: 100001 is out of range"), "{crowd}");
    let endless = check(vec![Group { max_links: u32::MAX, ..group("a", 1) }]).unwrap_err();
    assert!(endless.to_string().contains("choose 0 to 10000"), "{endless}");
    let upside_down = Group { min_links: 10, ..group("a", 1) };
    assert!(matches!(check(vec![upside_down]), Err(PopulationError::Links { .. })));
}
