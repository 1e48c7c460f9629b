//! Settings that name several things of which one happens, by hash.

use super::{Effect, Mistake, Roll};

/// One of the choices as an effect; nothing happens where there is nothing to choose from.
pub(super) fn one_of<T>(
    choices: &[T],
    roll: &mut Roll,
    effect: impl FnOnce(&T) -> Effect,
) -> Effect {
    roll.choose(choices).map_or(Effect::Pass, effect)
}

/// What is wrong with no choices at all, in words such as `flaws to choose from`.
pub(super) fn at_least_one<T>(choices: &[T], key: &'static str, words: &str) -> Option<Mistake> {
    let what = || format!("there are no {words}");
    choices.is_empty().then(|| Mistake::new(key, what(), "name at least one"))
}

/// Asserts that a fault does what it names where it names one thing, does each where it names all,
/// and complains about none.
#[cfg(test)]
pub(super) fn check<F: super::Decide, T: Copy>(
    fault: impl Fn(Vec<T>) -> F,
    all: &[T],
    effect: impl Fn(T) -> Effect,
) {
    use super::testing::decided;
    for one in all {
        super::testing::check(&fault(vec![*one]), &effect(*one));
    }
    let (each, none) = (fault(all.to_vec()), fault(Vec::new()));
    let met: Vec<_> = (0..200).map(|nth| decided(&each, nth)).collect();
    assert!(all.iter().all(|one| met.contains(&effect(*one))));
    assert_eq!((each.mistakes().len(), none.mistakes().len()), (0, 1));
}
