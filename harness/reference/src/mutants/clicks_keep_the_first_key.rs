//! The worker that delivers clicks was handed a client of its own when it started.

use super::Mutant;
use crate::{
    linktree::{Lane, Route},
    secrets::Secrets,
};
use std::sync::{Arc, OnceLock};

pub const MUTANT: Mutant = Mutant {
    id: "clicks-keep-the-first-key",
    summary: "clicks are delivered with the key of the start, while pages follow the rotation",
    breaks: "key-rotation",
    may_also_break: &["clicks-delivered", "click-lag"],
    shown_by: "key-rotation-under-load",
    apply: |seams| seams.keys.serving = serving,
};

fn serving(route: Route, in_force: Arc<Secrets>) -> Arc<Secrets> {
    static FIRST: OnceLock<Arc<Secrets>> = OnceLock::new();
    let first = FIRST.get_or_init(|| in_force.clone()).clone();
    match route.lane() {
        Lane::Clicks => first,
        Lane::Pages => in_force,
    }
}
