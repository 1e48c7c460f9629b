//! Plans that rotate the key, and histories in which nothing of that was seen.

use super::*;
use crate::plan::PhaseKind::Control;
use crate::plan::{AlertKind, AlertName};
use crate::testing::History;

/// How much was judged of a key of eighty days that nobody turned.
fn judged(is_planned: bool) -> u64 {
    let mut history = History::over(&[(Control, 0, 100)]);
    history.case.plan.key.age_days = Some(80);
    history.case.alert_names.insert(AlertKind::KeyAge, AlertName::plain("Old"));
    if is_planned {
        let event = WorldEvent::RotateKey { overlap_ms: 0 };
        history.case.plan.world.push(TimedEvent { at_ms: 50_000, event });
    }
    history.judged_by(&KeyRotation).seen
}

#[test]
fn of_a_rotation_that_never_came_nothing_is_judged_and_where_none_is_planned_the_alert_is() {
    assert_eq!([false, true].map(judged), [1, 0]);
}
