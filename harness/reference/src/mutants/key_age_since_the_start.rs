//! A key is as old as the process knows it, since nobody asks when it was made.

use super::Mutant;
use crate::clock;

pub const MUTANT: Mutant = Mutant {
    id: "key-age-since-the-start",
    summary: "the key's age counts from when the service first had it: a restart makes it young",
    breaks: "key-rotation",
    may_also_break: &[],
    shown_by: "key-rotation-under-load",
    apply: |seams| seams.keys.made = |_| clock::wall(),
};
