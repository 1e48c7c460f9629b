//! Carries out the plan's events of the world at their times, and records each that has happened.

use crate::clock::{Clock, Moment};
use crate::history::record::{Happened, Record, Recorder};
use crate::world::{Outcome, TimedEvent, World, WorldError, WorldEvent};
use std::time::Duration;

/// Carries out the planned events, counted from `armed`, until the world is armed anew.
///
/// Pages have changed for every reader at the planned moment, to the nanosecond, whenever this gets
/// to it; what else happens, happens when this gets to it. The records say which moment that was.
pub(crate) async fn carry_out(world: &World, clock: Clock, recorder: &dyn Recorder, armed: Moment) {
    for TimedEvent { at_ms, event } in world.timeline() {
        let due = armed.plus(Duration::from_millis(*at_ms));
        tokio::time::sleep_until(clock.instant(due).into()).await;
        if world.armed() != Some(armed) {
            return;
        }
        // Only an edit beside the plan can be refused.
        let (at, made) = match event {
            WorldEvent::Edit { .. } => (due, Ok(Outcome::default())),
            WorldEvent::RotateKey { .. }
            | WorldEvent::RotateWebhookSecret { .. }
            | WorldEvent::GrantScopes { .. }
            | WorldEvent::ExpireVaultTokens { .. }
            | WorldEvent::ForgetWebhooks {}
            | WorldEvent::SendWebhook { .. } => {
                let now = clock.now();
                (now, world.happen(event, now))
            }
        };
        match made {
            Ok(outcome) => record(recorder, event, at, Some(*at_ms), outcome),
            Err(error) => tracing::error!(%error, at_ms, "a planned event did not happen"),
        }
    }
}

/// Lets an event happen now, beside the plan, and says the id of what it made.
pub(crate) fn steer(
    world: &World,
    clock: Clock,
    recorder: &dyn Recorder,
    event: &WorldEvent,
) -> Result<Option<String>, WorldError> {
    let now = clock.now();
    let outcome = world.happen(event, now)?;
    let made = outcome.made.clone();
    record(recorder, event, now, None, outcome);
    Ok(made)
}

fn record(
    recorder: &dyn Recorder,
    event: &WorldEvent,
    at: Moment,
    planned_ms: Option<u64>,
    Outcome { made, rotation }: Outcome,
) {
    let what = event.clone().recorded();
    recorder.record(Record::World(Happened { at, planned_ms, what, made, rotation }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::keyring::Rotated;
    use crate::profile::ContractProfile;
    use crate::webhooks::WebhookEvent;
    use crate::world::population::{Group, Population};

    const VAULT_TOKEN: &str = "a-vault-token";

    /// One event of each kind, a second apart, and the first after one second.
    fn events() -> Vec<TimedEvent> {
        let timed = |(event, at_ms)| TimedEvent { at_ms, event };
        let times = (1..).map(|nth| nth * 1_000);
        WorldEvent::examples().into_iter().zip(times).map(timed).collect()
    }

    fn world() -> World {
        let group =
            Group { prefix: "a".into(), count: 1, min_links: 1, max_links: 1, ..Group::default() };
        let population = Population { groups: vec![group] };
        let mut shuffled = events();
        shuffled.reverse();
        let world = World::new(ContractProfile::linktree_v1(), 1, 7, population, shuffled);
        world.webhooks.register("http://127.0.0.1:9/", &WebhookEvent::ALL, None).unwrap();
        world.keys.open_vault_with(VAULT_TOKEN);
        world
    }

    /// The page's edits, key, secrets, scopes, the vault's token, registrations.
    type State = (u32, String, Vec<String>, Vec<String>, &'static str, usize);

    /// Everything that the events change.
    fn state(world: &World, now: Moment) -> State {
        let ring = world.keys.ring();
        let key = world.keys.api_key();
        let scopes = ring.token(&key, now).valid().unwrap().scopes.clone();
        let edits = world.creator("a-0001", now).unwrap().edit;
        let token = world.keys.leases.standing(VAULT_TOKEN, now).label();
        let registered = world.webhooks.registrations().len();
        (edits, key, ring.signing_secrets(now), scopes, token, registered)
    }

    fn happened(history: &History) -> Vec<Happened> {
        let pick = |record| match record {
            Record::World(happened) => happened,
            other => panic!("{other:?}"),
        };
        history.records().into_iter().map(pick).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn each_kind_of_event_happens_at_its_time_and_is_recorded() {
        let (clock, history) = (Clock::start(), History::new(100, None));
        let world = world();
        let armed = clock.now().plus(Duration::from_millis(500));
        world.arm(armed);
        let watch = async {
            let mut before = state(&world, clock.now());
            for (nth, TimedEvent { at_ms, event }) in events().into_iter().enumerate() {
                let due = armed.plus(Duration::from_millis(at_ms));
                let until = |moment: Moment| tokio::time::sleep_until(clock.instant(moment).into());
                until(due.minus(Duration::from_millis(5))).await;
                assert_eq!(happened(&history).len(), nth, "{event:?} has happened too early");
                assert_eq!(state(&world, clock.now()), before);
                until(due.plus(Duration::from_millis(5))).await;
                let seen = happened(&history);
                assert_eq!(seen.len(), nth + 1, "{event:?} has not happened");
                let after = state(&world, clock.now());
                let Happened { at, planned_ms, what, made, rotation } = seen[nth].clone();
                assert_eq!((planned_ms, &what), (Some(at_ms), &event));
                assert!(at >= due && at.since(due) < Duration::from_millis(3), "{at} {due}");
                let changed = [
                    after.0 != before.0,
                    after.1 != before.1,
                    after.2 != before.2,
                    after.3 != before.3,
                    after.4 != before.4,
                    made.as_ref().is_some_and(|id| id.starts_with("msg_")),
                    after.5 != before.5,
                ];
                assert_eq!(changed, [0, 1, 2, 3, 4, 5, 6].map(|kind| kind == nth), "{event:?}");
                let key = world.keys.ring().token(&after.1, at).valid().unwrap().id.clone();
                let rotated = rotation.map(|one| (one.what, one.version, one.valid_until));
                let minute = at.plus(Duration::from_secs(60));
                let expected = match nth {
                    1 => Some((Rotated::ApiKey, 2, minute)),
                    2 => Some((Rotated::WebhookSecret, 3, minute)),
                    _ => None,
                };
                assert_eq!(rotated, expected);
                assert_eq!(made.filter(|id| id.starts_with("key_")), (nth == 1).then_some(key));
                before = after;
            }
        };
        tokio::join!(watch, carry_out(&world, clock, &history, armed));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_planned_ends_when_the_world_is_armed_anew() {
        let (clock, history, world) = (Clock::start(), History::new(100, None), world());
        let armed = clock.now();
        world.arm(armed);
        let planned = carry_out(&world, clock, &history, armed);
        let reset = async {
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            world.disarm();
        };
        tokio::join!(planned, reset);
        assert_eq!(happened(&history).len(), 2);
    }

    #[tokio::test]
    async fn what_is_steered_happens_now_and_is_recorded_without_a_plan() {
        let (clock, history, world) = (Clock::start(), History::new(100, None), world());
        let mut before = clock.now();
        for TimedEvent { event, .. } in events() {
            let made = steer(&world, clock, &history, &event).unwrap();
            let last = happened(&history).pop().unwrap();
            assert_eq!((last.planned_ms, last.what, last.made), (None, event, made));
            assert!(last.at >= before);
            before = last.at;
        }
        assert_eq!(state(&world, clock.now()).0, 1, "the page was edited");
    }
}
