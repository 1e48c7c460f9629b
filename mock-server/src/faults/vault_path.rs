//! Which paths of the vault a fault is about.

use super::{Effect, Mistake, RequestView};

/// What such a fault does to a request: this where it is about its path, and nothing else.
pub(super) fn effect(pattern: &str, request: &RequestView<'_>, effect: Effect) -> Effect {
    if covers(pattern, request.key) { effect } else { Effect::Pass }
}

/// Whether a request's path below `/v1/` is this one, or begins with what stands before a final `*`.
fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => path.starts_with(beginning),
        None => path == pattern,
    }
}

/// What is wrong with a pattern.
pub(super) fn mistake(pattern: &str) -> Option<Mistake> {
    let odd = pattern.is_empty() || pattern.starts_with('/') || pattern.starts_with("v1/");
    let what = || format!("{pattern:?} is no path below /v1/");
    let fix = "write it as secret/data/linktree, or as a beginning such as secret/*";
    odd.then(|| Mistake::new("path", what(), fix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_covered_by_itself_and_by_its_beginnings() {
        let check = |pattern: &str, path: &str, expected: bool| {
            assert_eq!(covers(pattern, path), expected, "{pattern} {path}");
        };
        let own = "secret/data/linktree";
        check(own, "secret/data/linktree", true);
        check(own, "secret/data/linktree-staging", false);
        check(own, "auth/token/lookup-self", false);
        check("secret/data/linktree*", "secret/data/linktree-staging", true);
        check("*", "sys/health", true);
        let wrong = |pattern| mistake(pattern).is_some();
        assert_eq!(
            ["", "/v1/secret", "v1/secret", own, "*"].map(wrong),
            [true, true, true, false, false]
        );
    }
}
