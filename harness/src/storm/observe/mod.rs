//! What is seen of the target beside its answers, and the search for what was planted in the run.

pub mod canaries;
pub mod dead_letters;
pub mod inspect;
pub mod logs;
pub mod pieces;
pub mod receiver;
pub mod search;
pub mod source;
pub mod torn;
pub mod watch;
