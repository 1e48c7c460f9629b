//! Which scenarios run side by side: as many as the machine has room for, in an order that ends early.
//!
//! A storm waits far more than it computes, so that what a scenario needs is not a lane but a part of
//! the machine's processor time at its busiest second. Who needs the machine for itself takes all of
//! it. Places are given in the order in which they were asked for, so that nobody is overtaken.
//!
//! In true time a storm does in a minute what it does in six seconds of the quick profile, and a timer that is
//! late by so much hides ten times less: more storms have room there.
//!
//! Targets start one after the other: a start fills a core, which the others' timers would miss.

use scenarios::plan::Plan;
use scenarios::traffic::Schedule;
use std::cmp::Reverse;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Processor time of one arrival, in thousandths of a core for one a second: generator, mock, target
/// and recording together. Measured: all scenarios of the quick profile, about 13,000 operations, take
/// 5 s with everything that starts and stops around them, which is 0.4 ms.
const PER_ARRIVAL_MILLI: f64 = 0.5;
/// What a scenario needs while nobody comes: probes, the target's own timers, start and stop.
const STANDING_MILLI: u32 = 50;
/// The same in true time, of which starting and stopping are a small part. Measured: the storm with the fewest
/// visitors takes 3.8 s in 200 s.
const STANDING_IN_TRUE_TIME_MILLI: u32 = 20;
/// The part of each core that scenarios may fill together; the rest keeps timers exact.
const ROOM_OF_A_CORE_MILLI: u32 = 650;
/// Scenarios on each core, however little they need.
/// Measured: twelve on two cores, all held.
const MOST_ON_A_CORE: usize = 6;
/// Scenarios in true time for each other one. Measured: all of the nightly profile on two cores, all held.
const IN_TRUE_TIME: u32 = 2;
/// Cores for each target that is starting: it fills one, and the other is for those that are judged.
const CORES_OF_A_START: usize = 2;

/// The order in which plans are started: the longest first, and those that need the machine for
/// themselves last.
#[must_use]
pub fn in_running_order(plans: &[Plan]) -> Vec<&Plan> {
    let mut order: Vec<&Plan> = plans.iter().collect();
    order.sort_by_key(|plan| (plan.exclusive, Reverse(plan.duration_ms())));
    order
}

/// The machine, as far as scenarios may fill it.
#[derive(Debug)]
pub struct Room {
    /// All of it, in thousandths of a core.
    whole: u32,
    free: Arc<Semaphore>,
    /// Each for a scenario in true time.
    places: Arc<Semaphore>,
    /// So many of them for another one.
    of_a_place: u32,
    starts: Arc<Semaphore>,
}

/// A scenario's part of the machine, until it is dropped.
#[must_use]
#[derive(Debug)]
pub struct Place {
    _place: OwnedSemaphorePermit,
    _part: OwnedSemaphorePermit,
    start: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// The target stands, so that the next one may start.
    pub fn started(&mut self) {
        self.start = None;
    }

    /// Whether the next one still waits for this.
    #[must_use]
    pub fn is_starting(&self) -> bool {
        self.start.is_some()
    }
}

impl Room {
    /// The room of this machine, for at most so many scenarios at once.
    #[must_use]
    pub fn here(at_most: Option<usize>) -> Self {
        Self::of(std::thread::available_parallelism().map_or(1, usize::from), at_most)
    }

    fn of(cores: usize, at_most: Option<usize>) -> Self {
        let fit = cores.saturating_mul(MOST_ON_A_CORE * IN_TRUE_TIME as usize);
        let (places, of_a_place) = match at_most {
            None => (fit, IN_TRUE_TIME),
            Some(most) => (most.max(1), 1),
        };
        let whole =
            u32::try_from(cores).map_or(u32::MAX, |n| n.saturating_mul(ROOM_OF_A_CORE_MILLI));
        Self {
            whole,
            free: Arc::new(Semaphore::new(whole as usize)),
            places: Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS))),
            of_a_place,
            starts: Arc::new(Semaphore::new(cores.div_ceil(CORES_OF_A_START))),
        }
    }

    /// Waits until there is room for a plan beside those that have entered, and its target may start.
    ///
    /// # Panics
    ///
    /// Never: a room is not closed.
    pub async fn enter(&self, plan: &Plan) -> Place {
        let open = "a room is never closed";
        let places = if in_true_time(plan) { 1 } else { self.of_a_place };
        let place = Arc::clone(&self.places).acquire_many_owned(places).await.expect(open);
        let part = Arc::clone(&self.free).acquire_many_owned(self.part(plan)).await.expect(open);
        let start = Arc::clone(&self.starts).acquire_owned().await.expect(open);
        Place { _place: place, _part: part, start: Some(start) }
    }

    /// What a plan needs, in thousandths of a core; never more than there is.
    fn part(&self, plan: &Plan) -> u32 {
        if plan.exclusive { self.whole } else { need_milli(plan).min(self.whole) }
    }
}

/// Whether nothing of a plan is squeezed.
const fn in_true_time(plan: &Plan) -> bool {
    plan.time_scale <= 1
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn need_milli(plan: &Plan) -> u32 {
    // A plan that cannot be scheduled says so when it is carried out.
    let peak = Schedule::of(plan).map_or(0, |schedule| schedule.peak_per_s());
    let standing = if in_true_time(plan) { STANDING_IN_TRUE_TIME_MILLI } else { STANDING_MILLI };
    standing + (peak as f64 * PER_ARRIVAL_MILLI).ceil() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use mock_server::profile::ContractProfile;
    use scenarios::catalogue::{Profile, SCENARIOS, Settings, run_plan};
    use scenarios::plan::{Pace, Shape};
    use std::time::Duration;
    use tokio::task::JoinSet;
    use tokio::time::Instant;

    fn quick() -> Vec<Plan> {
        let quick = SCENARIOS.iter().filter(|one| one.is_of(Profile::Quick)).map(|one| one.id);
        let ids: Vec<&str> = quick.collect();
        run_plan(&Settings::default(), ContractProfile::linktree_v1(), &ids).scenarios
    }

    fn nightly(root_seed: u64) -> Vec<Plan> {
        let profile = Profile::Nightly;
        let settings = Settings { profile, time_scale: 1, root_seed, ..Settings::default() };
        let night = SCENARIOS.iter().filter(|one| one.is_of(profile)).map(|one| one.id);
        let night: Vec<&str> = night.collect();
        run_plan(&settings, ContractProfile::linktree_v1(), &night).scenarios
    }

    /// Lasts so long, at so many visitors a second.
    fn plan(id: &str, seconds: u64, rate: u32, exclusive: bool) -> Plan {
        let mut plan = quick().remove(0);
        plan.traffic.truncate(1);
        plan.traffic[0].pace = Pace::Open { shape: Shape::Steady { rate } };
        plan.traffic[0].until_ms = plan.traffic[0].from_ms + 1_000;
        plan.phases.truncate(1);
        plan.phases[0].until_ms = seconds * 1_000;
        Plan { id: id.to_owned(), exclusive, ..plan }
    }

    /// When each plan of a run began and when the last ended, in a room where nothing takes longer
    /// than it should.
    async fn ran(
        plans: &[Plan],
        cores: usize,
        at_most: Option<usize>,
    ) -> (Vec<(String, u64)>, u64) {
        let (room, start) = (Room::of(cores, at_most), Instant::now());
        let (mut began, mut running) = (Vec::new(), JoinSet::new());
        for plan in in_running_order(plans) {
            let mut place = room.enter(plan).await;
            place.started();
            began.push((plan.id.clone(), start.elapsed().as_secs()));
            let length = Duration::from_millis(plan.duration_ms());
            running.spawn(async move {
                tokio::time::sleep(length).await;
                drop(place);
            });
        }
        while running.join_next().await.is_some() {}
        (began, u64::try_from(start.elapsed().as_millis()).unwrap())
    }

    async fn check(plans: &[Plan], at_most: Option<usize>, expected: &[(&str, u64)]) {
        let (began, _) = ran(plans, 2, at_most).await;
        let began: Vec<(&str, u64)> = began.iter().map(|(id, at)| (id.as_str(), *at)).collect();
        assert_eq!(began, expected, "at most {at_most:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_fits_runs_at_once_and_who_needs_the_machine_runs_last_and_alone() {
        let plans = [
            plan("alone", 9, 1, true),
            plan("short", 2, 50, false),
            plan("long", 5, 50, false),
            plan("also-alone", 1, 1, true),
        ];
        check(&plans, None, &[("long", 0), ("short", 0), ("alone", 5), ("also-alone", 14)]).await;
        check(&plans, Some(1), &[("long", 0), ("short", 5), ("alone", 7), ("also-alone", 16)])
            .await;
        check(&[], None, &[]).await;
    }

    #[tokio::test(start_paused = true)]
    async fn targets_start_one_after_the_other_and_a_failed_start_makes_room_too() {
        let (plan, room) = (plan("calm", 2, 1, false), Room::of(2, None));
        let mut first = room.enter(&plan).await;
        let second = tokio::time::timeout(Duration::from_secs(60), room.enter(&plan)).await;
        assert!(first.is_starting() && second.is_err());
        first.started();
        let second = room.enter(&plan).await;
        drop(second);
        assert!(room.enter(&plan).await.is_starting());
        // On four cores two may start at once.
        let room = Room::of(4, None);
        let _both = (room.enter(&plan).await, room.enter(&plan).await);
    }

    #[tokio::test(start_paused = true)]
    async fn crowds_that_would_fill_the_machine_together_come_one_after_the_other() {
        let plans =
            [plan("a", 3, 1_200, false), plan("b", 2, 1_200, false), plan("c", 1, 9, false)];
        check(&plans, None, &[("a", 0), ("b", 3), ("c", 3)]).await;
        check(&plans, Some(64), &[("a", 0), ("b", 3), ("c", 3)]).await;
        // What needs more than there is takes all of it.
        check(
            &[plan("giant", 4, 20_000, false), plans[2].clone()],
            None,
            &[("giant", 0), ("c", 4)],
        )
        .await;
    }

    /// How many of thirty calm plans of a time scale begin at once.
    async fn at_once(time_scale: u32, at_most: Option<usize>) -> usize {
        let calm = Plan { time_scale, ..plan("calm", 2, 1, false) };
        let (began, _) = ran(&vec![calm; 30], 2, at_most).await;
        began.iter().filter(|one| one.1 == 0).count()
    }

    #[tokio::test(start_paused = true)]
    async fn in_true_time_there_is_room_for_twice_as_many() {
        for squeezed in [10, 3, 2] {
            assert_eq!(at_once(squeezed, None).await, 2 * MOST_ON_A_CORE, "{squeezed}");
        }
        assert_eq!(at_once(1, None).await, 2 * 2 * MOST_ON_A_CORE);
        // Whoever says how many means so many.
        for time_scale in [1, 10] {
            assert_eq!(at_once(time_scale, Some(5)).await, 5, "{time_scale}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_quick_profile_ends_in_time_on_two_cores() {
        let plans = quick();
        let (began, total) = ran(&plans, 2, None).await;
        assert_eq!(began.len(), plans.len());
        // The whole run is promised within 120 s; starting, stopping and judging take some of them.
        assert!(total <= 110_000, "{total} ms: {began:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_nightly_profile_ends_in_time_on_two_cores() {
        for seed in 71..75 {
            let plans = nightly(seed);
            let (began, total) = ran(&plans, 2, None).await;
            assert_eq!(began.len(), plans.len());
            // Twelve minutes are promised for the whole run.
            assert!(total <= 690_000, "seed {seed}, {total} ms: {began:?}");
        }
    }
}
