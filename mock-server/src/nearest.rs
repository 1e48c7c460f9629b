//! "Did you mean": the known name that is closest to a wrong one.

/// The closest of the known names, for "did you mean".
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |score: usize, name: &str| score <= name.len().max(6) / 3 && score < name.len();
    // No two names are nearer than their lengths, and a wrong one may have any.
    let alike = known.into_iter().filter(|name| near(wrong.len().abs_diff(name.len()), name));
    let scored = alike.map(|name| (distance(wrong, name), name));
    scored.filter(|(score, name)| near(*score, name)).min().map(|(_, name)| name)
}

/// Levenshtein distance in bytes; names are short ASCII.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, cb) in b.bytes().enumerate() {
            let substitute = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_and_nonsense_is_not() {
        let known = ["viral-spike", "brownout", "steady-state"];
        assert_eq!(nearest("viral-spkie", known), Some("viral-spike"));
        assert_eq!(nearest("brown-out", known), Some("brownout"));
        assert_eq!(nearest("xyz", known), None);
        let long = "brownout".repeat(1 << 20);
        assert_eq!(nearest(&long, vec!["brownout"; 1 << 20]), None, "and at once");
        assert_eq!(nearest("client_rate_cap", ["client-rate-cap"]), Some("client-rate-cap"));
    }
}
